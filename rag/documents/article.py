"""What a loader reads out of the bytes of an article, whatever their format."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Article:
    """The part of a `Document` that stands in the article itself."""

    title: str | None
    """One line without markup, or None where the article has no title."""
    text: str
    """Lines end with "\\n"; apart from that, every character is as the author left it."""
    published: str | None = None
    """ISO 8601 date."""
    author: str | None = None
