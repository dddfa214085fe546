"""Whose conversations there are, newest first."""

import re
import sqlite3
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TypeAlias

from rag.errors import InputError

TITLE_LENGTH = 60
"""Characters of a title that is made from a question, at most."""
LONGEST_NAME = 200
"""Characters of a title that was given, and of an owner."""


class Everyone(Enum):
    """All owners at once, for whoever runs Citeline."""

    EVERYONE = "everyone"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = 2**62
"""Later than all times."""

EVERYONE = Everyone.EVERYONE
Owner: TypeAlias = str | Everyone


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation in a list."""

    id: str
    title: str
    changed: datetime
    """When the last question was asked or answered, in UTC."""
    count: int
    """Of exchanges."""
    shared: bool
    number: int
    """Of the row; with `changed` it is the place in the list."""


def owner_key(owner: Owner) -> str | None:
    """What the owner's conversations are found by; None for everyone's. Raises InputError for a text that names nobody.

    An empty one would make strangers share their conversations.
    """
    if isinstance(owner, Everyone):
        return None
    try:
        owner.encode()
    except UnicodeEncodeError:
        owner = ""
    if not 0 < len(owner) <= LONGEST_NAME:
        raise InputError(f"An owner of conversations is a text of 1 to {LONGEST_NAME} characters.")
    return owner


def list_conversations(
    connection: sqlite3.Connection, owner: Owner, count: int, after: Listed | None
) -> tuple[Listed, ...]:
    """See `Conversations.listed`."""
    last = ((after.changed - _EPOCH) // timedelta(microseconds=1), after.number) if after else (_NEVER, 0)
    rows = connection.execute(
        """SELECT id, title, changed, (SELECT count(*) FROM exchanges WHERE conversation = c.number),
            token IS NOT NULL, number
        FROM conversations AS c
        WHERE copy_of IS NULL AND owner = ifnull(:owner, owner) AND (changed, number) < (:changed, :number)
        ORDER BY changed DESC, number DESC LIMIT :count""",
        {"owner": owner_key(owner), "changed": last[0], "number": last[1], "count": count},
    )
    return tuple(
        Listed(ident, title, as_time(changed), exchanges, bool(shared), number)
        for ident, title, changed, exchanges, shared, number in rows
    )


def number_of(connection: sqlite3.Connection, owner: Owner, ident: str) -> int:
    """The row of a conversation. Raises InputError where the owner has none with this id."""
    found = connection.execute(
        "SELECT number FROM conversations WHERE id = ? AND copy_of IS NULL AND owner = ifnull(?, owner)",
        (writable(ident), owner_key(owner)),
    ).fetchone()
    if found is None:
        raise InputError(
            f"There is no conversation {ident!r}, or it was deleted. `rag conversations list` names those there are."
        )
    return int(found[0])


def title_from(question: str, length: int = TITLE_LENGTH) -> str:
    """The question on one line, cut between words.

    >>> title_from("What does the ferry to Dangast cost on a Sunday?", 24)
    'What does the ferry to …'
    """
    line = one_line(question)
    if len(line) <= length:
        return line
    cut = line[: length - 1]
    whole_words = cut.rpartition(" ")[0]
    return f"{whole_words} …" if whole_words else f"{cut}…"


def one_line(text: str) -> str:
    """Without line ends, control characters and what SQLite can't hold."""
    return " ".join(re.sub("[\x00-\x1f\x7f-\x9f]", " ", writable(text)).split())


def writable(text: str) -> str:
    """With U+FFFD for halves of surrogate pairs, which have no UTF-8."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def now() -> int:
    """Microseconds since 1970, as all times are kept."""
    return time.time_ns() // 1000


def as_time(microseconds: int) -> datetime:
    """In UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)
