"""Derived files, written whole or not at all."""

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

BLOCK = 1 << 20
"""Bytes read or written at a time."""


class Checksummed:
    """Called with each block of bytes: passes it on to the file and keeps the CRC-32 of all."""

    def __init__(self, file: BinaryIO) -> None:
        self.crc = 0
        self._file = file

    def __call__(self, block: bytes) -> int:
        self.crc = zlib.crc32(block, self.crc)
        return self._file.write(block)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open the file for writing under another name; after the block it is synced, renamed, and the folder synced.

    Raises OSError; then no trace is left of the new file.
    """
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut. Windows neither needs nor allows it."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
