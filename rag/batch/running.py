"""Questions → a run file, from wherever it was interrupted to its end."""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby, islice
from pathlib import Path

from rag.batch.asking import Asker
from rag.batch.questions import BadRow
from rag.batch.runfile import WINDOW, RunFile
from rag.errors import EngineError, InputError
from rag.types import Answer, Conditions, Failure, Passage, Progress, Question, RunRecord

ENGINE_FAILURES = 3
"""So many in a row are no matter of the questions: the engine is broken, and the run ends."""


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What became of the rows of a file."""

    answered: int = 0
    refused: int = 0
    failed: int = 0
    kept: int = 0
    """Of all these, those that were in the file already."""


def run_batch(
    asker: Asker,
    rows: Iterable[Question | BadRow],
    run_file: Path,
    *,
    replace: bool = False,
    mix: bool = False,
    progress: Progress | None = None,
    total: int = 0,
) -> BatchReport:
    """Answer every question that `run_file` has no record of yet, and put it into the order of the rows.

    Questions are taken `WINDOW` at a time, and of these the ones that begin with the same passage are asked one after
    another, so that the engine reads it once. Each record is safe on the disk before the next question is begun: after
    an interruption of any kind, the same call ends with the same file. `replace` starts over; `mix` goes on though the
    file was begun under other conditions. `progress` is called with rows done and `total`.

    A row that can't be answered is recorded as a failure. Raises InputError where the file answers other questions or
    was begun under other conditions, and whatever RagError has nothing to do with the question at hand.
    """
    progress = progress or _silent
    conditions = asker.conditions()
    tally = _Tally()
    with RunFile(run_file, empty=replace) as run:
        for window in _windows(rows):
            done = run.take(set(window))
            for row, record in done.items():
                _check(record, window[row], None if mix else conditions, run_file)
                tally.add(record, kept=True)
            for question, outcome in _outcomes(asker, list(window.values()), set(done)):
                record = RunRecord(question, outcome, conditions)
                run.append(record)
                tally.add(record)
                progress(tally.rows, total)
        run.put_in_order()
    progress(tally.rows, tally.rows)
    return tally.report()


def _windows(rows: Iterable[Question | BadRow]) -> Iterator[dict[int, Question | BadRow]]:
    """`WINDOW` rows at a time, by their numbers."""
    left = iter(rows)
    while window := list(islice(left, WINDOW)):
        yield {_question(row).row: row for row in window}


def _outcomes(
    asker: Asker, rows: Sequence[Question | BadRow], done: Collection[int]
) -> Iterator[tuple[Question, Answer | Failure]]:
    """What becomes of the rows that aren't done. The engine is brought where it would be if they hadn't been."""
    for row in rows:
        if isinstance(row, BadRow) and row.question.row not in done:
            yield row.question, Failure(row.problem)
    questions = [row for row in rows if isinstance(row, Question)]
    if all(question.row in done for question in questions):
        return
    broken = 0
    for group in _sharing(asker, questions):
        asker.forget()
        behind: list[tuple[Question, tuple[Passage, ...]]] = []
        for question, passages in group:
            if question.row in done:
                behind.append((question, passages))
                continue
            for earlier in behind:
                deque(asker.read_ahead(*earlier), maxlen=0)
            behind.clear()
            try:
                yield question, asker.answer(question)
                broken = 0
            except InputError as error:
                yield question, Failure(str(error))
            except EngineError as error:
                broken += 1
                if broken == ENGINE_FAILURES:
                    raise
                yield question, Failure(str(error))


def _sharing(asker: Asker, questions: Sequence[Question]) -> list[list[tuple[Question, tuple[Passage, ...]]]]:
    """The questions in groups that begin with the same passage, within a group by the passages that follow."""
    found = [(question, _passages(asker, question)) for question in questions]
    found.sort(key=lambda pair: [passage.chunk.id for passage in pair[1]])
    return [list(group) for _, group in groupby(found, key=lambda pair: [passage.chunk.id for passage in pair[1][:1]])]


def _passages(asker: Asker, question: Question) -> tuple[Passage, ...]:
    try:
        return asker.passages(question)
    except InputError:  # which `answer` will raise again, where it is recorded
        return ()


def _check(record: RunRecord, row: Question | BadRow, conditions: Conditions | None, run_file: Path) -> None:
    """Raises InputError where the record answers another question, or was made under other than these conditions."""
    if record.question != _question(row):
        raise InputError(
            f"Row {record.question.row} of the questions isn't the one that {run_file} has an answer to. "
            "Start over with --replace, or name another file with -o."
        )
    if conditions is not None and record.conditions != conditions:
        raise InputError(
            f"{run_file} was begun with {differences(record.conditions, conditions)}. "
            "Start over with --replace, go on all the same with --mix, or name another file with -o."
        )


def differences(one: Conditions, other: Conditions) -> str:
    """What differs, for a message: "passages 4 (now 6), another library"."""
    before, now = ({**it.settings, **asdict(it.models)} for it in (one, other))
    names = dict.fromkeys((*before, *now))
    parts = [f"{name} {before.get(name)} (now {now.get(name)})" for name in names if before.get(name) != now.get(name)]
    if one.library != other.library:
        parts.append("other articles in the library")
    changed = {
        name for name in (*one.revisions, *other.revisions) if one.revisions.get(name) != other.revisions.get(name)
    }
    if one.models == other.models and changed - {"code"}:
        parts.append("other weights of the models")
    if "code" in changed:
        parts.append("another version of Citeline")
    return ", ".join(parts)


def _question(row: Question | BadRow) -> Question:
    return row.question if isinstance(row, BadRow) else row


class _Tally:
    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    @property
    def rows(self) -> int:
        return self._counts["answered"] + self._counts["refused"] + self._counts["failed"]

    def add(self, record: RunRecord, *, kept: bool = False) -> None:
        outcome = record.outcome
        self._counts["failed" if isinstance(outcome, Failure) else "refused" if outcome.abstained else "answered"] += 1
        self._counts["kept"] += kept

    def report(self) -> BatchReport:
        return BatchReport(**self._counts)


def _silent(done: int, total: int) -> None:
    """Report to nobody."""
