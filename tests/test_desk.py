"""Readers who ask at the same time, and readers who leave."""

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager

import pytest

from rag.ahead import UNPREPARED, Prepared
from rag.desk import Desk, Left, Waiting
from rag.errors import QuestionError, RagError
from rag.settings import load_settings
from rag.types import Event, TextPiece, Turn
from tests.page import ScriptedPipeline


class Reading(ScriptedPipeline):
    """Answers each question once its gate opens, and notes what it began and what it left."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[str] = []
        self.left: list[str] = []
        self.gate = threading.Event()

    def stream_answer(
        self,
        question: str,
        history: Sequence[Turn] = (),  # noqa: ARG002
        documents: frozenset[str] | None = None,  # noqa: ARG002
        strict: bool | None = None,  # noqa: ARG002
        prepared: Prepared = UNPREPARED,  # noqa: ARG002
    ) -> Generator[Event, None, None]:
        self.begun.append(question)
        try:
            while not self.gate.wait(0.01):
                yield TextPiece("")
            yield TextPiece(question)
        except GeneratorExit:
            self.left.append(question)
            raise


class Reader(threading.Thread):
    """Asks one question and keeps what it was shown."""

    def __init__(self, desk: Desk, question: str, client: str) -> None:
        super().__init__(daemon=True)
        self.leave = threading.Event()
        self.events: list[object] = []
        self.failure: Exception | None = None
        self._asked = desk.ask(question, (), self.leave, client)
        self.start()

    def run(self) -> None:
        """Iterate to the end."""
        try:
            self.events += self._asked
        except RagError as error:
            self.failure = error

    def waits_for(self, words: str) -> bool:
        return any(isinstance(event, Waiting) and words in event.doing for event in list(self.events))


@contextmanager
def opened(reading: Reading, **settings: int) -> Iterator[Desk]:
    desk = Desk(load_settings(**settings), lambda _settings, _report: reading)
    desk.open()
    until(lambda: desk.state is reading)
    try:
        yield desk
    finally:
        desk.close()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def begin(desk: Desk, question: str, client: str) -> Reader:
    """Ask, and wait until that is under way or in line."""
    reader = Reader(desk, question, client)
    until(lambda: bool(reader.events) or reader.failure is not None)
    return reader


def test_two_readers_take_turns_however_much_one_asks() -> None:
    reading = Reading()
    with opened(reading) as desk:
        asked = [("a1", "ann"), ("a2", "ann"), ("a3", "ann"), ("b1", "bob")]
        readers = [begin(desk, question, client) for question, client in asked]
        until(lambda: readers[3].waits_for("waits for another."))
        until(lambda: readers[2].waits_for("waits for 3 others."))
        reading.gate.set()
        for reader in readers:
            reader.join(10)
    assert reading.begun == ["a1", "b1", "a2", "a3"]
    assert all(TextPiece(question) in reader.events for (question, _), reader in zip(asked, readers, strict=True))


def test_a_reader_who_leaves_frees_the_engine_at_once() -> None:
    reading = Reading()
    with opened(reading) as desk:
        first = begin(desk, "first", "ann")
        second = begin(desk, "second", "bob")
        until(lambda: reading.begun == ["first"])
        began = time.monotonic()
        first.leave.set()
        until(lambda: reading.begun == ["first", "second"])
        assert time.monotonic() - began < 1
        assert reading.left == ["first"]
        reading.gate.set()
        second.join(10)
    assert TextPiece("second") in second.events


def test_a_reader_who_leaves_the_line_is_never_answered() -> None:
    reading = Reading()
    with opened(reading) as desk:
        readers = [begin(desk, name, name) for name in ("first", "second", "third")]
        readers[1].leave.set()
        readers[1].join(10)
        reading.gate.set()
        readers[2].join(10)
    assert reading.begun == ["first", "third"]


def test_a_full_line_says_so() -> None:
    reading = Reading()
    with opened(reading, waiting=2) as desk:
        readers = [begin(desk, name, name) for name in ("first", "second", "third")]
        fourth = begin(desk, "fourth", "fourth")
        assert "2 questions wait already" in str(fourth.failure)
        reading.gate.set()
        for reader in readers:
            reader.join(10)
    assert reading.begun == ["first", "second", "third"]


def test_too_long_a_question_does_not_wait_to_be_refused() -> None:
    reading = Reading()
    with opened(reading) as desk:
        begin(desk, "first", "ann")
        with pytest.raises(QuestionError, match="2,001 characters"):
            list(desk.ask("x" * 2001, (), threading.Event(), "bob"))
        reading.gate.set()


def test_many_readers_are_all_answered_and_nothing_is_left_behind() -> None:
    reading = Reading()
    reading.gate.set()
    before = threading.active_count()
    with opened(reading, waiting=100) as desk:
        readers = [Reader(desk, f"{client} {turn}", str(client)) for turn in range(3) for client in range(12)]
        for reader in readers:
            reader.join(60)
        assert not any(reader.is_alive() or reader.failure for reader in readers)
    assert len(reading.begun) == 36
    until(lambda: threading.active_count() <= before)


def test_a_slot_is_waited_for_in_line_and_keeps_questions_waiting() -> None:
    reading = Reading()
    reading.gate.set()
    with opened(reading) as desk:
        with desk.slot("files", threading.Event()) as first:
            assert not desk.answering
            reader = begin(desk, "first", "ann")
            until(first.readers_wait)
            assert desk.answering
            assert not desk.others_wait  # who has the slot is no reader
            assert reading.begun == []
            assert not first.over()
        reader.join(10)
        assert reading.begun == ["first"]
        left = threading.Event()
        with desk.slot("files", threading.Event()) as second:
            assert second.number == first.number + 2  # the question came between
            left.set()
            with pytest.raises(Left), desk.slot("files", left):
                pytest.fail("It was not its turn.")
        assert not desk._line


def test_a_slot_waits_for_a_full_line_and_ends_with_the_page() -> None:
    reading = Reading()
    with opened(reading, waiting=1) as desk:
        begin(desk, "first", "ann")
        until(lambda: reading.begun == ["first"])
        begin(desk, "second", "bob")
        ended = []

        def wait() -> None:
            try:
                with desk.slot("files", threading.Event()) as slot:
                    until(slot.over)
                    ended.append("closed")
            except Left:
                ended.append("left")

        waiting = threading.Thread(target=wait, daemon=True)
        waiting.start()
        time.sleep(0.3)
        assert ended == []
        reading.gate.set()
        until(lambda: len(reading.begun) == 2 and len(desk._line) == 1)
        desk.close()
        waiting.join(10)
        assert ended == ["closed"]
