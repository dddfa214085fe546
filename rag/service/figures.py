"""What Prometheus collects: counts and times, never a text."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rag.desk import Desk
from rag.errors import RagError
from rag.service.observing import Observed, Outcome

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Variable that names the folder in which several processes count together; prometheus-client reads it too."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300)
"""Upper ends of the histograms' buckets: from a search to a long answer on a slow machine."""


class Figures:
    """Implements `Observer`; `text` gives all that was counted, in all processes where several count together."""

    def __init__(self) -> None:
        """Raises RagError where prometheus-client isn't installed."""
        try:
            from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
        except ImportError as error:
            raise RagError(
                "The setting metrics needs prometheus-client. Run `pip install 'citeline[serve]'`, or leave it off."
            ) from error
        registry = self._registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def count(name: str, about: str, *labels: str) -> Counter:
            return Counter(f"citeline_{name}", about, labels, registry=registry)

        def times(name: str, about: str, *labels: str) -> Histogram:
            return Histogram(f"citeline_{name}_seconds", about, labels, registry=registry, buckets=SECONDS)

        self._questions = count("questions", "Questions by what became of them", "outcome")
        self._refusals = count("refusals", "Refused questions by reason", "reason")
        self._errors = count("errors", "Questions that failed, by kind of error", "kind")
        self._tokens = count("tokens", "Tokens read (questions and passages) and written", "kind")
        self._first = times("first_token", "From the question's turn to the first word")
        self._total = times("answer", "From the question's turn to the checked answer")
        self._waiting = times("waiting", "From the question to its turn")
        self._stages = times("stage", "Stages of an answer", "stage")
        self._under_way = Gauge(
            "citeline_questions_under_way",
            "Questions being answered or waiting for it",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._size = Gauge(
            "citeline_library",
            "Articles and chunks in the library, and its generation",
            ["kind"],
            registry=registry,
            multiprocess_mode="max",
        )
        self._generation = -1
        for outcome in Outcome:  # so that a rate has something to begin with
            self._questions.labels(outcome.name.lower())

    def asked(self) -> None:
        """See `Observer`."""
        self._under_way.inc()

    def ended(self, observed: Observed) -> None:
        """See `Observer`."""
        self._under_way.dec()
        self._questions.labels(observed.outcome.name.lower()).inc()
        if observed.error:
            self._errors.labels(observed.error).inc()
        if not (answer := observed.answer):
            return
        if answer.abstained:
            self._refusals.labels(answer.reason.name.lower()).inc()
        if answer.timings.first_token:
            self._first.observe(answer.timings.first_token)
        self._total.observe(answer.timings.total)
        self._waiting.observe(observed.waited)
        for stage in observed.stages:
            self._stages.labels(stage.name).observe(stage.seconds)
        self._tokens.labels("prompt").inc(observed.prompt_tokens)
        self._tokens.labels("completion").inc(observed.completion_tokens)

    def turned_away(self, error: str) -> None:
        """A question that no desk heard of, because of an error of this kind."""
        self._questions.labels(Outcome.TURNED_AWAY.name.lower()).inc()
        self._errors.labels(error).inc()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Inside the block a question waits that no desk has heard of yet."""
        self._under_way.inc()
        try:
            yield
        finally:
            self._under_way.dec()

    def text(self, desk: Desk) -> bytes:
        """In Prometheus' own format."""
        from prometheus_client import generate_latest

        self._measure(desk)
        return generate_latest(_together() if SHARED in os.environ else self._registry)

    def _measure(self, desk: Desk) -> None:
        """The library's size, counted when it has changed."""
        library = getattr(desk.pipeline, "library", None)
        try:
            if library is None or library.generation == self._generation:
                return
            count = library.count()
            self._generation = library.generation
        except RagError:
            return
        for kind, value in (
            ("articles", count.documents),
            ("chunks", count.chunks),
            ("generation", self._generation),
        ):
            self._size.labels(kind).set(value)


def forget_process(number: int) -> None:
    """A process of that number counts no more: what it had under way is under way no longer."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(number)  # type: ignore[no-untyped-call]


def _together() -> "CollectorRegistry":
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
