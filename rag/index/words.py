"""A question in anybody's words → a full-text query that FTS5 can't misread."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

MOST_WORDS = 64
"""Distinct words searched for, at most: every one costs a walk through its list of chunks."""

MOST_MATCHES = 16_384
"""Chunks of a large library that are scored for a question: each takes a thousandth of a millisecond."""
ENOUGH = 200
"""Chunks that hold every word of a question: what else holds only some of them won't be among the best."""

_STOP_WORDS = """
a about after again all also am an and any are as at be because been before being between both but by can could
d did do does doing down during each either else ever few for from further had has have having he her here hers him
his how however i if in into is it its itself just ll m me more most much my neither no nor not of off on once only
or other our ours out over own please re s same she should so some such t tell than that the their theirs them then
there these they this those through to too under until up upon ve very was we were what when where whether which
while who whom whose why will with within without would yet you your yours
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""English words that say nothing about a subject, with what an apostrophe leaves over (`don't` → don, t)."""

_WORD = re.compile(r"[^\W_]+")  # letters and digits of any script: what FTS5's unicode61 calls a token


def full_text_query(question: str) -> str:
    """`Who paid "TikTok"?` → `"paid" OR "tiktok"`; empty where the question holds no letter or digit.

    Each word is a quoted string, so nothing in it is an operator. Stop words count only where there is nothing else.
    """
    return any_of(telling_words(question))


def telling_words(question: str) -> list[str]:
    """The distinct words that are searched for, in order of appearance."""
    words = _distinct_words(question)
    telling = [word for word in words if word not in STOP_WORDS] or words
    return telling[:MOST_WORDS]


def rarer_words(words: Sequence[str], count: Callable[[str, int], int]) -> str:
    """A full-text query of those words that say most: scoring takes time for every chunk that holds one of them.

    Rare words come first, as long as together they match no more than `MOST_MATCHES`. Where even the rarest matches
    more, all are looked for at once if `ENOUGH` chunks hold them all, and else each. `count(query, most)` tells how
    many chunks match, or `most` where there are as many or more.
    """
    counts = {word: count(any_of([word]), MOST_MATCHES + 1) for word in words}
    rarest = sorted(words, key=lambda word: counts[word])
    together = list(accumulate(counts[word] for word in rarest))
    kept = {word for word, matches in zip(rarest, together, strict=True) if matches <= MOST_MATCHES}
    if any(counts[word] for word in kept):
        return any_of([word for word in words if word in kept])
    common = [word for word in words if counts[word]]
    every = " AND ".join(any_of([word]) for word in common)
    return every if every and count(every, ENOUGH) == ENOUGH else any_of(words)


def any_of(words: Iterable[str]) -> str:
    """The full-text query that chunks match with one of the words or more."""
    return " OR ".join(f'"{word}"' for word in words)


def _distinct_words(text: str) -> list[str]:
    """In lower case and in order of appearance; an accent typed as its own character is joined to its letter."""
    return list(dict.fromkeys(_WORD.findall(unicodedata.normalize("NFC", text).lower())))
