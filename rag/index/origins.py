"""What a document was made from and by: the seal on its text, the file it came from, the version of the loaders."""

import hashlib
import json
from dataclasses import astuple
from pathlib import Path

from rag.types import Document

FIRST_LOADER = 1
"""Version of the loaders when libraries didn't keep it yet."""

UNFINISHED = -1
"""In place of that version: not all that the file holds is in the library."""


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
