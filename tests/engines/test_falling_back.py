"""The engine here steps in while a server is away, and steps back."""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from rag.engines.falling_back import RETURN_SECONDS, FallbackEngine
from rag.engines.openai_compatible import ServerUnreachable
from rag.errors import EngineError
from rag.types import Limits, Prompt
from tests.engines.helpers import answer, stop
from tests.fakes import ScriptedEngine

PROMPT = Prompt("", ("A passage.",), "Why?")
LIMITS = Limits(20)
AWAY = "The server http://x can't be reached (refused). Start it."


class Served(ScriptedEngine):
    """Says "served", while it can be reached."""

    name = "openai_compatible"
    model = "large"
    revision = "abc"

    def __init__(self, problem: Callable[[], EngineError | None]) -> None:
        super().__init__()
        self.problem = problem

    def stream(self, prompt: Prompt, limits: Limits) -> Iterator[str]:
        self._check()
        self.replies = ["served"]
        for piece in super().stream(prompt, limits):
            yield piece
            self._check()

    def choose(self, prompt: Prompt, options: object) -> tuple[float, ...]:  # noqa: ARG002
        self._check()
        return (0.75, 0.25)

    def warm(self, prompt: Prompt) -> Iterator[None]:
        self._check()
        yield from super().warm(prompt)

    def count_tokens(self, text: str) -> int:  # noqa: ARG002
        self._check()
        return 100

    def _check(self) -> None:
        if problem := self.problem():
            raise problem


@dataclass
class World:
    problem: EngineError | None = None
    clock: float = 0.0
    here: list[ScriptedEngine] = field(default_factory=list)
    served: list[Served] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    may_load: threading.Event = field(default_factory=threading.Event)

    def engine(self) -> FallbackEngine:
        return FallbackEngine(self._open_server, self._open_here, lambda what, *_: self.reports.append(what), self._now)

    def _now(self) -> float:
        return self.clock

    def _open_server(self) -> Served:
        if self.problem:
            raise self.problem
        self.served.append(Served(lambda: self.problem))
        return self.served[-1]

    def _open_here(self, _report: object) -> ScriptedEngine:
        assert self.may_load.wait(20)
        self.here.append(ScriptedEngine(["here"] * 9))
        return self.here[-1]


@pytest.fixture
def world() -> World:
    world = World()
    world.may_load.set()
    return world


def test_the_server_answers_while_it_is_there(world: World) -> None:
    engine = world.engine()
    assert answer(engine, PROMPT, LIMITS) == "served"
    assert (engine.name, engine.model, engine.revision, world.here) == ("openai_compatible", "large", "abc", [])
    engine.close()
    assert world.served[0].closed


def test_the_engine_here_steps_in_and_its_name_says_so(world: World, caplog: pytest.LogCaptureFixture) -> None:
    engine = world.engine()
    world.problem = ServerUnreachable(AWAY)
    with caplog.at_level(logging.WARNING):
        assert answer(engine, PROMPT, LIMITS) == "here"
    assert (engine.name, engine.model, engine.revision) == ("scripted", "script", "")
    assert engine.choose(PROMPT, ("Yes", "No")) == (0.5, 0.5)
    assert engine.count_tokens("one two") == 2
    list(engine.warm(PROMPT))
    assert len(world.here) == 1
    assert caplog.text.count("steps in") == 1
    assert world.reports == [], "a report after opening would show the page as starting"


@pytest.mark.parametrize("use", ["choose", "count_tokens", "warm"])
def test_it_steps_in_whatever_is_asked_first(world: World, use: str) -> None:
    engine = world.engine()
    world.problem = ServerUnreachable(AWAY)
    if use == "choose":
        assert engine.choose(PROMPT, ("Yes", "No")) == (0.5, 0.5)
    elif use == "count_tokens":
        assert engine.count_tokens("one two") == 2
    else:
        list(engine.warm(PROMPT))
        assert world.here[0].warmed == [PROMPT]


def test_a_server_away_from_the_start_is_reported(world: World) -> None:
    world.problem = ServerUnreachable(AWAY)
    engine = world.engine()
    assert world.reports == ["The server http://x can't be reached (refused). The reader on this machine steps in"]
    assert answer(engine, PROMPT, LIMITS) == "here"


def test_it_steps_back_with_a_new_question_after_a_while(world: World) -> None:
    world.problem = ServerUnreachable(AWAY)
    engine = world.engine()
    world.problem = None
    world.clock = RETURN_SECONDS - 1
    list(engine.warm(PROMPT))
    assert answer(engine, PROMPT, LIMITS) == "here"
    world.clock = RETURN_SECONDS
    assert answer(engine, PROMPT, LIMITS) == "here", "an answer would change engines in the middle"
    list(engine.warm(PROMPT))
    assert answer(engine, PROMPT, LIMITS) == "served"
    world.problem = ServerUnreachable(AWAY)
    assert answer(engine, PROMPT, LIMITS) == "here"
    assert len(world.here) == 1
    engine.close()
    assert world.here[0].closed


def test_a_server_that_is_still_away_is_not_looked_for_at_every_question(world: World) -> None:
    world.problem = ServerUnreachable(AWAY)
    engine = world.engine()
    world.clock = RETURN_SECONDS
    list(engine.warm(PROMPT))
    world.problem = None
    world.clock = 2 * RETURN_SECONDS - 1
    list(engine.warm(PROMPT))
    assert engine.name == "scripted"


def test_an_answer_that_has_begun_is_not_begun_again(world: World) -> None:
    engine = world.engine()
    pieces = engine.stream(PROMPT, LIMITS)
    assert next(pieces) == "s"
    world.problem = ServerUnreachable(AWAY)
    with pytest.raises(ServerUnreachable):
        next(pieces)


def test_a_server_that_refuses_is_no_server_that_is_away(world: World) -> None:
    engine = world.engine()
    world.problem = EngineError("The server asks for a key.")
    for use in (lambda: answer(engine, PROMPT, LIMITS), lambda: engine.choose(PROMPT, ("a", "b")), world.engine):
        with pytest.raises(EngineError, match="asks for a key"):
            use()
    assert world.here == []


def test_stop_needn_t_wait_until_the_engine_here_is_loaded(world: World) -> None:
    engine = world.engine()
    world.problem = ServerUnreachable(AWAY)
    world.may_load.clear()
    pieces = engine.stream(PROMPT, LIMITS)
    assert [next(pieces) for _ in range(3)] == ["", "", ""]
    stop(pieces)
    assert world.here == []
    world.may_load.set()
    assert answer(engine, PROMPT, LIMITS) == "here"
    assert len(world.here) == 1


def test_a_closed_engine_says_so(world: World) -> None:
    world.problem = ServerUnreachable(AWAY)
    engine = world.engine()
    engine.close()
    engine.close()
    assert world.here[0].closed
