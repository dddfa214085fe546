"""Room on the disk, and what is said when there is none or the folder can't be written."""

import contextlib
import errno
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from rag.errors import DiskFull, ModelUnavailable

ELSEWHERE = "set RAG_MODELS=FOLDER to keep the models elsewhere"
FULL = (errno.ENOSPC, errno.EDQUOT)
UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)

FreeBytes = Callable[[Path], int]
"""Bytes that can still be written below a folder, which needn't exist yet."""


def free_bytes(folder: Path) -> int:
    """What the disk of `folder`, or of the nearest folder above that exists, has left for this user."""
    absolute = folder.absolute()
    existing = next(place for place in (absolute, *absolute.parents) if place.exists())
    return shutil.disk_usage(existing).free


def in_words(size: int) -> str:
    """`1_117_320_768` → "1.1 GB"; decimal units, as disks are sold."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} bytes"


def require(needed: int, available: int, name: str, home: Path) -> None:
    """Raise DiskFull unless `needed` bytes are available where the model goes."""
    if available >= needed:
        return
    raise DiskFull(
        f"Fetching {name} needs {in_words(needed)} of disk space, {in_words(available)} are free for {home}. "
        f"Free some, or {ELSEWHERE}."
    )


@contextlib.contextmanager
def explained(name: str, home: Path) -> Iterator[None]:
    """Turn the operating system's "no space" and "not allowed" into errors a user can act on."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull(
                f"The disk ran full while {name} was written to {home}; what was complete is kept. "
                f"Free some space and run `rag models fetch {name}` to continue, or {ELSEWHERE}."
            ) from error
        if error.errno in UNWRITABLE:
            raise ModelUnavailable(
                f"{name} can't be written to {home}: {error.strerror}. Make that folder writable, or {ELSEWHERE}."
            ) from error
        raise
