"""What may leave Milvus: rows and collections that no reader of any generation looks for any more."""

from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, select

from rag.stores import milvus, tables
from rag.stores.connecting import oldest_read
from rag.stores.manifest import read_manifest
from rag.stores.milvus import MilvusVectors
from rag.stores.places import Servers


def sweep(connection: Connection, client: Any, place: Servers, *, orphans: bool = False) -> None:
    """Called by who holds the writer's lock, between two transactions. Raises what SQLAlchemy does, and RagErrors.

    With `orphans` also what a writer that died has left; nothing may wait to be committed then.
    """
    found = read_manifest(connection, place)
    oldest = oldest_read(connection, place)
    if found is not None:
        manifest, collection, numbered = found
        vectors = MilvusVectors(client, collection, manifest.identity.dimension, place)
        if orphans and vectors.load():
            vectors.remove_above(numbered)
        gone = tables.gone.c
        swept = select(gone.number).where(gone.generation <= (manifest.generation if oldest is None else oldest))
        numbers = list(connection.execute(swept).scalars())
        if numbers:
            vectors.remove(np.array(numbers, dtype=np.int64))
            connection.execute(delete(tables.gone).where(tables.is_one_of(gone.number, numbers)))
    known = tables.collections.c
    for name, generation in connection.execute(select(known.name, known.generation)).all():
        is_current = found is not None and name == found[1]
        if not is_current and (generation is None or oldest is None or generation <= oldest):
            milvus.drop_collection(client, name, place)
            connection.execute(delete(tables.collections).where(known.name == name))
    connection.commit()
