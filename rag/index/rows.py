"""What the tables hold of one document: written, deleted, and its vectors found again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from rag.index.families import family_of, join_family
from rag.index.origins import seal, text_hash
from rag.late import Late
from rag.types import Chunk, Document, Vectors

if TYPE_CHECKING:
    import numpy as np
else:
    np = Late("numpy")

Hashes: TypeAlias = Sequence[bytes | None]
"""Of each chunk: what its embedded text is found by, see `text_hash`."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """What was known of a document that is gone."""

    chunks: list[int]
    """Their numbers."""
    family: int | None
    """Of near-duplicates, which it has left."""


def insert_document(
    connection: sqlite3.Connection,
    document: Document,
    chunks: Sequence[Chunk],
    vectors: Vectors,
    hashes: Hashes,
    loader: int,
) -> None:
    """Write a document that isn't there. Raises sqlite3.IntegrityError where its source or a chunk's id is taken."""
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
    assert number is not None  # noqa: S101  an INSERT has just set it  # nosec B101
    connection.execute(
        "INSERT INTO origins (document, seal, loader) VALUES (?, ?, ?)", (number, seal(document), loader)
    )
    join_family(connection, number, document.text)
    for chunk, vector, embedded in zip(chunks, vectors.astype("<f4"), hashes, strict=True):
        row = connection.execute(
            "INSERT INTO chunks (id, document, start_at, end_at) VALUES (?, ?, ?, ?)",
            (chunk.id, number, chunk.start, chunk.end),
        ).lastrowid
        connection.execute(
            "INSERT INTO embeddings (chunk, text_hash, vector) VALUES (?, ?, ?)", (row, embedded, vector.tobytes())
        )
        connection.execute(
            "INSERT INTO words (rowid, title, text) VALUES (?, ?, ?)",
            (row, document.title, document.text[chunk.start : chunk.end]),
        )


def delete_document(connection: sqlite3.Connection, document_id: str) -> Deleted | None:
    """Delete a document with all that belongs to it; its vectors are kept as spare ones. None where it isn't there."""
    row = connection.execute("SELECT number, title, text FROM documents WHERE id = ?", (document_id,)).fetchone()
    if row is None:
        return None
    number, title, text = row
    chunks = connection.execute("SELECT number, start_at, end_at FROM chunks WHERE document = ?", (number,)).fetchall()
    # A full-text table without content has to be told again what it held.
    connection.executemany(
        "INSERT INTO words (words, rowid, title, text) VALUES ('delete', ?, ?, ?)",
        [(chunk, title, text[start:end]) for chunk, start, end in chunks],
    )
    connection.execute(
        "INSERT OR REPLACE INTO temp.spare SELECT text_hash, vector FROM embeddings WHERE text_hash IS NOT NULL "
        "AND chunk IN (SELECT number FROM chunks WHERE document = ?)",
        (number,),
    )
    family = family_of(connection, number)
    connection.execute("DELETE FROM documents WHERE number = ?", (number,))
    return Deleted([chunk for chunk, _, _ in chunks], family)


def keep_spare_vectors(connection: sqlite3.Connection) -> None:
    """Make room for the vectors of documents that are deleted over this connection; it ends with the connection."""
    connection.execute("CREATE TEMP TABLE spare (text_hash BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID")


def embedded_before(connection: sqlite3.Connection, texts: Sequence[str]) -> dict[str, Vectors]:
    """Text → its vector, of shape (dimension,), of those that a document, or a spare vector, was made of."""
    found = {}
    for text in dict.fromkeys(texts):
        row = connection.execute(
            "SELECT vector FROM embeddings WHERE text_hash = :hash UNION ALL "
            "SELECT vector FROM temp.spare WHERE text_hash = :hash LIMIT 1",
            {"hash": text_hash(text)},
        ).fetchone()
        if row is not None:
            found[text] = np.frombuffer(row[0], dtype="<f4").astype(np.float32)
    return found
