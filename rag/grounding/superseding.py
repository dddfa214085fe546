"""Which passages are out of date where the newest is asked for: a newer article gives another value for what is asked.

    "What is the latest fare?"    2024: "The fare is now 5 euros."    2025: "Passengers pay a fare of 6 euros."

A small reader given both may well take the older one, whatever their order and the dates beside them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from rag.dating import day_of, without_newest
from rag.grounding.conflicts import ASKED_SHARE, BEHIND_CITED
from rag.grounding.figures import Date, Figure, Quantity, held
from rag.grounding.support import held_in, name_held, word_share
from rag.grounding.words import wording
from rag.neutralizing import instruction_like
from rag.sentences import sentence_spans
from rag.types import Passage

ASKED_WORDS = 2
"""Words of content from which on a question is about one thing: "the latest on the merger" is about all of it."""

_WHO = re.compile(r"\b(?:who|whom|whose)\b", re.IGNORECASE)
_WHEN = re.compile(r"\bwhen\b|\bwhat (?:date|day|month|year)\b", re.IGNORECASE)
_NEWS = re.compile(
    r"\b(?:latest|newest|recent)\s+(?:about|articles?|developments?|from|headlines?|in|news|on|posts?|reports?|stor(?:y|ies)"
    r"|updates?|with)\b",
    re.IGNORECASE,
)
_YEARS = range(1500, 2200)


@dataclass(frozen=True, slots=True)
class _Said:
    """What a passage gives for what is asked."""

    share: float
    """Of the question's words, in the sentence and the title."""
    figures: tuple[Figure, ...]
    names: tuple[tuple[str, ...], ...]
    text: str


def superseded(question: str, passages: Sequence[Passage]) -> frozenset[int]:
    """Numbers of the passages whose answer a newer article's replaces, for a question that asks for the newest.

    Never all of them. A question for news in general has no one answer, and what an article without a date says may
    hold still.
    """
    asked = without_newest(question)
    if _NEWS.search(question) or len(wording(asked).weights) < ASKED_WORDS:
        return frozenset()
    said = [(passage.number, day_of(passage.document.published), _best(asked, passage)) for passage in passages]
    return frozenset(
        number
        for number, day, old in said
        if day and old and any(new and _is_newer(then, day) and _replaces(new, old) for _, then, new in said)
    )


def _is_newer(day: date | None, than: date) -> bool:
    return day is not None and day > than


def _replaces(new: _Said, old: _Said) -> bool:
    if new.share < old.share - BEHIND_CITED:
        return False
    if old.names:
        there = held_in(new.text)
        return bool(new.names) and not any(name_held(name, there) for name in old.names)
    kinds = {_kind(figure) for figure in old.figures} & {_kind(figure) for figure in new.figures}
    return bool(kinds) and not any(held(figure, new.figures) for figure in old.figures)


def _best(asked: str, passage: Passage) -> _Said | None:
    """By the sentence that says most of what is asked and gives a value for it; None where none does."""
    title = passage.document.title
    texts = [passage.text[start:end] for start, end in sentence_spans(passage.text)]
    said = [_said(asked, title, text) for text in texts if not instruction_like(text)]
    telling = [one for one in said if (one.figures or one.names) and one.share >= ASKED_SHARE]
    return max(telling, key=lambda one: one.share, default=None)


def _said(asked: str, title: str, text: str) -> _Said:
    told, known = wording(text), wording(asked)
    figures: tuple[Figure, ...] = ()
    names: tuple[tuple[str, ...], ...] = ()
    if _WHO.search(asked):
        there = held_in(f"{asked}\n{title}")
        names = tuple(name for name in told.names if not name_held(name, there))
    else:
        when = _WHEN.search(asked) is not None
        figures = tuple(one for one in told.figures if not held(one, known.figures) and _is_time(one) is when)
    return _Said(word_share(asked, [title, text]), figures, names, text)


def _is_time(figure: Figure) -> bool:
    return isinstance(figure, Date) or (not figure.unit and figure.value in _YEARS)


def _kind(figure: Figure) -> str:
    return figure.unit if isinstance(figure, Quantity) else "date"
