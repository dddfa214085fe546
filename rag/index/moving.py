"""An article with all that a library keeps of it, as it moves from one library to another."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.late import Late
from rag.types import Chunk, Document, Vectors

if TYPE_CHECKING:
    import numpy as np
else:
    np = Late("numpy")

_ORIGINS = """
    SELECT origins.loader, origins.mark FROM origins JOIN documents ON documents.number = origins.document
    WHERE documents.id = ?"""
_EMBEDDED = """
    SELECT chunks.id, documents.id, chunks.start_at, chunks.end_at, embeddings.text_hash, embeddings.vector
    FROM chunks JOIN documents ON documents.number = chunks.document JOIN embeddings ON embeddings.chunk = chunks.number
    WHERE documents.id = ? ORDER BY chunks.number"""


@dataclass(frozen=True, slots=True)
class Stored:
    """One document of a library."""

    document: Document
    loader: int
    """See `Origin`. So `mark`."""
    mark: str | None
    chunks: tuple[Chunk, ...]
    """In the order in which they were put."""
    hashes: tuple[bytes | None, ...]
    """Of each chunk: what its embedded text is found by, see `text_hash`."""
    vectors: Vectors
    """Shape (len(chunks), dimension)."""


def stored_document(connection: sqlite3.Connection, document: Document, dimension: int) -> Stored:
    """Raises what sqlite3 raises, and ValueError where an embedding hasn't `dimension` numbers."""
    loader, mark = connection.execute(_ORIGINS, (document.id,)).fetchone()
    rows = connection.execute(_EMBEDDED, (document.id,)).fetchall()
    return stored_of(document, loader, mark, rows, dimension)


def stored_of(
    document: Document,
    loader: int,
    mark: str | None,
    rows: list[tuple[str, str, int, int, bytes | None, bytes]],
    dimension: int,
) -> Stored:
    """From rows of a chunk's id, document, start and end, the hash of the embedded text and the vector as bytes."""
    vectors = np.frombuffer(b"".join(row[5] for row in rows), dtype="<f4").reshape(len(rows), dimension)
    chunks = tuple(Chunk(*row[:4]) for row in rows)
    return Stored(document, loader, mark, chunks, tuple(row[4] for row in rows), vectors.astype(np.float32))


def stored_documents(
    connection: sqlite3.Connection, documents: Iterator[tuple[int, Document]], dimension: int
) -> Iterator[Stored]:
    """One at a time, in the order of `documents`."""
    for _, document in documents:
        yield stored_document(connection, document, dimension)
