"""Processes that answer chats beside the one that serves the page, each with a pipeline of its own.

The page's process stays the only one that others reach: it checks who asks and how often, and hands questions on to
a worker that is free, over sockets in a folder nobody else may enter; they wait here until one is, so that a worker
that dies takes nothing along but what it was answering. Chats need nothing that workers would
have to share but the library, of which each is a reader; the page stays in one process, where its sessions are.
"""

import asyncio
import json
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx
import uvicorn
from anyio import CancelScope, create_task_group, sleep
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rag.desk import OpenPipeline
from rag.errors import InputError, LineFull, RagError
from rag.guarding import CHAT, READY, openai_error
from rag.line import Line
from rag.logs import write_json_lines
from rag.service.addresses import Service, with_service
from rag.service.asking import client_of, reader_of
from rag.service.chat import LATER, SOON
from rag.service.figures import SHARED, Figures, forget_process
from rag.service.handing import Handed, Told, with_handed
from rag.service.requests import chat_request
from rag.service.stopping import Stopping
from rag.settings import LogFormat, Settings

WATCHED_EVERY = 0.5
"""Seconds between two looks at whether the workers live."""
GLANCE = 0.05
"""Seconds between two looks at whether it is a question's turn."""
REVIVED_AFTER = (1.0, 30.0)
"""Seconds after which a worker that ended is started again: the first time, and at most."""
READY_SECONDS = 3.0
"""In which a worker says whether it is ready."""
LONGEST_SILENCE = 120.0
"""Seconds in which a worker says something, if only that it is still there."""
PASSED_ON = (b"content-type", b"traceparent", b"tracestate")
FAREWELL = 5.0
"""Seconds in which a worker ends once it is told to."""
LOST = "The process that was answering has ended. Ask again."

_log = logging.getLogger("citeline")


@dataclass(slots=True)
class Worker:
    """One process."""

    path: Path
    """Of the socket it listens on."""
    process: BaseProcess
    client: httpx.AsyncClient
    questions: int = 0
    """Handed on and not yet answered."""
    reached: bool = False
    """Whether it takes questions, as far as is known; what it needs for answering them may be away all the same."""
    revivals: int = 0
    revive_at: float = 0.0


