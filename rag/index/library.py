"""The reading side: a library that stays open while `rag index` changes it."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rag.index.connections import Reader, nothing_indexed
from rag.index.newest import OfNewest
from rag.index.reading import Snapshot
from rag.index.schema import DATABASE, Identity, check_identity, read_manifest
from rag.index.searching import Searching
from rag.index.trouble import explained


def open_library(folder: Path, identity: Identity | None = None) -> "Library":
    """The library in `folder`, made with `identity` (or with anything, where None).

    Raises LibraryEmpty where nothing has been indexed, LibraryMismatch where the library was made with another
    identity or by another version, LibraryUnwritable where it can't be opened or is damaged.
    """
    library = Library(folder, identity)
    try:
        if not library.count().documents:
            raise nothing_indexed(folder)
    except BaseException:
        library.close()
        raise
    return library


class Library(OfNewest):
    """A `Catalogue` that answers from the newest committed generation; may be used from several threads at once.

    Each method is a snapshot of its own. Where answers must fit together, take them from one: a chunk's offsets
    mean nothing in a later text of its document.

        with library.snapshot() as now:
            hits = now.nearest(query, 40)
            documents = now.documents_by_id(hit.chunk.document_id for hit in hits)
    """

    def __init__(self, folder: Path, identity: Identity | None = None) -> None:
        self.folder = folder
        self._database = folder / DATABASE
        self._identity = identity
        self._idle: list[Reader] = []
        self._searching = Searching(folder)
        self._pooling = threading.Lock()
        self._closed = False

    def close(self) -> None:
        """Close the connections; one that a snapshot still uses closes with it. Safe to call twice."""
        with self._pooling:
            self._closed = True
            for reader in self._idle:
                reader.connection.close()
            self._idle.clear()
        self._searching.close()

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """The newest committed generation, unchanged until the block ends, whatever a writer does meanwhile.

        Raises as `open_library` does: the library may have been made anew since. ValueError after `close`.
        """
        reader = self._borrow()
        connection = reader.connection
        try:
            with explained(self._database):
                connection.execute("BEGIN")
                manifest = read_manifest(connection, self._database)
            if manifest is None:
                raise nothing_indexed(self.folder)
            if self._identity is not None:
                check_identity(manifest, self._identity, self.folder)
            yield Snapshot(connection, self._database, manifest, partial(self._searching.search, connection, manifest))
        finally:
            self._give_back(reader)

    def _borrow(self) -> Reader:
        with self._pooling:
            if self._closed:
                raise ValueError("the library is closed")
            while self._idle:
                reader = self._idle.pop()
                if reader.is_current(self._database):
                    return reader
                reader.connection.close()
        return Reader.open(self._database)

    def _give_back(self, reader: Reader) -> None:
        try:
            reader.connection.rollback()
        except sqlite3.Error:
            reader.connection.close()
            return
        with self._pooling:
            if self._closed:
                reader.connection.close()
            else:
                self._idle.append(reader)
