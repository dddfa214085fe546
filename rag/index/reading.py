"""Questions to one committed state of the library."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from rag.index.listing import Found, find_entries
from rag.index.moving import Stored, stored_documents
from rag.index.origins import Outcome, Visit
from rag.index.schema import LATER_COLUMNS, SCHEMA, Manifest
from rag.index.trouble import damaged, explained
from rag.index.vectors import FlatVectors
from rag.index.words import full_text_query, rarer_words, telling_words
from rag.late import Late
from rag.types import Chunk, Document, Hit, Ids, Vectors

if TYPE_CHECKING:
    import numpy as np
else:
    np = Late("numpy")

BATCH = 4096
"""Embeddings read from SQLite at a time."""
LAST = (1 << 63) - 1
"""The highest number a row can have."""

_CHUNKS = """
    SELECT chunks.number, chunks.id, documents.id, chunks.start_at, chunks.end_at
    FROM chunks JOIN documents ON documents.number = chunks.document
    WHERE chunks.number IN (SELECT value FROM json_each(?))"""
_CHUNKS_OF = """
    SELECT chunks.id, documents.id, chunks.start_at, chunks.end_at
    FROM chunks JOIN documents ON documents.number = chunks.document WHERE documents.id = ? ORDER BY chunks.start_at"""
_TITLES = """
    SELECT content_hash, min(title) FROM documents
    WHERE content_hash IN (SELECT value FROM json_each(?)) GROUP BY content_hash"""
_NUMBERS_OF_CHUNKS = """
    SELECT chunks.number FROM chunks JOIN documents ON documents.number = chunks.document
    WHERE documents.id IN (SELECT value FROM json_each(?))"""
# `+rowid`: look each match up in the filter, not each chunk of the filter in the full-text table.
_MATCHING = """
    SELECT -found.badness, chunks.id, documents.id, chunks.start_at, chunks.end_at
    FROM (
        SELECT rowid, bm25(words, 2.0, 1.0) AS badness FROM words
        WHERE words MATCH :words AND (:documents IS NULL OR +rowid IN (
            SELECT chunks.number FROM chunks JOIN documents ON documents.number = chunks.document
            WHERE documents.id IN (SELECT value FROM json_each(:documents))
        ))
        ORDER BY badness, rowid LIMIT :k
    ) AS found
    JOIN chunks ON chunks.number = found.rowid JOIN documents ON documents.number = chunks.document
    ORDER BY found.badness, found.rowid"""
_COUNT_MATCHES = "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)"
FIELDS = "id, title, text, source, published, author, content_hash, url, pages, part"
_DOCUMENTS = """
    SELECT id, title, text, source, published, author, content_hash, {url}, {pages}, {part} FROM documents
    WHERE id IN (SELECT value FROM json_each(?))"""
_LISTED = """
    SELECT id, title, source, content_hash, (SELECT count(*) FROM chunks WHERE document = documents.number), {part}
    FROM documents"""
_IN_FAMILY = """
    WHERE id != :id AND number IN (
        SELECT document FROM sketches WHERE family = (
            SELECT family FROM sketches WHERE document = (SELECT number FROM documents WHERE id = :id)
        )
    )
    ORDER BY source"""
_ORIGINS = """
    SELECT documents.id, origins.loader, origins.mark
    FROM documents JOIN origins ON origins.document = documents.number"""

Searched: TypeAlias = "Callable[[Vectors, int, Ids | None], list[tuple[int, float]]]"
"""`VectorStore.search`."""


@dataclass(frozen=True, slots=True)
class Count:
    """How much a library holds."""

    documents: int
    chunks: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A document without its text."""

    id: str
    title: str
    source: str
    content_hash: str
    chunks: int
    """How many it was cut into."""
    part: str = ""
    """See `Document.part`."""

    @property
    def file(self) -> str:
        """See `Document.file`."""
        return self.source.removesuffix(f"#{self.part}") if self.part else self.source


@dataclass(frozen=True, slots=True)
class Origin:
    """What a document was made by and from, besides its content hash."""

    loader: int
    """Version of the loaders that read it, or `UNFINISHED`."""
    mark: str | None
    """`file_mark` of its file when it was last known to hold this content; None where that was never noted."""


