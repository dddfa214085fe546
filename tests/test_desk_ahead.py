"""Questions that are prepared while they are being typed: only while nobody asks, and for as long as that is so."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rag import idle
from rag.desk import Desk
from rag.errors import RagError
from rag.settings import Settings, load_settings
from rag.types import Finished
from tests.page import ScriptedPipeline, usual
from tests.test_desk import until

ENDLESS = -1


@contextmanager
def opened(pipeline: ScriptedPipeline) -> Iterator[Desk]:
    desk = Desk(load_settings(), lambda _settings, _report: pipeline)
    desk.open()
    until(lambda: desk.pipeline is not None)
    try:
        yield desk
    finally:
        desk.close()


class Typist(threading.Thread):
    """Has one question prepared, and goes on watching until that has ended."""

    def __init__(self, desk: Desk, text: str, client: str) -> None:
        super().__init__(daemon=True)
        self.beats = desk.prepare(text, (), client)
        self.left = threading.Event()
        self.start()

    def run(self) -> None:
        """Iterate to the end, or until the tab is closed."""
        for _ in self.beats:
            if self.left.is_set():
                break
        self.beats.close()


def asked(desk: Desk, question: str, client: str) -> bool:
    """Whether the answer came."""
    return any(isinstance(event, Finished) for event in desk.ask(question, (), threading.Event(), client))


def test_what_was_prepared_is_handed_to_the_question_of_the_same_client_once() -> None:
    pipeline = ScriptedPipeline(usual(), usual(), usual())
    with opened(pipeline) as desk:
        Typist(desk, "how much", "ann").join(10)
        for client in ("bob", "ann", "ann"):
            assert asked(desk, "how much?", client)
    assert [given.question for given in pipeline.given] == ["", "how much", ""]


def test_what_is_forgotten_is_not_handed_on() -> None:
    pipeline = ScriptedPipeline(usual())
    with opened(pipeline) as desk:
        Typist(desk, "how much", "ann").join(10)
        desk.forget("ann")
        assert asked(desk, "how much?", "ann")
    assert [given.question for given in pipeline.given] == [""]


@pytest.mark.parametrize("client", ["ann", "bob"])
def test_a_question_of_anybodys_ends_the_preparing_and_what_is_left_of_it_is_not_done_later(client: str) -> None:
    gate = threading.Event()
    pipeline = ScriptedPipeline([gate, *usual()])
    pipeline.work = ENDLESS
    with opened(pipeline) as desk:
        typist = Typist(desk, "how much", "ann")
        until(lambda: len(pipeline.typed) == 1)
        answering = threading.Thread(target=asked, args=(desk, "how much?", client), daemon=True)
        answering.start()
        until(lambda: pipeline.asked != [])
        until(lambda: pipeline.typed_ended == ["how much"])  # while the answer is still being written
        typist.join(10)
        gate.set()
        answering.join(10)
        time.sleep(0.2)
    assert not typist.is_alive()
    assert len(pipeline.typed) == 1


def test_what_is_typed_while_an_answer_is_written_waits_for_its_end() -> None:
    gate = threading.Event()
    pipeline = ScriptedPipeline([gate, *usual()])
    with opened(pipeline) as desk:
        answering = threading.Thread(target=asked, args=(desk, "how much?", "ann"), daemon=True)
        answering.start()
        until(lambda: pipeline.asked != [])
        typist = Typist(desk, "since when", "ann")
        time.sleep(0.2)
        assert pipeline.typed == []
        gate.set()
        typist.join(10)
    assert [text for text, _, _ in pipeline.typed] == ["since when"]


def test_of_one_client_only_the_newest_text_is_prepared_and_clients_take_turns() -> None:
    pipeline = ScriptedPipeline()
    pipeline.work = ENDLESS
    with opened(pipeline) as desk:
        first = Typist(desk, "how", "ann")
        until(lambda: len(pipeline.typed) == 1)
        waiting = Typist(desk, "who", "bob")
        newer = Typist(desk, "how much", "ann")
        first.join(10)
        until(lambda: len(pipeline.typed) == 2)
        waiting.left.set()
        waiting.join(10)
        until(lambda: len(pipeline.typed) == 3)
        assert not newer.left.is_set()
    assert [text for text, _, _ in pipeline.typed] == ["how", "who", "how much"]
    assert pipeline.typed_ended == ["how", "who", "how much"]


def test_a_tab_that_is_closed_is_prepared_for_no_longer() -> None:
    pipeline = ScriptedPipeline()
    pipeline.work = ENDLESS
    with opened(pipeline) as desk:
        typist = Typist(desk, "how much", "ann")
        until(lambda: len(pipeline.typed) == 1)
        typist.left.set()
        until(lambda: pipeline.typed_ended == ["how much"])


def test_a_slot_begins_when_no_step_is_under_way_and_knows_that_somebody_came_between() -> None:
    pipeline = ScriptedPipeline()
    pipeline.work = ENDLESS
    with opened(pipeline) as desk:
        with desk.slot("files", threading.Event()) as before:
            pass
        typist = Typist(desk, "how much", "ann")
        until(lambda: len(pipeline.typed) == 1)
        with desk.slot("files", threading.Event()) as after:
            typist.join(10)
            assert pipeline.typed_ended == ["how much"]
    assert after.number == before.number + 2


def test_more_clients_than_there_is_room_for_wait_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "MOST", 1)
    pipeline = ScriptedPipeline()
    pipeline.work = ENDLESS
    with opened(pipeline) as desk:
        Typist(desk, "how much", "ann")
        until(lambda: len(pipeline.typed) == 1)
        assert list(desk.prepare("who is it", (), "bob")) == []


def test_text_that_can_not_be_prepared_is_no_failure_and_what_nobody_foresaw_is_logged_without_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Failing(ScriptedPipeline):
        def prepare(self, question: str, *_: object) -> Iterator[None]:  # type: ignore[override]
            raise {"known": RagError, "unknown": ValueError}[question](question)
            yield

    with opened(Failing(usual())) as desk:
        for text in ("known", "unknown"):
            assert list(desk.prepare(text, (), "ann")) == []
        assert asked(desk, "how much?", "ann")
    (record,) = caplog.records
    assert "Work ahead of a question failed: builtins.ValueError" in record.message
    assert "unknown" not in record.message.replace("unknown_", "")


def test_what_is_typed_while_citeline_starts_is_prepared_as_soon_as_it_can() -> None:
    started, pipeline = threading.Event(), ScriptedPipeline()

    def opener(_settings: Settings, _report: object) -> ScriptedPipeline:
        assert started.wait(10)
        return pipeline

    desk = Desk(load_settings(), opener)
    desk.open()
    typist = Typist(desk, "how much", "ann")
    time.sleep(0.1)
    started.set()
    typist.join(10)
    desk.close()
    assert [text for text, _, _ in pipeline.typed] == ["how much"]
    assert pipeline.closed
