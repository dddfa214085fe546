"""The writing side: one process at a time, everything between two commits or nothing.

A commit writes `vectors-<generation + 1>.faiss` beside the old file first, then moves the generation in the same
SQLite transaction as the rows. Whoever dies before that transaction is durable leaves the old library and a stray
file, which the next writer removes; after it, the new library and the old file, removed likewise.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from pathlib import Path
from uuid import uuid4

import numpy as np

from rag.errors import RagError
from rag.index.connections import connect_for_writing, set_aside
from rag.index.lock import writer_lock
from rag.index.reading import Listed, all_vectors, embeddings, list_documents, list_roots
from rag.index.schema import (
    DATABASE,
    SCHEMA,
    Identity,
    Manifest,
    check_identity,
    create_tables,
    drop_tables,
    read_manifest,
    upgrade_tables,
    vectors_file,
    write_manifest,
)
from rag.index.trouble import DamagedDatabase, explained
from rag.index.vectors import FlatVectors
from rag.types import Chunk, Document, Vectors

UNIT_TOLERANCE = 0.01
"""How far a vector's length may be from 1: more than rounding to bfloat16 does."""

_ENDED = "this writer has ended: an error undid what it wrote, or its block was left"


@contextmanager
def open_writer(
    folder: Path, identity: Identity, *, start_over: bool = False, command: str = "rag index"
) -> Iterator["Writer"]:
    """The library in `folder`, which is made when missing, to be changed; what isn't committed in the block is undone.

    `start_over` empties it (all but the roots) and gives it `identity`, as part of the first commit; a damaged database
    is set aside. `command` is what others who want to write read about this process.

    Raises LibraryBusy where another writer is at work, LibraryMismatch where the library was made with another
    identity or by another version, LibraryUnwritable where the folder can't be written or the database is damaged,
    DiskFull.
    """
    database = folder / DATABASE
    with explained(database):
        folder.mkdir(parents=True, exist_ok=True)
    with writer_lock(folder, command):
        try:
            writer = Writer(database, identity, start_over)
        except DamagedDatabase:
            if not start_over:
                raise
            set_aside(database)
            writer = Writer(database, identity, start_over)
        try:
            yield writer
        finally:
            writer.close()


