"""What Milvus should hold, derived from what PostgreSQL does."""

from collections.abc import Iterator

import numpy as np
from sqlalchemy import Connection, select

from rag.stores import tables
from rag.stores.words import searchable
from rag.types import Vectors

_chunks, _documents, _embeddings = tables.chunks.c, tables.documents.c, tables.embeddings.c


def derived_rows(connection: Connection, dimension: int) -> Iterator[dict[int, tuple[Vectors, str]]]:
    """Of one document after another: number of a chunk → (vector of shape (dimension,), stems).

    An embedding of another length is left out. Raises what SQLAlchemy raises.
    """
    numbers = connection.execute(select(_documents.number).order_by(_documents.number)).scalars().all()
    joined = tables.chunks.join(tables.embeddings, _embeddings.chunk == _chunks.number)
    own = select(_chunks.number, _chunks.start_at, _chunks.end_at, _embeddings.vector).select_from(joined)
    for number in numbers:
        title, stored = connection.execute(
            select(_documents.title, _documents.text).where(_documents.number == number)
        ).one()
        text = bytes(stored).decode(errors="replace")
        rows = connection.execute(own.where(_chunks.document == number).order_by(_chunks.number)).all()
        yield {
            row.number: (
                np.frombuffer(bytes(row.vector), dtype="<f4").astype(np.float32),
                searchable(title, text[row.start_at : row.end_at]),
            )
            for row in rows
            if len(row.vector) == 4 * dimension
        }
