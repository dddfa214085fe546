"""The page: a conversation on the left, the passages it rests on to the right, the question box below.

Widgets   what stands on the page; which of it shows follows from what it holds, in page.css
Handlers  what happens when something is pressed
serving   runs the page until its `with` block ends
"""

import errno
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import gradio as gr
import uvicorn
from fastapi import FastAPI
from gradio.routes import App
from starlette.types import ASGIApp

from rag import rendering
from rag.desk import FAREWELL, TICK, UNFORESEEN, Desk, Failed, Opening, OpenPipeline, Waiting, open_pipeline
from rag.errors import InputError, RagError
from rag.guarding import USER, Door, Gate, Logins, Rates, Users, is_loopback, is_wildcard
from rag.logs import log_failure
from rag.rendering import Draft, Exchange, Trouble
from rag.settings import Login, Settings, load_settings
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
MOST_CONNECTIONS = 500
"""Open at once; a tab has two or three. More are answered 503."""

MOST_CONVERSATIONS = 100
"""Remembered at once, each some 100 kB; the tab unused for longest begins anew. Gradio would keep 10,000."""

_log = logging.getLogger("citeline")

Updates: TypeAlias = dict[Any, Any]
"""Widget → its new value; widgets left out stay as they are."""


@dataclass(frozen=True, slots=True)
class Widgets:
    """What stands on the page, from top to bottom."""

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


def lay_out(with_login: bool = False) -> Widgets:
    """Put the widgets on the page that is being built."""
    with gr.Row(elem_id="masthead"):
        _html("name", rendering.masthead_html(with_login))
        new = gr.Button("New conversation", elem_id="new")
    with gr.Column(elem_id="desk"):
        with gr.Column(elem_id="thread"):
            failure = _html("failure")
            retry = gr.Button("Try again", elem_id="retry")
            welcome = _html("welcome", rendering.welcome_html(EXAMPLES), rendering.welcome_script())
            past = _html("past")
            current = _html("current")
        evidence = _html("panel")
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
            status = _html("status", rendering.status_html(""))
    state = gr.State(())
    return Widgets(new, failure, retry, welcome, past, current, evidence, box, ask, stop, status, state)


def _html(elem_id: str, value: str = "", script: str | None = None) -> gr.HTML:
    return gr.HTML(value, elem_id=elem_id, js_on_load=script, apply_default_css=False)


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


def build_page(desk: Desk, door: Door) -> gr.Blocks:
    """The page with its events. `serving` runs it, which also gives it its looks."""
    page = gr.Blocks(title="Citeline", analytics_enabled=False, fill_width=True)
    page.state_session_capacity = MOST_CONVERSATIONS
    page._queue.ANALYTICS_MAX_EVENTS = 10  # times nobody looks at; Gradio would keep 10,000, and sum them up each time
    with page:
        on = lay_out(with_login=door.logins is not None)
        do = Handlers(desk, on, door)
        outputs = [on.failure, on.past, on.current, on.evidence, on.box, on.status, on.conversation]
        # No limit by Gradio's queue: the desk holds the line, and says so on the page.
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "concurrency_limit": None}
        asking = [on.box.submit, on.ask.click, on.welcome.select]
        gr.on(asking, do.ask, [on.box, on.conversation], outputs, **quiet)
        page.load(do.watch, None, outputs, **quiet)
        on.retry.click(do.retry, None, outputs, **quiet)
        on.stop.click(do.stop, **quiet)
        on.new.click(do.clear, None, outputs, **quiet)
    return page


@contextmanager
def serving(settings: Settings, opener: OpenPipeline = open_pipeline) -> Iterator[str]:
    """Run the page, yield its address, and end everything with the block.

    Raises RagError when it can't listen, or would let in people whom nobody has given a password.
    """
    door = door_of(settings)
    with closing(_listener(settings.host, settings.port)) as listener:
        desk = Desk(settings, opener)
        page = build_page(desk, door)
        desk.open()
        server = _server(Gate(with_page(page, door), door))
        thread = threading.Thread(target=server.run, args=([listener],), name="page", daemon=True)
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.01)
            yield _address(settings)
        finally:
            desk.close()
            page.close(verbose=False)  # ends the answers that stream to open tabs
            server.should_exit = True
            thread.join(FAREWELL)


def door_of(settings: Settings) -> Door:
    """Who may come in. Raises RagError where the page would be open to others and nobody has a password."""
    names = tuple(name.strip() for name in settings.hosts.split(",") if name.strip())
    open_to_others = bool(names) or not is_loopback(settings.host)
    logins = None
    if settings.login is Login.ALWAYS or (settings.login is Login.AUTO and open_to_others):
        users = Users(settings.users)
        if not users.names():
            raise RagError(
                f"Others could reach the page on {settings.host}, and nobody has a password for it yet. Run `rag user "
                "add NAME`, or set RAG_LOGIN=never to let everyone in who can reach this machine."
            )
        logins = Logins(users)
    rate = settings.questions_per_minute
    return Door(settings.host, names, logins, questions=Rates(rate, max(1, rate // 3)), log_texts=settings.log_texts)


def with_page(page: gr.Blocks, door: Door) -> ASGIApp:
    """What answers requests for the page; `Gate` stands in front of it."""
    app: FastAPI = gr.mount_gradio_app(
        FastAPI(openapi_url=None, docs_url=None, redoc_url=None),
        page,
        path="/",
        theme=gr.themes.Base(font="sans-serif", font_mono="monospace"),
        head=rendering.page_head(),
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        allowed_paths=[],
        blocked_paths=[Path.cwd().anchor],  # Gradio is to serve no file at all; `Gate` doesn't let it come to that
        max_file_size=0,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        auth_dependency=(lambda request: request.scope.get(USER)) if door.logins else None,
    )
    page.is_running = True  # what Gradio's own `launch` does, and its `close` asks for
    page.app = next(mounted for route in app.routes if isinstance(mounted := getattr(route, "app", None), App))
    return app


def _server(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        log_level="critical",  # what fails is logged by the gate; what is cut off at the end is no failure
        log_config=None,
        access_log=False,
        ws="none",
        proxy_headers=False,  # a client could claim any address
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


def _listener(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            trouble = f"Port {port} is already in use. Choose another, for example RAG_PORT={port + 1}."
        else:
            trouble = f"The page can’t listen on {host}:{port}: {error.strerror}. Change RAG_HOST or RAG_PORT."
        raise RagError(trouble) from error


def _address(settings: Settings) -> str:
    host = "localhost" if is_wildcard(settings.host) else settings.host
    return f"http://[{host}]:{settings.port}/" if ":" in host else f"http://{host}:{settings.port}/"


def run(settings: Settings) -> None:
    """Run the page until Ctrl-C or SIGTERM. Raises RagError when it can't listen."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with serving(settings) as address:
            sys.stdout.write(f"Citeline is at {address} (Ctrl-C ends it).\n")
            sys.stdout.flush()
            while True:
                time.sleep(3600)
    except KeyboardInterrupt:
        return


def main() -> int:
    """Run the page with the settings of this folder. Returns the exit status: 2 for a wrong setting, else 1 or 0."""
    try:
        run(load_settings())
    except RagError as error:
        sys.stderr.write(f"{rendering.plain(str(error))}\n")
        return 2 if isinstance(error, InputError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
