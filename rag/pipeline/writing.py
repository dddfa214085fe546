"""What an answer is made of while it is being made: its times, its parts, and work as events that can be stopped."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace

from rag import prompting
from rag.retrieval import Retrieved
from rag.types import Answer, Claim, Finished, Models, Reason, TextPiece, Timings


class Stopwatch:
    """Seconds per stage: `note` closes the stage of that name, `add` one that has been worked on before."""

    def __init__(self) -> None:
        self._started = self._stage_started = time.perf_counter()
        self._timings = Timings()

    def note(self, stage: str) -> None:
        now = time.perf_counter()
        self._timings = replace(self._timings, **{stage: now - self._stage_started})
        self._stage_started = now

    def add(self, stage: str) -> None:
        before = getattr(self._timings, stage)
        self.note(stage)
        self._timings = replace(self._timings, **{stage: before + getattr(self._timings, stage)})

    def note_first_token(self) -> None:
        self._timings = replace(self._timings, first_token=time.perf_counter() - self._started)

    def timings(self) -> Timings:
        return replace(self._timings, total=time.perf_counter() - self._started)


class Writing:
    """An answer in the making."""

    def __init__(
        self, question: str, standalone: str, found: Retrieved, models: Callable[[], Models], watch: Stopwatch
    ) -> None:
        """`models` tells at the end which ones took part: another engine may have stepped in."""
        self._asked = (question, standalone)
        self._found = found
        self._models = models
        self._watch = watch
        self.signals: Mapping[str, float] = {}
        self.confidence = 0.0

    def answered(self, text: str, claims: tuple[Claim, ...]) -> Finished:
        """With the signals and the confidence it has by now; so `refused`."""
        return self._finished(text, claims, Reason.ANSWERED)

    def refused(self, reason: Reason) -> Finished:
        return self._finished(prompting.ABSTENTION, (), reason)

    def _finished(self, text: str, claims: tuple[Claim, ...], reason: Reason) -> Finished:
        question, standalone = self._asked
        return Finished(
            Answer(
                question=question,
                standalone_question=standalone,
                text=text,
                claims=claims,
                passages=self._found.passages,
                abstained=reason is not Reason.ANSWERED,
                reason=reason,
                confidence=self.confidence,
                timings=self._watch.timings(),
                models=self._models(),
                signals=self.signals,
                timeframe=self._found.timeframe,
            )
        )


def stoppable(work: Iterator[None]) -> Iterator[TextPiece]:
    """An empty piece after each step of `work`."""
    for _ in work:
        yield TextPiece("")


def as_text(pieces: Generator[str, None, str], watch: Stopwatch) -> Generator[TextPiece, None, str]:
    """The pieces as events; what the generator returns, when it has ended."""
    seen = False
    while True:
        try:
            piece = next(pieces)
        except StopIteration as end:
            written: str = end.value
            return written
        if piece and not seen:
            watch.note_first_token()
            seen = True
        yield TextPiece(piece)


def overheard(work: Generator[None, None, str]) -> Generator[TextPiece, None, str]:
    """What `work` returns; an empty piece after each of its steps keeps it stoppable."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            made: str = end.value
            return made
        yield TextPiece("")
