"""Answers under way: they outlive the tab that asked, are saved, and end when nobody comes back."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rag import talks
from rag.conversations import Conversations
from rag.desk import Desk
from rag.errors import RagError
from rag.exchanges import Exchange, Stopped, Trouble
from rag.settings import load_settings
from rag.talks import Running, Talks
from rag.types import Answer, PassagesFound, TextPiece
from tests.page import ScriptedPipeline, Step, passage, usual

OWNER = "browser one"


@contextmanager
def talking(
    folder: Path, *scripts: list[Step], left: Callable[[str], float] = lambda _: float("-inf")
) -> Iterator[tuple[Talks, ScriptedPipeline]]:
    pipeline = ScriptedPipeline(*scripts)
    desk = Desk(load_settings(), lambda _settings, _report: pipeline)
    desk.open()
    with Conversations(folder) as saved:
        yield Talks(desk, saved, left=left), pipeline
        desk.close()


def ended(running: Running) -> Exchange:
    """The exchange as it is when nothing more will come."""
    *_, last = running.drawings()
    return last


def kept(talks: Talks, running: Running) -> Exchange:
    """The newest exchange as it is saved."""
    return talks.saved.read(OWNER, running.conversation).exchanges[-1]


def test_an_answer_is_saved_though_nobody_watches(tmp_path: Path) -> None:
    with talking(tmp_path, usual()) as (talking_to, _):
        running = talking_to.ask(OWNER, "tab", "how much?")
        deadline = time.monotonic() + 30
        while running.is_going_on and time.monotonic() < deadline:
            time.sleep(0.02)
        found = kept(talking_to, running)
    assert isinstance(found.outcome, Answer)
    assert (found.question, found.outcome.text) == ("how much?", "It pays US$20 million a month.")


def test_an_answer_that_nobody_watches_is_stopped_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talks, "ABANDONED", 0.2)
    endless: list[Step] = [PassagesFound((passage(1),)), TextPiece("It pays"), threading.Event()]
    with talking(tmp_path, endless) as (talking_to, pipeline):
        running = talking_to.ask(OWNER, "tab", "how much?")
        assert pipeline.left_early.wait(30)
        assert isinstance(ended(running).outcome, Stopped)
        assert isinstance(kept(talking_to, running).outcome, Stopped)
        assert talking_to.running(OWNER, running.conversation) is None


def test_who_said_that_they_go_is_waited_for_less_unless_they_have_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talks, "LEFT", 0.2)
    endless: list[Step] = [PassagesFound((passage(1),)), TextPiece("It pays"), threading.Event()]
    departures: list[float] = []
    with talking(tmp_path, endless, left=lambda _: max(departures, default=float("-inf"))) as (talking_to, pipeline):
        running = talking_to.ask(OWNER, "tab", "how much?")
        next(watching := running.drawings())
        departures.append(time.monotonic())
        watching.close()  # type: ignore[attr-defined]
        next(watching := running.drawings())  # loaded anew
        watching.close()  # type: ignore[attr-defined]
        assert not pipeline.left_early.wait(0.6)
        departures.append(time.monotonic())
        assert pipeline.left_early.wait(30)


def test_an_answer_goes_on_while_it_is_watched_or_its_reader_is_elsewhere_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talks, "ABANDONED", 0.2)
    gate = threading.Event()
    first, *rest = usual()
    with talking(tmp_path, [first, gate, *rest]) as (talking_to, _):
        running = talking_to.ask(OWNER, "tab", "how much?")
        watching = running.drawings()
        until = time.monotonic() + 0.6
        while time.monotonic() < until:
            assert running.is_going_on
            next(watching)
        running.kept = True
        watching.close()  # type: ignore[attr-defined]
        time.sleep(0.6)
        assert running.is_going_on
        gate.set()
        assert isinstance(ended(running).outcome, Answer)


def test_a_question_asked_again_takes_the_place_of_the_answer_under_way(tmp_path: Path) -> None:
    endless: list[Step] = [PassagesFound((passage(1),)), threading.Event()]
    with talking(tmp_path, endless, usual()) as (talking_to, pipeline):
        first = talking_to.ask(OWNER, "tab", "one?")
        second = talking_to.ask(OWNER, "tab", "two?", (), first.conversation, replacing=1)
        assert pipeline.left_early.wait(30)
        assert isinstance(ended(second).outcome, Answer)
        assert isinstance(ended(first).outcome, Stopped)
        saved = talking_to.saved.read(OWNER, first.conversation).exchanges
    assert [(one.number, one.question) for one in saved] == [(1, "two?")]


def test_an_error_is_kept_as_what_came_of_the_question(tmp_path: Path) -> None:
    with talking(tmp_path, [RagError("The model’s file is gone.")]) as (talking_to, _):
        running = talking_to.ask(OWNER, "tab", "how much?")
        assert ended(running).outcome == Trouble("The model’s file is gone.")
        assert kept(talking_to, running).outcome == Trouble("The model’s file is gone.")


def test_where_nothing_can_be_saved_the_question_is_answered_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with talking(tmp_path / "file", usual()) as (talking_to, _):
        running = talking_to.ask(OWNER, "tab", "how much?")
        assert isinstance(ended(running).outcome, Answer)
    assert running.conversation == ""
    assert str(tmp_path / "file") in running.unsaved
