"""Saved conversations: one SQLite file, in which every owner sees only their own.

An owner is an opaque text: the random key of a browser, or the name of a user. Any number of threads and processes may
use the same file.

    store     saving, reading, listing, feedback: `Conversations`
    sharing   read-only copies that a token opens
    searching what is found in questions and answers
    words     text → words to search for, and where they stand in it
    packing   outcomes ↔ JSON, with the articles' texts apart
    database  the file: connections, transactions
    schema    its tables
    trouble   what SQLite and the system report, in a user's words
"""

from rag.conversations.database import FILE
from rag.conversations.listing import EVERYONE, Listed, Owner
from rag.conversations.searching import Excerpt, Found
from rag.conversations.store import Conversations, Place

__all__ = ["EVERYONE", "FILE", "Conversations", "Excerpt", "Found", "Listed", "Owner", "Place"]
