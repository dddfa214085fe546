"""What is found in the questions and answers of saved conversations."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from rag.conversations.listing import Owner, owner_key
from rag.conversations.packing import said
from rag.conversations.words import full_text_query, phrases, places, window


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Part of a question or an answer, as it was written."""

    text: str
    spans: tuple[tuple[int, int], ...]
    """Where in `text` the words stand that were found, in order and apart; empty where they stand elsewhere."""
    begins: bool
    """Whether it is from the beginning, and `ends`: up to the end."""
    ends: bool


@dataclass(frozen=True, slots=True)
class Found:
    """An exchange in which all words that were searched for stand."""

    conversation: str
    title: str
    number: int
    question: Excerpt
    answer: Excerpt


def search(connection: sqlite3.Connection, owner: Owner, text: str, count: int) -> tuple[Found, ...]:
    """See `Conversations.search`; nothing where `text` holds no letter or digit."""
    wanted = phrases(text)
    if not wanted:
        return ()
    # subtle: the long outcomes are read only of those that are shown, so that they needn't be sorted with the others
    rows = connection.execute(
        """WITH hits AS (
            SELECT e.key, c.number AS conversation
            FROM words JOIN exchanges AS e ON e.key = words.rowid JOIN conversations AS c ON c.number = e.conversation
            WHERE words MATCH :query AND c.copy_of IS NULL AND c.owner = ifnull(:owner, c.owner)
            ORDER BY c.changed DESC, c.number DESC, e.number LIMIT :count
        )
        SELECT c.id, c.title, e.number, e.outcome
        FROM hits JOIN exchanges AS e ON e.key = hits.key JOIN conversations AS c ON c.number = hits.conversation
        ORDER BY c.changed DESC, c.number DESC, e.number""",
        {"query": full_text_query(wanted), "owner": owner_key(owner), "count": count},
    )
    found = []
    for ident, title, number, line in rows:
        question, answer = (_excerpt(part, wanted) for part in said(line))
        found.append(Found(ident, title, number, question, answer))
    return tuple(found)


def _excerpt(text: str, wanted: Sequence[Sequence[str]]) -> Excerpt:
    spans = places(text, wanted)
    start, end = window(text, spans[0][0] if spans else 0)
    shown = tuple((first - start, min(last, end) - start) for first, last in spans if start <= first < end)
    return Excerpt(text[start:end], shown, begins=start == 0, ends=end == len(text))
