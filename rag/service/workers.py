"""Processes that answer chats beside the one that serves the page, each with a pipeline of its own.

The page's process stays the only one that others reach: it checks who asks and how often, and hands questions on to
the worker that has the fewest, over sockets in a folder nobody else may enter. Chats need nothing that workers would
have to share but the library, of which each is a reader; the page stays in one process, where its sessions are.
"""

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
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx
import uvicorn
from anyio import CancelScope, create_task_group
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rag.desk import OpenPipeline
from rag.errors import RagError
from rag.guarding import CHAT, READY, openai_error
from rag.logs import write_json_lines
from rag.service.addresses import Service, with_service
from rag.service.asking import CLIENT, READER, client_of, reader_of
from rag.service.figures import SHARED, forget_process
from rag.service.replies import event_of
from rag.service.stopping import Stopping
from rag.settings import LogFormat, Settings

WATCHED_EVERY = 0.5
"""Seconds between two looks at whether the workers live."""
REVIVED_AFTER = (1.0, 30.0)
"""Seconds after which a worker that ended is started again: the first time, and at most."""
LONGEST_SILENCE = 120.0
"""Seconds in which a worker says something, if only that it is still there."""
PASSED_ON = (b"content-type", b"traceparent", b"tracestate")
CLIENT_HEADER = b"x-citeline-client"
READER_HEADER = b"x-citeline-reader"
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
    revivals: int = 0
    revive_at: float = 0.0


@dataclass(slots=True)
class Workers:
    """An ASGI application for chats; begins with `start`, and ends with `close`."""

    settings: Settings
    opener: OpenPipeline
    stopping: Stopping
    _workers: list[Worker] = field(default_factory=list)
    folder: Path | None = None
    _closing: threading.Event = field(default_factory=threading.Event)

    def start(self, count: int) -> None:
        """Start so many processes. Raises RagError where this system can't."""
        if not hasattr(socket, "AF_UNIX"):
            raise RagError("Workers need Unix sockets, which this system lacks. Leave --workers out.")
        self.folder = Path(tempfile.mkdtemp(prefix="citeline-workers-"))
        for number in range(count):
            path = self.folder / f"{number}.sock"
            transport = httpx.AsyncHTTPTransport(uds=str(path), limits=httpx.Limits(max_keepalive_connections=0))
            client = httpx.AsyncClient(transport=transport, timeout=httpx.Timeout(5.0, read=LONGEST_SILENCE))
            self._workers.append(Worker(path, self._begun(path), client))
        threading.Thread(target=self._watch, name="workers", daemon=True).start()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a question on, and its answer back; to another worker where one is gone before anything was told."""
        body = await Request(scope, receive).body()
        with self.stopping.answering() as taken:
            if not taken:
                await openai_error(503, "Citeline is stopping.", "stopping", wait=3)(scope, receive, send)
                return
            async with create_task_group() as tasks:
                tasks.start_soon(_until_hung_up, receive, tasks.cancel_scope)
                await self._hand_on(scope, body, send)
                tasks.cancel_scope.cancel()

    async def ready(self) -> bool:
        """Whether at least one can answer."""
        return any([await _is_ready(worker) for worker in self._workers])

    def close(self) -> None:
        """End them: each finishes what it is answering."""
        self._closing.set()
        for worker in self._workers:
            worker.process.terminate()
        deadline = time.monotonic() + (self.settings.stop_seconds if self.stopping.begun else 0) + 5
        for worker in self._workers:
            worker.process.join(max(0.1, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    async def _hand_on(self, scope: Scope, body: bytes, send: Send) -> None:
        refused: Response = openai_error(503, "Citeline is starting. Try again in a moment.", "starting", wait=3)
        lost = 0
        for worker in sorted(self._workers, key=lambda worker: worker.questions):
            begun = False
            try:
                async with _asked(worker, scope, body) as answer:
                    if answer.status_code == 503:
                        refused = Response(await answer.aread(), 503, dict(answer.headers))
                        continue
                    await send(_start(answer))
                    begun = True
                    async for chunk in answer.aiter_raw():
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
                    await send({"type": "http.response.body", "body": b""})
                    return
            except httpx.ConnectError:  # it is being started again
                continue
            except httpx.HTTPError:
                lost += 1
                if begun:
                    await send({"type": "http.response.body", "body": event_of(openai_error(503, LOST).body)})
                    return
                if lost > 1:  # a question that ends processes isn't to end them all
                    refused = openai_error(503, LOST)
                    break
        await refused(scope, _nothing, send)

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
                    continue
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
    service.desk.open()
    config = uvicorn.Config(
        _known_client(with_service(_nowhere, service)),
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


def _known_client(app: ASGIApp) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope.get("headers", ()))
        client = json.loads(given.get(CLIENT_HEADER, b'""'))
        reader = json.loads(given.get(READER_HEADER, b"null"))
        await app({**scope, CLIENT: client, READER: reader}, receive, send)

    return answer


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        await Response(status_code=404)(scope, receive, send)


async def _nothing() -> dict[str, object]:
    return {"type": "http.disconnect"}


@asynccontextmanager
async def _asked(worker: Worker, scope: Scope, body: bytes) -> AsyncIterator[httpx.Response]:
    headers = [(name, value) for name, value in scope["headers"] if name in PASSED_ON]
    headers.append((CLIENT_HEADER, json.dumps(client_of(scope)).encode()))
    headers.append((READER_HEADER, json.dumps(reader_of(scope)).encode()))
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


async def _is_ready(worker: Worker) -> bool:
    try:
        return (await worker.client.get(f"http://worker{READY}", timeout=1.0)).is_success
    except httpx.HTTPError:
        return False


async def _until_hung_up(receive: Receive, scope: CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
