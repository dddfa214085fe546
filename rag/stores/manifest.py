"""Which library a schema in PostgreSQL holds, and which state of it."""

from dataclasses import asdict

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.schema import CreateSchema

from rag.errors import LibraryMismatch
from rag.index.schema import SCHEMA, Identity, Manifest
from rag.stores import tables
from rag.stores.connecting import explained
from rag.stores.places import Servers


def create_tables(connection: Connection, place: Servers) -> None:
    """Where there are none yet."""
    there = connection.execute(
        select(func.to_regnamespace(place.name).is_not(None), func.to_regclass(f"{place.name}.manifest").is_not(None))
    ).one()
    if not there[0]:
        connection.execute(CreateSchema(place.name))
    if not there[1]:
        tables.metadata.create_all(connection)


def write_manifest(connection: Connection, manifest: Manifest, collection: str, numbered: int) -> None:
    """In place of the one there is."""
    connection.execute(delete(tables.manifest))
    connection.execute(
        insert(tables.manifest).values(
            schema=tables.SCHEMA,
            generation=manifest.generation,
            stamp=manifest.stamp,
            collection=collection,
            numbered=numbered,
            **asdict(manifest.identity),
        )
    )


def read_manifest(connection: Connection, place: Servers) -> tuple[Manifest, str, int] | None:
    """The manifest, the collection in use and the highest number of a committed chunk; None where there is none yet."""
    with explained(place):
        there = connection.execute(select(func.to_regclass(f"{place.name}.manifest"))).scalar()
        row = connection.execute(select(tables.manifest)).first() if there else None
    if row is None:
        return None
    if row.schema != tables.SCHEMA:
        raise LibraryMismatch(
            f"The library in {place} was made by another version of Citeline (tables of version {row.schema}; this one "
            f"has {tables.SCHEMA}). Use that version, or another database: RAG_DATABASE=URL."
        )
    identity = Identity(row.embedder, row.revision, row.dimension, row.chunk_tokens, row.chunk_overlap)
    return Manifest(identity, row.generation, row.stamp, SCHEMA), row.collection, row.numbered
