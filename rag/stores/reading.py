"""Questions to one committed state of a library on servers."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import numpy as np
from sqlalchemy import Connection, Select, and_, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import TSQUERY

from rag.index.listing import SHORTEST, Entry, Found, fold
from rag.index.moving import Stored, stored_of
from rag.index.origins import Outcome, Visit
from rag.index.reading import Count, Listed, Origin
from rag.index.schema import Manifest
from rag.index.words import MOST_WORDS
from rag.stores import tables
from rag.stores.connecting import explained
from rag.stores.milvus import MOST, MilvusVectors
from rag.stores.places import Servers
from rag.stores.tables import as_document, is_one_of, is_storable, listed
from rag.stores.words import stems, stems_asked
from rag.types import Chunk, Document, Hit, Ids, Vectors

SPARE = 16
"""Hits asked for beyond those wanted: some may be of another generation."""

_chunks, _documents, _sketches = tables.chunks.c, tables.documents.c, tables.sketches.c
_CHUNK = (_chunks.id, _documents.id, _chunks.start_at, _chunks.end_at)
_JOINED = tables.chunks.join(tables.documents, _chunks.document == _documents.number)

Search: TypeAlias = "Callable[[int, Ids | None], list[tuple[int, float]]]"
"""(k, among) → pairs of number and score, best first."""


class ServerSnapshot:
    """Implements `AnySnapshot`: all answers are of the generation that PostgreSQL's transaction sees.

    Milvus knows no transactions: it has rows of other generations too, which are left out because this state of the
    database has no such chunks. Get a snapshot from `ServerLibrary.snapshot`.
    """

    def __init__(
        self,
        connection: Connection,
        place: Servers,
        manifest: Manifest,
        collection: str,
        vectors: Callable[[], MilvusVectors],
    ) -> None:
        self.manifest = manifest
        self.collection = collection
        self.connection = connection
        self._place = place
        self._vectors = vectors

    def nearest(self, query: Vectors, k: int, documents: frozenset[str] | None = None) -> list[Hit]:
        """See `rag.index.Snapshot.nearest`."""
        return self._hits(lambda most, among: self._vectors().search(query, most, among), k, documents, "dense")

    def matching(self, question: str, k: int, documents: frozenset[str] | None = None) -> list[Hit]:
        """See `rag.index.Snapshot.matching`; the score is BM25 as Milvus computes it.

        Milvus counts how common a word is among all rows it has, which may for a while be more than this state's.
        """
        wanted = stems_asked(question)
        return self._hits(lambda most, among: self._vectors().match(wanted, most, among), k, documents, "words")

    def documents_by_id(self, ids: Iterable[str]) -> dict[str, Document]:
        """Those of them that are in the library."""
        rows = self._rows(select(*tables.FIELDS).where(is_one_of(_documents.id, list(ids))))
        return {row[0]: as_document(row) for row in rows}

    def count(self) -> Count:
        """Of the documents, and of the chunks they were cut into."""
        counted = (
            select(func.count()).select_from(table).scalar_subquery() for table in (tables.documents, tables.chunks)
        )
        return Count(*self._rows(select(*counted))[0])

    def documents(self) -> list[Listed]:
        """All of them, by title."""
        return list_documents(self.connection, self._place)

    def entries(
        self,
        typed: str = "",
        only: Iterable[str] | None = None,
        files: Iterable[str] | None = None,
        after: int = 0,
        most: int = 50,
    ) -> Found:
        """See `rag.index.Snapshot.entries`."""
        named = [func.strpos(_documents.folded, word) > 0 for word in _typed_words(typed)]
        said = select(_chunks.document).where(_chunks.words.op("@@")(_beginning_with(typed)))
        wanted = [or_(and_(*named), _documents.number.in_(said))] if named else []
        if only is not None:
            wanted.append(is_one_of(_documents.id, list(only)))
        if files is not None:
            named_files = list(files)
            wanted.append(or_(is_one_of(_documents.source, named_files), is_one_of(_documents.file, named_files)))
        count = select(func.count()).where(_chunks.document == _documents.number).scalar_subquery()
        fields = (_documents.id, _documents.title, _documents.source, _documents.published, _documents.part, count)
        rows = self._rows(
            select(func.count().over(), *fields)
            .where(*wanted)
            .order_by(func.lower(_documents.title), _documents.id)
            .limit(most)
            .offset(after)
        )
        if not rows and after:
            return self.entries(typed, only, files, 0, most)
        return Found(tuple(Entry(*row[1:]) for row in rows), rows[0][0] if rows else 0)

    def chunks_of(self, document_id: str) -> tuple[Chunk, ...]:
        """All of the document's, in the order of its text; none where there is no such document."""
        found = select(*_CHUNK).select_from(_JOINED).where(is_one_of(_documents.id, [document_id]))
        return tuple(Chunk(*row) for row in self._rows(found.order_by(_chunks.start_at)))

    def titles(self, content_hashes: Iterable[str]) -> dict[str, str]:
        """Content hash → the title of a document with it, for those there are."""
        wanted = [value for value in content_hashes if is_storable(value)]
        found = select(_documents.content_hash, func.min(_documents.title)).group_by(_documents.content_hash)
        return {row[0]: row[1] for row in self._rows(found.where(_documents.content_hash.in_(wanted)))}

    def origins(self, ids: Iterable[str] | None = None) -> dict[str, Origin]:
        """Of the documents with these ids, or of all, by id."""
        found = select(_documents.id, _documents.loader, _documents.mark)
        rows = self._rows(found if ids is None else found.where(is_one_of(_documents.id, list(ids))))
        return {name: Origin(loader, mark) for name, loader, mark in rows}

    def duplicates_of(self, document_id: str) -> tuple[Listed, ...]:
        """The other documents that are versions of this one, such as copies of the same report, by source."""
        own = select(_documents.number).where(is_one_of(_documents.id, [document_id])).scalar_subquery()
        family = select(_sketches.family).where(_sketches.document == own).scalar_subquery()
        kin = select(_sketches.document).where(_sketches.family == family, _sketches.document != own)
        rows = self._rows(listed().where(_documents.number.in_(kin)).order_by(_documents.source))
        return tuple(Listed(*row) for row in rows)

    def dates(self) -> dict[str, str | None]:
        """`Document.published` of every document, by id."""
        return {row[0]: row[1] for row in self._rows(select(_documents.id, _documents.published))}

    def roots(self) -> list[str]:
        """What `rag index` was asked to index, in the order it was asked."""
        return list_roots(self.connection, self._place)

    def visits(self) -> dict[str, Visit]:
        """What is kept of files and pages, by their source."""
        return list_visits(self.connection, self._place)

    def stored(self) -> Iterator[Stored]:
        """All documents with all that is kept of them, one at a time, in the order in which they were put."""
        dimension, last = self.manifest.identity.dimension, 0
        fields = (_documents.number, _documents.loader, _documents.mark, *tables.FIELDS)
        embedded = (*_CHUNK, tables.embeddings.c.text_hash, tables.embeddings.c.vector)
        joined = _JOINED.join(tables.embeddings, tables.embeddings.c.chunk == _chunks.number)
        while rows := self._rows(
            select(*fields).where(_documents.number > last).order_by(_documents.number).limit(BATCH)
        ):
            for last, loader, mark, *document in rows:
                found = self._rows(
                    select(*embedded).select_from(joined).where(_documents.number == last).order_by(_chunks.number)
                )
                parts = [(*row[:4], None if row[4] is None else bytes(row[4]), bytes(row[5])) for row in found]
                yield stored_of(as_document(document), loader, mark, parts, dimension)

    def numbers(self, documents: frozenset[str] | None = None) -> Ids:
        """Of the chunks of these documents, or of all, in ascending order."""
        found = select(_chunks.number).order_by(_chunks.number)
        if documents is not None:
            found = found.join(tables.documents).where(is_one_of(_documents.id, list(documents)))
        return np.array([number for (number,) in self._rows(found)], dtype=np.int64)

    def _hits(self, search: Search, k: int, documents: frozenset[str] | None, found_by: str) -> list[Hit]:
        if k <= 0:
            return []
        among = None if documents is None else self.numbers(documents)
        most = min(k + SPARE, MOST)
        while True:
            found = search(most, among)
            chunks = self._chunks([number for number, _ in found])
            hits = [Hit(chunks[number], score, (found_by,)) for number, score in found if number in chunks]
            if len(hits) >= k or len(found) < most or (most == MOST and among is not None):
                return hits[:k]
            if most == MOST:  # so many rows of other generations are more alike than these
                among = self.numbers()
            most = min(4 * most, MOST)

    def _chunks(self, numbers: list[int]) -> dict[int, Chunk]:
        found = select(_chunks.number, *_CHUNK).select_from(_JOINED).where(is_one_of(_chunks.number, numbers))
        return {number: Chunk(*chunk) for number, *chunk in self._rows(found)}

    def _rows(self, statement: Select[Any]) -> list[Any]:
        with explained(self._place):
            return list(self.connection.execute(statement).all())


