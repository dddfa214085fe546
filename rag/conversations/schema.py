"""The tables of `conversations.sqlite`."""

import sqlite3
from pathlib import Path

from rag.conversations.trouble import damaged
from rag.errors import RagError

SCHEMA = 1
"""Kept as SQLite's `user_version`; raised by one with every change to the tables below."""

APPLICATION = 0x43697465
"""SQLite's `application_id`, by which a file is known for one of ours: "Cite"."""

TABLES = (
    # A copy is what a token opens: a conversation of its own that no listing shows.
    """CREATE TABLE conversations (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        owner TEXT NOT NULL,
        title TEXT NOT NULL,
        renamed INTEGER NOT NULL DEFAULT 0,
        began INTEGER NOT NULL,
        changed INTEGER NOT NULL,
        token TEXT UNIQUE,
        copy_of INTEGER UNIQUE REFERENCES conversations (number) ON DELETE CASCADE
    )""",
    "CREATE INDEX conversations_of_owner ON conversations (owner, changed)",
    # AUTOINCREMENT: a key is never given twice, so an answer can't end up in the exchange that took its place.
    """CREATE TABLE exchanges (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation INTEGER NOT NULL REFERENCES conversations (number) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        answerer TEXT,
        vote TEXT,
        reason TEXT,
        UNIQUE (conversation, number)
    )""",
    # The articles' texts, packed, each once however many passages come from it.
    "CREATE TABLE texts (number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, packed BLOB NOT NULL)",
    """CREATE TABLE uses (
        exchange INTEGER NOT NULL REFERENCES exchanges (key) ON DELETE CASCADE,
        text INTEGER NOT NULL REFERENCES texts (number),
        PRIMARY KEY (exchange, text)
    ) WITHOUT ROWID""",
    "CREATE INDEX uses_of_text ON uses (text)",
    """CREATE TRIGGER last_use AFTER DELETE ON uses
        WHEN NOT EXISTS (SELECT 1 FROM uses WHERE text = OLD.text)
        BEGIN DELETE FROM texts WHERE number = OLD.text; END""",
    # Already folded into words, so that the tokenizer only has to part them.
    """CREATE VIRTUAL TABLE words USING fts5 (
        question, answer, tokenize = "unicode61 remove_diacritics 0 categories 'L* N* M* Co'"
    )""",
    """CREATE TRIGGER unsaid AFTER DELETE ON exchanges
        BEGIN DELETE FROM words WHERE rowid = OLD.key; END""",
)


def create_tables(connection: sqlite3.Connection) -> None:
    """In an empty database, which can be read while it is written from then on."""
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    for statement in TABLES:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {SCHEMA}")
    connection.execute("COMMIT")


def check_schema(connection: sqlite3.Connection, database: Path) -> None:
    """Raises RagError where the tables are a newer version's, or none of ours. Raises what sqlite3 raises."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION or schema < 1:
        raise damaged(database, "it holds no conversations")
    if schema > SCHEMA:
        raise RagError(
            f"{database} was written by a newer Citeline (schema {schema}; this one reads {SCHEMA}). "
            "Update Citeline, or save conversations in another folder: RAG_CONVERSATIONS=FOLDER."
        )
