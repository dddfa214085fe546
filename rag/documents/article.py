"""What a loader reads out of the bytes of a file, whatever their format."""

from dataclasses import dataclass
from typing import TypeAlias

from rag.errors import DocumentError


@dataclass(frozen=True, slots=True)
class Article:
    """The part of a `Document` that stands in the file itself."""

    title: str | None
    """One line without markup, or None where the article has no title."""
    text: str
    """Lines end with "\\n". Of plain text and Markdown every other character is as the author left it."""
    published: str | None = None
    """ISO 8601 date."""
    author: str | None = None
    url: str | None = None
    """Where it was published: http or https."""
    pages: tuple[int, ...] = ()
    """See `Document.pages`."""
    part: str = ""
    """See `Document.part`."""
    whole: bool = True
    """False where there is only a summary of the article, as in many feeds."""


@dataclass(frozen=True, slots=True)
class Note:
    """One or two sentences about something in a file that could not be read, though other things in it could."""

    text: str


@dataclass(frozen=True, slots=True)
class Fields:
    """Which fields the records of a file have, or which columns a table: where `FieldNames` make a difference."""

    named: tuple[str, ...]
    """Of the names that stand before the usual ones, those that some record has."""
    seen: tuple[str, ...]
    """Of the first record, not all where there are many."""


Found: TypeAlias = Article | Note | Fields


class HoldsQuestions(DocumentError):
    """The file is a table of questions to be asked, and no article."""
