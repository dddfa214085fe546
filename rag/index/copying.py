"""What one library holds, copied into the empty tables of another."""

import sqlite3
from collections.abc import Iterable

from rag.index.schema import WORDS, columns_of

COPIED = {
    "documents": "number",
    "chunks": "number",
    "embeddings": "chunk",
    "origins": "document",
    "sketches": "document",
    "bands": "band, document",
    "visits": "source",
}
"""Table → its key, parents before children. The words are derived again."""


def copy_library(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """All but the manifest, within the open transaction. Raises what sqlite3 does."""
    for table, key in COPIED.items():
        names = ", ".join(columns_of(target, table))
        rows = source.execute(f"SELECT {names} FROM {table} ORDER BY {key}")  # noqa: S608  all names here are ours  # nosec B608
        copy_rows(rows, f"{table} ({names})", target)
    target.execute("DELETE FROM roots")
    copy_rows(source.execute("SELECT path FROM roots ORDER BY number"), "roots (path)", target)
    index_words(target)


def copy_rows(rows: Iterable[tuple[object, ...]], table: str, target: sqlite3.Connection) -> None:
    """Insert rows, all as long as the first; those that are there already are left as they are."""
    for row in rows:
        places = ", ".join("?" * len(row))
        target.execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", row)  # noqa: S608  # nosec B608


def index_words(connection: sqlite3.Connection) -> None:
    """Make the full-text table anew from the documents and chunks, within the open transaction."""
    connection.execute("DROP TABLE IF EXISTS words")
    connection.execute(WORDS)
    fill_words(connection, connection)


def fill_words(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Put the words of the chunks in `source` into the empty full-text table of `target`."""
    for number, title, text in source.execute("SELECT number, title, text FROM documents"):
        chunks = source.execute("SELECT number, start_at, end_at FROM chunks WHERE document = ?", (number,)).fetchall()
        target.executemany(
            "INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)",
            [(chunk, title, text[start:end]) for chunk, start, end in chunks],
        )
