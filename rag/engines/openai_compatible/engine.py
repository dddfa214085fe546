"""The engine itself: what `rag.types.Engine` promises, in requests to a server.

Everything is asked for as a stream, the single token of `choose` too: a stream can be left at any moment, and closing
its connection is what makes servers stop. What makes `choose` quick after `warm` is that both send the same request:
`warm` keeps its reply until `choose` asks for it, so that no server does the work twice, whether or not it keeps the
beginnings of prompts.
"""

import secrets
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from rag.engines.chat import check_length, encodable
from rag.engines.openai_compatible.odds import Beginning, Candidate, check_distinct, option_odds
from rag.engines.openai_compatible.probing import Served, Software, tokenizing
from rag.engines.openai_compatible.server import CLOSED, Server, choice_of
from rag.engines.openai_compatible.texts import estimated_tokens, harmless, messages
from rag.engines.stopping import until_stop
from rag.errors import EngineError
from rag.types import Limits, Prompt

UNKNOWN_CONTEXT = 4096
"""Tokens of prompt and answer together, where neither the server nor the settings say."""

TEMPLATE_TOKENS = 64
"""Room for a chat template's own tokens, where they can't be counted."""

SPREAD = 20
"""How many of the likeliest tokens are asked for in `choose`: what OpenAI and vLLM give at most."""
LLAMA_SPREAD = 512
"""What llama.cpp gives at no cost."""

STOPS = 4
"""So many stop strings OpenAI takes; the others are looked for here."""

KEPT = 8
"""Replies to `warm` that are kept for `choose`."""


