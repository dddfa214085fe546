"""Proof that a library is whole: everything derived is derived again and compared with what lies there."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import LibraryMismatch, RagError
from rag.index.connections import Reader, nothing_indexed
from rag.index.copying import fill_words
from rag.index.families import join_family, partition
from rag.index.fitting import UNIT_TOLERANCE
from rag.index.origins import seal
from rag.index.reading import BATCH, all_documents, all_vectors, embeddings
from rag.index.schema import (
    DATABASE,
    SCHEMA,
    WORDS,
    Manifest,
    create_tables,
    is_made_by_us,
    read_manifest,
    vectors_file,
)
from rag.index.segment import DamagedSegment, Segment
from rag.index.trouble import explained
from rag.index.vectors import FlatVectors
from rag.late import Late

if TYPE_CHECKING:
    import numpy as np
else:
    np = Late("numpy")

SHOWN = 20
"""Faults of a kind that are named one by one where SQLite finds them."""

Progress = Callable[[str, int, int], None]
"""(what is being checked, checks done, checks in all)"""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that isn't as it was made."""

    what: str
    """One sentence."""
    source: str | None = None
    """Of the article that can't be trusted any more; None where what is wrong can be derived again."""
    structural: bool = False
    """Whether it is the database's own structure: what is whole has to be carried over into another one."""


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of proof."""

    name: str
    counted: int
    """How many things were looked at."""
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All proofs of one state of the library."""

    folder: Path
    generation: int
    checks: tuple[Check, ...]

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Of all checks, in their order."""
        return tuple(fault for check in self.checks for fault in check.faults)

    @property
    def torn(self) -> tuple[str, ...]:
        """Sources of the articles that have to be indexed again, each once."""
        return tuple(dict.fromkeys(fault.source for fault in self.faults if fault.source is not None))


def check_library(folder: Path, report: Progress | None = None, leave_out: frozenset[str] = frozenset()) -> CheckReport:
    """Check the newest state of the library in `folder`, while others read and write it.

    `leave_out` names proofs that are left out, see `PROOFS`.
    A database that is torn beyond reading is a report with that fault. Raises LibraryEmpty where there is no library,
    LibraryMismatch for one of another version, and LibraryUnwritable where it can't be opened or is no library at all.
    """
    database = folder / DATABASE
    with closing(Reader.open(database).connection) as connection:
        connection.execute("PRAGMA query_only = OFF")  # the words are compared by means of temporary tables
        with explained(database):
            connection.execute("BEGIN")
            manifest = read_manifest(connection, database)
        if manifest is None:
            raise nothing_indexed(folder)
        if manifest.schema != SCHEMA:
            raise LibraryMismatch(
                f"The library in {folder} was made by an older Citeline. Run `rag sync`, which brings it up to date."
            )
        report = report or _silent
        checks: list[Check] = []
        for at, (name, proof) in enumerate(PROOFS.items()):
            report("Checking", at, len(PROOFS))
            if name not in leave_out:
                checks.append(_proved(name, proof, connection, database, manifest))
        report("Checking", len(PROOFS), len(PROOFS))
        return CheckReport(folder, manifest.generation, tuple(checks))


def _proved(name: str, proof: "Proof", connection: sqlite3.Connection, database: Path, manifest: Manifest) -> Check:
    try:
        with explained(database):
            counted, faults = proof(connection, database, manifest)
    except RagError as error:
        fault = Fault(f"The {name} can't be read: {error}", structural=name not in DERIVED)
        return Check(name, 0, (fault,))
    return Check(name, counted, tuple(faults))


Proof = Callable[[sqlite3.Connection, Path, Manifest], tuple[int, list[Fault]]]


def _database(connection: sqlite3.Connection, _database: Path, _manifest: Manifest) -> tuple[int, list[Fault]]:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    found = [row[0] for row in connection.execute(f"PRAGMA integrity_check({SHOWN})")]
    faults = [] if found == ["ok"] else [Fault(f"SQLite finds: {problem}.", structural=True) for problem in found]
    if not is_made_by_us(connection):
        faults.append(Fault("The tables aren't those of a library.", structural=True))
    orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    faults += [
        Fault(f"Row {row} of {table} belongs to a row of {parent} that isn't there.")
        for table, row, parent, _ in orphans[:SHOWN]
    ]
    if len(orphans) > SHOWN:
        faults.append(Fault(f"So do {len(orphans) - SHOWN} others."))
    return pages, faults


def _documents(connection: sqlite3.Connection, _database: Path, _manifest: Manifest) -> tuple[int, list[Fault]]:
    seals = dict(connection.execute("SELECT document, seal FROM origins"))
    counted, faults = 0, []
    for number, document in all_documents(connection):
        counted += 1
        if number not in seals:
            faults.append(Fault(f"{document.source} has no seal.", document.source))
        elif seals[number] != seal(document):
            faults.append(Fault(f"{document.source} isn't the text that was indexed.", document.source))
    return counted, faults


def _chunks(connection: sqlite3.Connection, _database: Path, _manifest: Manifest) -> tuple[int, list[Fault]]:
    counted, faults = 0, []
    for number, document in all_documents(connection):
        spans = connection.execute(
            "SELECT start_at, end_at FROM chunks WHERE document = ? ORDER BY number", (number,)
        ).fetchall()
        counted += len(spans)
        if wrong := next(wrong_spans(document.text, spans), None):
            faults.append(Fault(f"{document.source}: {wrong}.", document.source))
    return counted, faults


def wrong_spans(text: str, spans: list[tuple[int, int]]) -> Iterator[str]:
    """What keeps chunks from being runs of the text, in order, that leave out nothing but whitespace."""
    covered = 0
    for before, (start, end) in zip([(-1, -1), *spans], spans, strict=False):
        if not 0 <= start < end <= len(text):
            yield f"a chunk runs from {start} to {end} in a text of {len(text)} characters"
        if start <= before[0] or end <= before[1]:
            yield f"the chunk from {start} to {end} comes after the one from {before[0]} to {before[1]}"
        if text[covered:start].strip():
            yield f"no chunk holds the characters from {covered} to {start}"
        covered = max(covered, end)
    if text[covered:].strip():
        yield f"no chunk holds the characters from {covered} to {len(text)}"


def _embeddings(connection: sqlite3.Connection, _database: Path, manifest: Manifest) -> tuple[int, list[Fault]]:
    dimension = manifest.identity.dimension
    rows = connection.execute(
        "SELECT documents.source, chunks.number, embeddings.vector FROM chunks "
        "JOIN documents ON documents.number = chunks.document "
        "LEFT JOIN embeddings ON embeddings.chunk = chunks.number ORDER BY chunks.number"
    )
    counted, faults = 0, []
    while batch := rows.fetchmany(BATCH):
        counted += len(batch)
        for source, number, blob in batch:
            if wrong := wrong_vector(blob, dimension):
                faults.append(Fault(f"{source}: the vector of chunk {number} {wrong}.", source))
    return counted, faults


def wrong_vector(blob: bytes | None, dimension: int) -> str | None:
    """What keeps a blob from being a unit vector; None where nothing does."""
    if blob is None:
        return "is missing"
    if not isinstance(blob, bytes) or len(blob) != 4 * dimension:
        return f"isn't {dimension} numbers long"
    length = float(np.linalg.norm(np.frombuffer(blob, dtype="<f4")))
    if not abs(length - 1) <= UNIT_TOLERANCE:  # "not", so that NaN is found too
        return f"has length {length:.4f}, not 1"
    return None


def _words(connection: sqlite3.Connection, _database: Path, _manifest: Manifest) -> tuple[int, list[Fault]]:
    """The full-text table against one made anew: how many words each row has, and how often each word occurs."""
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.execute(WORDS)
        fill_words(connection, fresh)
        wanted, found = (dict(of.execute("SELECT id, sz FROM words_docsize")) for of in (fresh, connection))
        if wanted != found:
            differing = len(wanted.items() ^ found.items())
            return len(found), [Fault(f"The full-text table differs from the articles in {differing} rows.")]
        if _vocabulary(fresh) != _vocabulary(connection):
            return len(found), [Fault("The full-text table holds other words than the articles.")]
        return len(found), []


def _vocabulary(connection: sqlite3.Connection) -> list[tuple[str, int, int]]:
    """(word, rows that hold it, times it occurs)"""
    connection.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab('main', 'words', 'row')")
    return connection.execute("SELECT term, doc, cnt FROM temp.vocabulary ORDER BY term").fetchall()


def _vectors(connection: sqlite3.Connection, database: Path, manifest: Manifest) -> tuple[int, list[Fault]]:
    path = vectors_file(database.parent, manifest)
    same = _same_vectors if manifest.base is None else _same_codes
    try:
        found = same(connection, database, manifest)
    except DamagedSegment:
        found = None
    if found is None:
        if not manifest.stamp or _has_moved_on(database, manifest):
            return 0, []
        wrong = "is damaged, or belongs to another state of the library" if path.exists() else "is missing"
        return 0, [Fault(f"{path.name} {wrong}.")]
    counted, equal = found
    return counted, [] if equal else [Fault(f"{path.name} holds other vectors than {database.name}.")]


def _same_vectors(connection: sqlite3.Connection, database: Path, manifest: Manifest) -> tuple[int, bool] | None:
    """How many vectors the file of a small library holds, and whether they are those of the embeddings."""
    dimension = manifest.identity.dimension
    saved = FlatVectors.load(vectors_file(database.parent, manifest), manifest.stamp, dimension)
    return None if saved is None else (len(saved), saved.equals(all_vectors(connection, database, dimension)))


def _same_codes(connection: sqlite3.Connection, database: Path, manifest: Manifest) -> tuple[int, bool] | None:
    """The same of the segment of a large one, which may hold vectors besides whose chunks are gone."""
    base, dimension = manifest.base, manifest.identity.dimension
    if base is None:
        return None
    segment = Segment.open(vectors_file(database.parent, manifest), base.stamp, dimension)
    if segment is None:
        return None
    segment.verify()
    batches = embeddings(connection, database, dimension, upto=base.last)
    return len(segment), all(segment.stands_for(ids, vectors) for ids, vectors in batches)


def _has_moved_on(database: Path, manifest: Manifest) -> bool:
    """Whether a writer has committed a newer state since, and removed the vector file of this one."""
    with closing(Reader.open(database).connection) as connection:
        return read_manifest(connection, database) != manifest


def _duplicates(connection: sqlite3.Connection, _database: Path, _manifest: Manifest) -> tuple[int, list[Fault]]:
    rows = "SELECT document, signature FROM sketches ORDER BY document"
    banded = "SELECT document, band FROM bands ORDER BY document, band"
    with closing(sqlite3.connect(":memory:")) as fresh:
        create_tables(fresh)
        for number, document in all_documents(connection):
            join_family(fresh, number, document.text)
        counted = len(found := connection.execute(rows).fetchall())
        same = (
            found == fresh.execute(rows).fetchall()
            and connection.execute(banded).fetchall() == fresh.execute(banded).fetchall()
            and partition(connection) == partition(fresh)
        )
    return counted, [] if same else [Fault("What is known about duplicates doesn't follow from the articles.")]


WORDS_TABLE, VECTOR_FILE, DUPLICATES = DERIVED = ("words", "vector file", "duplicates")

PROOFS: dict[str, Proof] = {
    "database": _database,
    "texts": _documents,
    "chunks": _chunks,
    "embeddings": _embeddings,
    WORDS_TABLE: _words,
    VECTOR_FILE: _vectors,
    DUPLICATES: _duplicates,
}


def _silent(what: str, done: int, total: int) -> None:
    """Report to nobody."""
