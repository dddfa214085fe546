"""The vectors of the states that readers look at, opened when first searched, and restored where they are damaged.

While one reader restores the segment of a large library, which takes a minute for a million vectors, the others search
the embeddings in SQLite one by one: slowly, but exactly. Nobody waits.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from rag.errors import LibraryBusy, RagError
from rag.index.connections import Reader
from rag.index.layered import LayeredVectors, Ranked, searched_through
from rag.index.lock import restoring_lock
from rag.index.reading import all_vectors, embeddings, some_embeddings
from rag.index.schema import DATABASE, Base, Manifest, read_manifest, vectors_file
from rag.index.segment import DamagedSegment, Segment, make_segment
from rag.index.trouble import explained
from rag.index.vectors import FlatVectors
from rag.types import Ids, Vectors


class Searching:
    """Search by similarity in any state of a library; may be used from several threads at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._database = folder / DATABASE
        self._loading = threading.Lock()
        self._restoring = threading.Lock()
        self._loaded: tuple[str, FlatVectors] | None = None
        """Of a small library all vectors, of a large one what was added since its segment was made; and its stamp."""
        self._segment: tuple[str, Segment] | None = None

    def close(self) -> None:
        """Give the memory back."""
        with self._loading:
            self._loaded = self._segment = None

    def search(
        self, connection: sqlite3.Connection, manifest: Manifest, query: Vectors, k: int, among: Ids | None
    ) -> Ranked:
        """As `VectorStore.search`, in the state that the connection's transaction sees."""
        if manifest.base is None:
            return self._all(connection, manifest).search(query, k, among)
        segment = self._opened(manifest, manifest.base)
        if segment is not None:
            with suppress(DamagedSegment):
                return self._layered(connection, manifest, manifest.base, segment).search(query, k, among)
            self._segment = None
        segment = self._restored(connection, manifest, manifest.base)
        if segment is not None:
            return self._layered(connection, manifest, manifest.base, segment).search(query, k, among)
        with explained(self._database):
            batches = embeddings(connection, self._database, manifest.identity.dimension)
            return searched_through(query, k, batches, among)

    def _all(self, connection: sqlite3.Connection, manifest: Manifest) -> FlatVectors:
        with self._loading:
            if self._loaded is None or self._loaded[0] != manifest.stamp:
                self._loaded = (manifest.stamp, self._load(connection, manifest))
            return self._loaded[1]

    def _load(self, connection: sqlite3.Connection, manifest: Manifest) -> FlatVectors:
        path, dimension = vectors_file(self._folder, manifest), manifest.identity.dimension
        store = FlatVectors.load(path, manifest.stamp, dimension)
        with explained(self._database):
            (expected,) = connection.execute("SELECT count(*) FROM chunks").fetchone()
            if store is not None and len(store) == expected:
                return store
            store = all_vectors(connection, self._database, dimension)
        # Of no consequence to the answer: the disk may be full, the folder read-only, a writer at work.
        with suppress(RagError, OSError, sqlite3.Error), restoring_lock(self._folder):
            # A writer may commit meanwhile, under another name: then this is one of the strays it or the next removes.
            if self._newest() == manifest:
                store.save(path, manifest.stamp)
        return store

    def _newest(self) -> Manifest | None:
        with closing(Reader.open(self._database).connection) as connection:
            return read_manifest(connection, self._database)

    def _opened(self, manifest: Manifest, base: Base) -> Segment | None:
        with self._loading:
            if self._segment is None or self._segment[0] != base.stamp:
                path = vectors_file(self._folder, manifest)
                opened = Segment.open(path, base.stamp, manifest.identity.dimension)
                if opened is None:
                    return None
                self._segment = (base.stamp, opened)
            return self._segment[1]

    def _layered(
        self, connection: sqlite3.Connection, manifest: Manifest, base: Base, segment: Segment
    ) -> LayeredVectors:
        dimension = manifest.identity.dimension
        with self._loading:
            if self._loaded is None or self._loaded[0] != manifest.stamp:
                with explained(self._database):
                    self._loaded = (manifest.stamp, all_vectors(connection, self._database, dimension, base.last))
            tail = self._loaded[1]

        def lookup(ids: Ids) -> tuple[Ids, Vectors]:
            with explained(self._database):
                return some_embeddings(connection, self._database, dimension, ids)

        return LayeredVectors(segment, tail, lookup)

    def _restored(self, connection: sqlite3.Connection, manifest: Manifest, base: Base) -> Segment | None:
        """The segment made anew, in memory and on disk; None where another reader is at it, or it is outdated."""
        if not self._restoring.acquire(blocking=False):
            return None
        try:
            with ExitStack() as held:
                try:
                    held.enter_context(restoring_lock(self._folder))
                except LibraryBusy:
                    return None
                except OSError:  # where nothing can be written it is for this process alone
                    pass
                newest = self._newest()
                if newest is None or newest.base != base:
                    return None
                segment = self._made(connection, manifest, base)
                if segment is not None:
                    with suppress(RagError, OSError):
                        segment.save(vectors_file(self._folder, manifest), base.stamp)
                    self._segment = (base.stamp, segment)
                return segment
        finally:
            self._restoring.release()

    def _made(self, connection: sqlite3.Connection, manifest: Manifest, base: Base) -> Segment | None:
        counting = "SELECT count(*) FROM embeddings WHERE chunk <= ?"

        def stream() -> Iterator[tuple[Ids, Vectors]]:
            return embeddings(connection, self._database, manifest.identity.dimension, upto=base.last)

        with explained(self._database):
            (count,) = connection.execute(counting, (base.last,)).fetchone()
            return make_segment(stream, count) if count else None
