"""What SQLite and the system report, said in a user's words."""

import errno
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.errors import DiskFull, LibraryBusy, LibraryUnwritable, RagError

NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}
LITTLE = 1 << 20
"""Bytes: where no more can be written, a failed write is put down to want of room."""


class DamagedDatabase(LibraryUnwritable):
    """The database can't be made sense of; `rag index --rebuild` sets it aside and starts a new one."""


@contextmanager
def explained(database: Path) -> Iterator[None]:
    """Turn the sqlite3.Error or OSError of the block into the RagError it stands for.

    Raises DiskFull, LibraryBusy, LibraryUnwritable or DamagedDatabase. An sqlite3.Error that only a mistake in
    Citeline can cause (a broken constraint, a closed connection) passes unchanged.
    """
    try:
        yield
    except sqlite3.Error as error:
        plain = _of_sqlite(error, database)
        if plain is None:
            raise
        raise plain from error
    except OSError as error:
        raise _of_system(error, database) from error


def damaged(database: Path, how: object) -> DamagedDatabase:
    """The error for a database that can't be read; `how` is what gave it away."""
    return DamagedDatabase(
        f"{database} is damaged ({how}). "
        "Run `rag index --rebuild FOLDER` with the folder of your articles to make it again."
    )


def _of_sqlite(error: sqlite3.Error, database: Path) -> RagError | None:
    if not isinstance(error, sqlite3.DatabaseError) or isinstance(error, sqlite3.IntegrityError):
        return None
    # Python's own errors have no code; its only OperationalError is for text that isn't UTF-8.
    unknown = sqlite3.SQLITE_ERROR if isinstance(error, sqlite3.OperationalError) else sqlite3.SQLITE_MISUSE
    primary = getattr(error, "sqlite_errorcode", unknown) & 0xFF
    if primary == sqlite3.SQLITE_FULL:
        return _disk_full(database)
    if primary == sqlite3.SQLITE_IOERR:
        return _disk_full(database) if _hardly_any_room(database) else _unusable(database, error)
    # SQLITE_ERROR: the statements are known to be right, so a table isn't as it was made.
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
        return damaged(database, error)
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LibraryBusy(f"{database} is locked by another program. Close that program and try again.")
    if primary == sqlite3.SQLITE_READONLY:
        return _read_only(database, error)
    if primary in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return _unusable(database, error)
    return None


def _of_system(error: OSError, database: Path) -> RagError:
    if error.errno in NO_ROOM:
        return _disk_full(database)
    if isinstance(error, FileExistsError | NotADirectoryError):
        return LibraryUnwritable(f"{database.parent} is not a folder. Set RAG_INDEX to the folder of the library.")
    if error.errno in READ_ONLY:
        return _read_only(database, error.strerror)
    return _unusable(database, error.strerror or error)


def _disk_full(database: Path) -> DiskFull:
    return DiskFull(
        f"No room left on the disk of {database.parent}; the library stays as it was. "
        "Free some space and run `rag index` again."
    )


def _read_only(database: Path, why: object) -> LibraryUnwritable:
    return LibraryUnwritable(
        f"{database.parent} can't be written ({why}). Allow it, or set RAG_INDEX to a folder you can write."
    )


def _unusable(database: Path, why: object) -> LibraryUnwritable:
    return LibraryUnwritable(
        f"{database} can't be used ({why}). "
        "Check that the folder and the files in it may be read and written, or set RAG_INDEX to another folder."
    )


def _hardly_any_room(database: Path) -> bool:
    """Asked by writing: what is free on the disk says nothing about a quota, which SQLite calls an I/O error."""
    try:
        with tempfile.TemporaryFile(dir=database.parent) as probe:
            probe.write(bytes(LITTLE))
            probe.flush()
    except OSError as error:
        return error.errno in NO_ROOM
    return False