class Snapshot:
    """A `Catalogue` whose answers all come from the same generation, whatever a writer commits meanwhile.

    Get one from `Library.snapshot`. Every method raises DamagedDatabase where the database turns out to be damaged.
    """

    def __init__(self, connection: sqlite3.Connection, database: Path, manifest: Manifest, searched: Searched) -> None:
        self.manifest = manifest
        self._connection = connection
        self._database = database
        self._searched = searched
        self._queries: dict[str, str] = {}

    def nearest(self, query: Vectors, k: int, documents: frozenset[str] | None = None) -> list[Hit]:
        """At most `k` chunks by inner product with the one row of `query`, best first; scores in [-1, 1]."""
        among = None if documents is None else self._chunk_numbers(documents)
        found = self._searched(query, k, among)
        chunks = self._chunks([number for number, _ in found])
        return [Hit(chunks[number], score, ("dense",)) for number, score in found]

    def matching(self, question: str, k: int, documents: frozenset[str] | None = None) -> list[Hit]:
        """At most `k` chunks that hold a word of the question or of its stem, best first; scores above 0.

        The score is Okapi BM25 as FTS5 computes it (k1 = 1.2, b = 0.75), its sign turned, with words of the title
        counted twice. Any text is a valid question; one without a letter or digit matches nothing. In a large library
        very common words don't count beside rarer ones, see `rarer_words`.
        """
        words = self._full_text_query(question)
        if not words or k <= 0:
            return []
        only = None if documents is None else _as_json(documents)
        rows = self._rows(_MATCHING, {"words": words, "documents": only, "k": k})
        return [Hit(Chunk(*chunk), score, ("words",)) for score, *chunk in rows]

    def documents_by_id(self, ids: Iterable[str]) -> dict[str, Document]:
        """Those of them that are in the library."""
        rows = self._rows(_with_columns(_DOCUMENTS, self.manifest.schema), (_as_json(ids),))
        with explained(self._database):
            return {row[0]: as_document(row) for row in rows}

    def count(self) -> Count:
        """Of the documents, and of the chunks they were cut into."""
        rows = self._rows("SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM chunks)")
        return Count(*rows[0])

    def documents(self) -> list[Listed]:
        """All of them, by title."""
        with explained(self._database):
            return list_documents(self._connection, self.manifest.schema)

    def entries(
        self,
        typed: str = "",
        only: Iterable[str] | None = None,
        files: Iterable[str] | None = None,
        after: int = 0,
        most: int = 50,
    ) -> Found:
        """Articles by title, at most `most` of them from number `after` on; the first where there are none any more.

        Those whose title, source and author together hold every word of `typed`, or whose text has all its words, the
        last perhaps unfinished. With `only` or `files` none but those with these ids, or from these (`Document.file`).
        """
        with explained(self._database):
            return find_entries(self._connection, self.manifest.schema, typed, only, files, after, most)

    def chunks_of(self, document_id: str) -> tuple[Chunk, ...]:
        """All of the document's, in the order of its text; none where there is no such document."""
        return tuple(Chunk(*row) for row in self._rows(_CHUNKS_OF, (document_id,)))

    def titles(self, content_hashes: Iterable[str]) -> dict[str, str]:
        """Content hash → the title of a document with it, for those there are."""
        return dict(self._rows(_TITLES, (_as_json(content_hashes),)))

    def origins(self, ids: Iterable[str] | None = None) -> dict[str, Origin]:
        """Of the documents with these ids, or of all, by id; of none in a library that no writer has upgraded yet."""
        if self.manifest.schema != SCHEMA:
            return {}
        some = " WHERE id IN (SELECT value FROM json_each(?))"
        rows = self._rows(_ORIGINS) if ids is None else self._rows(_ORIGINS + some, (_as_json(ids),))
        return {name: Origin(*origin) for name, *origin in rows}

    def duplicates_of(self, document_id: str) -> tuple[Listed, ...]:
        """The other documents that are versions of this one, such as copies of the same report, by source."""
        if self.manifest.schema != SCHEMA:
            return ()
        statement = _with_columns(_LISTED + _IN_FAMILY, SCHEMA)
        return tuple(Listed(*row) for row in self._rows(statement, {"id": document_id}))

    def dates(self) -> dict[str, str | None]:
        """`Document.published` of every document, by id."""
        return dict(self._rows("SELECT id, published FROM documents"))

    def roots(self) -> list[str]:
        """What `rag index` was asked to index, in the order it was asked."""
        with explained(self._database):
            return list_roots(self._connection)

    def visits(self) -> dict[str, Visit]:
        """What is kept of files and pages, by their source; nothing in a library that no writer has upgraded yet."""
        if self.manifest.schema != SCHEMA:
            return {}
        with explained(self._database):
            return list_visits(self._connection)

    def stored(self) -> Iterator[Stored]:
        """All documents with all that is kept of them, one at a time, in the order in which they were put."""
        with explained(self._database):
            documents = all_documents(self._connection)
            yield from stored_documents(self._connection, documents, self.manifest.identity.dimension)

    def _full_text_query(self, question: str) -> str:
        if self.manifest.base is None:
            return full_text_query(question)
        if question not in self._queries:
            self._queries[question] = rarer_words(telling_words(question), self._count_matches)
        return self._queries[question]

    def _count_matches(self, query: str, most: int) -> int:
        return int(self._rows(_COUNT_MATCHES, (query, most))[0][0])

    def _chunks(self, numbers: list[int]) -> dict[int, Chunk]:
        rows = self._rows(_CHUNKS, (_as_json(numbers),))
        return {number: Chunk(*chunk) for number, *chunk in rows}

    def _chunk_numbers(self, documents: frozenset[str]) -> Ids:
        rows = self._rows(_NUMBERS_OF_CHUNKS, (_as_json(documents),))
        return np.fromiter((number for (number,) in rows), dtype=np.int64, count=len(rows))

    def _rows(self, statement: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        with explained(self._database):
            return self._connection.execute(statement, values).fetchall()


def all_documents(connection: sqlite3.Connection) -> Iterator[tuple[int, Document]]:
    """Each with its number, in the order of the numbers. Raises what sqlite3 raises."""
    for number, *values in connection.execute(f"SELECT number, {FIELDS} FROM documents ORDER BY number"):  # noqa: S608  # nosec B608
        yield number, as_document(values)


def as_document(values: Sequence[Any]) -> Document:
    """The document of a row with the columns `FIELDS`.

    Raises sqlite3.OperationalError, as sqlite3 does of text that isn't UTF-8, where `pages` isn't a list of numbers.
    """
    *others, pages, part = values
    try:
        offsets = json.loads(pages)
    except (TypeError, ValueError):
        offsets = None
    if not isinstance(offsets, list) or not all(isinstance(offset, int) for offset in offsets):
        raise sqlite3.OperationalError(f"the pages of {others[3]} aren't a list of numbers")
    return Document(*(*others, tuple(offsets), part))


def list_documents(connection: sqlite3.Connection, schema: int = SCHEMA) -> list[Listed]:
    """By title. Raises what sqlite3 raises."""
    return [Listed(*row) for row in connection.execute(_with_columns(f"{_LISTED} ORDER BY title, id", schema))]


def list_roots(connection: sqlite3.Connection) -> list[str]:
    """In the order they were remembered. Raises what sqlite3 raises."""
    return [path for (path,) in connection.execute("SELECT path FROM roots ORDER BY number")]


def list_visits(connection: sqlite3.Connection, only: str | None = None) -> dict[str, Visit]:
    """By source: of all, or of `only` one. Raises what sqlite3 raises."""
    statement = "SELECT source, content_hash, fields, etag, modified, outcome FROM visits"
    rows = connection.execute(f"{statement} WHERE :only IS NULL OR source = :only", {"only": only})
    return {
        source: Visit(source, content_hash, fields, etag, modified, Outcome(outcome))
        for source, content_hash, fields, etag, modified, outcome in rows
    }


def all_vectors(connection: sqlite3.Connection, database: Path, dimension: int, after: int = 0) -> FlatVectors:
    """The vectors of all chunks with numbers above `after`, from the embeddings. Raises DamagedDatabase."""
    store = FlatVectors(dimension)
    for numbers, vectors in embeddings(connection, database, dimension, after):
        store.add(numbers, vectors)
    return store


def embeddings(
    connection: sqlite3.Connection, database: Path, dimension: int, after: int = 0, upto: int = LAST
) -> Iterator[tuple[Ids, Vectors]]:
    """Chunk numbers above `after`, `upto` included, and their vectors, in the order of the numbers, some thousand at a
    time."""
    statement = "SELECT chunk, vector FROM embeddings WHERE chunk > ? AND chunk <= ? ORDER BY chunk"
    rows = connection.execute(statement, (after, upto))
    while batch := rows.fetchmany(BATCH):
        yield _as_vectors(batch, database, dimension)


def some_embeddings(
    connection: sqlite3.Connection, database: Path, dimension: int, numbers: Ids
) -> tuple[Ids, Vectors]:
    """Those chunk numbers that there are, and their vectors."""
    statement = "SELECT chunk, vector FROM embeddings WHERE chunk IN (SELECT value FROM json_each(?))"
    return _as_vectors(connection.execute(statement, (_as_json(numbers.tolist()),)).fetchall(), database, dimension)


def _as_vectors(rows: list[tuple[int, bytes]], database: Path, dimension: int) -> tuple[Ids, Vectors]:
    numbers = np.array([number for number, _ in rows], dtype=np.int64)
    if any(len(blob) != 4 * dimension for _, blob in rows):
        raise damaged(database, f"an embedding isn't {dimension} numbers long")
    return numbers, np.frombuffer(b"".join(blob for _, blob in rows), dtype="<f4").reshape(-1, dimension)


def _with_columns(statement: str, schema: int) -> str:
    part, url, pages = LATER_COLUMNS[schema]
    return statement.format(part=part, url=url, pages=pages)


def _as_json(values: Iterable[object]) -> str:
    """For `json_each`, which takes a list of any length through one `?`."""
    return json.dumps(list(values))
