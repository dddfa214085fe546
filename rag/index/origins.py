"""What documents were made from and by: the seal on a text, the file or page, the version of the loaders."""

import hashlib
import json
from dataclasses import astuple, dataclass
from enum import StrEnum
from pathlib import Path

from rag.types import Document

FIRST_LOADER = 1
"""Version of the loaders when libraries didn't keep it yet."""

UNFINISHED = -1
"""In place of that version: not all that the file holds is in the library."""


class Outcome(StrEnum):
    """What the last visit of a file or page came to."""

    READ = "read"
    QUESTIONS = "questions"
    """A file that holds questions, which are no articles: the library has no document of it."""
    UNREACHED = "unreached"
    """The page couldn't be had, for whatever reason; what was indexed from it before is still there. So for GONE."""
    GONE = "gone"
    """The server says that there is no such page."""
    REMOVED = "removed"
    """A file that somebody took out of the library; it stays out until it is named by itself."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What is kept of a file or page besides its documents, where there is anything to keep."""

    source: str
    """See `Document.file`."""
    content_hash: str
    """Of all that was read there."""
    fields: str | None = None
    """Which fields were said to hold what of an article when it was read; None where that makes no difference."""
    etag: str = ""
    """By which a server can tell whether the page has changed since; empty where it said none. So `modified`."""
    modified: str = ""
    outcome: Outcome = Outcome.READ


def seal(document: Document) -> str:
    """64 hexadecimal digits that any change to any field of a document changes."""
    return hashlib.sha256(json.dumps(astuple(document)).encode()).hexdigest()


def text_hash(text: str) -> bytes:
    """16 bytes under which the vector of an embedded text is found again."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def source_file(file: str) -> Path | None:
    """Where to look whether what was read from `Document.file` changed; None for what isn't on this disk."""
    return None if "://" in file else Path(file)


def file_mark(path: Path) -> str | None:
    """What changes whenever a file's content does: its size and times. None where it can't be looked at."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return f"{found.st_size}:{found.st_mtime_ns}:{found.st_ctime_ns}"