@dataclass(slots=True)
class Workers:
    """An ASGI application for chats; begins with `start`, and ends with `close`."""

    settings: Settings
    opener: OpenPipeline
    stopping: Stopping
    _workers: list[Worker] = field(default_factory=list)
    _line: Line = field(init=False)
    _figures: Figures | None = None
    _reached_at: float = field(default_factory=time.monotonic)
    """When a worker could be reached last."""
    folder: Path | None = None
    _closing: threading.Event = field(default_factory=threading.Event)

    def start(self, count: int, figures: Figures | None = None) -> None:
        """Start so many processes; `figures` are told who waits. Raises RagError where this system can't."""
        if not hasattr(socket, "AF_UNIX"):
            raise RagError("Workers need Unix sockets, which this system lacks. Leave --workers out.")
        self._line, self._figures = Line(self.settings.waiting, count), figures
        self.folder = Path(tempfile.mkdtemp(prefix="citeline-workers-"))
        for number in range(count):
            path = self.folder / f"{number}.sock"
            transport = httpx.AsyncHTTPTransport(uds=str(path), limits=httpx.Limits(max_keepalive_connections=0))
            client = httpx.AsyncClient(transport=transport, timeout=httpx.Timeout(5.0, read=LONGEST_SILENCE))
            self._workers.append(Worker(path, self._begun(path), client))
        threading.Thread(target=self._watch, name="workers", daemon=True).start()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a question on in its turn, and its answer back."""
        body = await Request(scope, receive).body()
        with self.stopping.answering() as taken:
            if not taken:
                await openai_error(503, "Citeline is stopping.", "stopping", wait=SOON)(scope, receive, send)
                return
            async with create_task_group() as tasks:
                tasks.start_soon(_until_hung_up, receive, tasks.cancel_scope)
                await self._in_turn(scope, body, send)
                tasks.cancel_scope.cancel()

    async def ready(self) -> bool:
        """Whether at least one can answer."""
        return any(await asyncio.gather(*map(_is_ready, self._workers)))

    def close(self) -> None:
        """End them: what they still answer is cut off after `FAREWELL` seconds, for `Stopping.finish` has waited."""
        self._closing.set()
        for worker in self._workers:
            worker.process.terminate()
        deadline = time.monotonic() + FAREWELL
        for worker in self._workers:
            worker.process.join(max(0.1, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    async def _in_turn(self, scope: Scope, body: bytes, send: Send) -> None:
        handed = Handed(client_of(scope), reader_of(scope))
        try:
            asked = chat_request(json.loads(body))
        except (ValueError, RecursionError, InputError):
            # A worker says what is wrong with it, and needs no time for that.
            await self._hand_on(scope, body, Told(None, handed, send), handed)
            return
        told = Told(asked, handed, send)
        try:
            ticket = self._line.join(handed.client)
        except LineFull as error:
            if self._figures:
                self._figures.turned_away(type(error).__name__)
            await told.fails(openai_error(429, str(error), wait=LATER), scope)
            return
        try:
            with self._figures.waiting() if self._figures else nullcontext():
                while not (self._one_is_free(told) and self._line.take(ticket)):
                    await told.waits(self._line.ahead(ticket))
                    await sleep(GLANCE)
            await self._hand_on(scope, body, told, handed)
        finally:
            self._line.leave(ticket)

    def _one_is_free(self, told: Told) -> bool:
        """Or none can be reached, which has to be said: at once, or after a while to who has waited already."""
        reached = [worker for worker in self._workers if worker.reached]
        if reached:
            self._reached_at = time.monotonic()
            return any(not worker.questions for worker in reached)
        return not told.begun or time.monotonic() - self._reached_at > LONGEST_SILENCE

    async def _hand_on(self, scope: Scope, body: bytes, told: Told, handed: Handed) -> None:
        """To another worker where one is gone before anything of an answer was told."""
        refused: Response = openai_error(503, "Citeline is starting. Try again in a moment.", "starting", wait=SOON)
        lost = 0
        for worker in sorted(self._workers, key=lambda worker: (not worker.reached, worker.questions)):
            try:
                async with _asked(worker, scope, body, replace(handed, begun=told.begun)) as answer:
                    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                        refused = Response(await answer.aread(), 503, dict(answer.headers))
                        if answer.json()["error"]["code"] == "starting":
                            worker.reached = False
                        continue
                    if told.begun and not answer.is_success:
                        await told.fails(Response(await answer.aread()), scope)
                        return
                    await told.passes_on(_start(answer))
                    async for chunk in answer.aiter_raw():
                        await told.more(chunk)
                    await told.ends()
                    return
            except httpx.ConnectError:  # it is being started again
                worker.reached = False
            except httpx.HTTPError:
                worker.reached = False
                lost += 1
                if told.answering or lost > 1:  # a question that ends processes isn't to end them all
                    refused = openai_error(503, LOST)
                    break
        await told.fails(refused, scope)

    def _begun(self, path: Path) -> BaseProcess:
        path.unlink(missing_ok=True)
        given = (self.settings, self.opener, str(path), os.getpid())
        process = multiprocessing.get_context("spawn").Process(target=work, args=given, name=f"worker {path.stem}")
        process.start()
        return process

    def _watch(self) -> None:
        """Start those again that ended by themselves, ever later where that happens again and again."""
        while not self._closing.wait(WATCHED_EVERY):
            for worker in self._workers:
                if worker.process.is_alive() or self.stopping.begun:
                    worker.reached = worker.reached or _takes_questions(worker.path)
                    continue
                worker.reached = False
                if not worker.revive_at:
                    _log.error("%s ended with status %s", worker.process.name, worker.process.exitcode)
                    if SHARED in os.environ and worker.process.pid:
                        forget_process(worker.process.pid)
                    first, most = REVIVED_AFTER
                    worker.revive_at = time.monotonic() + min(most, first * 2**worker.revivals)
                elif time.monotonic() >= worker.revive_at and not self._closing.is_set():
                    worker.revivals, worker.revive_at = worker.revivals + 1, 0.0
                    worker.process = self._begun(worker.path)


def work(settings: Settings, opener: OpenPipeline, path: str, parent: int) -> None:
    """What a worker does until SIGTERM, or until nobody is left to hand questions on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the page's ends the others
    if settings.log_format is LogFormat.JSON:
        write_json_lines()
    stopping = Stopping()
    service = Service(settings, opener, stopping)
    service.start()
    service.desk.open()
    config = uvicorn.Config(
        _told_by_header(with_service(_nowhere, service)),
        uds=path,
        log_level="critical",
        log_config=None,
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=max(1, round(settings.stop_seconds)),
    )
    server = uvicorn.Server(config)

    def end(*_: object) -> None:
        server.should_exit = True

    def end_with_parent() -> None:
        while os.getppid() == parent:
            time.sleep(WATCHED_EVERY)
        end()

    signal.signal(signal.SIGTERM, end)  # before uvicorn listens to it, and when uvicorn raises it again at its end
    threading.Thread(target=end_with_parent, name="parent", daemon=True).start()
    server.run()  # SIGTERM ends it, once what it is answering has been answered
    service.close()


def _told_by_header(app: ASGIApp) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await app(with_handed(scope), receive, send)

    return answer


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await Response(status_code=404)(scope, receive, send)


@asynccontextmanager
async def _asked(worker: Worker, scope: Scope, body: bytes, handed: Handed) -> AsyncIterator[httpx.Response]:
    headers = [(name, value) for name, value in scope["headers"] if name in PASSED_ON]
    headers.append(handed.header())
    worker.questions += 1
    try:
        async with worker.client.stream("POST", f"http://worker{CHAT}", content=body, headers=headers) as answer:
            yield answer
    finally:
        worker.questions -= 1


def _start(answer: httpx.Response) -> dict[str, object]:
    dropped = (b"connection", b"date", b"server", b"transfer-encoding")
    headers = [(name.lower(), value) for name, value in answer.headers.raw if name.lower() not in dropped]
    return {"type": "http.response.start", "status": answer.status_code, "headers": headers}


def _takes_questions(path: Path) -> bool:
    """Whether a worker listens and has done with starting."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), timeout=READY_SECONDS) as client:
        try:
            return bool(client.get(f"http://worker{READY}").json()["status"] != "starting")
        except (httpx.HTTPError, ValueError, KeyError):
            return False


async def _is_ready(worker: Worker) -> bool:
    try:
        return (await worker.client.get(f"http://worker{READY}", timeout=READY_SECONDS)).is_success
    except httpx.HTTPError:
        return False


async def _until_hung_up(receive: Receive, scope: CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
