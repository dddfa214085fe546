"""Families of documents that are versions of one another, kept in PostgreSQL as `rag.index.families` does in SQLite."""

from collections.abc import Iterable

from sqlalchemy import Connection, insert, select, update

from rag.index.families import reachable, signatures_of
from rag.index.sketches import alike, bands, signature
from rag.stores import tables
from rag.stores.tables import is_one_of

_sketches, _bands = tables.sketches.c, tables.bands.c


def join_family(connection: Connection, document: int, text: str) -> None:
    """Sketch a new document, whose number is given, and put it into the family of those it is alike."""
    own = signature(text)
    if own is None:
        return
    own_bands = bands(own)
    sharing = select(_bands.document).where(is_one_of(_bands.band, own_bands))
    rows = connection.execute(
        select(_sketches.family, _sketches.signature).where(_sketches.document.in_(sharing))
    ).all()
    same = alike(own, signatures_of([bytes(row.signature) for row in rows]))
    kin = {row.family for row, is_alike in zip(rows, same, strict=True) if is_alike}
    family = min({document, *kin})
    stored = own.astype("<u4").tobytes()
    connection.execute(insert(tables.sketches).values(document=document, family=family, signature=stored))
    connection.execute(insert(tables.bands), [{"band": band, "document": document} for band in set(own_bands)])
    if others := sorted(kin - {family}):
        connection.execute(update(tables.sketches).where(is_one_of(_sketches.family, others)).values(family=family))


def family_of(connection: Connection, document: int) -> int | None:
    """What names the family of the document with this number, or None where it was too short to be sketched."""
    family: int | None = connection.execute(
        select(_sketches.family).where(_sketches.document == document)
    ).scalar_one_or_none()
    return family


def part_families(connection: Connection, families: Iterable[int]) -> None:
    """Divide families from which a document has gone: it may have been what held the others together."""
    for family in families:
        rows = connection.execute(
            select(_sketches.document, _sketches.signature)
            .where(_sketches.family == family)
            .order_by(_sketches.document)
        ).all()
        left = {row.document: place for place, row in enumerate(rows)}
        signatures = signatures_of([bytes(row.signature) for row in rows])
        while left:
            members = reachable(next(iter(left)), left, signatures)
            connection.execute(
                update(tables.sketches).where(is_one_of(_sketches.document, members)).values(family=min(members))
            )
