"""Read-only copies of conversations, each opened by a token that can't be guessed."""

import secrets
import sqlite3

from rag.conversations.listing import now, writable
from rag.conversations.packing import is_alive, settled
from rag.errors import InputError


def new_id() -> str:
    """Of a conversation: 16 hex digits, which are no secret."""
    return secrets.token_hex(8)


def share(connection: sqlite3.Connection, row: int) -> str:
    """See `Conversations.share`. Raises InputError where there is nothing to share yet."""
    (before,) = connection.execute("SELECT token FROM conversations WHERE number = ?", (row,)).fetchone()
    token = before or secrets.token_urlsafe(32)
    connection.execute("DELETE FROM conversations WHERE copy_of = ?", (row,))
    copy = connection.execute(
        """INSERT INTO conversations (id, owner, title, began, changed, copy_of)
        SELECT ?, owner, title, began, ?, number FROM conversations WHERE number = ?""",
        (new_id(), now(), row),
    ).lastrowid
    exchanges = connection.execute(
        "SELECT key, number, outcome, answerer FROM exchanges WHERE conversation = ?", (row,)
    ).fetchall()
    finished = [(key, number, settled(line)) for key, number, line, answerer in exchanges if not is_alive(answerer)]
    if not finished:
        raise InputError("There is no answer to share yet. Share the conversation when one is finished.")
    for key, number, line in finished:
        copied = connection.execute(
            "INSERT INTO exchanges (conversation, number, outcome) VALUES (?, ?, ?)", (copy, number, line)
        ).lastrowid
        connection.execute(
            "INSERT INTO uses (exchange, text) SELECT ?, text FROM uses WHERE exchange = ?", (copied, key)
        )
    connection.execute("UPDATE conversations SET token = ? WHERE number = ?", (token, row))
    return str(token)


def withdraw(connection: sqlite3.Connection, row: int) -> None:
    """See `Conversations.withdraw`."""
    connection.execute("DELETE FROM conversations WHERE copy_of = ?", (row,))
    connection.execute("UPDATE conversations SET token = NULL WHERE number = ?", (row,))


def copy_behind(connection: sqlite3.Connection, token: str) -> int:
    """The row of the copy. Raises InputError where no conversation is shared by this token."""
    found = connection.execute(
        "SELECT copy.number FROM conversations AS shared JOIN conversations AS copy ON copy.copy_of = shared.number"
        " WHERE shared.token = ?",
        (writable(token),),
    ).fetchone()
    if found is None:
        raise InputError("This link opens no conversation, or it was withdrawn. Ask whoever sent it for another.")
    return int(found[0])
