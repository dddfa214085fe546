"""Files of questions answered beside readers: what comes of them, stopped and gone on with, and whose turn it is."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rag.batch import LibraryAsker, carried_names, read_questions, read_records, run_batch, write_table
from rag.bulk import Going, Jobs, Reports
from rag.desk import Desk
from rag.errors import InputError
from rag.tasks import Result, Standing, State
from rag.types import Finished
from tests.bulk.small import COST, KEPT, Shelf, questions

GOLD = [{"question": f"{COST[:-1]} ({at})?", "answers": [right]} for at, right in enumerate(("3 million", "4 million"))]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


@contextmanager
def at_work(shelf: Shelf) -> Iterator[tuple[Jobs, Desk]]:
    """As on a running page."""
    settings = shelf.settings()
    desk = Desk(settings, lambda _settings, _report: shelf.pipeline())
    jobs = Jobs(desk, settings, Reports(shelf.folder / "reports"))
    jobs.resume()
    desk.open()
    try:
        yield jobs, desk
    finally:
        desk.close()


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def ended(jobs: Jobs, reader: str | None = None) -> Standing:
    until(lambda: jobs.running(reader) is None)
    return jobs.standings(reader)[0]


def begin(jobs: Jobs, file: Path, reader: str | None = None, *, strict: bool = True, scored: bool = False) -> None:
    jobs.receive(reader, file)
    jobs.start(reader, strict=strict, scored=scored)


def without_times(lines: bytes) -> list[dict[str, object]]:
    return [json.loads(line) | {"timings": None} for line in lines.splitlines()]


def by_command(shelf: Shelf, file: Path) -> Path:
    """What `rag batch` does with a file."""
    run_file = shelf.folder / "by-command.jsonl"
    pipeline = shelf.pipeline(strict=True)
    run_batch(LibraryAsker(pipeline), read_questions(file), run_file)
    pipeline.library.close()
    return run_file


def test_the_answers_are_those_of_rag_batch_in_every_format(shelf: Shelf) -> None:
    file = questions(shelf.folder, 5)
    run_file = by_command(shelf, file)
    with at_work(shelf) as (jobs, _):
        begin(jobs, file)
        done = ended(jobs)
        assert (done.state, done.total, done.answered, done.failed) == (State.DONE, 6, 5, 1)
        assert [row.row for row in done.rows] == [1, 2, 3, 4, 5, 6]
        assert (done.rows[0].text, done.rows[0].sources) == (KEPT, ("Harbour",))
        assert (done.rows[1].result, done.rows[1].text) == (
            Result.FAILED,
            "The question is empty. Write one, or remove the row.",
        )
        answers = jobs.answers(None, done.id, ".jsonl")
        assert without_times(answers) == without_times(run_file.read_bytes())
        shelf.folder.joinpath("same.jsonl").write_bytes(answers)
        records = shelf.folder / "same.jsonl"
        table = shelf.folder / "table.csv"
        write_table(read_records(records), table, carried_names(read_records(records)))
        assert jobs.answers(None, done.id, ".csv") == table.read_bytes()
        assert b"topic 5" in table.read_bytes()
        assert jobs.answers(None, done.id, ".xlsx").startswith(b"PK")


def test_sentences_that_nothing_supports_stay_where_that_is_wanted(shelf: Shelf) -> None:
    with at_work(shelf) as (jobs, _):
        begin(jobs, questions(shelf.folder, 1), strict=False)
        assert "elephants" in ended(jobs).rows[0].text


def test_stopped_and_gone_on_with_it_ends_with_the_same_answers(shelf: Shelf) -> None:
    file = questions(shelf.folder, 5)
    run_file = by_command(shelf, file)
    with at_work(shelf) as (jobs, _):
        shelf.reader.hold()
        begin(jobs, file)
        shelf.reader.let(2)
        until(lambda: (standing := jobs.running(None)) and standing.answered == 2)
        running = jobs.running(None)
        assert running is not None
        assert running.seconds_left is not None
        assert [row.row for row in running.rows] == [3, 1, 2]  # the newest first
        jobs.stop(None, running.id)
        stopped = ended(jobs)
        assert (stopped.state, stopped.answered) == (State.STOPPED, 2)
        shelf.reader.held = False
        jobs.go_on(None, stopped.id)
        done = ended(jobs)
        assert (done.state, done.answered) == (State.DONE, 5)
        assert without_times(jobs.answers(None, done.id, ".jsonl")) == without_times(run_file.read_bytes())


def test_a_page_that_closed_goes_on_when_it_opens_again_and_what_was_stopped_waits(shelf: Shelf) -> None:
    with at_work(shelf) as (jobs, _):
        shelf.reader.hold()
        begin(jobs, questions(shelf.folder, 2, "stopped.csv"))
        jobs.stop(None, jobs.standings(None)[0].id)
        assert ended(jobs).state is State.STOPPED
        begin(jobs, questions(shelf.folder, 3, "closed.csv"))
        shelf.reader.let(1)
        until(lambda: (standing := jobs.running(None)) and standing.answered == 1)
    shelf.reader.held = False
    with at_work(shelf) as (jobs, _):
        until(lambda: jobs.running(None) is None)
        standings = {standing.name: standing for standing in jobs.standings(None)}
        assert (standings["closed.csv"].state, standings["closed.csv"].answered) == (State.DONE, 3)
        assert (standings["stopped.csv"].state, standings["stopped.csv"].answered) == (State.STOPPED, 0)


def test_who_asks_a_single_question_waits_for_one_answer_of_a_file_at_most(shelf: Shelf) -> None:
    shelf.reader.hold()
    with at_work(shelf) as (jobs, desk):
        for reader in ("ann", "bob"):
            begin(jobs, questions(shelf.folder, 4), reader)
        until(shelf.reader.at.is_set)
        until(lambda: len(desk._line) == 2)  # one file is answered from, the other waits
        events: list[object] = []
        asked = desk.ask("What did the harbour of Varel cost, please?", (), threading.Event(), "cy")
        thread = threading.Thread(target=lambda: events.extend(asked), daemon=True)
        thread.start()
        until(lambda: len(desk._line) == 3)
        shelf.reader.let(2)  # the answer being written, then the reader's
        thread.join(20)
        assert any(isinstance(event, Finished) for event in events)
        assert sum(standing.answered for name in ("ann", "bob") for standing in jobs.standings(name)) == 1
        shelf.reader.held = False
        assert [ended(jobs, name).answered for name in ("ann", "bob")] == [4, 4]


def test_after_somebodys_question_the_engine_begins_afresh(shelf: Shelf) -> None:
    shelf.reader.hold()
    with at_work(shelf) as (jobs, desk):
        begin(jobs, questions(shelf.folder, 3))
        shelf.reader.let(1)
        until(lambda: (standing := jobs.running(None)) and standing.answered == 1)
        before = shelf.reader.forgotten
        asked = desk.ask(COST, (), threading.Event(), "cy")
        thread = threading.Thread(target=lambda: list(asked), daemon=True)
        thread.start()
        until(lambda: len(desk._line) == 2)
        shelf.reader.let(2)
        thread.join(20)
        shelf.reader.held = False
        ended(jobs)
        assert shelf.reader.forgotten == before + 1


def test_another_library_is_said_and_one_may_start_over_or_go_on_all_the_same(shelf: Shelf) -> None:
    shelf.reader.hold()
    with at_work(shelf) as (jobs, _):
        for name in ("over.csv", "same.csv"):
            begin(jobs, questions(shelf.folder, 3, name))
            shelf.reader.let(1)
            until(lambda: (standing := jobs.running(None)) and standing.answered == 1)
            jobs.stop(None, jobs.standings(None)[0].id)
            until(lambda: jobs.running(None) is None)
    shelf.add("ferry.txt", "The ferry is free.")
    shelf.reader.held = False
    with at_work(shelf) as (jobs, _):
        ids = {standing.name: standing.id for standing in jobs.standings(None)}
        for name, going, libraries in (("over.csv", Going.AFRESH, 1), ("same.csv", Going.MIXED, 2)):
            jobs.go_on(None, ids[name])
            until(lambda: jobs.running(None) is None)
            standing = next(one for one in jobs.standings(None) if one.name == name)
            assert (standing.state, standing.message) == (State.CHANGED, "other articles in the library")
            jobs.go_on(None, ids[name], going)
            until(lambda: jobs.running(None) is None)
            lines = without_times(jobs.answers(None, ids[name], ".jsonl"))
            assert len(lines) == 4
            assert len({str(line["conditions"]) for line in lines}) == libraries


def test_readers_have_their_own_files_and_one_at_work_at_a_time(shelf: Shelf) -> None:
    shelf.reader.hold()
    with at_work(shelf) as (jobs, _):
        begin(jobs, questions(shelf.folder, 2), "ann")
        assert jobs.standings("bob") == []
        [annes] = jobs.standings("ann")
        for forbidden in (jobs.stop, jobs.remove, jobs.go_on):
            with pytest.raises(InputError, match="no longer here"):
                forbidden("bob", annes.id)
        with pytest.raises(InputError, match="no longer here"):
            jobs.answers("bob", annes.id, ".csv")
        jobs.receive("ann", questions(shelf.folder, 1, "second.csv"))
        with pytest.raises(InputError, match=r"questions\.csv is being answered"):
            jobs.start("ann", strict=True, scored=False)
        assert jobs.received("bob") is None
        with pytest.raises(InputError, match="Choose a file"):
            jobs.start("bob", strict=True, scored=False)
        with pytest.raises(InputError, match="Stop it first"):
            jobs.remove("ann", annes.id)
        jobs.stop("ann", annes.id)
        ended(jobs, "ann")
        jobs.remove("ann", annes.id)
        assert jobs.standings("ann") == []


def test_a_file_that_knows_its_answers_ends_with_a_report(shelf: Shelf) -> None:
    file = shelf.folder / "rates.jsonl"
    file.write_text("\n".join(map(json.dumps, GOLD)), encoding="utf-8")
    reports = Reports(shelf.folder / "reports")
    with at_work(shelf) as (jobs, _):
        for _ in range(2):
            jobs.receive(None, file)
            upload = jobs.received(None)
            assert upload is not None
            assert upload.scorable
            jobs.start(None, strict=True, scored=True)
            assert (ended(jobs).state, ended(jobs).answered) == (State.DONE, 2)
    assert {report.key for report in reports.listed()} == {"rates", "rates-2"}
    assert reports.listed()[0].scores[0][:2] == ("answer contained", "50.0 %")


def test_what_can_not_be_used_is_said_before_anything_is_asked(shelf: Shelf) -> None:
    with at_work(shelf) as (jobs, _):
        for name, text, said in (
            ("a.csv", "topic,id\nport,1\n", r"^a\.csv has no column called question"),
            ("b.pdf", "%PDF", r"^b\.pdf is in a format that can't be read"),
            ("c.txt", "  \n", r"^There is no question in c\.txt"),
            ("d.jsonl", '{"question": ""}\n', r"^d\.jsonl has no question that can be asked. Row 1: The question is"),
        ):
            file = shelf.folder / name
            file.write_text(text, encoding="utf-8")
            with pytest.raises(InputError, match=said):
                jobs.receive(None, file)
        assert jobs.received(None) is None
