"""A question in anybody's words → a full-text query that FTS5 can't misread."""

import re
import unicodedata

MOST_WORDS = 64
"""Distinct words searched for, at most: every one costs a walk through its list of chunks."""

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
    return " OR ".join(f'"{word}"' for word in telling_words(question))


def telling_words(question: str) -> list[str]:
    """The distinct words to search for, at most `MOST_WORDS`: stop words only where there is nothing else."""
    words = _distinct_words(question)
    return ([word for word in words if word not in STOP_WORDS] or words)[:MOST_WORDS]


def _distinct_words(text: str) -> list[str]:
    """In lower case and in order of appearance; an accent typed as its own character is joined to its letter."""
    return list(dict.fromkeys(_WORD.findall(unicodedata.normalize("NFC", text).lower())))
