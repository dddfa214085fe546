"""The `llama_cpp` engine on the xllamacpp wheel: llama.cpp's own server, in a child process, on a private Unix socket.

The socket lies in a folder only this user may enter and asks for a random key, so no other program, user or web page
can reach the model. Talking to it over HTTP rather than through the wheel's callbacks is what makes Stop work: closing
the connection ends the work after the batch at hand, even while the prompt is still being read.
"""

import json
import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from rag.engines.chat import PromptEncoder, chat_frame, check_fit, encodable, first_tokens
from rag.engines.kept_states import KEPT_MIB
from rag.engines.llama_process import LlamaProcess
from rag.errors import EngineError
from rag.types import Limits, Prompt

SPREAD = 512
"""How many of the likeliest tokens are asked for in `choose`; an option beyond them gets the last one's odds."""


class LlamaServerEngine:
    """Runs a GGUF file. Implements `rag.types.Engine`."""

    name = "llama_cpp"

    def __init__(
        self,
        model_file: Path,
        model: str,
        context_tokens: int,
        threads: int,
        kept_prompts_mib: int = KEPT_MIB,
        begun: LlamaProcess | None = None,
    ) -> None:
        """`begun` is a process that loads the same file for the same window already."""
        self.model = model
        self._turn = threading.Lock()
        self._reuses = True
        self._process = begun or LlamaProcess(model_file, context_tokens, threads, kept_prompts_mib)
        self._process.wait()
        self._client = httpx.Client(  # nosec B113
            # The server closes the socket after each streamed answer; a connection kept for reuse would be a dead one.
            transport=httpx.HTTPTransport(uds=self._process.socket, limits=httpx.Limits(max_keepalive_connections=0)),
            base_url="http://llama",
            headers={"Authorization": f"Bearer {self._process.key}"},
            timeout=None,  # noqa: S113  a slow machine is not an error, and closing the stream ends the wait
        )
        self.context_tokens = min(context_tokens, self._window())
        self._encoder = PromptEncoder(chat_frame(self._render), self._plain, self._template)

    def stream(self, prompt: Prompt, limits: Limits) -> Iterator[str]:
        """See `Engine.stream`; an empty piece after every batch of the prompt lets the caller stop early."""
        tokens = check_fit(self._encoder.whole(prompt), limits.max_tokens, self.context_tokens)
        request = {
            "prompt": tokens,
            "n_predict": limits.max_tokens,
            "stop": list(limits.stop),
        }
        yield from self._completed(request)

    def choose(self, prompt: Prompt, options: Sequence[str]) -> tuple[float, ...]:
        """See `Engine.choose`."""
        wanted = first_tokens(self._plain, options)
        tokens = check_fit(self._encoder.whole(prompt), 1, self.context_tokens)
        with self._turn:
            request = {"prompt": tokens, "n_predict": 1, "n_probs": SPREAD, "temperature": 0}
            reply = self._post("/completion", self._reusing(request))
        likeliest = reply["completion_probabilities"][0]["top_logprobs"]
        logprobs = {entry["id"]: entry["logprob"] for entry in likeliest}
        odds = [math.exp(logprobs.get(token, likeliest[-1]["logprob"])) for token in wanted]
        total = sum(odds)
        return tuple(value / total for value in odds)

    def warm(self, prompt: Prompt) -> Iterator[None]:
        """See `Engine.warm`."""
        tokens = self._encoder.beginning(prompt)[: self.context_tokens - 1]
        for _ in self._completed({"prompt": tokens, "n_predict": 0}):
            yield

    def forget(self) -> None:
        """See `Engine.forget`."""
        self._reuses = False

    def count_tokens(self, text: str) -> int:
        """See `Engine.count_tokens`."""
        return len(self._plain(text))

    def close(self) -> None:
        """See `Engine.close`."""
        self._client.close()
        self._process.close()

    def _completed(self, request: dict[str, Any]) -> Iterator[str]:
        """Pieces of the completion, with an empty one after every batch of the prompt."""
        request = {**request, "temperature": 0, "stream": True, "return_progress": True}
        with (
            self._turn,
            _heard(),
            self._client.stream("POST", "/completion", json=self._reusing(request)) as response,
        ):
            if response.status_code != httpx.codes.OK:
                response.read()
                raise EngineError(_complaint(response))
            for line in response.iter_lines():
                if line.startswith("error: "):
                    raise EngineError(f"llama.cpp failed: {line.removeprefix('error: ')[:300]}")
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: ")).get("content", "")

    def _reusing(self, request: dict[str, Any]) -> dict[str, Any]:
        """The request, which reuses what was computed before, unless that was to be forgotten."""
        reuses, self._reuses = self._reuses, True
        return {**request, "cache_prompt": reuses}

    def _plain(self, text: str) -> list[int]:
        return self._tokens(text, add_special=False, parse_special=False)

    def _template(self, text: str, begins: bool) -> list[int]:
        return self._tokens(text, add_special=begins, parse_special=True)

    def _tokens(self, text: str, **options: bool) -> list[int]:
        tokens: list[int] = self._post("/tokenize", {"content": encodable(text), **options})["tokens"]
        return tokens

    def _render(self, messages: list[dict[str, str]]) -> str:
        rendered: str = self._post("/apply-template", {"messages": messages})["prompt"]
        return rendered

    def _window(self) -> int:
        """Less than was asked for where the model was trained on shorter texts."""
        with _heard():
            properties = self._client.get("/props").json()
        tokens: int = properties["default_generation_settings"]["n_ctx"]
        return tokens

    def _post(self, path: str, request: dict[str, Any]) -> Any:
        with _heard():
            response = self._client.post(path, json=request)
        if response.status_code != httpx.codes.OK:
            raise EngineError(_complaint(response))
        return response.json()


@contextmanager
def _heard() -> Iterator[None]:
    """Raises EngineError in place of what httpx raises when the server is gone or the client closed."""
    try:
        yield
    except (httpx.TransportError, RuntimeError) as error:
        raise EngineError(f"llama.cpp doesn't answer ({error}). Start Citeline again.") from error


def _complaint(response: httpx.Response) -> str:
    try:
        message = response.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = response.text[:300]
    return f"llama.cpp refused the request: {message}"
