"""Events reach a tab over a stream that Gradio ends after the last one: none may get lost around that end.

Gradio's server closes the stream of a tab that has no events left, and its client opens another for the next event,
but only once it has read that the old one is closed. An event that begins in between is answered on a stream nobody
listens to, and the question is gone. So the end of a stream is held back until the client has hung up, which it does
on reading of it, and what the tab is told of events that it begins meanwhile waits for that.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from starlette.types import Message, Receive, Send

PATIENCE = 5.0
"""Seconds to wait for a client to hang up. One that is still there then has lost its network or isn't Gradio's."""
_LAST = b'"msg":"close_stream"'


class Streams:
    """The streams of all tabs, by session."""

    def __init__(self) -> None:
        self._ending: dict[str, asyncio.Event] = {}

    def awaited(self, session: str, send: Send) -> Send:
        """A `send` for an answer that has to come when the session's stream isn't just ending."""

        async def settle(message: Message) -> None:
            if ending := self._ending.get(session):
                await ending.wait()
            await send(message)

        return settle

    @contextmanager
    def followed(self, session: str, receive: Receive, send: Send) -> Iterator[Send]:
        """A `send` for the session's stream that ends when the client, to which `receive` listens, has hung up."""
        last = False

        async def follow(message: Message) -> None:
            nonlocal last
            if message["type"] == "http.response.body":
                if _LAST in message.get("body", b"").replace(b" ", b""):
                    last = True
                    self._ending[session] = asyncio.Event()
                if last and not message.get("more_body"):
                    await _hung_up(receive)
            await send(message)

        try:
            yield follow
        finally:
            if last:
                self._ending.pop(session).set()


async def _hung_up(receive: Receive) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while (await receive())["type"] != "http.disconnect":
                pass
