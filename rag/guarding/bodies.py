"""Bodies of requests, counted while they arrive."""

import asyncio

from starlette.types import Message, Receive

SECONDS = 30.0
"""In which a body must have arrived."""


class BodyRefused(Exception):
    """A body that isn't read to its end; `status` says why in HTTP's numbers."""

    def __init__(self, status: int, message: str, wait: float = 0.0) -> None:
        """`wait` is in seconds, after which to try again; 0 where that wouldn't help."""
        super().__init__(message)
        self.status = status
        self.wait = wait


async def read_body(receive: Receive, most: int, seconds: float = SECONDS) -> bytes:
    """The whole body, at most `most` bytes of it, whatever Content-Length says. Raises BodyRefused."""
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise BodyRefused(400, "The request ended before its body did.")
                body += message.get("body", b"")
                if len(body) > most:
                    raise BodyRefused(413, f"That is more than the {most:,} bytes accepted here.")
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError:
        raise BodyRefused(408, f"The request took more than {seconds:g} seconds to arrive.") from None


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives `body` once more, then what `receive` gives: the end of the connection."""
    waiting = [body]

    async def again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return again
