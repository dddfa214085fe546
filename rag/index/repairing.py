"""What can be mended of a damaged library: all that is derived, and every article that is still whole.

Where SQLite itself finds its file damaged, the whole articles are carried over into a new one. It is complete, as
`salvaged.sqlite`, before the damaged one is renamed to `library-damaged.sqlite`, and whoever is killed in between finds
it the next time.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.index.checking import CheckReport, Progress, check_library, wrong_spans, wrong_vector
from rag.index.connections import Reader, set_aside
from rag.index.lock import writer_lock
from rag.index.origins import Visit, seal
from rag.index.reading import FIELDS, as_document, list_visits
from rag.index.schema import DATABASE, Manifest, read_manifest
from rag.index.trouble import DamagedDatabase, damaged, explained
from rag.index.writing import locked_writer
from rag.late import Late
from rag.types import Chunk, Document, Vectors

if TYPE_CHECKING:
    import numpy as np
else:
    np = Late("numpy")

COMMAND = "rag check --repair"
SALVAGING, SALVAGED = "salvaging", "salvaged.sqlite"


@dataclass(frozen=True, slots=True)
class Repair:
    """What `repair_library` did."""

    before: CheckReport
    lost: tuple[str, ...]
    """Sources of the articles that were torn and are no longer in the library: index them again."""
    unnamed: int
    """Articles of which not even the source could be read."""
    aside: Path | None
    """Where the damaged database lies now, if it was replaced."""
    after: CheckReport


def repair_library(folder: Path, report: Progress | None = None) -> Repair:
    """Check the library in `folder`, mend what is wrong with it, and check it again. A whole one stays untouched.

    Raises as `check_library` does, also for a database whose manifest can't be read, and as `open_writer` does.
    """
    database = folder / DATABASE
    with writer_lock(folder, COMMAND):
        if not database.exists() and (folder / SALVAGED).exists():
            _put_in_place(folder)
        before = check_library(folder, report)
        if not before.faults:
            return Repair(before, (), 0, None, before)
        if not any(fault.structural for fault in before.faults):
            with suppress(DamagedDatabase):
                _mend(database, before.torn)
                return Repair(before, before.torn, 0, None, check_library(folder, report))
        lost, unnamed = _salvage(database)
        set_aside(database)
        _put_in_place(folder)
        aside = database.with_stem(f"{database.stem}-damaged")
        return Repair(before, lost, unnamed, aside, check_library(folder, report))


def _mend(database: Path, torn: tuple[str, ...]) -> None:
    with closing(Reader.open(database).connection) as connection:
        manifest = _manifest(connection, database)
    with locked_writer(database.parent, manifest.identity) as writer:
        writer.mend(torn)
        writer.commit()


def _put_in_place(folder: Path) -> None:
    with explained(folder / DATABASE):
        (folder / SALVAGED).replace(folder / DATABASE)
    _mend(folder / DATABASE, ())  # which writes its vector file


def _manifest(connection: sqlite3.Connection, database: Path) -> Manifest:
    with explained(database):
        manifest = read_manifest(connection, database)
    if manifest is None:
        raise damaged(database, "it holds no manifest")
    return manifest


def _salvage(database: Path) -> tuple[tuple[str, ...], int]:
    """Write the whole articles into `salvaged.sqlite`; sources of the others, and how many have none."""
    folder = database.parent / SALVAGING
    shutil.rmtree(folder, ignore_errors=True)
    with closing(Reader.open(database).connection) as connection:
        manifest = _manifest(connection, database)
        with explained(database):
            folder.mkdir()
        loaders = [loader for (loader,) in _rows(connection, "SELECT loader FROM origins")]
        lost: list[str] = []
        unnamed = 0
        with locked_writer(folder, manifest.identity, start_over=True, loader=min(loaders, default=0)) as writer:
            for (root,) in _rows(connection, "SELECT path FROM roots ORDER BY number"):
                writer.remember_root(root)
            for visit in _visits(connection):
                writer.note_visit(visit)
            chunks = _chunks(connection)
            sources = dict(_rows(connection, "SELECT number, source FROM documents ORDER BY source"))  # from the index
            known = {*chunks, *sources, *(number for (number,) in _rows(connection, "SELECT document FROM origins"))}
            last = max(_last(connection, "documents", "number"), *known, 0)
            for number in range(1, last + 1):
                document = _document(connection, number)
                if document is None:
                    if number in sources:
                        lost.append(sources[number])
                    else:
                        unnamed += number in known
                    continue
                spans, vectors = _with_vectors(connection, document, chunks.get(number, []), manifest)
                if vectors is None or not _is_sealed(connection, number, document):
                    lost.append(document.source)
                    continue
                try:
                    writer.put(document, spans, vectors)
                except ValueError:  # such as a second document of the same source
                    lost.append(document.source)
            writer.mark_unfinished(lost, others=unnamed > 0)
            writer.commit()
    with explained(database):
        (folder / DATABASE).replace(database.parent / SALVAGED)
        shutil.rmtree(folder, ignore_errors=True)
    return tuple(lost), unnamed


def _rows(connection: sqlite3.Connection, statement: str) -> Iterator[Any]:
    """As many as can be read."""
    with suppress(sqlite3.Error):
        yield from connection.execute(statement)


def _visits(connection: sqlite3.Connection) -> Iterator[Visit]:
    with suppress(sqlite3.Error, ValueError):
        yield from list_visits(connection).values()


def _last(connection: sqlite3.Connection, table: str, key: str) -> int:
    """The highest number in a table, as far as it can be read from either end."""
    highest = 0
    for order in ("DESC", "ASC"):
        for (number,) in _rows(connection, f"SELECT {key} FROM {table} NOT INDEXED ORDER BY {key} {order}"):  # noqa: S608  # nosec B608
            highest = max(highest, int(number))
            if order == "DESC":
                break
    return highest


def _row(connection: sqlite3.Connection, statement: str, number: int) -> Any:
    try:
        return connection.execute(statement, (number,)).fetchone()
    except (sqlite3.Error, UnicodeDecodeError):
        return None


def _document(connection: sqlite3.Connection, number: int) -> Document | None:
    row = _row(connection, f"SELECT {FIELDS} FROM documents NOT INDEXED WHERE number = ?", number)  # noqa: S608  # nosec B608
    try:
        return as_document(row) if row else None
    except sqlite3.Error:
        return None


def _is_sealed(connection: sqlite3.Connection, number: int, document: Document) -> bool:
    row = _row(connection, "SELECT seal FROM origins WHERE document = ?", number)
    return row is not None and row[0] == seal(document)


def _chunks(connection: sqlite3.Connection) -> dict[int, list[tuple[int, str, int, int]]]:
    """Number of a document → (number, id, start, end) of its chunks that can be read."""
    found: dict[int, list[tuple[int, str, int, int]]] = {}
    statement = "SELECT document, id, start_at, end_at FROM chunks NOT INDEXED WHERE number = ?"
    for number in range(1, max(_last(connection, "chunks", "number"), _last(connection, "embeddings", "chunk")) + 1):
        row = _row(connection, statement, number)
        if row is not None:
            document, name, start, end = row
            found.setdefault(document, []).append((number, name, start, end))
    return found


def _with_vectors(
    connection: sqlite3.Connection, document: Document, chunks: list[tuple[int, str, int, int]], manifest: Manifest
) -> "tuple[list[Chunk], Vectors | None]":
    """The chunks of a document and their vectors; None for the vectors where anything of it is missing or wrong."""
    spans = [Chunk(name, document.id, start, end) for _, name, start, end in chunks]
    rows = [_row(connection, "SELECT vector FROM embeddings WHERE chunk = ?", number) for number, *_ in chunks]
    blobs: list[Any] = [row[0] if row else None for row in rows]
    dimension = manifest.identity.dimension
    wrong = any(wrong_vector(blob, dimension) for blob in blobs)
    if wrong or next(wrong_spans(document.text, [(chunk.start, chunk.end) for chunk in spans]), None):
        return spans, None
    return spans, np.frombuffer(b"".join(blobs), dtype="<f4").reshape(-1, dimension).astype(np.float32)
