"""What the library holds and what is being done to it, as a page shows it."""

from dataclasses import dataclass
from enum import StrEnum

from rag.types import Chunk, Document


class Became(StrEnum):
    """What became of a file, an address or an article."""

    ADDED = "added"
    UPDATED = "updated"
    MOVED = "moved"
    REMOVED = "removed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Result:
    """Of one file, address or article."""

    name: str
    became: Became
    detail: str = ""
    """Why, or how many."""


@dataclass(frozen=True, slots=True)
class Work:
    """A change to the library that is under way or over."""

    doing: str
    """Such as "Adding 3 files"."""
    begun: str
    """By the clock, such as "12:03", and by whom where there is a login."""
    running: bool = True
    cancelling: bool = False
    percent: int | None = None
    """None where nobody knows."""
    seconds_left: float | None = None
    results: tuple[Result, ...] = ()
    more: int = 0
    """Results that aren't in `results`."""
    summary: str = ""
    """When it is over."""
    failure: str = ""
    """Why it ended early."""


@dataclass(frozen=True, slots=True)
class Held:
    """An article in the list."""

    id: str
    title: str
    source: str
    published: str | None
    chunks: int
    reasons: tuple[str, ...] = ()
    """Why it is not up to date; empty where it is."""


@dataclass(frozen=True, slots=True)
class Behind:
    """A file, folder or page that the library is behind of."""

    source: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list of articles."""

    articles: tuple[Held, ...]
    matching: int
    """How many the whole list has."""
    page: int
    """Counted from 1."""
    pages: int
    documents: int
    """In the library. So `chunks`."""
    chunks: int


@dataclass(frozen=True, slots=True)
class Opened:
    """One article, whole."""

    document: Document
    chunks: tuple[Chunk, ...]
    copies: tuple[str, ...]
    """Sources of other versions of it."""
    reasons: tuple[str, ...]
    """As in `Held`."""
    uploaded: bool
    """Whether its file lies in the folder of files that were sent to the page."""
    siblings: int
    """Other articles of the same file."""
    place: str
    """Where it lies, as far as who looks may know."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """An article that questions are asked of."""

    id: str
    title: str
