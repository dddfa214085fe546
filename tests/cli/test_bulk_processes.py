"""`rag batch` as a process of its own: killed, stopped, doubled, without room or rights, with ten thousand rows."""

import csv
import json
import os
import resource
import signal
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.batch import run_batch
from rag.batch.runfile import WINDOW
from rag.types import Answer, Conditions, Models, Passage, Question, Reason, Timings
from tests.cli.commands import RAG_WITH_WORDS, powerless, run, start, until_paused
from tests.cli.with_words import PAUSING_ANSWER, PAUSING_SYNC

Settings = dict[str, str | Path]

ROWS = WINDOW + 8
SUMMARY = f"{ROWS * 3 // 4} answered, {ROWS // 4} refused, 0 failed"
"""A question in four may be answered only from an article that doesn't say it."""


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """Questions for a whole window of rows and a part of one, which aren't asked in their order."""
    file = tmp_path / "questions.csv"
    documents = ("harbour.txt", "", "bakery.txt", "harbour.txt")
    with file.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(["question", "documents", "page"])
        for row in range(1, ROWS + 1):
            rows.writerow([f"What did the harbour cost {row} years ago?", documents[row % 4], f"p. {row}"])
    return file


def written(run_file: Path) -> list[str]:
    """The lines without what differs from run to run."""
    lines = [json.loads(line) for line in run_file.read_text(encoding="utf-8").splitlines()]
    return [json.dumps({**line, "timings": None}) for line in lines]


def table(file: Path) -> list[list[str]]:
    with file.open(newline="", encoding="utf-8-sig") as stream:
        rows = list(csv.reader(stream))
    at = rows[0].index("seconds")
    return [[*row[:at], *row[at + 1 :]] for row in rows]


def batch(questions: Path, answers: Path, settings: Settings) -> str:
    return run(RAG_WITH_WORDS, "batch", questions, "-o", answers, settings=settings).done


@pytest.mark.parametrize(
    "moments",
    [
        [(PAUSING_ANSWER, 1)],
        [(PAUSING_ANSWER, 20)],
        [(PAUSING_ANSWER, WINDOW + 1)],
        [(PAUSING_SYNC, 5)],
        [(PAUSING_SYNC, ROWS + 1)],
        [(PAUSING_SYNC, ROWS + 2)],
        [(PAUSING_ANSWER, 2), (PAUSING_SYNC, 9), (PAUSING_ANSWER, 7), (PAUSING_ANSWER, 18), (PAUSING_SYNC, 2)],
    ],
    ids=[
        "before the first record",
        "within a window",
        "before the next window",
        "before a record is on the disk",
        "while the rows are put in order",
        "while the table is written",
        "again and again",
    ],
)
def test_a_killed_batch_goes_on_to_the_very_same_files(
    moments: list[tuple[str, int]], questions: Path, small_library: Settings, tmp_path: Path
) -> None:
    whole, answers = tmp_path / "whole.csv", tmp_path / "answers.csv"
    assert batch(questions, whole, small_library) == f"{SUMMARY}: {whole}\n"
    for variable, call in moments:
        command = start(
            RAG_WITH_WORDS, "batch", questions, "-o", answers, settings={**small_library, variable: str(call)}
        )
        until_paused(command)
        assert not answers.exists()
        command.kill()
        command.communicate()
    assert batch(questions, answers, small_library).startswith(SUMMARY)
    run_files = [file.with_name(f"{file.name}.run.jsonl") for file in (whole, answers)]
    assert written(run_files[1]) == written(run_files[0])
    assert [json.loads(line)["row"] for line in written(run_files[1])] == list(range(1, ROWS + 1))
    assert table(answers) == table(whole)
    assert not answers.with_name(f"{answers.name}.run.jsonl.lock").exists()


def test_ctrl_c_stops_a_batch_with_one_line_and_the_same_command_goes_on(
    questions: Path, small_library: Settings, tmp_path: Path
) -> None:
    answers = tmp_path / "answers.jsonl"
    command = start(RAG_WITH_WORDS, "batch", questions, "-o", answers, settings={**small_library, PAUSING_ANSWER: "6"})
    until_paused(command)
    command.send_signal(signal.SIGINT)
    out, err = command.communicate(timeout=30)
    assert (command.returncode, out, err) == (130, "", "Stopped.\n")
    assert len(written(answers)) == 5
    assert batch(questions, answers, small_library) == f"{SUMMARY} (5 kept from before): {answers}\n"
    assert [path.name for path in tmp_path.glob("*answers*")] == ["answers.jsonl"]