class Writer:
    """Changes to a library. `open_writer` makes it and holds the lock for it.

    An error while writing undoes everything since the last commit and ends the writer; wrong arguments are refused
    before anything is written.
    """

    def __init__(self, database: Path, identity: Identity, start_over: bool) -> None:
        self._database = database
        self._folder = database.parent
        self._ended = False
        self._changed = False
        self._searchable_changed = False
        self._gone: list[int] = []
        self._last_committed = 0
        self._store: FlatVectors | None = None
        with explained(database):
            self._connection = connect_for_writing(database)
        try:
            with explained(database):
                self._manifest = self._begin(identity, start_over)
        except BaseException:
            self._connection.close()
            raise
        self._remove_strays()

    def known(self) -> dict[str, str]:
        """Source of every document, uncommitted ones included → its content hash."""
        return {document.source: document.content_hash for document in self.documents()}

    def documents(self) -> list[Listed]:
        """All of them, uncommitted ones included, by title."""
        with explained(self._database):
            return list_documents(self._connection)

    def roots(self) -> list[str]:
        """What `rag index` was asked to index, in the order it was asked."""
        with explained(self._database):
            return list_roots(self._connection)

    def put(self, document: Document, chunks: Sequence[Chunk], vectors: Vectors) -> None:
        """Add a document, or put it in the place of the one with the same id. Row i of `vectors` is chunk i's.

        Raises ValueError where `chunks` or `vectors` don't fit the document or the library, where another document has
        the same source, or a chunk's id is taken. Raises DiskFull or LibraryUnwritable.
        """
        _check_text(document)
        _check_chunks(document, chunks)
        _check_vectors(vectors, (len(chunks), self._manifest.identity.dimension))
        with self._writing() as connection:
            self._forget(document.id)
            try:
                self._insert(connection, document, chunks, vectors)
            except sqlite3.IntegrityError as error:
                raise ValueError(
                    f"{document.source!r} or the id of one of its chunks is in the library already, "
                    f"under another document than {document.id!r} ({error})"
                ) from error

    def remove(self, document_id: str) -> None:
        """A document that isn't there is ignored."""
        with self._writing():
            self._forget(document_id)

    def remember_root(self, root: Path | str) -> None:
        """A folder, file or URL to visit again when `rag index` is called without any."""
        self._change_root("INSERT OR IGNORE INTO roots (path) VALUES (?)", root)

    def forget_root(self, root: Path | str) -> None:
        """One that isn't remembered is ignored."""
        self._change_root("DELETE FROM roots WHERE path = ?", root)

    def commit(self) -> bool:
        """Make the changes so far permanent and visible to readers; False, and nothing done, where there are none.

        Raises DiskFull or LibraryUnwritable, and then the library stays as it was at the last commit.
        """
        if self._ended:
            raise ValueError(_ENDED)
        if not self._changed:
            return False
        with self._writing() as connection:
            if self._searchable_changed:
                self._store = self._next_store(connection)
                manifest = replace(self._manifest, generation=self._manifest.generation + 1, stamp=uuid4().hex)
                self._store.save(vectors_file(self._folder, manifest.generation), manifest.stamp)
                write_manifest(connection, manifest)
                self._manifest = manifest
            self._mark_unchanged()
            connection.execute("COMMIT")
        self._remove_strays()
        return True

    def close(self) -> None:
        """Undo what isn't committed. Safe to call twice."""
        if not self._ended:
            self._undo()
        self._remove_strays()
        self._connection.close()

    def _begin(self, identity: Identity, start_over: bool) -> Manifest:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        found = read_manifest(connection, self._database)
        if found is not None and not start_over:
            check_identity(found, identity, self._folder)
            self._mark_unchanged()
            if found.schema != SCHEMA:
                upgrade_tables(connection, found.schema)
                found = replace(found, schema=SCHEMA)
                write_manifest(connection, found)
                self._changed = True
            return found
        roots = list_roots(connection) if found else []
        drop_tables(connection)
        create_tables(connection)
        connection.executemany("INSERT INTO roots (path) VALUES (?)", [(root,) for root in roots])
        manifest = Manifest(identity, found.generation if found else 0, stamp="")
        write_manifest(connection, manifest)
        self._store = FlatVectors(identity.dimension)
        self._changed = self._searchable_changed = start_over
        return manifest

    def _mark_unchanged(self) -> None:
        row = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'chunks'").fetchone()
        self._last_committed = row[0] if row else 0
        self._gone = []
        self._changed = False
        self._searchable_changed = False

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if self._ended:
            raise ValueError(_ENDED)
        try:
            with explained(self._database):
                if not self._connection.in_transaction:
                    self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
        except BaseException:
            # Half a document may be written; on a full disk SQLite has rolled back by itself, and each further
            # statement would commit on its own.
            self._undo()
            raise

    def _undo(self) -> None:
        self._ended = True
        with suppress(sqlite3.Error):
            self._connection.rollback()

    def _insert(
        self, connection: sqlite3.Connection, document: Document, chunks: Sequence[Chunk], vectors: Vectors
    ) -> None:
        number = connection.execute(
            "INSERT INTO documents (id, source, title, published, author, content_hash, part, url, pages, text) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                document.id,
                document.source,
                document.title,
                document.published,
                document.author,
                document.content_hash,
                document.part,
                document.url,
                json.dumps(document.pages),
                document.text,
            ),
        ).lastrowid
        for chunk, vector in zip(chunks, vectors.astype("<f4"), strict=True):
            row = connection.execute(
                "INSERT INTO chunks (id, document, start_at, end_at) VALUES (?, ?, ?, ?)",
                (chunk.id, number, chunk.start, chunk.end),
            ).lastrowid
            connection.execute("INSERT INTO embeddings (chunk, vector) VALUES (?, ?)", (row, vector.tobytes()))
            connection.execute(
                "INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)",
                (row, document.title, document.text[chunk.start : chunk.end]),
            )
        self._changed = self._searchable_changed = True

    def _forget(self, document_id: str) -> None:
        connection = self._connection
        row = connection.execute("SELECT number, title, text FROM documents WHERE id = ?", (document_id,)).fetchone()
        if row is None:
            return
        number, title, text = row
        chunks = connection.execute(
            "SELECT number, start_at, end_at FROM chunks WHERE document = ?", (number,)
        ).fetchall()
        # A full-text table without content has to be told again what it held.
        connection.executemany(
            "INSERT INTO words (words, rowid, title, text) VALUES ('delete', ?, ?, ?)",
            [(chunk, title, text[start:end]) for chunk, start, end in chunks],
        )
        connection.execute("DELETE FROM documents WHERE number = ?", (number,))
        self._gone += [chunk for chunk, _, _ in chunks]
        self._changed = self._searchable_changed = True

    def _change_root(self, statement: str, root: Path | str) -> None:
        _check_encodable(str(root))
        with self._writing() as connection:
            if connection.execute(statement, (str(root),)).rowcount:
                self._changed = True

    def _next_store(self, connection: sqlite3.Connection) -> FlatVectors:
        """The committed vectors with the changes since applied, or all built anew where their file is no good."""
        dimension = self._manifest.identity.dimension
        store = self._store
        if store is None:
            old = vectors_file(self._folder, self._manifest.generation)
            store = FlatVectors.load(old, self._manifest.stamp, dimension)
        if store is None:
            return all_vectors(connection, self._database, dimension)
        store.remove(np.array(self._gone, dtype=np.int64))
        for numbers, vectors in embeddings(connection, self._database, dimension, after=self._last_committed):
            store.add(numbers, vectors)
        (expected,) = connection.execute("SELECT count(*) FROM chunks").fetchone()
        return store if len(store) == expected else all_vectors(connection, self._database, dimension)

    def _remove_strays(self) -> None:
        """Vector files of other generations than the committed one, and halves of them."""
        with suppress(OSError, sqlite3.Error, RagError):
            # Asked of SQLite: an interrupt may have come between the commit and our taking note of it.
            manifest = read_manifest(self._connection, self._database)
            current = vectors_file(self._folder, manifest.generation if manifest else 0)
            for path in self._folder.glob("vectors-*"):
                if path != current:
                    path.unlink()


