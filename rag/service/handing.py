"""A chat that one process takes and another answers: what is told the other about it, and the client meanwhile."""

import json
import time
from dataclasses import asdict, dataclass, field

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope, Send

from rag.service.asking import CLIENT, READER, client_of, reader_of
from rag.service.replies import STILL_THERE, STREAM, Reply, event_of, new_id
from rag.service.requests import ChatRequest

HEADER = b"x-citeline-question"
HANDED = "citeline.handed"
"""In the ASGI scope of a worker: the `Handed` question."""
SILENCE = 10.0
"""Seconds after which a stream shows that it is still there."""


@dataclass(frozen=True, slots=True)
class Handed:
    """What the process that took a question tells the one that answers it."""

    client: str
    """Who takes turns with others."""
    reader: str | None = None
    """Whose rights count, see `reader_of`."""
    asked: float = field(default_factory=time.time)
    """Seconds since 1970."""
    id: str = field(default_factory=new_id)
    """Of the completion."""
    created: int = field(default_factory=lambda: int(time.time()))
    begun: bool = False
    """Whether the client has been sent the beginning of its stream."""

    def header(self) -> tuple[bytes, bytes]:
        """Name and value."""
        return HEADER, json.dumps(asdict(self)).encode()


def handed_in(scope: Scope) -> Handed:
    """What is told about the question of a request; of one that nobody handed on, what it says itself."""
    handed: Handed = scope.get(HANDED) or Handed(client_of(scope), reader_of(scope))
    return handed


def with_handed(scope: Scope) -> Scope:
    """The scope of a worker's request, with what its header tells."""
    given = dict(scope.get("headers", ()))
    if HEADER not in given:
        return scope
    handed = Handed(**json.loads(given[HEADER]))
    return {**scope, HANDED: handed, CLIENT: handed.client, READER: handed.reader}


class Told:
    """What a client is told: that its question waits, then what a worker answers."""

    def __init__(self, asked: ChatRequest | None, handed: Handed, send: Send) -> None:
        self.begun = False
        """Whether the client has been sent anything."""
        self.answering = False
        """Whether it has been sent anything of an answer."""
        self._send = send
        self._reply = Reply(asked, handed.id, handed.created) if asked and asked.stream else None
        self._doing = ""
        self._spoken = 0.0

    async def waits(self, ahead: int) -> None:
        """That so many are served before; who doesn't read a stream hears nothing yet."""
        if not (reply := self._reply):
            return
        if not self.begun:
            await self._begin({"type": "http.response.start", "status": 200, "headers": STREAM})
            await self._say(reply.beginning())
        doing = f"This question waits for {'another' if ahead == 1 else f'{ahead} others'} …\n"
        if doing != self._doing:
            await self._say(reply.thought(doing))
        elif time.monotonic() - self._spoken > SILENCE:
            await self._say(STILL_THERE)
        self._doing = doing

    async def passes_on(self, start: dict[str, object]) -> None:
        """An answer begins."""
        if not self.begun:
            await self._begin(start)
        self.answering = True

    async def more(self, piece: bytes) -> None:
        """A piece of the answer."""
        await self._say(piece)

    async def ends(self) -> None:
        """There is no more."""
        await self._say(b"", more=False)

    async def fails(self, error: Response, scope: Scope) -> None:
        """An error, in the stream where it has begun."""
        if self.begun:
            await self._say(event_of(bytes(error.body)), more=False)
        else:
            await error(scope, Request(scope).receive, self._send)

    async def _begin(self, start: dict[str, object]) -> None:
        self.begun = True
        await self._send(start)

    async def _say(self, piece: bytes, more: bool = True) -> None:
        self._spoken = time.monotonic()
        await self._send({"type": "http.response.body", "body": piece, "more_body": more})
