"""OpenAI's chat API in front of the desk.

What a reader may rely on is `content`, and it comes when the whole answer was checked. Meanwhile a stream tells in
`reasoning_content`, which chat programs show as a model's thinking, what is being done, and the draft: until its end
nobody knows whether anything supports it.
"""

import logging
import threading
import time
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from rag.desk import UNFORESEEN, Opening, Waiting
from rag.errors import InputError, LineFull, RagError
from rag.guarding import openai_error
from rag.logs import log_failure
from rag.service.asking import Asking, Events, HungUp
from rag.service.handing import SILENCE, Handed, handed_in
from rag.service.observing import WatchedDesk
from rag.service.replies import DONE, STILL_THERE, STREAM, Reply, event_of, model_fields, models_fields, usage_of
from rag.service.requests import ChatRequest, Unaccepted, chat_request, model_named
from rag.service.stopping import Stopping
from rag.service.values import Fields, passage_fields
from rag.types import Answer, Event, Finished, PassagesFound, TextPiece

SOON, LATER = 3.0, 10.0
"""Seconds after which to try again: while Citeline starts or stops, and when too many wait."""

_log = logging.getLogger("citeline")


class Chat:
    """The requests of OpenAI's API that are answered here."""

    def __init__(self, desk: WatchedDesk, stopping: Stopping) -> None:
        self._desk = desk
        self._stopping = stopping
        self._began = int(time.time())

    def models(self, name: str) -> Response:
        """The models, or the one that is named."""
        if not name:
            return JSONResponse(models_fields(self._began))
        try:
            return JSONResponse(model_fields(model_named(name), self._began))
        except Unaccepted as error:
            return self._failure(error)

    async def complete(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application: answers a question, whole or in a stream."""
        with self._stopping.answering() as taken:
            response = await self._answer(scope, receive, send) if taken else _not_ready("stopping")
            if response:
                await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> Response | None:
        """None where it was streamed, or nobody waits for it any more."""
        try:
            asked, handed = chat_request(await Request(scope, receive).json()), handed_in(scope)
            if isinstance(self._desk.state, Opening):
                return _not_ready("starting")
            documents = await run_in_threadpool(self._known, asked, handed.reader)
            async with Asking(self._start(asked, documents, handed), receive) as asking:
                first = await asking.next()  # what is refused is refused before anything is sent
                if asked.stream:
                    await self._stream(asked, handed, asking, first, send)
                    return None
                answer = await _finished(asking, first)
            reply = Reply(asked, handed.id, handed.created)
            return JSONResponse(reply.whole(answer, await self._usage(reply, answer)))
        except HungUp:
            return None
        except Exception as error:
            return self._failure(error)

    async def _stream(
        self, asked: ChatRequest, handed: Handed, asking: Asking, event: Event | Waiting | None, send: Send
    ) -> None:
        async def tell(*chunks: bytes, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": b"".join(chunks), "more_body": more})

        reply, doing = Reply(asked, handed.id, handed.created), ""
        await send({"type": "http.response.start", "status": 200, "headers": STREAM})
        try:
            if not handed.begun:
                await tell(reply.beginning())
            while not isinstance(event, Finished):
                if not (isinstance(event, Waiting) and event.doing == doing):
                    await tell(*_meanwhile(reply, event))
                doing = event.doing if isinstance(event, Waiting) else ""
                event = await _following(asking, tell)
            await tell(*[reply.chunk({"content": piece}) for piece in reply.pieces(event.answer)])
            usage = await self._usage(reply, event.answer)
            await tell(*reply.ending(event.answer, usage), DONE, more=False)
        except HungUp:
            return
        except Exception as error:
            await tell(event_of(self._failure(error).body), more=False)

    def _start(
        self, asked: ChatRequest, documents: frozenset[str] | None, handed: Handed
    ) -> Callable[[threading.Event], Events]:
        return lambda leave: self._desk.ask(
            asked.question,
            asked.history,
            leave,
            handed.client,
            documents,
            asked.strict,
            handed.reader,
            asked=handed.asked,
        )

    def _known(self, asked: ChatRequest, reader: str | None) -> frozenset[str] | None:
        """The articles to answer from; None for all. Raises Unaccepted for one that isn't there."""
        pipeline = self._desk.lent(reader)
        if not asked.documents:
            return None
        known = pipeline.documents_by_id(asked.documents)
        if unknown := next((name for name in asked.documents if name not in known), None):
            raise Unaccepted(f"The library has no article with the id {unknown[:80]!r}.", "citeline.documents")
        return frozenset(asked.documents)

    async def _usage(self, reply: Reply, answer: Answer) -> Fields:
        engine = getattr(self._desk.pipeline, "engine", None)
        count = engine.count_tokens if engine else lambda _: 0
        return await run_in_threadpool(usage_of, reply, answer, count)

    def _failure(self, error: Exception) -> JSONResponse:
        match error:
            case Unaccepted():
                return openai_error(error.status, str(error), error.code, error.param)
            case LineFull():
                return openai_error(429, str(error), wait=LATER)
            case InputError():
                return openai_error(400, str(error), param="messages")
            case RagError():
                return openai_error(503, str(error), wait=LATER)
        log_failure(_log, "A program's question could not be answered", error, self._desk.settings.log_texts)
        return openai_error(500, UNFORESEEN)


async def _finished(asking: Asking, event: Event | Waiting | None) -> Answer:
    while not isinstance(event, Finished):
        event = await _following(asking)
    return event.answer


async def _following(asking: Asking, tell: Callable[[bytes], Awaitable[None]] | None = None) -> Event | Waiting:
    """The next event; while there is none, `tell` says that there will be."""
    while True:
        try:
            event = await asking.next(SILENCE)
        except TimeoutError:
            if tell:
                await tell(STILL_THERE)
            continue
        if event is None:
            raise RagError("Citeline was closed before the answer was finished. Ask again.")
        return event


def _meanwhile(reply: Reply, event: Event | Waiting | None) -> list[bytes]:
    """What is told before the answer is there."""
    match event:
        case Waiting(doing):
            return [reply.thought(f"{doing.rstrip('. …')} …\n")]
        case PassagesFound(passages):
            found = {"state": "reading", "passages": [passage_fields(passage) for passage in passages]}
            return [reply.thought(f"Reading {len(passages)} passages …\n\n", citeline=found)]
        case TextPiece(text) if text:
            return [reply.thought(text)]
    return []


def _not_ready(why: str) -> JSONResponse:
    return openai_error(503, f"Citeline is {why}. Try again in a moment.", why, wait=SOON)
