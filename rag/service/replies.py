"""Answers in the form of OpenAI's chat API, with what Citeline knows besides in the field `citeline`."""

import json
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from rag.rendering import chat_pieces, harmless_in_markdown
from rag.service.requests import MODELS, ChatRequest, texts_of
from rag.service.values import Fields, answer_fields
from rag.types import Answer

DONE = b"data: [DONE]\n\n"
STILL_THERE = b": waiting\n\n"
"""A comment, so that nothing between here and the client takes silence for the end."""
STREAM = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would gather the pieces
]
"""The headers of a stream."""


def new_id() -> str:
    """Of a completion."""
    return f"chatcmpl-{secrets.token_hex(12)}"


@dataclass(frozen=True, slots=True)
class Reply:
    """The parts of an answer that stay the same from piece to piece."""

    asked: ChatRequest
    id: str = field(default_factory=new_id)
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, answer: Answer, usage: Fields) -> Fields:
        """The object `chat.completion`."""
        message = {"role": "assistant", "content": "".join(self.pieces(answer)), "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        return {
            **self._about("chat.completion"),
            "choices": [choice],
            "usage": usage,
            "citeline": answer_fields(answer),
        }

    def pieces(self, answer: Answer) -> Iterable[str]:
        """The text of the answer; joined it is that of `whole`."""
        return chat_pieces(answer, self.asked.references)

    def chunk(self, delta: Fields, finish: str | None = None, **more: object) -> bytes:
        """A `chat.completion.chunk` as an event."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _event({**self._about("chat.completion.chunk"), "choices": [choice], **more})

    def beginning(self) -> bytes:
        """The first chunk of a stream."""
        return self.chunk({"role": "assistant", "content": ""})

    def thought(self, text: str, **more: object) -> bytes:
        """A chunk of what isn't part of the answer."""
        return self.chunk({"reasoning_content": harmless_in_markdown(text)}, None, **more)

    def ending(self, answer: Answer, usage: Fields) -> list[bytes]:
        """The chunk that says why the text ended and what stands behind it, and, if asked for, what was used."""
        chunks = [self.chunk({}, "stop", citeline=answer_fields(answer))]
        if self.asked.with_usage:
            chunks.append(_event({**self._about("chat.completion.chunk"), "choices": [], "usage": usage}))
        return chunks

    def _about(self, kind: str) -> Fields:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.asked.model}


def _event(content: Fields) -> bytes:
    return event_of(json.dumps(content).encode())


def event_of(content: bytes | memoryview) -> bytes:
    """JSON as a server-sent event."""
    return b"data: " + bytes(content) + b"\n\n"


def usage_of(reply: Reply, answer: Answer, count: Callable[[str], int]) -> Fields:
    """Tokens by `count`: of what was said and the passages that were read, and of the text."""
    prompt = sum(map(count, [*texts_of(reply.asked), *(passage.text for passage in answer.passages)]))
    completion = count("".join(reply.pieces(answer)))
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def model_fields(name: str, created: int) -> Fields:
    """The object `model`."""
    return {"id": name, "object": "model", "created": created, "owned_by": "citeline"}


def models_fields(created: int) -> Fields:
    """The list of them."""
    return {"object": "list", "data": [model_fields(name, created) for name in MODELS]}
