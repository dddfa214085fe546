"""Text → the words by which it is found, in any script, and where they stand in it."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby, pairwise

import regex

MOST_WORDS = 32
"""Of a search, at most: every one costs a walk through its list of exchanges."""

BEFORE, AFTER = 60, 140
"""Characters that an excerpt shows on either side of where the first word found begins."""

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"


@dataclass(frozen=True, slots=True)
class Token:
    """A word, or one character of a script that writes no spaces: `text[start:end]`, and how it is searched for."""

    start: int
    end: int
    folded: str


def tokens(text: str) -> list[Token]:
    """In their order.

    >>> [token.folded for token in tokens("Straße, 東京")]
    ['strasse', '東', '京']
    """
    return [Token(*found.span(), _folded(found[0])) for found in _pattern().finditer(text)]


def searchable(text: str) -> str:
    """What the full-text table is given: the folded words with spaces between them."""
    return " ".join(token.folded for token in tokens(text))


def phrases(wanted: str) -> list[list[str]]:
    """What is searched for: words, and runs of characters that stand together without a space."""
    found = tokens(wanted)[:MOST_WORDS]
    breaks = [0]
    for before, after in pairwise(found):
        breaks.append(breaks[-1] + (before.end < after.start))
    return [
        [token.folded for token, _ in run] for _, run in groupby(zip(found, breaks, strict=False), lambda at: at[1])
    ]


def full_text_query(wanted: Sequence[Sequence[str]]) -> str:
    """Phrases as a query that FTS5 can't misread: all must be there, the last word of each only as a beginning."""
    quoted = [" ".join(phrase).replace('"', '""') for phrase in wanted]
    return " AND ".join(f'"{phrase}" *' for phrase in quoted)


def places(text: str, wanted: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
    """Where the phrases stand in `text`, in order; those that overlap or touch are one."""
    found = tokens(text)
    spans = sorted(
        (found[at].start, found[at + len(phrase) - 1].end)
        for phrase in wanted
        for at in range(len(found) - len(phrase) + 1)
        if _stands(phrase, found, at)
    )
    return list(_joined(spans))


def window(text: str, first: int) -> tuple[int, int]:
    """The part of `text` to show around the word at `first`, not beginning or ending within a word if possible."""
    start, end = max(0, first - BEFORE), min(len(text), first + AFTER)
    if start > 0:
        start = next((at + 1 for at in range(start, first) if text[at].isspace()), start)
    if end < len(text):
        end = next((at for at in range(end, first + AFTER // 2, -1) if text[at].isspace()), end)
    return start, end


def _stands(phrase: Sequence[str], found: Sequence[Token], at: int) -> bool:
    *whole, last = phrase
    here = found[at : at + len(phrase)]
    return here[-1].folded.startswith(last) and all(
        token.folded == word for token, word in zip(here, whole, strict=False)
    )


def _joined(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    start = end = 0
    for first, last in spans:
        if first > end or start == end:
            if start < end:
                yield start, end
            start, end = first, last
        end = max(end, last)
    if start < end:
        yield start, end


def _folded(word: str) -> str:
    """Without case, and without the accents of Latin, Greek and Cyrillic; marks that spell other scripts stay."""
    parts = unicodedata.normalize("NFKD", word.casefold())
    return "".join(mark for mark in parts if not "\u0300" <= mark <= "\u036f")


@cache
def _pattern() -> "regex.Pattern[str]":
    return regex.compile(rf"[{_UNSPACED}]\p{{M}}*|[[\p{{L}}\p{{N}}\p{{M}}]--[{_UNSPACED}]]+", regex.V1)
