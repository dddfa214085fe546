"""The writing side: one process at a time, everything between two commits or nothing.

A commit first writes the vector file it needs beside the old one, where it needs another (see `rag.index.deriving`),
then moves the generation in the same SQLite transaction as the rows. Whoever dies before that transaction is durable
leaves the old library and a stray file, which the next writer removes; after it, the new library and the old file,
removed likewise.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple, replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from rag.errors import RagError
from rag.index.connections import connect_for_writing, set_aside
from rag.index.copying import copy_library, index_words
from rag.index.deriving import GROWTH, Derived, Growth
from rag.index.families import make_families, part_families
from rag.index.fitting import check_chunks, check_encodable, check_text, check_vectors
from rag.index.lock import writer_lock
from rag.index.moving import Stored
from rag.index.origins import UNFINISHED, Visit, text_hash
from rag.index.reading import Listed, list_documents, list_roots, list_visits
from rag.index.rows import Hashes, delete_document, embedded_before, insert_document, keep_spare_vectors
from rag.index.schema import (
    BELONGING,
    DATABASE,
    SCHEMA,
    Identity,
    Manifest,
    check_identity,
    create_tables,
    drop_tables,
    read_manifest,
    vectors_file,
    write_manifest,
)
from rag.index.trouble import DamagedDatabase, explained
from rag.index.upgrading import upgrade
from rag.late import Late
from rag.types import Chunk, Document, Vectors

if TYPE_CHECKING:
    import numpy as np
else:
    np = Late("numpy")

_ENDED = "this writer has ended: an error undid what it wrote, or its block was left"


@contextmanager
def open_writer(
    folder: Path,
    identity: Identity,
    *,
    start_over: bool = False,
    loader: int = 0,
    command: str = "rag index",
    growth: Growth | None = None,
) -> Iterator["Writer"]:
    """The library in `folder`, which is made when missing, to be changed; what isn't committed in the block is undone.

    `start_over` empties it (all but the roots) and gives it `identity`, as part of the first commit; a damaged database
    is set aside. `loader` is the version of the loaders that read what will be put in. `command` is what others who
    want to write read about this process. `growth` says when the library is large, `GROWTH` where None.

    Raises LibraryBusy where another writer is at work, LibraryMismatch where the library was made with another
    identity or by another version, LibraryUnwritable where the folder can't be written or the database is damaged,
    DiskFull.
    """
    with writer_lock(folder, command), locked_writer(folder, identity, start_over, loader, growth) as writer:
        yield writer


@contextmanager
def locked_writer(
    folder: Path, identity: Identity, start_over: bool = False, loader: int = 0, growth: Growth | None = None
) -> Iterator["Writer"]:
    """`open_writer` for who holds the lock already."""
    database = folder / DATABASE
    try:
        writer = Writer(database, identity, start_over, loader, growth or GROWTH)
    except DamagedDatabase:
        if not start_over:
            raise
        set_aside(database)
        writer = Writer(database, identity, start_over, loader, growth or GROWTH)
    try:
        yield writer
    finally:
        writer.close()


class Writer:
    """Changes to a library. `open_writer` makes it and holds the lock for it.

    An error while writing undoes everything since the last commit and ends the writer; wrong arguments are refused
    before anything is written.
    """

    def __init__(self, database: Path, identity: Identity, start_over: bool, loader: int, growth: Growth) -> None:
        self._loader = loader
        self._database = database
        self._folder = database.parent
        self._ended = False
        self._changed = False
        self._searchable_changed = False
        self._gone: list[int] = []
        self._parted: set[int] = set()
        self._last_committed = 0
        self._derived = Derived(database, growth)
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

    def visits(self) -> dict[str, Visit]:
        """What is kept of files and pages, by their source."""
        with explained(self._database):
            return list_visits(self._connection)

    def outdated(self) -> frozenset[str]:
        """Ids of the documents that another version of the loaders read, or whose file isn't all in the library."""
        with explained(self._database):
            rows = self._connection.execute(
                "SELECT id FROM documents JOIN origins ON origins.document = documents.number WHERE loader != ?",
                (self._loader,),
            ).fetchall()
        return frozenset(name for (name,) in rows)

    def vectors_of(self, texts: Sequence[str]) -> dict[str, Vectors]:
        """Text → its vector, of shape (dimension,): for those that were embedded for a document that is in the library,
        or was when this writer was opened."""
        with explained(self._database):
            return embedded_before(self._connection, texts)

    def put(
        self, document: Document, chunks: Sequence[Chunk], vectors: Vectors, embedded: Sequence[str] | None = None
    ) -> None:
        """Add a document, or put it in the place of the one with the same id. Row i of `vectors` is chunk i's.

        `embedded` are the texts the vectors were made of, by which `vectors_of` finds them again.

        Raises ValueError where `chunks` or `vectors` don't fit the document or the library, where another document has
        the same source, or a chunk's id is taken. Raises DiskFull or LibraryUnwritable.
        """
        check_text(document)
        check_chunks(document, chunks)
        check_vectors(vectors, (len(chunks), self._manifest.identity.dimension))
        hashes = [None] * len(chunks) if embedded is None else [text_hash(text) for text in embedded]
        if len(hashes) != len(chunks):
            raise ValueError(f"got {len(hashes)} embedded texts; wanted {len(chunks)}, one a chunk")
        with self._writing():
            self._forget(document.id)
            try:
                self._insert(document, chunks, vectors, hashes)
            except sqlite3.IntegrityError as error:
                raise ValueError(
                    f"{document.source!r} or the id of one of its chunks is in the library already, "
                    f"under another document than {document.id!r} ({error})"
                ) from error

    def put_stored(self, stored: Stored) -> None:
        """`put` a document of another library with the same identity, with all that is kept of it there."""
        check_chunks(stored.document, stored.chunks)
        check_vectors(stored.vectors, (len(stored.chunks), self._manifest.identity.dimension))
        with self._writing() as connection:
            self._forget(stored.document.id)
            self._insert(stored.document, stored.chunks, stored.vectors, stored.hashes)
            connection.execute(
                "UPDATE origins SET loader = ?, mark = ? WHERE document = (SELECT number FROM documents WHERE id = ?)",
                (stored.loader, stored.mark, stored.document.id),
            )

    def remove(self, document_id: str) -> None:
        """A document that isn't there is ignored."""
        with self._writing():
            self._forget(document_id)

    def note_marks(self, marks: Mapping[str, str]) -> None:
        """Id → `file_mark` of the file from which the document is known to come as it is."""
        with self._writing() as connection:
            for document_id, mark in marks.items():
                changed = connection.execute(
                    "UPDATE origins SET mark = ? WHERE mark IS NOT ? "
                    "AND document = (SELECT number FROM documents WHERE id = ?)",
                    (mark, mark, document_id),
                ).rowcount
                self._changed = self._changed or changed > 0

    def mark_unfinished(self, lost: Collection[str], *, others: bool = False) -> None:
        """Note of the files of documents with these sources that not all they hold is in the library any more.

        Their documents are `outdated` from then on, until the file is read again. With `others`, of all files that
        hold several documents, because it isn't known what else was lost.
        """
        if not lost and not others:
            return
        files = {*lost, *(source[:at] for source in lost for at, character in enumerate(source) if character == "#")}
        with self._writing() as connection:
            unfinished = [
                (UNFINISHED, listed.id)
                for listed in list_documents(connection)
                if listed.file in files or (others and listed.part)
            ]
            connection.executemany(
                "UPDATE origins SET loader = ? WHERE document = (SELECT number FROM documents WHERE id = ?)", unfinished
            )
            self._changed = self._changed or bool(unfinished)

    def mend(self, torn: Collection[str]) -> None:
        """Drop the documents with these sources, and rows that belong to none, and derive anew all that is derived.

        What else their files hold stays, `mark_unfinished`.
        """
        self.mark_unfinished(torn)
        with self._writing() as connection:
            connection.executemany("DELETE FROM documents WHERE source = ?", [(source,) for source in torn])
            for table, key, parent, parent_key in BELONGING:
                connection.execute(
                    f"DELETE FROM {table} WHERE {key} NOT IN (SELECT {parent_key} FROM {parent})"  # noqa: S608  # nosec B608
                )
            index_words(connection)
            make_families(connection)
            self._derive_all_vectors()

    def take_over(self, other: sqlite3.Connection) -> None:
        """Fill a library that is being started over with all that another one of the same identity holds."""
        with self._writing() as connection:
            copy_library(other, connection)
            self._derive_all_vectors()

    def remember_root(self, root: Path | str) -> None:
        """A folder, file or URL to visit again when `rag index` is called without any."""
        self._change_root("INSERT OR IGNORE INTO roots (path) VALUES (?)", root)

    def forget_root(self, root: Path | str) -> None:
        """One that isn't remembered is ignored."""
        self._change_root("DELETE FROM roots WHERE path = ?", root)

    def note_visit(self, visit: Visit) -> None:
        """Keep it in place of what was kept of that file or page."""
        check_encodable(visit.source)
        with self._writing() as connection:
            if list_visits(connection, visit.source).get(visit.source) != visit:
                connection.execute("INSERT OR REPLACE INTO visits VALUES (?, ?, ?, ?, ?, ?)", astuple(visit))
                self._changed = True

    def forget_visit(self, source: str) -> None:
        """One that isn't kept is ignored."""
        with self._writing() as connection:
            if connection.execute("DELETE FROM visits WHERE source = ?", (source,)).rowcount:
                self._changed = True

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
                part_families(connection, self._parted)
                manifest = replace(self._manifest, generation=self._manifest.generation + 1, stamp=uuid4().hex)
                gone = np.array(self._gone, dtype=np.int64)
                manifest = self._derived.write(connection, self._manifest, manifest, gone, self._last_committed)
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
        keep_spare_vectors(connection)
        connection.execute("BEGIN IMMEDIATE")
        found = read_manifest(connection, self._database)
        if found is not None and not start_over:
            check_identity(found, identity, self._folder)
            self._mark_unchanged()
            if found.schema != SCHEMA:
                found = upgrade(connection, found)
                self._changed = True
            return found
        roots = list_roots(connection) if found else []
        drop_tables(connection)
        create_tables(connection)
        connection.executemany("INSERT INTO roots (path) VALUES (?)", [(root,) for root in roots])
        manifest = Manifest(identity, found.generation if found else 0, stamp="")
        write_manifest(connection, manifest)
        self._derived.start_anew()
        self._changed = self._searchable_changed = start_over
        return manifest

    def _mark_unchanged(self) -> None:
        row = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'chunks'").fetchone()
        self._last_committed = row[0] if row else 0
        self._gone = []
        self._parted = set()
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

    def _insert(self, document: Document, chunks: Sequence[Chunk], vectors: Vectors, hashes: Hashes) -> None:
        insert_document(self._connection, document, chunks, vectors, hashes, self._loader)
        self._changed = self._searchable_changed = True

    def _forget(self, document_id: str) -> None:
        deleted = delete_document(self._connection, document_id)
        if deleted is None:
            return
        self._gone += deleted.chunks
        if deleted.family is not None:
            self._parted.add(deleted.family)
        self._changed = self._searchable_changed = True

    def _derive_all_vectors(self) -> None:
        self._derived.start_anew()
        self._gone, self._last_committed = [], 0
        self._changed = self._searchable_changed = True

    def _change_root(self, statement: str, root: Path | str) -> None:
        check_encodable(str(root))
        with self._writing() as connection:
            if connection.execute(statement, (str(root),)).rowcount:
                self._changed = True

    def _remove_strays(self) -> None:
        """Vector files that the committed state doesn't need, and halves of them."""
        with suppress(OSError, sqlite3.Error, RagError):
            # Asked of SQLite: an interrupt may have come between the commit and our taking note of it.
            manifest = read_manifest(self._connection, self._database)
            current = manifest and vectors_file(self._folder, manifest)
            for path in self._folder.glob("vectors-*"):
                if path != current:
                    path.unlink()
