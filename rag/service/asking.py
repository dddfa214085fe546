"""A question under way for a program: on a thread of its own, its events awaited by the server's loop."""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from types import TracebackType
from typing import TypeAlias

from starlette.types import Receive, Scope

from rag.desk import Waiting
from rag.guarding import USER
from rag.types import Event

Events: TypeAlias = Generator[Event | Waiting | None, None, None]
Came: TypeAlias = Event | Waiting | Exception | None


CLIENT = "citeline.client"
"""In the ASGI scope of a worker: who takes turns with others, as the process that handed the question on knows it."""
READER = "citeline.reader"
"""In the ASGI scope of a worker: whose rights count."""


class HungUp(Exception):
    """Who asked is gone."""


class Asking:
    """The asking, for as long as its block lasts; when that ends, what it uses is freed at once."""

    def __init__(self, start: Callable[[threading.Event], Events], receive: Receive) -> None:
        """`start` is given what is set when nobody waits any more; `receive` tells of the client's hanging up."""
        self._start = start
        self._receive = receive
        self._leave = threading.Event()
        self._came: asyncio.Queue[Came] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Asking":
        work = contextvars.copy_context().run  # in which a trace may have begun
        threading.Thread(target=work, args=(self._work,), name="program", daemon=True).start()
        self._listening = asyncio.create_task(self._until_hung_up())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave.set()
        if self._listening:
            self._listening.cancel()

    async def next(self, seconds: float | None = None) -> Event | Waiting | None:
        """The next event, None after the last. Raises what the asking raises, TimeoutError, and HungUp."""
        async with asyncio.timeout(seconds):
            came = await self._came.get()
        if isinstance(came, Exception):
            raise came
        return came

    async def _until_hung_up(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._leave.set()
        self._came.put_nowait(HungUp())

    def _work(self) -> None:
        last: Came = None
        try:
            with closing(self._start(self._leave)) as events:
                for event in events:
                    if event is not None:
                        self._hand_over(event)
        except Exception as error:
            last = error
        self._hand_over(last)

    def _hand_over(self, came: Came) -> None:
        with suppress(RuntimeError):  # the loop has ended, and with it who asked
            self._loop.call_soon_threadsafe(self._came.put_nowait, came)


def reader_of(scope: Scope) -> str | None:
    """Whose rights count: those of who is logged in, or whose token it is; None where there is no login."""
    reader = scope.get(READER, scope.get(USER))
    return None if reader is None else str(reader)


def client_of(scope: Scope) -> str:
    """Who takes turns with others: a user where there is a login, else all programs of a machine together."""
    if CLIENT in scope:
        return str(scope[CLIENT])
    if user := scope.get(USER):
        return f"user {user}"
    host, _ = scope.get("client") or ("", 0)
    return f"programs of {host}"
