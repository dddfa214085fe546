"""How `library.sqlite` is opened: for reading, for writing, and what is done with a file that can't be."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from rag.errors import LibraryEmpty, LibraryUnwritable
from rag.index.trouble import explained

PATIENCE = 5.0
"""Seconds SQLite waits for the moment in which another process opens, closes or recovers the file."""
KEPT_LOG = 16 << 20
"""Bytes of the write-ahead log that stay on disk after its content has moved into the database."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A connection that can't change anything, and which file it has open."""

    connection: sqlite3.Connection
    mark: tuple[int, ...] | None
    frozen: bool
    """Opened as a file that never changes, because its folder can't be written."""

    @classmethod
    def open(cls, database: Path) -> Self:
        """Raises LibraryEmpty where there is no file, LibraryUnwritable or DamagedDatabase where it can't be read."""
        mark = _mark(database, frozen=False)
        if mark is None:
            raise nothing_indexed(database.parent)
        with explained(database):
            try:
                return cls(_connect(database, "mode=rw"), mark, frozen=False)
            except sqlite3.OperationalError as error:
                # Even to read, SQLite needs to write the file that readers and writer share: not in such a folder.
                if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
                    raise
            if _size(log_of(database)) > 0:
                raise LibraryUnwritable(
                    f"{database.parent} can't be written, and its last change still waits in {log_of(database).name}. "
                    "Run `rag status` once where it can, or copy the folder and set RAG_INDEX to the copy."
                )
            mark = _mark(database, frozen=True)
            return cls(_connect(database, "immutable=1"), mark, frozen=True)

    def is_current(self, database: Path) -> bool:
        """Whether `database` still is the file this connection reads, not one that has taken its place."""
        if self.frozen and _size(log_of(database)) > 0:
            return False
        return self.mark == _mark(database, self.frozen)


def connect_for_writing(database: Path) -> sqlite3.Connection:
    """No transaction is open. Raises what sqlite3 raises.

    May be used from any thread, by one at a time: a progress bar's generator can be resumed on another one.
    """
    connection = sqlite3.connect(database, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA journal_size_limit = {KEPT_LOG}")
    except BaseException:
        connection.close()
        raise
    return connection


def set_aside(database: Path) -> None:
    """Rename a database that can't be read to `library-damaged.sqlite`, and drop its log, which belongs to it alone."""
    with explained(database):
        database.replace(database.with_stem(f"{database.stem}-damaged"))
        for beside in (log_of(database), database.with_name(f"{database.name}-shm")):
            beside.unlink(missing_ok=True)


def log_of(database: Path) -> Path:
    """SQLite's write-ahead log."""
    return database.with_name(f"{database.name}-wal")


def nothing_indexed(folder: object) -> LibraryEmpty:
    """The error for a folder without a library, or with an empty one."""
    return LibraryEmpty(f"There are no articles in {folder} yet. Run `rag index FOLDER` with the folder of yours.")


def _connect(database: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{database.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=PATIENCE,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # opens the file, which connect() doesn't
    except BaseException:
        connection.close()
        raise
    return connection


def _mark(database: Path, frozen: bool) -> tuple[int, ...] | None:
    """What tells one file from another of the same name; None where there is none."""
    try:
        found = database.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        with explained(database):
            raise error
    changing = (found.st_size, found.st_mtime_ns) if frozen else ()
    return (found.st_dev, found.st_ino, *changing)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
