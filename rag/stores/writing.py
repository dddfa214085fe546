"""The writing side of a library on servers: one process at a time, everything between two commits or nothing.

Milvus gets the rows of new chunks first, under numbers that were never used before; then PostgreSQL commits them, which
makes them visible; what no reader sees any more leaves Milvus afterwards. Whoever dies in between leaves rows in Milvus
that no reader takes for chunks of its state, and that the next writer removes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, astuple, replace
from pathlib import Path
from uuid import uuid4

import numpy as np
from sqlalchemy import ARRAY, Connection, Text, bindparam, cast, delete, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError, IntegrityError

from rag.errors import RagError
from rag.index.fitting import check_chunks, check_encodable, check_text, check_vectors
from rag.index.listing import fold
from rag.index.moving import Stored
from rag.index.origins import Visit, seal, text_hash
from rag.index.reading import Listed
from rag.index.schema import Identity, Manifest, check_identity
from rag.stores import milvus, tables
from rag.stores.connecting import engine_of, explained, lock_for_writing
from rag.stores.deriving import derived_rows
from rag.stores.families import family_of, join_family, part_families
from rag.stores.manifest import create_tables, read_manifest, write_manifest
from rag.stores.milvus import SENT, MilvusVectors
from rag.stores.places import Servers
from rag.stores.reading import list_documents, list_roots, list_visits
from rag.stores.sweeping import sweep
from rag.stores.tables import is_one_of, is_storable
from rag.stores.words import searchable, stems
from rag.types import Chunk, Document, Vectors

_ENDED = "this writer has ended: an error undid what it wrote, or its block was left"


@contextmanager
def open_server_writer(
    place: Servers, identity: Identity, *, start_over: bool = False, loader: int = 0, command: str = "rag index"
) -> Iterator["ServerWriter"]:
    """As `rag.index.open_writer`, for a library on servers.

    Raises LibraryBusy where another writer is at work, LibraryMismatch where the library was made with another
    identity or by another version, LibraryUnreachable where a server doesn't answer, LibraryUnwritable, DiskFull.
    """
    engine = engine_of(place, command)
    try:
        with explained(place):
            connection = engine.connect()
        try:
            lock_for_writing(connection, place)
            writer = ServerWriter(connection, place, identity, start_over, loader)
            try:
                yield writer
            finally:
                writer.close()
        finally:
            connection.invalidate()  # ends the session, and the lock with it
            connection.close()
    finally:
        engine.dispose()


class ServerWriter:
    """Implements `AnyWriter`. `open_server_writer` makes it and holds the lock for it."""

    def __init__(
        self, connection: Connection, place: Servers, identity: Identity, start_over: bool, loader: int = 0
    ) -> None:
        self._connection = connection
        self._place = place
        self._loader = loader
        self._ended = False
        self._changed = self._searchable_changed = False
        self._parted: set[int] = set()
        self._waiting: dict[int, tuple[Vectors, str]] = {}
        self._client = milvus.connect(place)
        try:
            with explained(place):
                self._manifest, self._vectors, self._numbered = self._begin(identity, start_over)
        except BaseException:
            self._client.close()
            raise

    def known(self) -> dict[str, str]:
        """Source of every document, uncommitted ones included → its content hash."""
        return {document.source: document.content_hash for document in self.documents()}

    def documents(self) -> list[Listed]:
        """All of them, uncommitted ones included, by title."""
        return list_documents(self._connection, self._place)

    def roots(self) -> list[str]:
        """What `rag index` was asked to index, in the order it was asked."""
        return list_roots(self._connection, self._place)

    def visits(self) -> dict[str, Visit]:
        """What is kept of files and pages, by their source."""
        return list_visits(self._connection, self._place)

    def outdated(self) -> frozenset[str]:
        """Ids of the documents that another version of the loaders read, or whose file isn't all in the library."""
        with explained(self._place):
            found = select(tables.documents.c.id).where(tables.documents.c.loader != self._loader)
            return frozenset(self._connection.execute(found).scalars())

    def vectors_of(self, texts: Sequence[str]) -> dict[str, Vectors]:
        """See `rag.index.Writer.vectors_of`."""
        hashes = {text_hash(text): text for text in texts}
        with explained(self._place):
            rows = [
                row
                for kept in (tables.spare.c, tables.embeddings.c)
                for row in self._connection.execute(
                    select(kept.text_hash, kept.vector).where(is_one_of(kept.text_hash, list(hashes)))
                )
            ]
        return {
            hashes[bytes(key)]: np.frombuffer(bytes(vector), dtype="<f4").astype(np.float32) for key, vector in rows
        }

    def put(
        self, document: Document, chunks: Sequence[Chunk], vectors: Vectors, embedded: Sequence[str] | None = None
    ) -> None:
        """See `rag.index.Writer.put`. Raises ValueError, too, for U+0000 anywhere but in the text."""
        hashes = [None] * len(chunks) if embedded is None else [text_hash(text) for text in embedded]
        if len(hashes) != len(chunks):
            raise ValueError(f"got {len(hashes)} embedded texts; wanted {len(chunks)}, one a chunk")
        self.put_stored(Stored(document, self._loader, None, tuple(chunks), tuple(hashes), vectors))

    def put_stored(self, stored: Stored) -> None:
        """`put` a document of another library with the same identity, with all that is kept of it there."""
        document = stored.document
        check_text(document)
        check_chunks(document, stored.chunks)
        check_vectors(stored.vectors, (len(stored.chunks), self._manifest.identity.dimension))
        if wrong := [name for name, value in asdict(replace(document, text="")).items() if "\0" in str(value)]:
            raise ValueError(f"the {wrong[0]} of {document.source!r} holds U+0000, which PostgreSQL can't keep")
        with self._writing() as connection:
            self._forget(document.id)
            try:
                self._insert(connection, stored)
            except IntegrityError as error:
                raise ValueError(
                    f"{document.source!r} or the id of one of its chunks is in the library already, "
                    f"under another document than {document.id!r} ({error.orig})"
                ) from error

    def remove(self, document_id: str) -> None:
        """A document that isn't there is ignored."""
        with self._writing():
            self._forget(document_id)

    def note_marks(self, marks: Mapping[str, str]) -> None:
        """Id → `file_mark` of the file from which the document is known to come as it is."""
        kept = tables.documents.c
        with self._writing() as connection:
            for document_id, mark in marks.items():
                wanted = is_one_of(kept.id, [document_id]) & kept.mark.is_distinct_from(mark)
                changed = connection.execute(update(tables.documents).where(wanted).values(mark=mark)).rowcount
                self._changed = self._changed or changed > 0

    def remember_root(self, root: Path | str) -> None:
        """A folder, file or URL to visit again when `rag index` is called without any."""
        path = _storable(str(root))
        with self._writing() as connection:
            if not connection.execute(select(exists().where(tables.roots.c.path == path))).scalar():
                connection.execute(insert(tables.roots).values(path=path))
                self._changed = True

    def forget_root(self, root: Path | str) -> None:
        """One that isn't remembered is ignored."""
        path = _storable(str(root))
        with self._writing() as connection:
            if connection.execute(delete(tables.roots).where(tables.roots.c.path == path)).rowcount:
                self._changed = True

    def note_visit(self, visit: Visit) -> None:
        """Keep it in place of what was kept of that file or page."""
        _storable(visit.source)
        with self._writing() as connection:
            if self.visits().get(visit.source) != visit:
                connection.execute(delete(tables.visits).where(is_one_of(tables.visits.c.source, [visit.source])))
                connection.execute(insert(tables.visits).values(astuple(visit)))
                self._changed = True

    def forget_visit(self, source: str) -> None:
        """One that isn't kept is ignored."""
        with self._writing() as connection:
            if connection.execute(delete(tables.visits).where(is_one_of(tables.visits.c.source, [source]))).rowcount:
                self._changed = True

    def derive_vectors(self) -> None:
        """Fill a new collection of Milvus from the database, which the next commit puts in the place of the one in use.

        Raises ValueError where there are changes that aren't committed.
        """
        if self._changed:
            raise ValueError("there are changes that aren't committed")
        with self._writing() as connection:
            old = self._vectors
            self._vectors = self._new_collection(old.dimension)
            self._retire(old.collection, self._manifest.generation + 1)
            for derived in derived_rows(connection, old.dimension):
                self._waiting |= derived
                if len(self._waiting) >= SENT:
                    self._send()
            self._changed = self._searchable_changed = True

    def commit(self) -> bool:
        """Make the changes so far permanent and visible to readers; False, and nothing done, where there are none.

        Raises DiskFull, LibraryUnwritable or LibraryUnreachable, and then the library stays as it was at the last
        commit; only where the connection broke during the commit itself it may be the new state.
        """
        if self._ended:
            raise ValueError(_ENDED)
        if not self._changed:
            return False
        with self._writing() as connection:
            if self._searchable_changed:
                part_families(connection, self._parted)
                self._send()
                self._vectors.settle()
                manifest = replace(self._manifest, generation=self._manifest.generation + 1, stamp=uuid4().hex)
                write_manifest(connection, manifest, self._vectors.collection, self._numbered)
                self._manifest = manifest
            connection.commit()
            self._parted = set()
            self._changed = self._searchable_changed = False
        self._sweep()
        return True

    def close(self) -> None:
        """Undo what isn't committed. Safe to call twice."""
        if not self._ended:
            self._undo()
            self._sweep(orphans=True)
            self._client.close()

    def _begin(self, identity: Identity, start_over: bool) -> tuple[Manifest, MilvusVectors, int]:
        connection = self._connection
        create_tables(connection, self._place)
        tables.spare.create(connection)
        connection.commit()
        found = read_manifest(connection, self._place)
        sweep(connection, self._client, self._place, orphans=True)
        if found is not None and not start_over:
            manifest, collection, numbered = found
            check_identity(manifest, identity, self._place)
            return manifest, MilvusVectors(self._client, collection, identity.dimension, self._place), numbered
        vectors = self._new_collection(identity.dimension)
        generation = found[0].generation if found else 0
        if found is not None:
            self._retire(found[1], generation + 1)
            for table in tables.EMPTIED:
                connection.execute(delete(table))
        self._changed = self._searchable_changed = start_over
        manifest = Manifest(identity, generation, stamp="")
        write_manifest(connection, manifest, vectors.collection, 0)
        return manifest, vectors, 0

    def _new_collection(self, dimension: int) -> MilvusVectors:
        """One that is empty. Nothing may wait to be committed."""
        name = f"citeline_{uuid4().hex}"
        self._connection.execute(insert(tables.collections).values(name=name))
        self._connection.commit()  # so that the next writer knows it for what it is, whatever happens from here on
        milvus.create_collection(self._client, name, dimension, self._place)
        return MilvusVectors(self._client, name, dimension, self._place)

    def _retire(self, collection: str, generation: int) -> None:
        """A collection that isn't in use from this generation on."""
        old = tables.collections.c.name == collection
        self._connection.execute(update(tables.collections).where(old).values(generation=generation))
        self._connection.execute(delete(tables.gone))

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        if self._ended:
            raise ValueError(_ENDED)
        try:
            with explained(self._place):
                yield self._connection
        except BaseException:
            # Half a document may be written.
            self._undo()
            raise

    def _undo(self) -> None:
        self._ended = True
        with suppress(DBAPIError):
            self._connection.rollback()

    def _insert(self, connection: Connection, stored: Stored) -> None:
        document = stored.document
        number = connection.execute(
            insert(tables.documents)
            .values(
                **(asdict(document) | {"text": document.text.encode(), "pages": list(document.pages)}),
                file=document.file,
                folded=fold(" ".join((document.title, document.source, document.author or ""))),
                seal=seal(document),
                loader=stored.loader,
                mark=stored.mark,
            )
            .returning(tables.documents.c.number)
        ).scalar_one()
        join_family(connection, number, document.text)
        self._changed = self._searchable_changed = True
        if not stored.chunks:
            return
        new = select(tables.numbers.next_value()).select_from(func.generate_series(1, len(stored.chunks)))
        numbers = sorted(connection.execute(new).scalars())
        texts = [document.text[chunk.start : chunk.end] for chunk in stored.chunks]
        rows = [
            {
                "number": own,
                "id": chunk.id,
                "document": number,
                "start_at": chunk.start,
                "end_at": chunk.end,
                "stems": sorted({*stems(document.title), *stems(said)}),
            }
            for own, chunk, said in zip(numbers, stored.chunks, texts, strict=True)
        ]
        words = func.array_to_tsvector(cast(bindparam("stems"), ARRAY(Text)))
        connection.execute(insert(tables.chunks).values(words=words), rows)
        kept = zip(numbers, stored.hashes, stored.vectors.astype("<f4"), strict=True)
        connection.execute(
            insert(tables.embeddings),
            [{"chunk": own, "text_hash": key, "vector": vector.tobytes()} for own, key, vector in kept],
        )
        for own, vector, said in zip(numbers, stored.vectors, texts, strict=True):
            self._waiting[own] = (vector, searchable(document.title, said))
        self._numbered = numbers[-1]
        if len(self._waiting) >= SENT:
            self._send()

    def _forget(self, document_id: str) -> None:
        connection, kept = self._connection, tables.documents.c
        number = connection.execute(select(kept.number).where(is_one_of(kept.id, [document_id]))).scalar()
        if number is None:
            return
        own = select(tables.chunks.c.number).where(tables.chunks.c.document == number)
        embedded = tables.embeddings.c
        reusable = select(embedded.text_hash, embedded.vector).where(
            embedded.chunk.in_(own), embedded.text_hash.is_not(None)
        )
        connection.execute(upsert(tables.spare).from_select(["text_hash", "vector"], reusable).on_conflict_do_nothing())
        gone = [chunk for chunk in connection.execute(own).scalars() if self._waiting.pop(chunk, None) is None]
        if gone:
            generation = self._manifest.generation + 1
            connection.execute(insert(tables.gone), [{"number": chunk, "generation": generation} for chunk in gone])
        family = family_of(connection, number)
        if family is not None:
            self._parted.add(family)
        connection.execute(delete(tables.documents).where(kept.number == number))
        self._changed = self._searchable_changed = True

    def _send(self) -> None:
        """What waits to Milvus, where it is found by no one before the commit."""
        if self._waiting:
            vectors = np.stack([vector for vector, _ in self._waiting.values()])
            words = [words for _, words in self._waiting.values()]
            self._vectors.add(np.array(list(self._waiting), dtype=np.int64), vectors, words)
            self._waiting = {}

    def _sweep(self, *, orphans: bool = False) -> None:
        with suppress(RagError, DBAPIError):  # what stays is swept by the next writer
            sweep(self._connection, self._client, self._place, orphans=orphans)


def _storable(value: str) -> str:
    check_encodable(value)
    if not is_storable(value):
        raise ValueError(f"{value!r} holds U+0000, which PostgreSQL can't keep")
    return value
