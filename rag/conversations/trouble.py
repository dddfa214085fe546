"""What SQLite and the system report, said in a user's words."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.errors import DiskFull, RagError

FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
"""What an OSError says where there is no room left."""
LITTLE = 1 << 20
"""Bytes: where no more can be written, a failed write is put down to want of room."""

_ELSEWHERE = "set RAG_CONVERSATIONS to a folder that you can write"


@contextmanager
def explained(database: Path) -> Iterator[None]:
    """Turn the sqlite3.Error or OSError of the block into a RagError; DiskFull where there is no room.

    What only a mistake in Citeline can cause, such as a broken constraint, passes unchanged.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        plain = _of_sqlite(error, database)
        if plain is None:
            raise
        raise plain from error
    except OSError as error:
        if error.errno in FULL:
            raise _full(database) from error
        raise _unusable(database, error.strerror or error) from error


def damaged(database: Path, how: object) -> RagError:
    """The error for a file that can't be made sense of; `how` is what gave it away."""
    return RagError(
        f"{database} is damaged ({how}), so the saved conversations can't be read; the library is another file. Put a "
        f"copy of yours in its place, or begin anew: `mv {database.name} {database.name}-damaged` in {database.parent}."
    )


def _of_sqlite(error: sqlite3.DatabaseError, database: Path) -> RagError | None:
    # Python's own errors have no code; its only OperationalError is for text that isn't UTF-8.
    unknown = sqlite3.SQLITE_ERROR if isinstance(error, sqlite3.OperationalError) else sqlite3.SQLITE_MISUSE
    match getattr(error, "sqlite_errorcode", unknown) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return _full(database)
        case sqlite3.SQLITE_IOERR if _no_room_beside(database):
            return _full(database)
        # SQLITE_ERROR: the statements are known to be right, so a table isn't as it was made.
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_ERROR:
            return damaged(database, error)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return RagError(f"{database} is locked by another program. Close that program and try again.")
        case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return _unusable(database, error)
    return None


def _full(database: Path) -> DiskFull:
    return DiskFull(
        f"No room left on the disk of {database.parent}, so the conversation could not be saved; what was saved before "
        f"is still there. Free some space, or {_ELSEWHERE}."
    )


def _unusable(database: Path, why: object) -> RagError:
    return RagError(f"{database} can't be used ({why}). Allow its folder to be read and written, or {_ELSEWHERE}.")


def _no_room_beside(database: Path) -> bool:
    """Asked by writing: SQLite calls a quota that is used up an I/O error."""
    probe = database.with_name(f".{database.name}.probe")
    try:
        probe.write_bytes(bytes(LITTLE))
    except OSError as error:
        return error.errno in FULL
    finally:
        probe.unlink(missing_ok=True)
    return False
