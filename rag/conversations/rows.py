"""Rows ↔ conversations, exchanges and the articles' texts."""

import hashlib
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rag.conversations.listing import as_time
from rag.conversations.packing import is_alive, unpacked
from rag.conversations.trouble import damaged
from rag.errors import InputError
from rag.exchanges import Conversation, Exchange, Feedback, Vote

_TEXT = ("utf-8", "surrogatepass")


def keep_text(connection: sqlite3.Connection, text: str) -> int:
    """The number under which a text is kept, once however often it is used."""
    content = text.encode(*_TEXT)
    digest = hashlib.sha256(content).digest()
    found = connection.execute("SELECT number FROM texts WHERE hash = ?", (digest,)).fetchone()
    if found:
        return int(found[0])
    added = connection.execute("INSERT INTO texts (hash, packed) VALUES (?, ?)", (digest, zlib.compress(content)))
    return int(added.lastrowid or 0)


def read_conversation(connection: sqlite3.Connection, database: Path, row: int) -> Conversation:
    """The whole conversation of a row. Raises RagError where what is kept of it can't be made sense of."""
    ident, title, began, changed, token, copy_of = connection.execute(
        "SELECT id, title, began, changed, token, copy_of FROM conversations WHERE number = ?", (row,)
    ).fetchone()
    rows = connection.execute(
        "SELECT number, outcome, answerer, vote, reason FROM exchanges WHERE conversation = ? ORDER BY number", (row,)
    ).fetchall()
    texts: dict[int, str] = {}
    with _making_sense(database):
        exchanges = tuple(_exchange(connection, texts, *about) for *about, _, _ in rows)
        feedback = {number: Feedback(Vote(vote), reason) for number, _, _, vote, reason in rows if vote}
    return Conversation(
        id="" if copy_of else ident,
        title=title,
        began=as_time(began),
        changed=as_time(changed),
        exchanges=exchanges,
        feedback=feedback,
        token=None if copy_of else token,
    )


def read_exchange(connection: sqlite3.Connection, database: Path, row: int, number: int) -> Exchange:
    """Raises InputError where the conversation has none with this number, and as `read_conversation` does."""
    found = connection.execute(
        "SELECT number, outcome, answerer FROM exchanges WHERE conversation = ? AND number = ?", (row, number)
    ).fetchone()
    if found is None:
        raise InputError(f"The conversation has no exchange {number} any more.")
    with _making_sense(database):
        return _exchange(connection, {}, *found)


def _exchange(
    connection: sqlite3.Connection, texts: dict[int, str], number: int, line: str, answerer: str | None
) -> Exchange:
    return unpacked(number, line, is_alive(answerer), partial(_text, connection, texts))


def _text(connection: sqlite3.Connection, texts: dict[int, str], number: int) -> str:
    """The text kept under a number; `texts` are those read before, so that exchanges have them in common."""
    if number not in texts:
        (content,) = connection.execute("SELECT packed FROM texts WHERE number = ?", (number,)).fetchone()
        texts[number] = zlib.decompress(content).decode(*_TEXT)
    return texts[number]


@contextmanager
def _making_sense(database: Path) -> Iterator[Any]:
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, zlib.error) as error:
        raise damaged(database, f"an exchange in it can't be read: {error!r}") from error
