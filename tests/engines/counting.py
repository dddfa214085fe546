"""How many tokens of prompts a llama.cpp server really reads, by its own account."""

import re
from collections.abc import Iterator

import httpx

from rag.engines.llama_server import LlamaServerEngine

_PROGRESS = re.compile(rb'"prompt_progress":\{[^}]*"cache":(\d+)[^}]*"processed":(\d+)')
_TIMINGS = re.compile(rb'"timings":\{[^}]*"prompt_n":(\d+)')


class Reading(httpx.BaseTransport):
    """Passes on what the engine's client sends; `tokens` grows with every batch that is read."""

    def __init__(self, engine: LlamaServerEngine) -> None:
        self.tokens = 0
        self._inner = engine._client._transport
        engine._client._transport = self

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        if request.url.path == "/completion":
            assert isinstance(response.stream, httpx.SyncByteStream)
            response.stream = _Watched(response.stream, self)
        return response

    def close(self) -> None:
        self._inner.close()


class _Watched(httpx.SyncByteStream):
    def __init__(self, inner: httpx.SyncByteStream, reading: Reading) -> None:
        self._inner = inner
        self._reading = reading

    def __iter__(self) -> Iterator[bytes]:
        seen, before = b"", self._reading.tokens
        for piece in self._inner:
            seen += piece
            if found := list(_TIMINGS.finditer(seen)):
                self._reading.tokens = before + int(found[-1][1])
            elif found := list(_PROGRESS.finditer(seen)):
                self._reading.tokens = before + int(found[-1][2]) - int(found[-1][1])
            yield piece

    def close(self) -> None:
        self._inner.close()
