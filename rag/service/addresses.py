"""The addresses of the service, in front of the page. Who may ask for them is the gate's to say."""

from collections.abc import Sequence
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rag.desk import OpenPipeline
from rag.guarding import ALIVE, CHAT, METRICS, OPENAI, READY
from rag.service.chat import Chat
from rag.service.figures import CONTENT_TYPE, Figures
from rag.service.health import alive, readiness
from rag.service.journal import Journal
from rag.service.observing import Observer, WatchedDesk
from rag.service.reopening import Reopening
from rag.service.stopping import Stopping
from rag.service.traces import Traces, in_trace_of
from rag.settings import LogFormat, Settings

MODELS = f"{OPENAI}models"


class Helpers(Protocol):
    """Other processes that answer chats; see `rag.service.workers`."""

    def start(self, count: int, figures: Figures | None = None) -> None: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...

    async def ready(self) -> bool: ...

    def close(self) -> None: ...


class Service:
    """A desk, with all that watches it and all that it answers programs by itself."""

    def __init__(
        self, settings: Settings, opener: OpenPipeline, stopping: Stopping, workers: Helpers | None = None
    ) -> None:
        """`workers` answer chats in its place. Raises RagError where the settings ask for what isn't installed."""
        self.figures = Figures() if settings.metrics else None
        self.stopping = stopping
        self._traces = Traces()
        journal = (Journal(settings.log_texts),) if settings.log_format is LogFormat.JSON else ()
        counted = (self.figures,) if self.figures else ()
        observers: Sequence[Observer] = (*counted, *((self._traces,) if self._traces.active else ()), *journal)
        self.desk = WatchedDesk(settings, opener, stopping, observers)
        self.workers = workers
        self.chat = Chat(self.desk, stopping)
        self._reopening = Reopening(self.desk)

    def start(self, workers: int = 0) -> None:
        """Start so many workers, where there are some, and see to it that the pipeline is opened in the end.

        Raises RagError where this system can't have workers.
        """
        self._reopening.begin()
        if self.workers:
            self.workers.start(workers, self.figures)

    def finish(self) -> None:
        """Where the server was told to stop, wait for the answers under way; `close` ends the others."""
        if self.stopping.begun:
            self.stopping.finish(self.desk.settings.stop_seconds, lambda: self.desk.answering)

    def close(self) -> None:
        """Free the pipeline, and send what is known of questions."""
        self._reopening.close()
        if self.workers:
            self.workers.close()
        self.desk.close()
        self._traces.close()


def with_service(page: ASGIApp, service: Service) -> ASGIApp:
    """The page, and the service's answers to what isn't for it."""
    completing: ASGIApp = service.workers or service.chat.complete

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path == CHAT:
            with in_trace_of(Headers(scope=scope)):
                await completing(scope, receive, send)
        elif response := await _response(path, service):
            await response(scope, receive, send)
        else:
            await page(scope, receive, send)

    return answer


async def _response(path: str, service: Service) -> Response | None:
    if path == ALIVE:
        return alive()
    if path == READY:
        return await readiness(service.desk, service.stopping, service.workers.ready if service.workers else None)
    if path == METRICS and service.figures:
        text = await run_in_threadpool(service.figures.text, service.desk)
        return Response(text, headers={"Content-Type": CONTENT_TYPE})
    if path == MODELS or path.startswith(f"{MODELS}/"):
        return service.chat.models(path.removeprefix(MODELS).strip("/"))
    return None
