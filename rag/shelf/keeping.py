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

_SIGNS = "_ .,()&+'’–-"


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
    """A name with a suffix, made of letters, digits and a few signs, none of these where it begins or its stem ends.

    >>> harmless("../.a<b>:bill?.TXT")
    'a b bill.txt'
    """
    stem, _, suffix = unicodedata.normalize("NFC", name).rpartition(".")
    suffix = re.sub(r"[^a-z0-9]", "", suffix.lower())
    words = "".join(sign if _is_harmless(sign) else " " for sign in stem).split()
    whole = f"{' '.join(words).strip(_SIGNS)[:LONGEST_STEM].strip() or 'file'}.{suffix}"
    return f"kept {whole}" if whole.lower() in NO_ARTICLES else whole


def _is_harmless(sign: str) -> bool:
    """Letters, digits and what stands on or beside letters in many scripts."""
    return sign.isalnum() or sign in _SIGNS or unicodedata.category(sign).startswith("M")


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
