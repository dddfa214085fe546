"""Documents that are versions of one another, such as copies of an agency's report, kept up to date change by change.

Two documents belong to one family where their texts are alike, or where a chain of alike texts joins them. Families
depend on the documents alone, not on the order in which they came. Everything here works within the open transaction
and raises what sqlite3 raises.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rag.index.sketches import PLACES, Signature, alike, bands, signature
from rag.late import Late

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = Late("numpy")


def join_family(connection: sqlite3.Connection, document: int, text: str) -> None:
    """Sketch a new document, whose number is given, and put it into the family of those it is alike."""
    own = signature(text)
    if own is None:
        return
    own_bands = bands(own)
    kin = _alike(connection, own, own_bands)
    family = min((document, *kin.values()))
    connection.execute(
        "INSERT INTO sketches (document, family, signature) VALUES (?, ?, ?)",
        (document, family, own.astype("<u4").tobytes()),
    )
    connection.executemany("INSERT INTO bands (band, document) VALUES (?, ?)", [(band, document) for band in own_bands])
    others = set(kin.values()) - {family}
    connection.executemany("UPDATE sketches SET family = ? WHERE family = ?", [(family, other) for other in others])


def make_families(connection: sqlite3.Connection) -> None:
    """Sketch all documents anew."""
    connection.execute("DELETE FROM bands")
    connection.execute("DELETE FROM sketches")
    numbers = connection.execute("SELECT number FROM documents ORDER BY number").fetchall()
    for (number,) in numbers:
        (text,) = connection.execute("SELECT text FROM documents WHERE number = ?", (number,)).fetchone()
        join_family(connection, number, text)


def family_of(connection: sqlite3.Connection, document: int) -> int | None:
    """What names the family of the document with this number, or None where it was too short to be sketched."""
    row = connection.execute("SELECT family FROM sketches WHERE document = ?", (document,)).fetchone()
    return row[0] if row else None


def part_families(connection: sqlite3.Connection, families: Iterable[int]) -> None:
    """Divide families from which a document has gone: it may have been what held the others together."""
    for family in families:
        rows = connection.execute(
            "SELECT document, signature FROM sketches WHERE family = ? ORDER BY document", (family,)
        ).fetchall()
        left = {number: place for place, (number, _) in enumerate(rows)}
        signatures = signatures_of([blob for _, blob in rows])
        while left:
            members = reachable(next(iter(left)), left, signatures)
            connection.executemany(
                "UPDATE sketches SET family = ? WHERE document = ?", [(min(members), member) for member in members]
            )


def partition(connection: sqlite3.Connection) -> set[frozenset[int]]:
    """Families of more than one document, as numbers of documents."""
    rows = connection.execute(
        "SELECT json_group_array(document) FROM sketches GROUP BY family HAVING count(*) > 1"
    ).fetchall()
    return {frozenset(json.loads(members)) for (members,) in rows}


def reachable(first: int, left: dict[int, int], signatures: NDArray[np.uint32]) -> list[int]:
    """Numbers of those joined with `first`, which are taken out of `left` (number → row of `signatures`)."""
    waiting, members = [(first, left.pop(first))], [first]
    while waiting:
        _, place = waiting.pop()
        numbers, places = list(left), list(left.values())
        if not numbers:
            break
        for at in np.flatnonzero(alike(signatures[place], signatures[places])):
            waiting.append((numbers[at], left.pop(numbers[at])))
            members.append(numbers[at])
    return members


def _alike(connection: sqlite3.Connection, own: Signature, own_bands: list[int]) -> dict[int, int]:
    """Number of each document alike → its family."""
    rows = connection.execute(
        "SELECT document, family, signature FROM sketches WHERE document IN "
        "(SELECT document FROM bands WHERE band IN (SELECT value FROM json_each(?)))",
        (json.dumps(own_bands),),
    ).fetchall()
    found = alike(own, signatures_of([blob for _, _, blob in rows]))
    return {number: family for (number, family, _), same in zip(rows, found, strict=True) if same}


def signatures_of(blobs: Sequence[bytes]) -> NDArray[np.uint32]:
    """Shape (len(blobs), PLACES)."""
    return np.frombuffer(b"".join(blobs), dtype="<u4").reshape(-1, PLACES).astype(np.uint32)
