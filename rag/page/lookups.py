"""What programs may ask for, whichever way they ask: the checks of what they send, the desk, and plain values back."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing

from rag.desk import Desk, Waiting
from rag.errors import InputError
from rag.service.values import Fields, answer_fields, document_fields, hit_fields, passage_fields
from rag.types import Finished, PassagesFound, TextPiece

MOST_PASSAGES = 50
"""That one search gives."""
MOST_CHARACTERS = 20_000
"""Of an article that one call gives."""
MOST_DOCUMENTS = 200
"""To which one question may be limited."""

OFTEN = 0.5
"""Seconds between two states of an answer that is being written, at least."""
SELDOM = 1.0
"""Seconds after which a state is repeated while nothing happens: only then is a program missed that has gone."""


class Lookups:
    """Answers, searches and texts by way of a desk, of what a `reader` may read: the rest isn't there.

    Every method raises the RagErrors that explain a refusal.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def answering(
        self, question: object, documents: object, strict: object, client: str, reader: str | None
    ) -> Iterator[Fields]:
        """The states of an answer, told from each other by `state`: waiting, reading, writing and, once, finished.

        One comes every second at least, so that who closes the iterator needn't wait.
        """
        question, only, text = _text(question, "question"), self._known(documents, reader), ""
        if not isinstance(strict, bool):
            raise InputError("strict is true or false.")
        state: Fields = {"state": "waiting", "doing": "Waiting"}
        told = time.monotonic()
        leave, strict = threading.Event(), strict or None
        with closing(self._desk.ask(question, (), leave, client, only, strict, reader)) as events:
            for event in events:
                seconds = SELDOM
                match event:
                    case Finished(answer):
                        yield answer_fields(answer)
                        return
                    case Waiting(doing) if doing != state.get("doing"):
                        state, seconds = {"state": "waiting", "doing": doing}, 0.0
                    case PassagesFound(passages):
                        yield {"state": "reading", "passages": [passage_fields(passage) for passage in passages]}
                        state = {"state": "reading"}
                    case TextPiece(piece) if piece:
                        text += piece
                        state, seconds = {"state": "writing", "text": text}, OFTEN
                if time.monotonic() - told >= seconds:
                    told = time.monotonic()
                    yield state

    def search(self, query: object, limit: object, reader: str | None) -> list[Fields]:
        """At most `limit` passages, best first."""
        question, most = _text(query, "query"), _whole(limit, "limit", 1, MOST_PASSAGES)
        return [hit_fields(hit, document) for hit, document in self._desk.lent(reader).search(question, most)]

    def read(self, document_id: object, start: object, end: object, reader: str | None) -> Fields:
        """The text of an article between two offsets, at most `MOST_CHARACTERS` of it."""
        name = _text(document_id, "document_id")
        document = self._desk.lent(reader).documents_by_id([name]).get(name)
        if document is None:
            raise _unknown(name)
        length = len(document.text)
        first = 0 if start is None else _whole(start, "start", 0, length)
        last = length if end is None else min(_whole(end, "end", first, 2**53), length)
        last = min(last, first + MOST_CHARACTERS)
        return {
            **document_fields(document),
            "characters": length,
            "start": first,
            "end": last,
            "next": last if last < length else None,
            "text": document.text[first:last],
        }

    def _known(self, documents: object, reader: str | None) -> frozenset[str] | None:
        """The ids, once they are known to be of articles; None for all."""
        if not documents:
            return None
        if not isinstance(documents, list) or len(documents) > MOST_DOCUMENTS:
            raise InputError(f"documents is a list of at most {MOST_DOCUMENTS} ids, such as `search` gives.")
        ids = [_text(name, "documents") for name in documents]
        known = self._desk.lent(reader).documents_by_id(ids)
        if unknown := next((name for name in ids if name not in known), None):
            raise _unknown(unknown)
        return frozenset(ids)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{name} is text, and {_shown(value)} was sent.")
    return value.encode("utf-8", "replace").decode("utf-8")


def _whole(value: object, name: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InputError(f"{name} is a whole number from {least:,} to {most:,}, and {_shown(value)} was sent.")
    return value


def _unknown(name: str) -> InputError:
    return InputError(f"The library has no article with the id {_shown(name)}. `search` tells the ids.")


def _shown(value: object) -> str:
    return repr(value)[:80]
