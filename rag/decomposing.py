"""A question with several parts → what to search for, so that each part finds its article.

A single search brings what most of the question is about, and leaves the other part without a passage.
"""

import re

MOST_PARTS = 4
"""Searches for one question, the whole one not counted."""

LONG_WORDS = 16
"""A question with at least so many words is cut at its commas and conjunctions as well."""

LEAST_WORDS, LEAST_WITH_NAME = 4, 3
"""A clause with fewer words is no part of its own; the second is for one that names something: "who leads TikTok"."""

_ASKS = (
    r"(?:who|whom|whose|what|when|where|which|why|how|did|does|do|is|are|was|were|has|have|had|can|could|will|would)\b"
)
_QUESTIONS = re.compile(rf"\?\s+|;\s+|,?\s+(?:and|or|but)\s+(?={_ASKS})", re.IGNORECASE)
_CLAUSES = re.compile(
    r",\s+(?:(?:and|or|but|while|whereas)\s+)?|;\s+"
    r"|\s+(?:while|whereas|but|compared (?:to|with)|as well as|and also)\s+"
    r"|\s+and\s+(?=\w+(?:s|ed)\b)"
)
_FIRST = rf"(?!(?i:{_ASKS}|compare|between|according|in|on|at|by|for|from|the)\b)[A-Z][\w’'&.-]*"
_NAME = rf"\b{_FIRST}(?:\s+(?:of\s+(?:the\s+)?)?[A-Z][\w’'&.-]*)*"
_BETWEEN = r"(?:and|or|with|versus|vs\.?|(?:(?:(?:more|less)\s+)?\w+\s+)?than)"
_PAIR = re.compile(rf"(?P<first>{_NAME})\s+{_BETWEEN}\s+(?:the\s+)?(?P<second>{_NAME})")
_COMPARES = re.compile(
    r"\b(?:both|between|compare[ds]?|comparing|comparison|differ\w*|either|than|versus|vs|same|more|less|or)\b",
    re.IGNORECASE,
)
_OF_IT = re.compile(r"\b(?P<whose>its)\b|\bit\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


def parts(question: str) -> tuple[str, ...]:
    """What to search for besides the whole question, at most `MOST_PARTS`; empty where it asks one thing.

    >>> parts("Who founded the bakery and when did the harbour open?")
    ('Who founded the bakery', 'when did the harbour open?')
    >>> parts("Which is larger, the harbour of Varel or that of Emden?")
    ()
    >>> parts("Do Varel and Emden charge the same fee?")
    ('Do Varel charge the same fee?', 'Do Emden charge the same fee?')
    >>> parts("What is Boximator and who made it?")
    ('What is Boximator', 'who made Boximator?')
    >>> parts("When did the harbour open?")
    ()
    """
    asked = _long_enough(_standing_alone(_QUESTIONS.split(question.strip())))
    if len(asked) > 1:
        return tuple(asked[:MOST_PARTS])
    if compared := _compared(question):
        return compared
    if len(_WORD.findall(question)) < LONG_WORDS:
        return ()
    clauses = _long_enough(_CLAUSES.split(question.strip()))
    return tuple(clauses[:MOST_PARTS]) if len(clauses) > 1 else ()


def _compared(question: str) -> tuple[str, ...]:
    """The question about each of two names that it compares."""
    pair = _PAIR.search(question)
    if not pair or not _COMPARES.search(question):
        return ()
    before, after = question[: pair.start()], question[pair.end() :]
    return tuple(f"{before}{pair[name]}{after}" for name in ("first", "second"))


def _standing_alone(texts: list[str]) -> list[str]:
    """Each with the name that its "it" means: the only one in the first, where it has no other itself."""
    named = set(re.findall(_NAME, texts[0]))
    if len(named) != 1:
        return texts
    (name,) = named

    def of_it(found: re.Match[str]) -> str:
        return f"{name}'s" if found["whose"] else name

    return [texts[0], *(text if re.search(_NAME, text) else _OF_IT.sub(of_it, text) for text in texts[1:])]


def _long_enough(texts: list[str]) -> list[str]:
    return [text.strip() for text in texts if len(_WORD.findall(text)) >= _least(text)]


def _least(text: str) -> int:
    return LEAST_WITH_NAME if re.search(_NAME, text) else LEAST_WORDS
