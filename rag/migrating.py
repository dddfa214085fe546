"""A library copied from one place to another, and the proof that nothing was changed on the way."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rag.errors import InputError, LibraryEmpty, LibraryError, LibraryMismatch
from rag.index import AnySnapshot, Stored
from rag.index.schema import SCHEMA
from rag.stores import Place, library_at, open_library, open_writer
from rag.types import Vectors

Report = Callable[[str, int, int], None]
"""(what is being done, done, total)"""

SAMPLES = 50
"""Chunks of the library whose vectors are searched for in both."""
NEAREST = 10
CLOSE = 1e-5
"""How far the scores of one chunk may differ between two stores, which add up in another order."""


@dataclass(frozen=True, slots=True)
class Migration:
    """What was copied and found equal."""

    documents: int
    chunks: int
    searches: int
    """Sample queries whose nearest chunks were compared."""


def migrate_library(source: Place, target: Place, report: Report, *, replace: bool = False) -> Migration:
    """Make the library at `target` hold all that the one at `source` holds, in one commit, then prove it.

    The source is only read, and may be in use; what is committed there meanwhile isn't copied. Whoever reads the target
    sees what it held before until the commit. With `replace` that may be another library.

    Raises InputError where both are one place, or the target has articles and `replace` is false; LibraryEmpty where
    there is nothing to copy; LibraryError where the copy isn't equal; and what `open_library` and `open_writer` raise.
    """
    if str(source) == str(target):
        raise InputError(f"The library is in {source} already. Name another place with --to.")
    with open_library(source) as library, library.snapshot() as now:
        if now.manifest.schema != SCHEMA:
            raise LibraryMismatch(f"The library in {source} was made by an older Citeline. Run `rag sync` first.")
        if not replace:
            _check_empty(target)
        _copy(now, target, report)
        with library_at(target, now.manifest.identity) as copied, copied.snapshot() as there:
            searches = _prove(now, there, target, report)
        count = now.count()
    return Migration(count.documents, count.chunks, searches)


def _check_empty(target: Place) -> None:
    try:
        with open_library(target) as library:
            held = library.count().documents
    except LibraryEmpty:
        return
    raise InputError(f"There are {held:,} articles in {target}. Name an empty place, or say --replace.")


def _copy(now: AnySnapshot, target: Place, report: Report) -> None:
    total = now.count().documents
    with open_writer(target, now.manifest.identity, start_over=True, command="rag migrate") as writer:
        for done, stored in enumerate(now.stored()):
            report("Copying the articles", done, total)
            writer.put_stored(stored)
        for root in writer.roots():
            writer.forget_root(root)
        for root in now.roots():
            writer.remember_root(root)
        for visit in now.visits().values():
            writer.note_visit(visit)
        report("Copying the articles", total, total)
        writer.commit()


def _prove(now: AnySnapshot, there: AnySnapshot, target: Place, report: Report) -> int:
    """The number of sample queries. Raises LibraryError with the first difference."""
    facts: tuple[tuple[str, object, object], ...] = (
        ("what it was made with", now.manifest.identity, there.manifest.identity),
        ("the numbers of articles and chunks", now.count(), there.count()),
        ("the folders and pages", now.roots(), there.roots()),
        ("what is kept of files", now.visits(), there.visits()),
        ("the articles' lists", now.documents(), there.documents()),
    )
    for what, one, other in facts:
        _check(one == other, what, target)
    total = now.count().documents
    sampled: list[Vectors] = []
    step = max(1, now.count().chunks // SAMPLES)
    passed = 0
    for done, (before, after) in enumerate(zip(now.stored(), there.stored(), strict=True)):
        report("Comparing the articles", done, total)
        document = before.document
        _check(_equal(before, after), document.source, target)
        copies, others = (side.duplicates_of(document.id) for side in (now, there))
        _check(copies == others, f"the versions of {document.source}", target)
        for vector in before.vectors:
            if passed % step == 0 and len(sampled) < SAMPLES:
                sampled.append(vector[None, :])
            passed += 1
    report("Comparing the articles", total, total)
    for done, query in enumerate(sampled):
        report("Comparing searches", done, len(sampled))
        _check(_equal_hits(now, there, query), f"the {NEAREST} chunks nearest to a sample", target)
    report("Comparing searches", len(sampled), len(sampled))
    return len(sampled)


def _equal(one: Stored, other: Stored) -> bool:
    """All fields, vectors bit by bit."""
    return (
        (one.document, one.loader, one.mark, one.chunks, one.hashes)
        == (other.document, other.loader, other.mark, other.chunks, other.hashes)
        and one.vectors.tobytes() == other.vectors.tobytes()
    )  # fmt: skip


def _equal_hits(now: AnySnapshot, there: AnySnapshot, query: Vectors) -> bool:
    """Place by place the same score, and the same chunk unless others share its score."""
    before, after = ({hit.chunk: hit.score for hit in side.nearest(query, NEAREST)} for side in (now, there))
    scores = list(before.values())
    if len(before) != len(after) or not np.allclose(scores, list(after.values()), rtol=0, atol=CLOSE):
        return False
    changed = before.keys() ^ after.keys()
    return all(abs((before | after)[chunk] - scores[-1]) <= CLOSE for chunk in changed)


def _check(same: bool, what: str, target: Place) -> None:
    if not same:
        raise LibraryError(
            f"The copy in {target} differs in {what}. Don't use it; the library it was made from is as it was. "
            "Run `rag check` on that one, then `rag migrate --replace` again."
        )
