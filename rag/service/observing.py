"""Questions watched from outside: what became of them, how long each stage took; never what was asked.

Whoever asks, on the page or as a program, asks the desk, so that is where they are watched.
"""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from rag.desk import Desk, OpenPipeline, Waiting
from rag.errors import InputError, LineFull, RagError
from rag.service.stopping import Stopping
from rag.settings import Settings
from rag.types import Answer, Event, Finished, TextPiece

SHORTEST = 0.001
"""Seconds below which a stage didn't take place."""


class Outcome(StrEnum):
    """What became of a question."""

    ANSWERED = "answered"
    REFUSED = "refused"
    FAILED = "failed"
    TURNED_AWAY = "turned away"
    """The question was no question, or too many waited."""
    LEFT = "left"
    """Who asked left before the end."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the way to an answer."""

    name: str
    began: float
    """Seconds since 1970."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Observed:
    """A question that has ended."""

    outcome: Outcome
    began: float
    """Seconds since 1970."""
    seconds: float
    """All of them, those of waiting for other questions included."""
    answer: Answer | None = None
    error: str = ""
    """Name of the kind of error that ended it."""
    stages: tuple[Stage, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    context: object = None
    """That of the trace it belongs to; see `rag.service.traces`."""

    @property
    def waited(self) -> float:
        """Seconds until its turn, as far as it was answered."""
        return max(0.0, self.seconds - self.answer.timings.total) if self.answer else 0.0


class Observer(Protocol):
    """Is told of every question."""

    def asked(self) -> object:
        """One begins. What is returned comes back as `Observed.context` where it isn't None."""
        ...

    def ended(self, observed: Observed) -> None: ...


class WatchedDesk(Desk):
    """A desk whose questions are told to observers, and that takes none any more once the server stops."""

    def __init__(
        self, settings: Settings, opener: OpenPipeline, stopping: Stopping, observers: Sequence[Observer] = ()
    ) -> None:
        super().__init__(settings, opener)
        self._stopping = stopping
        self._observers = observers

    def ask(
        self, *given: Any, asked: float | None = None, **named: Any
    ) -> Generator[Event | Waiting | None, None, None]:
        """See `Desk.ask`. Raises RagError when the server is about to stop.

        `asked` is when the question came, in seconds since 1970, where it has waited elsewhere before.
        """
        if self._stopping.begun:
            raise RagError("Citeline is being stopped, and takes no more questions. Ask again in a minute.")
        watch = _Watch(asked or time.time())
        watch.contexts = [observer.asked() for observer in self._observers]
        try:
            with closing(super().ask(*given, **named)) as events:
                for event in events:
                    watch.note(event)
                    yield event
        except Exception as error:
            watch.error = error
            raise
        finally:
            observed = watch.observed(self._count if self._observers else lambda _: 0)
            for observer in self._observers:
                observer.ended(observed)

    def _count(self, text: str) -> int:
        engine = getattr(self.pipeline, "engine", None)
        with suppress(RagError):
            return int(engine.count_tokens(text)) if engine else 0
        return 0


@dataclass(slots=True)
class _Watch:
    """A question under way."""

    began: float
    finished: float = 0.0
    last_text: float = 0.0
    answer: Answer | None = None
    error: Exception | None = None
    contexts: list[object] = field(default_factory=list)

    def note(self, event: Event | Waiting | None) -> None:
        if isinstance(event, Finished):
            self.finished, self.answer = time.time(), event.answer
        elif isinstance(event, TextPiece) and event.text:
            self.last_text = time.time()

    def observed(self, count: Callable[[str], int]) -> Observed:
        ended = self.finished or time.time()
        about = Observed(
            self._outcome(),
            self.began,
            ended - self.began,
            error=type(self.error).__name__ if self.error else "",
            context=next((context for context in self.contexts if context is not None), None),
        )
        if not (answer := self.answer):
            return about
        read = [answer.question, *(passage.text for passage in answer.passages)]
        return Observed(
            about.outcome,
            about.began,
            about.seconds,
            answer,
            about.error,
            stages_of(answer, ended, self.last_text),
            sum(map(count, read)),
            count(answer.text),
            about.context,
        )

    def _outcome(self) -> Outcome:
        if self.answer:
            return Outcome.REFUSED if self.answer.abstained else Outcome.ANSWERED
        if self.error:
            turned_away = isinstance(self.error, LineFull | InputError)
            return Outcome.TURNED_AWAY if turned_away else Outcome.FAILED
        return Outcome.LEFT


def stages_of(answer: Answer, finished: float, last_text: float) -> tuple[Stage, ...]:
    """What took how long, in its order, from the timings of the answer.

    `finished` and `last_text` are when the answer and the last piece of its text came, in seconds since 1970, the
    second 0 where there was none: what was checked after that is the stage "grounding".
    """
    timings = answer.timings
    after = max(0.0, finished - last_text) if timings.generation and last_text else 0.0
    grounding = min(after, timings.checking)
    took = {
        "standalone": timings.standalone,
        "retrieval": timings.retrieval,
        "checking": timings.checking - grounding,
        "generation": timings.generation,
        "grounding": grounding,
    }
    stages, at = [], finished - timings.total
    for name, seconds in took.items():
        if seconds >= SHORTEST:
            stages.append(Stage(name, at, seconds))
        at += seconds
    return tuple(stages)
