"""The file of saved conversations: how it is made, opened, read and written."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from rag.conversations.schema import check_schema, create_tables
from rag.conversations.trouble import explained

FILE = "conversations.sqlite"
PATIENCE = 10.0
"""Seconds that a transaction waits for those of other processes."""


class Database:
    """One connection, used by one thread at a time; it is opened when it is first needed.

    Where the file is replaced or removed meanwhile, the next transaction is one on the file that is there then.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._mark: tuple[int, int] | None = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One state of the database for the whole block; where there is no file, an empty database.

        Raises RagError where it can't be read.
        """
        with self._lock, explained(self.path):
            if self._connection is None and not self.path.exists():
                with closing(_empty()) as nothing:
                    yield nothing
                return
            with _transaction(self._opened(), "BEGIN") as connection:
                yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """All that the block does, or nothing where it raises. Makes the file.

        Raises DiskFull, and RagError where it can't be written.
        """
        with self._lock, explained(self.path), _transaction(self._opened(), "BEGIN IMMEDIATE") as connection:
            yield connection

    def forget_deleted(self) -> None:
        """Take what was deleted off the disk: out of the full-text table, the log and the file's unused pages.

        What another process is reading at this moment stays in the log until the next time.
        """
        with self.writing() as connection:
            connection.execute("INSERT INTO words (words) VALUES ('optimize')")
        with self._lock, explained(self.path):
            connection = self._opened()
            connection.executescript("PRAGMA incremental_vacuum")  # subtle: execute() would free a single page
            connection.execute("PRAGMA wal_checkpoint (TRUNCATE)").fetchall()

    def close(self) -> None:
        """Safe to call twice; the next transaction opens the file again."""
        with self._lock:
            if self._connection:
                self._connection.close()
            self._connection = self._mark = None

    def _opened(self) -> sqlite3.Connection:
        mark = _mark(self.path)
        if self._connection and mark == self._mark:
            return self._connection
        self.close()
        if mark is None:
            _make(self.path)
        connection = _connected(self.path)
        try:
            check_schema(connection, self.path)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
        except BaseException:
            connection.close()
            raise
        self._connection, self._mark = connection, _mark(self.path)
        return connection


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[sqlite3.Connection]:
    connection.execute(begin)
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):  # SQLite itself has rolled back what a full disk stopped
            connection.execute("ROLLBACK")
        raise


def _make(path: Path) -> None:
    """An empty database that only its user can read; SQLite gives its log the same permissions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        if path.exists():
            return
        # subtle: the log of a database that was deleted would be taken for the new one's
        for beside in ("-wal", "-shm"):
            path.with_name(f"{path.name}{beside}").unlink(missing_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        part.unlink(missing_ok=True)
        try:
            part.touch(mode=0o600)
            with closing(_connected(part)) as connection:
                create_tables(connection)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _empty() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    create_tables(connection)
    return connection


def _mark(path: Path) -> tuple[int, int] | None:
    """What tells one file from another of the same name; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