class OpenAICompatibleEngine:
    """A model on a server. Implements `rag.types.Engine`; callers on several threads don't wait for each other."""

    name = "openai_compatible"

    def __init__(self, server: Server, served: Served, context_tokens: int | None) -> None:
        """`context_tokens` limits the window to less than the server's."""
        self.model = served.name
        self.revision = served.revision
        windows = [tokens for tokens in (context_tokens, served.context_tokens) if tokens]
        self.context_tokens = min(windows, default=UNKNOWN_CONTEXT)
        self._server = server
        self._served = served
        self._gives_logprobs = True
        self._reuses = True
        self._salt = ""
        self._kept: dict[Prompt, Beginning] = {}
        self._keeping = threading.Lock()
        self._closed = False
        self._counted = lru_cache(maxsize=4096)(self._count)
        self._first_tokens = lru_cache(maxsize=64)(self._first_token)

    def stream(self, prompt: Prompt, limits: Limits) -> Iterator[str]:
        """See `Engine.stream`; empty pieces come while the server is silent too."""
        self._check_fit(prompt, limits.max_tokens)
        request = self._request(prompt, limits.max_tokens)
        if limits.stop:
            request["stop"] = list(limits.stop[:STOPS])
        yield from until_stop(self._pieces(request), limits.stop)

    def choose(self, prompt: Prompt, options: Sequence[str]) -> tuple[float, ...]:
        """See `Engine.choose`, and `option_odds` for servers that give no probabilities."""
        self._check_open()
        tokens = [self._first_tokens(option) for option in options]
        check_distinct(options, tokens)
        with self._keeping:
            beginning = self._kept.pop(prompt, None)
        if beginning is None:
            self._check_fit(prompt, 1)
            (beginning,) = (found for found in self._beginning(prompt) if found)
        return option_odds(beginning, options, tokens)

    def warm(self, prompt: Prompt) -> Iterator[None]:
        """See `Engine.warm`; a prompt that doesn't fit is left for `stream` to refuse."""
        self._check_open()
        if not self._fits(prompt, 1):
            return
        for beginning in self._beginning(prompt):
            if beginning:
                self._keep(prompt, beginning)
            yield

    def forget(self) -> None:
        """See `Engine.forget`: by `cache_prompt` of llama.cpp and `cache_salt` of vLLM; others can't be told."""
        self._reuses = False
        self._salt = secrets.token_hex(16)
        with self._keeping:
            self._kept.clear()

    def count_tokens(self, text: str) -> int:
        """See `Engine.count_tokens`; more than there are where the server doesn't count."""
        self._check_open()
        return self._counted(text)

    def reachable(self) -> bool:
        """Whether the server answers just now; it is asked nothing of the model."""
        return not self._closed and self._server.answers()

    def close(self) -> None:
        """See `Engine.close`."""
        self._closed = True
        self._server.close()

    def _pieces(self, request: dict[str, Any]) -> Iterator[str]:
        thought = said = False
        for event in self._server.stream("chat/completions", request):
            delta = choice_of(event).get("delta") or {}
            text = delta.get("content") or ""
            said = said or bool(text)
            thought = thought or bool(delta.get("reasoning_content") or delta.get("reasoning"))
            yield text
        if thought and not said:
            raise EngineError(
                f"{self.model} thought until it had no tokens left for an answer. Start the server so that the model "
                "answers without thinking, or name another model in RAG_SERVER_MODEL."
            )

    def _beginning(self, prompt: Prompt) -> Iterator[Beginning | None]:
        """None while waiting, at the end how the answer begins."""
        request = self._request(prompt, 1)
        spread = LLAMA_SPREAD if self._served.software is Software.LLAMA_CPP else SPREAD
        probabilities = {"logprobs": True, "top_logprobs": spread} if self._gives_logprobs else {}
        text, candidates = "", tuple[Candidate, ...]()
        try:
            for event in self._server.stream("chat/completions", {**request, **probabilities}):
                choice = choice_of(event)
                text += (choice.get("delta") or {}).get("content") or ""
                candidates = candidates or _candidates(choice)
                yield None
        except EngineError as error:
            if not probabilities or "logprobs" not in str(error):
                raise
            self._gives_logprobs = False
            yield from self._beginning(prompt)
            return
        yield Beginning(text, candidates)

    def _request(self, prompt: Prompt, max_tokens: int) -> dict[str, Any]:
        request = {
            "model": self._served.id,
            "messages": messages(prompt),
            "max_tokens": max_tokens,
            "temperature": 0,
            "stream": True,
        }
        software = self._served.software
        if software is not Software.OTHER:  # what isn't known, OpenAI's own server and others refuse
            request["chat_template_kwargs"] = {"enable_thinking": False}
        if software is Software.LLAMA_CPP:
            reuses, self._reuses = self._reuses, True
            request |= {"cache_prompt": reuses, "return_progress": True}
        if software is Software.VLLM and self._salt:
            request["cache_salt"] = self._salt
        return request

    def _keep(self, prompt: Prompt, beginning: Beginning) -> None:
        with self._keeping:
            self._kept[prompt] = beginning
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]

    def _check_fit(self, prompt: Prompt, answer_tokens: int) -> None:
        self._check_open()
        if not self._surely_fits(prompt, answer_tokens):
            check_length(self._prompt_tokens(prompt), answer_tokens, self.context_tokens)

    def _fits(self, prompt: Prompt, answer_tokens: int) -> bool:
        return (
            self._surely_fits(prompt, answer_tokens)
            or self._prompt_tokens(prompt) + answer_tokens <= self.context_tokens
        )

    def _surely_fits(self, prompt: Prompt, answer_tokens: int) -> bool:
        """A token has at least a byte, so what has few enough bytes needn't be counted."""
        size = sum(len(message["content"].encode()) for message in messages(prompt))
        return size + TEMPLATE_TOKENS + answer_tokens <= self.context_tokens

    def _prompt_tokens(self, prompt: Prompt) -> int:
        parts = messages(prompt)
        if self._served.counts_tokens and self._served.software is Software.LLAMA_CPP:
            rendered = self._server.post("/apply-template", {"messages": parts})["prompt"]
            request = tokenizing(self._served.id, rendered, control=True, first=True)
            return len(self._server.post("/tokenize", request)["tokens"])
        if self._served.counts_tokens and self._served.software is Software.VLLM:
            request = {"model": self._served.id, "messages": parts, "add_generation_prompt": True}
            return len(self._server.post("/tokenize", request)["tokens"])
        return sum(self._counted(part["content"]) for part in parts) + TEMPLATE_TOKENS

    def _count(self, text: str) -> int:
        text = harmless(text)
        if not self._served.counts_tokens or not text:
            return estimated_tokens(text)
        return len(self._tokens(text))

    def _first_token(self, option: str) -> int | None:
        return self._tokens(option)[0] if self._served.counts_tokens else None

    def _tokens(self, text: str) -> list[int]:
        tokens: list[int] = self._server.post("/tokenize", tokenizing(self._served.id, encodable(text)))["tokens"]
        return tokens

    def _check_open(self) -> None:
        if self._closed:
            raise EngineError(CLOSED)


def _candidates(choice: dict[str, Any]) -> tuple[Candidate, ...]:
    positions = (choice.get("logprobs") or {}).get("content")
    likeliest = positions[0].get("top_logprobs") if positions else None
    return tuple(Candidate(one["token"], one["logprob"], one.get("id")) for one in likeliest or ())
