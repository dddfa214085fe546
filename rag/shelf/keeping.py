"""Files that were sent → the folder of the library they are kept in, under names that harm nobody."""

import re
import shutil
import unicodedata
from collections.abc import Iterable
from itertools import count
from pathlib import Path

from rag.documents import NO_ARTICLES, named_like_articles
from rag.errors import DocumentError

FOLDER = "uploads"
"""Of the library's folder."""
LONGEST_STEM = 100
"""Characters."""
BEGINNING = 4096
"""Bytes by which a format is told."""

_HARMFUL = re.compile(r"[^\w .,()&+'’–-]+")


def keep(file: Path, folder: Path) -> Path:
    """Move a file into the folder, which is made when missing, and return where it lies; no other is overwritten.

    Raises DocumentError for a file that can't be read or is in a format that isn't accepted.
    """
    try:
        with file.open("rb") as stream:
            name = harmless(named_like_articles(file.name, stream.read(BEGINNING)))
        folder.mkdir(parents=True, exist_ok=True)
        kept = _reserved(folder, name)
        shutil.move(file, kept)
    except OSError as error:
        raise DocumentError(f"{file.name} can't be kept: {error.strerror or error}.") from error
    kept.chmod(0o644)
    return kept


def harmless(name: str) -> str:
    """A file's name of letters, digits and a few signs, none of them at its beginning, that a folder's list would show.

    >>> harmless("../.a<b>:bill?.TXT")
    'a b bill.txt'
    """
    stem, dot, suffix = unicodedata.normalize("NFC", name).rpartition(".")
    stem = re.sub(r"\s+", " ", _HARMFUL.sub(" ", stem if dot else name)).strip(" .-'")[:LONGEST_STEM].strip() or "file"
    whole = f"{stem}.{re.sub(r'[^a-z0-9]', '', suffix.lower())}" if dot else stem
    return f"kept {whole}" if whole.lower() in NO_ARTICLES else whole


def discard(files: Iterable[Path]) -> None:
    """Remove files; those that are gone are ignored."""
    for file in files:
        file.unlink(missing_ok=True)


def _reserved(folder: Path, name: str) -> Path:
    """A new empty file, called `name` or, where there is such a file, "bill 2.txt" and so on."""
    whole = Path(name)
    for number in count(1):
        path = folder / (name if number == 1 else f"{whole.stem} {number}{whole.suffix}")
        try:
            path.open("xb").close()
        except FileExistsError:
            continue
        return path
    raise AssertionError("count() doesn't end")
