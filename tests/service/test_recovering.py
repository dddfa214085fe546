"""What a server does when something it needs goes away, and when it comes back."""

import threading
import time
from typing import Any

import httpx
import pytest

from rag.errors import LibraryUnreachable, RagError
from rag.service import reopening
from rag.settings import Settings
from tests.service.conftest import FANTASY, SENTENCE, replying
from tests.service.light import answered
from tests.service.server import SLOWLY
from tests.service.test_stopping import QUESTION, client_of, process


class Away:
    """A pipeline whose reader and library are on servers that can be switched off."""

    def __init__(self, settings: Settings) -> None:
        self._pipeline = replying(settings, None)
        self.there = {"reader": True, "library": True}
        self.engine = self.library = self

    def reachable(self) -> bool:
        return self.there["reader"]

    def reach(self) -> None:
        if not self.there["library"]:
            raise LibraryUnreachable("The database doesn't answer.")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipeline, name)


def status_of(address: str) -> tuple[int, str]:
    answer = httpx.get(f"{address}readyz", timeout=30)
    return answer.status_code, answer.json()["status"]


def until(address: str, wanted: str) -> None:
    deadline = time.monotonic() + 60
    while status_of(address)[1] != wanted:
        assert time.monotonic() < deadline, f"it never became {wanted}"
        time.sleep(0.05)


def test_readiness_tells_of_a_reader_or_a_library_that_is_away_for_as_long_as_it_is(library: Settings) -> None:
    pipeline = Away(library)
    with answered(lambda *_: pipeline, index=library.index) as address:
        until(address, "ready")
        for name in ("reader", "library"):
            pipeline.there[name] = False
            assert status_of(address) == (503, name)
            pipeline.there[name] = True
            assert status_of(address) == (200, "ready")


def test_a_pipeline_that_could_not_be_opened_is_opened_when_what_it_needs_is_back(
    library: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reopening, "PAUSES", (0.2, 0.4))
    monkeypatch.setattr(reopening, "GLANCE", 0.02)
    back, tried = threading.Event(), []

    def opener(settings: Settings, report: object) -> Any:
        tried.append(time.monotonic())
        if not back.is_set():
            raise RagError("The server can't be reached.")
        return replying(settings, report)

    with answered(opener, index=library.index, engine="openai_compatible") as address:
        until(address, "failed")
        deadline = time.monotonic() + 60
        while len(tried) < 4 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(tried) >= 4
        assert tried[2] - tried[1] > 0.39  # later than the time before
        back.set()
        until(address, "ready")
    tries = len(tried)
    time.sleep(0.6)
    assert len(tried) == tries


def test_what_is_wrong_here_is_not_tried_again_by_itself(library: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reopening, "PAUSES", (0.05, 0.05))
    monkeypatch.setattr(reopening, "GLANCE", 0.02)
    tried: list[float] = []

    def opener(*_: object) -> Any:
        tried.append(time.monotonic())
        raise RagError("There are no articles yet.")

    with answered(opener, index=library.index) as address:
        until(address, "failed")
        time.sleep(0.6)
    assert len(tried) == 1


def test_who_waits_when_a_worker_dies_goes_on_waiting_and_is_answered(library: Settings) -> None:
    with process(library, 1, **{SLOWLY: "0.3"}) as (_, address), client_of(address) as client:

        def stream(question: str) -> Any:
            messages: Any = [{"role": "user", "content": question}]
            return client.chat.completions.create(model="citeline", messages=messages, stream=True, timeout=300)

        dying = iter(stream("die?"))
        next(dying)
        waiting = iter(stream(QUESTION))
        first, second = next(waiting), next(waiting)
        assert first.choices[0].delta.role == "assistant"
        assert second.choices[0].delta.reasoning_content == "This question waits for another …\n"
        with pytest.raises(Exception, match="The process that was answering has ended"):
            list(dying)
        chunks = list(waiting)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        assert text == f"{SENTENCE} [1] {FANTASY} (not supported)"
        assert {chunk.id for chunk in chunks} == {first.id}
        assert not [chunk for chunk in chunks if chunk.choices[0].delta.role]