def _check_text(document: Document) -> None:
    for field in fields(document):
        if isinstance(value := getattr(document, field.name), str):
            _check_encodable(value)


def _check_encodable(text: str) -> None:
    """Raises ValueError (UnicodeEncodeError) for half of a surrogate pair, which no UTF-8 can hold."""
    text.encode("utf-8")


def _check_chunks(document: Document, chunks: Sequence[Chunk]) -> None:
    if len({chunk.id for chunk in chunks}) != len(chunks):
        raise ValueError(f"two chunks of {document.source!r} have the same id")
    for chunk in chunks:
        _check_encodable(chunk.id)
        if chunk.document_id != document.id:
            raise ValueError(f"chunk {chunk.id!r} belongs to {chunk.document_id!r}, not to {document.id!r}")
        if not 0 <= chunk.start < chunk.end <= len(document.text):
            raise ValueError(
                f"chunk {chunk.id!r} runs from {chunk.start} to {chunk.end}; "
                f"wanted a run of characters between 0 and {len(document.text)}"
            )


def _check_vectors(vectors: Vectors, shape: tuple[int, int]) -> None:
    if vectors.shape != shape or vectors.dtype != np.float32:
        raise ValueError(
            f"got vectors of shape {vectors.shape} and {vectors.dtype}; wanted {shape}, a row a chunk, and float32"
        )
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.all(np.abs(lengths - 1) <= UNIT_TOLERANCE):  # "not all", so that NaN is refused too
        wrong = int(np.argmax(~(np.abs(lengths - 1) <= UNIT_TOLERANCE)))
        raise ValueError(f"vector {wrong} has length {lengths[wrong]:.4f}; wanted 1")
