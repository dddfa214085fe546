"""Outcomes of exchanges ↔ JSON in which the articles' texts are only numbers."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from rag.exchanges import Draft, Exchange, Outcome, Stopped, Trouble
from rag.records import answer_fields, answer_from, passage_fields, passage_from
from rag.types import Answer, Passage

DRAFT, STOPPED, TROUBLE, ANSWER = "draft", "stopped", "trouble", "answer"


def packed(question: str, outcome: Outcome, keep: Callable[[str], int]) -> str:
    """JSON of an exchange; `keep` is given each article's text and returns the number under which it is kept.

    Only ASCII, for SQLite takes no half of a surrogate pair, and a browser may send one.
    """
    passages = passages_of(outcome)
    texts = {document.text: document for document in (passage.document for passage in passages)}
    numbers = {text: keep(text) for text in texts}
    line = {
        "question": question,
        **_fields(outcome),
        "texts": {str(passage.number): numbers[passage.document.text] for passage in passages},
    }
    return json.dumps(line, separators=(",", ":"))


def unpacked(number: int, line: str, alive: bool, text_of: Callable[[int], str]) -> Exchange:
    """The exchange that was packed; a draft whose process is no longer `alive` counts as stopped.

    Raises KeyError, TypeError, ValueError or AttributeError where this is none.
    """
    found = json.loads(line)
    texts = {int(at): text_of(kept) for at, kept in found["texts"].items()}
    outcome = _outcome(found, texts)
    if isinstance(outcome, Draft) and not alive:
        outcome = Stopped(outcome)
    return Exchange(number, found["question"], outcome)


def said(line: str) -> tuple[str, str]:
    """(question, answer as it is shown) of an exchange that was packed; the latter empty where there is none."""
    found = json.loads(line)
    answer = found.get("answer", {"text": found.get("text", "")})
    return found["question"], "" if answer.get("abstained") else answer["text"]


def settled(line: str) -> str:
    """The exchange that was packed, with a draft made one that was stopped."""
    found = json.loads(line)
    return json.dumps(found | {"kind": STOPPED}, separators=(",", ":")) if found["kind"] == DRAFT else line


def passages_of(outcome: Outcome) -> tuple[Passage, ...]:
    """Those found so far."""
    return outcome.draft.passages if isinstance(outcome, Stopped) else outcome.passages


@cache
def this_process() -> str:
    """What tells this process from any other, also from one that had its number before."""
    return _process(os.getpid()) or str(os.getpid())


def is_alive(process: str | None) -> bool:
    """Whether the process that `this_process` named is still running."""
    return process is not None and _process(int(process.partition("@")[0])) == process


def _process(number: int) -> str | None:
    import psutil

    try:
        return f"{number}@{psutil.Process(number).create_time():.2f}"
    except psutil.Error:
        return None


def _fields(outcome: Outcome) -> dict[str, Any]:
    match outcome:
        case Answer():
            return {"kind": ANSWER, "answer": answer_fields(outcome)}
        case Trouble(message, passages):
            return {"kind": TROUBLE, "message": message, "passages": _passages_fields(passages)}
        case Draft(doing, passages, text) | Stopped(Draft(doing, passages, text)):
            kind = DRAFT if isinstance(outcome, Draft) else STOPPED
            return {"kind": kind, "doing": doing, "text": text, "passages": _passages_fields(passages)}


def _passages_fields(passages: Sequence[Passage]) -> list[dict[str, Any]]:
    return [passage_fields(passage) for passage in passages]


def _outcome(found: Mapping[str, Any], texts: Mapping[int, str]) -> Outcome:
    if found["kind"] == ANSWER:
        return answer_from(found["answer"], texts)
    passages = tuple(passage_from(passage, texts[passage["number"]]) for passage in found["passages"])
    if found["kind"] == TROUBLE:
        return Trouble(found["message"], passages)
    draft = Draft(found["doing"], passages, found["text"])
    return Stopped(draft) if found["kind"] == STOPPED else draft
