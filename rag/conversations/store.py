"""`Conversations`: all that a page does with those that are saved."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from rag.conversations import sharing
from rag.conversations.database import Database
from rag.conversations.listing import (
    LONGEST_NAME,
    Listed,
    Owner,
    list_conversations,
    now,
    number_of,
    one_line,
    owner_key,
    title_from,
    writable,
)
from rag.conversations.packing import packed, said, this_process
from rag.conversations.rows import keep_text, read_conversation, read_exchange
from rag.conversations.searching import Found, search
from rag.conversations.words import searchable
from rag.errors import InputError
from rag.exchanges import Conversation, Draft, Exchange, Feedback, Outcome

LONGEST_REASON = 2000
"""Characters kept of what a reader says about an answer."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an outcome belongs."""

    conversation: str
    number: int
    key: int
    """Of the row; no other exchange ever has it, not even one that takes this one's place."""


class Conversations:
    """The conversations saved in a folder; nothing is written there before the first.

    Safe to use from several threads at once. Every method raises RagError where the file can't be used, DiskFull where
    there is no room, and InputError where the owner has no such conversation, be there one of another owner's or not.
    """

    def __init__(self, folder: Path) -> None:
        self._database = Database(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Safe to call twice, and not the end: what is used again is opened again."""
        self._database.close()

    def ask(
        self,
        owner: str,
        question: str,
        draft: Draft,
        conversation: str | None = None,
        number: int | None = None,
    ) -> Place:
        """Save a question whose answer is on its way.

        It begins a conversation, or goes on with one; with `number` it takes the place of that exchange and of all
        that follow it.
        """
        with self._database.writing() as connection:
            if conversation is None:
                conversation = _begin(connection, owner)
            row = number_of(connection, owner, conversation)
            if number is not None:
                _truncate(connection, row, number)
            (last,) = connection.execute(
                "SELECT ifnull(max(number), 0) FROM exchanges WHERE conversation = ?", (row,)
            ).fetchone()
            key = connection.execute(
                "INSERT INTO exchanges (conversation, number, outcome) VALUES (?, ?, '')", (row, last + 1)
            ).lastrowid
            assert key is not None  # noqa: S101  # nosec B101  an INSERT has just set it
            _write(connection, key, question, draft)
            connection.execute("UPDATE conversations SET changed = ? WHERE number = ?", (now(), row))
            if last == 0:
                connection.execute(
                    "UPDATE conversations SET title = ? WHERE number = ? AND NOT renamed", (title_from(question), row)
                )
        return Place(conversation, last + 1, key)

    def record(self, place: Place, outcome: Outcome) -> bool:
        """Save what has come of a question so far; False where it isn't in its conversation any more.

        A draft is read as one that was stopped as soon as the process that recorded it has ended.
        """
        with self._database.writing() as connection:
            found = connection.execute("SELECT outcome FROM exchanges WHERE key = ?", (place.key,)).fetchone()
            if found is None:
                return False
            question, _ = said(found[0])
            _write(connection, place.key, question, outcome)
            if not isinstance(outcome, Draft):
                connection.execute(
                    """UPDATE conversations SET changed = ?
                    WHERE number = (SELECT conversation FROM exchanges WHERE key = ?)""",
                    (now(), place.key),
                )
        return True

    def truncate(self, owner: Owner, conversation: str, number: int) -> None:
        """Drop the exchange with this number and all that follow it."""
        with self._database.writing() as connection:
            _truncate(connection, number_of(connection, owner, conversation), number)

    def listed(self, owner: Owner, count: int = 50, after: Listed | None = None) -> tuple[Listed, ...]:
        """The conversations that changed last, `count` at most; with `after`, those that follow this one."""
        with self._database.reading() as connection:
            return list_conversations(connection, owner, count, after)

    def read(self, owner: Owner, conversation: str) -> Conversation:
        """The conversation as it was shown, with the articles as they were."""
        with self._database.reading() as connection:
            row = number_of(connection, owner, conversation)
            return read_conversation(connection, self._database.path, row)

    def read_exchange(self, owner: Owner, conversation: str, number: int) -> Exchange:
        """One exchange, such as one that was being answered a moment ago."""
        with self._database.reading() as connection:
            row = number_of(connection, owner, conversation)
            return read_exchange(connection, self._database.path, row, number)

    def rename(self, owner: Owner, conversation: str, title: str) -> None:
        """Give another title. Raises InputError for an empty one and one longer than `LONGEST_NAME`."""
        title = one_line(title)
        if not 0 < len(title) <= LONGEST_NAME:
            raise InputError(f"A title has 1 to {LONGEST_NAME} characters.")
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE conversations SET title = ?, renamed = 1 WHERE number = ?",
                (title, number_of(connection, owner, conversation)),
            )

    def delete(self, owner: Owner, conversation: str) -> None:
        """Delete a conversation and its shared copy, also from the disk."""
        with self._database.writing() as connection:
            row = number_of(connection, owner, conversation)
            connection.execute("DELETE FROM conversations WHERE number = ?", (row,))
        self._database.forget_deleted()

    def delete_all(self, owner: Owner) -> int:
        """Delete all that the owner has, also from the disk. Returns how many there were."""
        with self._database.writing() as connection:
            deleted = connection.execute(
                "DELETE FROM conversations WHERE copy_of IS NULL AND owner = ifnull(?, owner)", (owner_key(owner),)
            ).rowcount
        if deleted:
            self._database.forget_deleted()
        return deleted

    def search(self, owner: Owner, wanted: str, count: int = 50) -> tuple[Found, ...]:
        """Exchanges that hold all words of `wanted`, or words that begin like them; newest first."""
        with self._database.reading() as connection:
            return search(connection, owner, wanted, count)

    def rate(self, owner: Owner, conversation: str, number: int, feedback: Feedback | None) -> None:
        """Save what a reader thinks of an answer; None takes it back."""
        vote = str(feedback.vote) if feedback else None
        reason = writable(feedback.reason.strip())[:LONGEST_REASON] if feedback else None
        with self._database.writing() as connection:
            row = number_of(connection, owner, conversation)
            rated = connection.execute(
                "UPDATE exchanges SET vote = ?, reason = ? WHERE conversation = ? AND number = ?",
                (vote, reason, row, number),
            )
            if not rated.rowcount:
                raise InputError(f"The conversation has no exchange {number} to say something about.")

    def share(self, owner: Owner, conversation: str) -> str:
        """The token that opens a copy of the conversation as it is now, without votes and unfinished answers.

        Shared before, it keeps its token, and the copy becomes what the conversation is now.
        """
        with self._database.writing() as connection:
            return sharing.share(connection, number_of(connection, owner, conversation))

    def withdraw(self, owner: Owner, conversation: str) -> None:
        """Make its token open nothing any more, for good; does nothing where it isn't shared."""
        with self._database.writing() as connection:
            sharing.withdraw(connection, number_of(connection, owner, conversation))

    def read_shared(self, token: str) -> Conversation:
        """The copy that a token opens. Raises InputError for any other text."""
        with self._database.reading() as connection:
            return read_conversation(connection, self._database.path, sharing.copy_behind(connection, token))


def _begin(connection: sqlite3.Connection, owner: str) -> str:
    ident = sharing.new_id()
    time = now()
    connection.execute(
        "INSERT INTO conversations (id, owner, title, began, changed) VALUES (?, ?, '', ?, ?)",
        (ident, owner_key(owner), time, time),
    )
    return ident


def _truncate(connection: sqlite3.Connection, row: int, number: int) -> None:
    connection.execute("DELETE FROM exchanges WHERE conversation = ? AND number >= ?", (row, number))


def _write(connection: sqlite3.Connection, key: int, question: str, outcome: Outcome) -> None:
    """Put an outcome in the place of the one before it, with its words and the texts it uses."""
    kept: set[int] = set()

    def keep(text: str) -> int:
        kept.add(number := keep_text(connection, text))
        return number

    line = packed(question, outcome, keep)
    connection.execute(
        "UPDATE exchanges SET outcome = ?, answerer = ? WHERE key = ?",
        (line, this_process() if isinstance(outcome, Draft) else None, key),
    )
    before = {text for (text,) in connection.execute("SELECT text FROM uses WHERE exchange = ?", (key,))}
    connection.executemany("INSERT INTO uses (exchange, text) VALUES (?, ?)", [(key, text) for text in kept - before])
    connection.executemany("DELETE FROM uses WHERE exchange = ? AND text = ?", [(key, text) for text in before - kept])
    question, answer = said(line)
    connection.execute(
        "INSERT OR REPLACE INTO words (rowid, question, answer) VALUES (?, ?, ?)",
        (key, searchable(question), searchable(answer)),
    )
