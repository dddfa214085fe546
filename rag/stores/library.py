"""The reading side of a library on servers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, InvalidRequestError

from rag.index.connections import nothing_indexed
from rag.index.newest import OfNewest
from rag.index.schema import Identity, Manifest, check_identity
from rag.stores import milvus
from rag.stores.connecting import engine_of, explained, lock_key
from rag.stores.manifest import read_manifest
from rag.stores.milvus import MilvusVectors
from rag.stores.places import Servers
from rag.stores.reading import ServerSnapshot

_LOCK = text("SELECT pg_advisory_lock_shared(:key, :number)")
_UNLOCK = text("SELECT pg_advisory_unlock_all()")


class ServerLibrary(OfNewest):
    """Implements `AnyLibrary`; may be used from several threads at once, and by any number of machines.

    A reader holds a shared advisory lock of PostgreSQL that names its generation, so that no writer removes from Milvus
    what it may still find there.
    """

    def __init__(self, place: Servers, identity: Identity | None = None) -> None:
        self.place = place
        self._identity = identity
        self._engine = engine_of(place, "rag")
        self._client: Any = None
        self._proved = self._loaded = ""
        self._opening = threading.Lock()
        self._proving = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """Close the connections; one that a snapshot still uses closes with it. Safe to call twice."""
        with self._opening:
            self._closed = True
            self._engine.dispose()
            if self._client is not None:
                self._client.close()
                self._client = None

    @contextmanager
    def snapshot(self) -> Iterator[ServerSnapshot]:
        """The newest committed generation, unchanged until the block ends, whatever a writer does meanwhile.

        Raises LibraryEmpty, LibraryMismatch, or LibraryUnreachable where a server doesn't answer. ValueError after
        `close`.
        """
        if self._closed:
            raise ValueError("the library is closed")
        with explained(self.place):
            connection = self._engine.connect()
        try:
            manifest, collection = self._begin(connection)
            now = ServerSnapshot(connection, self.place, manifest, collection, lambda: self._proved_vectors(now))
            yield now
        finally:
            _end(connection)

    def _begin(self, connection: Connection) -> tuple[Manifest, str]:
        """Hold the lock of the newest generation, and begin a transaction that sees it."""
        while True:
            with explained(self.place):
                connection.execution_options(isolation_level="AUTOCOMMIT", postgresql_readonly=False)
            before = self._newest(connection)
            number = before[0].generation + 1
            with explained(self.place):
                connection.execute(_LOCK, {"key": lock_key(self.place), "number": number})
                connection.rollback()
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            manifest, collection, _ = self._newest(connection)
            if manifest.generation == before[0].generation:  # else a writer has committed in between
                break
            _free(connection)
        if self._identity is not None:
            check_identity(manifest, self._identity, self.place)
        return manifest, collection

    def _newest(self, connection: Connection) -> tuple[Manifest, str, int]:
        found = read_manifest(connection, self.place)
        if found is None:
            raise nothing_indexed(self.place)
        return found

    def reach(self) -> None:
        """Raises LibraryUnreachable where the database or Milvus doesn't answer, else what `snapshot` raises."""
        with self.snapshot() as now:
            self.vectors_of(now).reach()

    def vectors_of(self, now: ServerSnapshot) -> MilvusVectors:
        """What Milvus has of that state, and perhaps of others."""
        with self._opening:
            if self._client is None:
                self._client = milvus.connect(self.place)
            vectors = MilvusVectors(self._client, now.collection, now.manifest.identity.dimension, self.place)
            if self._loaded != now.collection and vectors.load():
                self._loaded = now.collection
            return vectors

    def _proved_vectors(self, now: ServerSnapshot) -> MilvusVectors:
        vectors = self.vectors_of(now)
        with self._proving:
            if self._proved != now.manifest.stamp:
                if len(vectors) < now.count().chunks:
                    raise milvus.incomplete(self.place)
                self._proved = now.manifest.stamp
            return vectors


def _end(connection: Connection) -> None:
    try:
        _free(connection)
    except (DBAPIError, InvalidRequestError):  # the server has freed the lock with the connection
        connection.invalidate()
    finally:
        connection.close()


def _free(connection: Connection) -> None:
    connection.rollback()
    connection.execute(_UNLOCK)
    connection.rollback()
