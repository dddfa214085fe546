"""What a writer refuses before anything is written."""

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from rag.late import Late
from rag.types import Chunk, Document, Vectors

if TYPE_CHECKING:
    import numpy as np
else:
    np = Late("numpy")

UNIT_TOLERANCE = 0.01
"""How far a vector's length may be from 1: more than rounding to bfloat16 does."""


def check_text(document: Document) -> None:
    """Raises ValueError (UnicodeEncodeError) for text that no UTF-8 can hold."""
    for field in fields(document):
        if isinstance(value := getattr(document, field.name), str):
            check_encodable(value)


def check_encodable(text: str) -> None:
    """Raises ValueError (UnicodeEncodeError) for half of a surrogate pair, which no UTF-8 can hold."""
    text.encode("utf-8")


def check_chunks(document: Document, chunks: Sequence[Chunk]) -> None:
    """Raises ValueError where chunks are no runs of the document's text, or two have the same id."""
    if len({chunk.id for chunk in chunks}) != len(chunks):
        raise ValueError(f"two chunks of {document.source!r} have the same id")
    for chunk in chunks:
        check_encodable(chunk.id)
        if chunk.document_id != document.id:
            raise ValueError(f"chunk {chunk.id!r} belongs to {chunk.document_id!r}, not to {document.id!r}")
        if not 0 <= chunk.start < chunk.end <= len(document.text):
            raise ValueError(
                f"chunk {chunk.id!r} runs from {chunk.start} to {chunk.end}; "
                f"wanted a run of characters between 0 and {len(document.text)}"
            )


def check_vectors(vectors: Vectors, shape: tuple[int, int]) -> None:
    """Raises ValueError where they aren't float32 unit rows of this shape."""
    if vectors.shape != shape or vectors.dtype != np.float32:
        raise ValueError(
            f"got vectors of shape {vectors.shape} and {vectors.dtype}; wanted {shape}, a row a chunk, and float32"
        )
    lengths = np.linalg.norm(vectors, axis=1)
    if not np.all(np.abs(lengths - 1) <= UNIT_TOLERANCE):  # "not all", so that NaN is refused too
        wrong = int(np.argmax(~(np.abs(lengths - 1) <= UNIT_TOLERANCE)))
        raise ValueError(f"vector {wrong} has length {lengths[wrong]:.4f}; wanted 1")