BATCH = 50
"""Documents with their texts read at a time."""


def list_documents(connection: Connection, place: Servers) -> list[Listed]:
    """By title."""
    with explained(place):
        return [Listed(*row) for row in connection.execute(listed().order_by(_documents.title, _documents.id))]


def list_roots(connection: Connection, place: Servers) -> list[str]:
    """In the order they were remembered."""
    with explained(place):
        return list(connection.execute(select(tables.roots.c.path).order_by(tables.roots.c.number)).scalars())


def list_visits(connection: Connection, place: Servers) -> dict[str, Visit]:
    """By source."""
    with explained(place):
        rows = connection.execute(select(tables.visits)).all()
    return {row.source: Visit(**row._asdict() | {"outcome": Outcome(row.outcome)}) for row in rows}


def _typed_words(typed: str) -> list[str]:
    return [fold(word) for word in typed.split() if is_storable(word)][:MOST_WORDS]


def _beginning_with(typed: str) -> Any:
    """`tiktok micro` → `'tiktok' & 'micro':*`: all the words, a long last one perhaps unfinished."""
    words = stems(unicodedata.normalize("NFC", typed))[:MOST_WORDS]
    quoted = [f"'{word}'" for word in words]
    if words and len(words[-1]) >= SHORTEST:
        quoted[-1] += ":*"
    return cast(literal(" & ".join(quoted)), TSQUERY)
