"""Questions as OpenTelemetry's traces: a span for each, and in it one for each stage.

Where `OTEL_EXPORTER_OTLP_ENDPOINT` or another of OpenTelemetry's own variables names a collector, spans are sent
there; where a program such as `opentelemetry-instrument` has set tracing up already, they go where that sends them.
Without the extra `[serve]` nothing happens.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rag.service.observing import Observed, Outcome

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


class Traces:
    """Implements `Observer`."""

    def __init__(self) -> None:
        self._provider: TracerProvider | None = None
        self._tracer: Tracer | None = None
        try:
            from opentelemetry import trace
        except ImportError:
            return
        if any(os.environ.get(name) for name in ENDPOINTS):
            self._provider = _sending()
        self._tracer = (self._provider or trace).get_tracer("citeline")

    @property
    def active(self) -> bool:
        """Whether OpenTelemetry is installed."""
        return self._tracer is not None

    def asked(self) -> object:
        """See `Observer`: the trace in which the question is asked."""
        if self._tracer is None:
            return None
        from opentelemetry import context

        return context.get_current()

    def ended(self, observed: Observed) -> None:
        """See `Observer`."""
        if self._tracer is None:
            return
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

        parent = observed.context if isinstance(observed.context, Context) else None
        question = self._tracer.start_span(
            "question", parent, SpanKind.SERVER, _attributes(observed), start_time=_nanoseconds(observed.began)
        )
        inside = set_span_in_context(question)
        for stage in observed.stages:
            span = self._tracer.start_span(stage.name, inside, start_time=_nanoseconds(stage.began))
            span.end(_nanoseconds(stage.began + stage.seconds))
        if observed.outcome is Outcome.FAILED:
            question.set_status(Status(StatusCode.ERROR, observed.error))
        question.end(_nanoseconds(observed.began + observed.seconds))

    def close(self) -> None:
        """Send what wasn't sent yet."""
        if self._provider:
            self._provider.shutdown()


@contextmanager
def in_trace_of(headers: Mapping[str, str]) -> Iterator[None]:
    """Inside the block, the trace of who sent a request with these headers, where it names one."""
    try:
        from opentelemetry import context, propagate, trace
    except ImportError:
        yield
        return
    if trace.get_current_span().get_span_context().is_valid or "traceparent" not in headers:
        yield
        return
    token = context.attach(propagate.extract(headers))
    try:
        yield
    finally:
        context.detach(token)


def _attributes(observed: Observed) -> dict[str, str | bool | int | float]:
    attributes: dict[str, str | bool | int | float] = {"citeline.outcome": observed.outcome.value}
    if observed.error:
        attributes["error.type"] = observed.error
    if answer := observed.answer:
        attributes |= {
            "citeline.reason": answer.reason.name.lower(),
            "citeline.confidence": answer.confidence,
            "citeline.passages": len(answer.passages),
            "citeline.waited_seconds": observed.waited,
            "gen_ai.request.model": answer.models.reader,
            "gen_ai.usage.input_tokens": observed.prompt_tokens,
            "gen_ai.usage.output_tokens": observed.completion_tokens,
        }
    return attributes


def _sending() -> "TracerProvider | None":
    """None where the SDK isn't installed."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        return None
    named = os.environ.get("OTEL_SERVICE_NAME", "citeline")
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: named}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
