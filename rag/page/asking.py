"""Asking: the conversation on the left, the passages it rests on to the right, the question box below.

Widgets   what stands in this view; which of it shows follows from what it holds, in page.css
Handlers  what happens when something is pressed
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import gradio as gr

from rag import rendering
from rag.desk import TICK, UNFORESEEN, Desk, Failed, Opening, Waiting
from rag.errors import RagError
from rag.guarding import Door, is_loopback
from rag.logs import log_failure
from rag.page.shared import QUIET, Updates, html
from rag.rendering import Draft, Exchange, Trouble
from rag.types import Answer, Document, Event, TextPiece

EXAMPLES = (
    "how much does TikTok pay Microsoft?",
    "What three goals did Liang Rubo set for ByteDance?",
    "Why did OpenAI suspend ByteDance’s account?",
    "Which project is Apple abandoning to focus on AI?",
)
HINT = "Enter asks, Shift + Enter begins a new line."

REDRAW = 0.08
"""Seconds between two drawings of an answer that is being written, at least."""

_log = logging.getLogger("citeline")


@dataclass(frozen=True, slots=True)
class Widgets:
    """What stands in the view, from top to bottom."""

    new: gr.Button
    failure: gr.HTML
    retry: gr.Button
    welcome: gr.HTML
    past: gr.HTML
    """All exchanges but the newest; drawn once a question, while `current` is drawn with every word."""
    current: gr.HTML
    evidence: gr.HTML
    box: gr.Textbox
    ask: gr.Button
    stop: gr.Button
    status: gr.HTML
    conversation: gr.State


def lay_out() -> Widgets:
    """Put the widgets into the view that is being built."""
    with gr.Column(elem_id="desk"):
        new = gr.Button("New conversation", elem_id="new")
        with gr.Column(elem_id="thread"):
            failure = html("failure")
            retry = gr.Button("Try again", elem_id="retry")
            welcome = html("welcome", rendering.welcome_html(EXAMPLES), rendering.welcome_script())
            past = html("past")
            current = html("current")
        evidence = html("panel")
        with gr.Column(elem_id="composer"):
            with gr.Row(elem_id="question"):
                box = gr.Textbox(
                    label="Question",
                    show_label=False,
                    container=False,
                    placeholder="Ask a question",
                    lines=1,
                    max_lines=6,
                    autofocus=True,
                    elem_id="box",
                )
                ask = gr.Button("Ask", elem_id="ask")
                stop = gr.Button("Stop", elem_id="stop")
            status = html("status", rendering.status_html(""))
    state = gr.State(())
    return Widgets(new, failure, retry, welcome, past, current, evidence, box, ask, stop, status, state)


class Handlers:
    """What the page does; each method returns or yields updates."""

    def __init__(self, desk: Desk, widgets: Widgets, door: Door) -> None:
        self._desk = desk
        self._on = widgets
        self._door = door
        self._leaving: dict[str | None, threading.Event] = {}  # by session, while it waits for an answer

    def watch(self) -> Iterator[Updates]:
        """Follow the opening of the pipeline to its end."""
        while isinstance(self._desk.state, Opening):
            yield self._opening()
            time.sleep(TICK)
        yield self._opening()

    def retry(self) -> Iterator[Updates]:
        """Open the pipeline once more."""
        self._desk.open()
        yield from self.watch()

    def ask(
        self, typed: str | None, conversation: Sequence[Exchange], event: gr.EventData, request: gr.Request
    ) -> Iterator[Updates]:
        """Answer what was typed, or the example that was chosen."""
        on = self._on
        given = event.value if event.target is on.welcome else typed
        question = given.strip() if isinstance(given, str) else ""
        if not question:
            return
        earlier = tuple(rendering.stopped(exchange) for exchange in conversation)
        exchange = Exchange(len(earlier) + 1, question, Draft("Searching the articles"))
        leave = self._leaving[request.session_hash] = threading.Event()
        try:
            yield {on.past: rendering.conversation_html(earlier), on.box: "", **self._drawn(earlier, exchange)}
            asked = self._desk.ask(question, rendering.turns(earlier), leave, client_of(request))
            with closing(asked) as events:
                for drawing in _drawings(exchange, events):
                    exchange = drawing
                    if isinstance(exchange.outcome, Answer):
                        self._door.cited.note(request.username, _cited_documents(exchange.outcome))
                    yield self._drawn(earlier, exchange)
        except RagError as error:
            exchange = rendering.failed(exchange, str(error))
        except Exception as error:
            log_failure(_log, "A question could not be answered", error, self._door.log_texts)
            exchange = rendering.failed(exchange, UNFORESEEN)
        finally:
            self._leaving.pop(request.session_hash, None)
        if isinstance(exchange.outcome, Trouble):
            yield {on.box: question}
        yield {on.failure: self._failure(), **self._drawn(earlier, rendering.stopped(exchange))}

    def stop(self, request: gr.Request) -> None:
        """Let the answer of this page end as it is; `ask` shows that."""
        if leave := self._leaving.get(request.session_hash):
            leave.set()

    def clear(self) -> Updates:
        """Begin a new conversation."""
        on = self._on
        return {on.past: "", on.current: "", on.evidence: "", on.status: self._status(HINT), on.conversation: ()}

    def _opening(self) -> Updates:
        return {self._on.failure: self._failure(), self._on.status: self._status(HINT)}

    def _failure(self) -> str:
        state = self._desk.state
        return rendering.error_card(state.message, "Citeline could not start") if isinstance(state, Failed) else ""

    def _status(self, otherwise: str) -> str:
        state = self._desk.state
        if isinstance(state, Opening):
            return rendering.status_html(state.line, state.percent)
        return rendering.status_html(otherwise)

    def _drawn(self, earlier: tuple[Exchange, ...], exchange: Exchange) -> Updates:
        exchanges = (*earlier, exchange)
        return {
            self._on.current: rendering.exchange_html(exchange),
            self._on.evidence: rendering.evidence_html(exchanges),
            self._on.status: self._status(rendering.summary(exchange)),
            self._on.conversation: exchanges,
        }


def client_of(request: gr.Request) -> str:
    """Who takes turns with others: a user where there is a login, else a machine, and on this machine a tab."""
    host = request.client.host if request.client else ""
    if request.username:
        return f"user {request.username}"
    return f"tab {request.session_hash}" if is_loopback(host) else f"machine {host}"


def _cited_documents(answer: Answer) -> list[Document]:
    return [citation.passage.document for citation in rendering.answer_citations(answer)]


def _drawings(exchange: Exchange, events: Iterator[Event | Waiting | None]) -> Iterator[Exchange]:
    """The exchange after each event that is worth drawing; the last event always is."""
    drawn = 0.0
    for event in events:
        if isinstance(event, Waiting):
            exchange = rendering.delayed(exchange, event.doing)
        elif event is not None:
            exchange = rendering.advanced(exchange, event)
        if isinstance(event, TextPiece) and time.monotonic() - drawn < REDRAW:
            continue
        drawn = time.monotonic()
        yield exchange


def build(page: gr.Blocks, desk: Desk, door: Door) -> None:
    """Put the view with its events into the page that is being built."""
    on = lay_out()
    do = Handlers(desk, on, door)
    outputs = [on.failure, on.past, on.current, on.evidence, on.box, on.status, on.conversation]
    asking = [on.box.submit, on.ask.click, on.welcome.select]
    gr.on(asking, do.ask, [on.box, on.conversation], outputs, **QUIET)
    page.load(do.watch, None, outputs, **QUIET)
    on.retry.click(do.retry, None, outputs, **QUIET)
    on.stop.click(do.stop, **QUIET)
    on.new.click(do.clear, None, outputs, **QUIET)