@pytest.mark.parametrize("second", ["answers.csv", "answers.csv.run.jsonl"])
@pytest.mark.parametrize("option", [(), ("--replace",)])
def test_a_second_batch_onto_the_same_output_is_refused_before_anything_is_loaded(
    option: tuple[str, ...], second: str, questions: Path, small_library: Settings, tmp_path: Path
) -> None:
    run_file = tmp_path / "answers.csv.run.jsonl"
    first = start(
        RAG_WITH_WORDS,
        *("batch", questions, "-o", tmp_path / "answers.csv"),
        settings={**small_library, PAUSING_ANSWER: "3"},
    )
    try:
        until_paused(first)
        before = run_file.read_bytes()
        done = run(RAG_WITH_WORDS, "batch", questions, "-o", tmp_path / second, *option, settings=small_library)
    finally:
        first.kill()
        first.communicate()
    assert done.status == 2
    assert done.complaint == f"Another process is writing {run_file}. Wait, or name another file with -o."
    assert done.err == f"rag: {done.complaint}\n"
    assert run_file.read_bytes() == before


def test_where_files_may_not_grow_a_batch_fails_with_one_line_and_goes_on_later(
    questions: Path, small_library: Settings, tmp_path: Path
) -> None:
    answers, whole = tmp_path / "answers.jsonl", tmp_path / "whole.jsonl"
    batch(questions, whole, small_library)
    limit = whole.stat().st_size // 2

    def less_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = run(RAG_WITH_WORDS, "batch", questions, "-o", answers, settings=small_library, before=less_room)
    assert done.status == 1
    assert done.complaint == (
        f"No room left to write {answers}. What is written stays; free some space and run it again."
    )
    assert "kept from before" in batch(questions, answers, small_library)
    assert written(answers) == written(whole)


def test_a_folder_that_may_not_be_written_is_named_before_anything_is_loaded(
    questions: Path, small_library: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o555)
    for name in ("answers.jsonl", "answers.csv", "deep/answers.csv"):
        done = run(RAG_WITH_WORDS, "batch", questions, "-o", folder / name, settings=small_library, before=powerless)
        assert done.status == 2
        assert "can't be written (Permission denied). Name another file with -o." in done.complaint
        assert done.err == f"rag: {done.complaint}\n"


def test_a_library_that_may_not_be_written_answers_a_batch(
    questions: Path, small_library: Settings, tmp_path: Path
) -> None:
    library = Path(small_library["RAG_INDEX"])
    library.chmod(0o555)
    try:
        done = run(
            RAG_WITH_WORDS,
            *("batch", questions, "-o", tmp_path / "answers.csv"),
            settings=small_library,
            before=powerless,
        )
    finally:
        library.chmod(0o755)
    assert SUMMARY in done.done


def test_closed_standard_input_holds_no_question(small_library: Settings, tmp_path: Path) -> None:
    done = run(
        RAG_WITH_WORDS,
        *("batch", "-", "-o", tmp_path / "answers.csv"),
        settings=small_library,
        before=lambda: os.close(0),
    )
    assert done.status == 2
    assert done.complaint.startswith("There is no question in <standard input>.")


def test_of_ten_thousand_rows_the_first_are_safe_long_before_the_last(small_library: Settings, tmp_path: Path) -> None:
    questions, answers = tmp_path / "questions.txt", tmp_path / "answers.jsonl"
    questions.write_text("".join(f"What did harbour {row} cost?\n" for row in range(10_000)), encoding="utf-8")
    command = start(RAG_WITH_WORDS, "batch", questions, "-o", answers, settings={**small_library, PAUSING_ANSWER: "4"})
    until_paused(command)
    command.kill()
    command.communicate()
    assert len(written(answers)) == 3


class Parrot:
    """Answers each question with itself."""

    made = Conditions({}, Models("none", "none", "parrot"), {}, "none")

    def conditions(self) -> Conditions:
        return self.made

    def passages(self, question: Question) -> tuple[Passage, ...]:  # noqa: ARG002
        return ()

    def read_ahead(self, question: Question, passages: tuple[Passage, ...]) -> Iterator[None]:  # noqa: ARG002
        return iter(())

    def answer(self, question: Question) -> Answer:
        text = question.text
        return Answer(text, text, text, (), (), False, Reason.ANSWERED, 1.0, Timings(), self.made.models)

    def forget(self) -> None:
        pass


def peak(rows: int, run_file: Path) -> int:
    """Bytes in use at most while so many rows are dealt with."""
    questions = (Question(row, f"q{row}", "Is it so? " * 100, (), {}) for row in range(1, rows + 1))
    tracemalloc.start()
    try:
        run_batch(Parrot(), questions, run_file)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_number_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _: None)  # which takes long, and no memory
    few, many = tmp_path / "few.jsonl", tmp_path / "many.jsonl"
    peak(10, tmp_path / "first.jsonl")  # what is made only once is made here
    for _ in ("answered", "kept from before"):
        assert peak(2000, many) < peak(10, few) + 500_000
    assert many.stat().st_size > 4_000_000
