"""What the commands print."""

import json
from collections.abc import Iterable, Iterator

from rag.indexing import IndexReport
from rag.records import answer_fields
from rag.syncing import SyncReport
from rag.types import Answer


def index_lines(report: IndexReport) -> Iterator[str]:
    """One line for each article that changed or could not be read, whole or in part, then the sums."""
    yield from _changes(report, ())
    yield (
        f"{len(report.added)} added, {len(report.updated)} updated, {len(report.removed)} removed, "
        f"{report.unchanged} unchanged, {len(report.refused)} refused: {report.documents} articles in the library."
    )


def sync_lines(report: SyncReport) -> Iterator[str]:
    """As `index_lines`, with the files that moved."""
    yield from _changes(report, report.moved)
    yield (
        f"{len(report.added)} added, {len(report.updated)} updated, {len(report.moved)} moved, "
        f"{len(report.removed)} removed, {report.unchanged} unchanged, {len(report.refused)} refused: "
        f"{report.documents} articles in the library."
    )


def _changes(report: IndexReport | SyncReport, moved: Iterable[tuple[str, str]]) -> Iterator[str]:
    for sign, sources in (("+", report.added), ("~", report.updated), ("-", report.removed)):
        for source in sources:
            yield f"{sign} {source}"
    for old, new in moved:
        yield f"> {old} → {new}"
    for problem in report.refused:
        yield f"! {problem}"
    for note in report.notes:
        yield f"? {note}"


def answer_json(answer: Answer) -> str:
    """All of an answer but its articles' texts."""
    return json.dumps(answer_fields(answer), ensure_ascii=False, indent=1)
