"""A library as one reader sees it: nothing in it tells of an article that the reader may not read.

Every question goes through the store's own filter by document, so that what is found is exactly what would be found in
a library that holds the readable articles alone; only how rare a word is, is reckoned over all of them.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rag.index import AnyLibrary, AnySnapshot, Count, Found, Listed, Origin, Stored, Visit
from rag.index.newest import OfNewest
from rag.rights.readers import Readable
from rag.types import Chunk, Document, Hit, Vectors

MOST = 200
"""Kinds of rights whose articles are remembered."""


class Allowed:
    """Ids of the articles that may be read, worked out once for each state of a library and each kind of rights."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, int, Readable], frozenset[str]] = OrderedDict()

    def ids(self, now: AnySnapshot, readable: Readable) -> frozenset[str] | None:
        """None for all."""
        if readable.everything:
            return None
        key = now.manifest.stamp, now.manifest.generation, readable
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        ids = frozenset(listed.id for listed in now.documents() if readable.reads(listed.source))
        with self._lock:
            self._known[key] = ids
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return ids


class ReadableLibrary(OfNewest):
    """Implements `rag.index.AnyLibrary` by another library, of which `readable` tells what may be read now."""

    def __init__(self, library: AnyLibrary, readable: Callable[[], Readable], allowed: Allowed) -> None:
        self._library = library
        self._readable = readable
        self._allowed = allowed

    @contextmanager
    def snapshot(self) -> Iterator[AnySnapshot]:
        """The newest committed generation. Raises SettingsError while the file of rights can't be read."""
        readable = self._readable()
        with self._library.snapshot() as now:
            ids = self._allowed.ids(now, readable)
            yield now if ids is None else ReadableSnapshot(now, ids, readable)

    def close(self) -> None:
        """Does nothing: the library is another's, who closes it."""


class ReadableSnapshot:
    """Implements `rag.index.AnySnapshot`; see `rag.index.Snapshot` for what each method does."""

    def __init__(self, now: AnySnapshot, ids: frozenset[str], readable: Readable) -> None:
        """`ids` are those of all documents that may be read."""
        self.manifest = now.manifest
        self._now = now
        self._ids = ids
        self._readable = readable

    def nearest(self, query: Vectors, k: int, documents: frozenset[str] | None = None) -> list[Hit]:
        return self._now.nearest(query, k, self._among(documents))

    def matching(self, question: str, k: int, documents: frozenset[str] | None = None) -> list[Hit]:
        return self._now.matching(question, k, self._among(documents))

    def documents_by_id(self, ids: Iterable[str]) -> dict[str, Document]:
        return self._now.documents_by_id(self._ids & {*ids})

    def count(self) -> Count:
        listed = self.documents()
        return Count(len(listed), sum(one.chunks for one in listed))

    def documents(self) -> list[Listed]:
        return [listed for listed in self._now.documents() if listed.id in self._ids]

    def entries(
        self,
        typed: str = "",
        only: Iterable[str] | None = None,
        files: Iterable[str] | None = None,
        after: int = 0,
        most: int = 50,
    ) -> Found:
        among = self._among(None if only is None else frozenset(only))
        return self._now.entries(typed, among, files, after, most)

    def chunks_of(self, document_id: str) -> tuple[Chunk, ...]:
        return self._now.chunks_of(document_id) if document_id in self._ids else ()

    def titles(self, content_hashes: Iterable[str]) -> dict[str, str]:
        wanted = {*content_hashes}
        listed = [one for one in self.documents() if one.content_hash in wanted]
        return {one.content_hash: one.title for one in sorted(listed, key=lambda one: one.title, reverse=True)}

    def origins(self, ids: Iterable[str] | None = None) -> dict[str, Origin]:
        return self._now.origins(self._ids if ids is None else self._ids & {*ids})

    def duplicates_of(self, document_id: str) -> tuple[Listed, ...]:
        if document_id not in self._ids:
            return ()
        return tuple(other for other in self._now.duplicates_of(document_id) if other.id in self._ids)

    def dates(self) -> dict[str, str | None]:
        return {name: published for name, published in self._now.dates().items() if name in self._ids}

    def roots(self) -> list[str]:
        """Of all that was indexed: folders, from which a page says on where an article lies."""
        return self._now.roots()

    def visits(self) -> dict[str, Visit]:
        return {source: visit for source, visit in self._now.visits().items() if self._readable.reads(source)}

    def stored(self) -> Iterator[Stored]:
        return (stored for stored in self._now.stored() if stored.document.id in self._ids)

    def _among(self, documents: frozenset[str] | None) -> frozenset[str]:
        return self._ids if documents is None else self._ids & documents
