"""Proof that a library on servers is whole, and its mending."""

from collections.abc import Callable, Iterator

import numpy as np
from sqlalchemy import func, select

from rag.errors import LibraryBusy
from rag.index import Check, Fault
from rag.index.fitting import check_chunks, check_vectors
from rag.index.origins import seal
from rag.stores import tables
from rag.stores.connecting import explained
from rag.stores.deriving import derived_rows
from rag.stores.library import ServerLibrary
from rag.stores.places import Servers
from rag.stores.reading import ServerSnapshot
from rag.stores.writing import open_server_writer

Progress = Callable[[str, int, int], None]
"""(what is being checked, done, total)"""

STEPS = 3


def check_servers(place: Servers, report: Progress) -> tuple[Check, ...]:
    """Check the newest state, while others read and write it; what a writer that died has left is removed.

    Raises LibraryEmpty, LibraryUnreachable.
    """
    library = ServerLibrary(place)
    try:
        with library.snapshot() as now:
            identity = now.manifest.identity
        try:
            with open_server_writer(place, identity, command="rag check"):
                pass  # which sweeps
        except LibraryBusy:
            pass  # and whoever is writing sweeps
        with library.snapshot() as now:
            report("Checking", 0, STEPS)
            articles = _articles(now, place)
            report("Checking", 1, STEPS)
            chunks = _chunks(now)
            report("Checking", 2, STEPS)
            vectors = _vectors(now, library, place)
            report("Checking", STEPS, STEPS)
            return articles, chunks, vectors
    finally:
        library.close()


def repair_servers(place: Servers, report: Progress) -> tuple[Check, ...]:
    """Make what Milvus holds again from the database, then `check_servers`."""
    library = ServerLibrary(place)
    try:
        identity = library.manifest.identity
    finally:
        library.close()
    with open_server_writer(place, identity, command="rag check --repair") as writer:
        report("Making the vectors in Milvus again", 0, 1)
        writer.derive_vectors()
        writer.commit()
        report("Making the vectors in Milvus again", 1, 1)
    return check_servers(place, report)


def _articles(now: ServerSnapshot, place: Servers) -> Check:
    kept = tables.documents.c
    with explained(place):
        seals = dict(now.connection.execute(select(kept.id, kept.seal)).all())
    faults = tuple(
        Fault(f"{one.document.source} isn't the text that was indexed.", one.document.source)
        for one in now.stored()
        if seals.get(one.document.id) != seal(one.document)
    )
    return Check("articles", now.count().documents, faults)


def _chunks(now: ServerSnapshot) -> Check:
    return Check("chunks", now.count().chunks, tuple(_torn(now)))


def _torn(now: ServerSnapshot) -> Iterator[Fault]:
    for one in now.stored():
        try:
            check_chunks(one.document, one.chunks)
            check_vectors(one.vectors, (len(one.chunks), now.manifest.identity.dimension))
        except ValueError as error:
            yield Fault(f"The chunks of {one.document.source} aren't as they were made: {error}.", one.document.source)


def _vectors(now: ServerSnapshot, library: ServerLibrary, place: Servers) -> Check:
    faults = tuple(_wrong_vectors(now, library, place))
    return Check("vectors and words in Milvus", now.count().chunks, faults)


def _wrong_vectors(now: ServerSnapshot, library: ServerLibrary, place: Servers) -> Iterator[Fault]:
    vectors = library.vectors_of(now)
    if not vectors.load():
        yield Fault("There is no collection of the library in Milvus.")
        return
    lost = wrong = 0
    with explained(place):
        for derived in derived_rows(now.connection, now.manifest.identity.dimension):
            there = vectors.rows(np.array(list(derived), dtype=np.int64))
            lost += len(derived.keys() - there.keys())
            wrong += sum(
                words != derived[number][1] or not np.array_equal(vector, derived[number][0])
                for number, (vector, words) in there.items()
                if number in derived
            )
        waiting = now.connection.execute(select(func.count()).select_from(tables.gone)).scalar_one()
    if lost:
        yield Fault(f"Milvus lacks the vectors of {lost} chunks.")
    if wrong:
        yield Fault(f"Milvus has other vectors or words of {wrong} chunks than the database.")
    strays = len(vectors) - now.count().chunks - waiting + lost
    if strays > 0:
        yield Fault(f"Milvus has {strays} vectors that belong to no chunk.")
