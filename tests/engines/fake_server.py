"""A server on loopback that answers as it is told, well or badly, and remembers what it was asked."""

import json
import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[["Handler"], None]

LONGEST_WAIT = 20.0
"""Seconds after which a reply gives up waiting for its client to leave."""


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    body: Any
    at: float


@dataclass
class FakeServer:
    url: str
    models: list[dict[str, Any]] = field(default_factory=lambda: [{"id": "tiny", "owned_by": "someone"}])
    replies: list[Reply] = field(default_factory=list)
    """To the coming requests for chat, the last one to all that follow."""
    others: dict[str, Reply] = field(default_factory=dict)
    """To requests for other paths."""
    requests: list[Request] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    """Set when a client left while its reply was held back."""

    @property
    def chats(self) -> list[Request]:
        return [request for request in self.requests if request.path == "/v1/chat/completions"]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeServer

    def do_GET(self) -> None:
        self.answer(None)

    def do_POST(self) -> None:
        self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def answer(self, body: Any) -> None:
        fake = self.fake
        fake.requests.append(Request(self.path, dict(self.headers), body, time.monotonic()))
        if self.path == "/v1/chat/completions":
            reply = fake.replies.pop(0) if len(fake.replies) > 1 else fake.replies[0]
        elif self.path == "/v1/models" and self.path not in fake.others:
            reply = tells({"object": "list", "data": fake.models})
        else:
            reply = fake.others.get(self.path, refuses(404, "no such path"))
        try:
            reply(self)
        except OSError:  # the client left
            fake.left.set()

    def head(self, code: int, kind: str, **headers: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.close_connection = True

    def event(self, event: Any) -> None:
        self.wfile.write(f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        pass


def tells(value: Any) -> Reply:
    def reply(handler: Handler) -> None:
        handler.head(200, "application/json")
        handler.wfile.write(json.dumps(value).encode())

    return reply


def refuses(code: int, message: str, **headers: str) -> Reply:
    def reply(handler: Handler) -> None:
        handler.head(code, "application/json", **headers)
        handler.wfile.write(json.dumps({"error": {"message": message}}).encode())

    return reply


def chunk(text: str, finish: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish, **more}]}


def says(*pieces: str, likely: Sequence[tuple[str, float]] = (), kind: str = "content") -> Reply:
    """The pieces, then the end; `likely` are first tokens and the logarithms of their probabilities."""

    def reply(handler: Handler) -> None:
        handler.head(200, "text/event-stream")
        for piece in pieces:
            handler.event({"choices": [{"index": 0, "delta": {kind: piece}, "logprobs": _logprobs(likely)}]})
        handler.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        handler.event("[DONE]")

    return reply


def breaks_off_after(*pieces: str) -> Reply:
    def reply(handler: Handler) -> None:
        handler.head(200, "text/event-stream")
        for piece in pieces:
            handler.event(chunk(piece))

    return reply


def hangs_after(*pieces: str, headers: bool = True) -> Reply:
    """Nothing more until the client leaves."""

    def reply(handler: Handler) -> None:
        if headers:
            handler.head(200, "text/event-stream")
        for piece in pieces:
            handler.event(chunk(piece))
        gone, _, _ = select.select([handler.connection], [], [], LONGEST_WAIT)
        if gone and not handler.connection.recv(1):
            handler.fake.left.set()

    return reply


def _logprobs(likely: Sequence[tuple[str, float]]) -> dict[str, Any] | None:
    if not likely:
        return None
    tops = [{"token": token, "logprob": logprob} for token, logprob in likely]
    return {"content": [{**tops[0], "top_logprobs": tops}]}


@contextmanager
def serving(port: int = 0) -> Iterator[FakeServer]:
    """A fake server until the end of the block."""
    handler = type("OneHandler", (Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as http:
        http.daemon_threads = True
        fake = FakeServer(f"http://127.0.0.1:{http.server_port}")
        handler.fake = fake  # type: ignore[attr-defined]
        thread = threading.Thread(target=http.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield fake
        finally:
            http.shutdown()
            thread.join()
