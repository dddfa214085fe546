"""Lists of articles for somebody who looks for one: a page at a time, by what is being typed."""

import json
import re
import sqlite3
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from rag.index.schema import LATER_COLUMNS
from rag.index.words import MOST_WORDS

SHORTEST = 3
"""Letters that a word needs to be taken for an unfinished one: with fewer, most texts have one that begins so."""

_WORD = re.compile(r"[^\W_]+")
_NOTHING = '""'
"""A query of FTS5 that matches nothing."""
_ENTRIES = """
    SELECT count(*) OVER (), id, title, source, published, {part},
        (SELECT count(*) FROM chunks WHERE document = documents.number)
    FROM documents
    WHERE (:only IS NULL OR id IN (SELECT value FROM json_each(:only)))
    AND (:files IS NULL
        OR source IN (SELECT value FROM json_each(:files))
        OR {part} != '' AND substr(source, 1, length(source) - length({part}) - 1) IN (
            SELECT value FROM json_each(:files)
        )
    )
    AND (NOT EXISTS (
            SELECT 1 FROM json_each(:typed) WHERE NOT instr(folded(title, source, coalesce(author, '')), value)
        )
        OR number IN (SELECT document FROM chunks WHERE number IN (SELECT rowid FROM words WHERE words MATCH :match))
    )
    ORDER BY title COLLATE NOCASE, id LIMIT :most OFFSET :after"""


@dataclass(frozen=True, slots=True)
class Entry:
    """An article in a list."""

    id: str
    title: str
    source: str
    published: str | None
    part: str
    """See `Document.part`."""
    chunks: int

    @property
    def file(self) -> str:
        """See `Document.file`."""
        return self.source.removesuffix(f"#{self.part}") if self.part else self.source


@dataclass(frozen=True, slots=True)
class Found:
    """A stretch of a list."""

    entries: tuple[Entry, ...]
    total: int
    """How many the whole list has."""


def find_entries(
    connection: sqlite3.Connection,
    schema: int,
    typed: str,
    only: Iterable[str] | None,
    files: Iterable[str] | None,
    after: int,
    most: int,
) -> Found:
    """See `Snapshot.entries`. Raises what sqlite3 raises."""
    part, _, _ = LATER_COLUMNS[schema]
    connection.create_function("folded", 3, _folded, deterministic=True)
    words = [fold(word) for word in typed.split()][:MOST_WORDS]
    values = {
        "only": None if only is None else json.dumps(list(only)),
        "files": None if files is None else json.dumps(list(files)),
        "typed": json.dumps(words),
        "match": _beginning_with(typed),
        "most": most,
        "after": after,
    }
    rows = connection.execute(_ENTRIES.format(part=part), values).fetchall()
    if not rows and after:
        return find_entries(connection, schema, typed, only, files, 0, most)
    return Found(tuple(Entry(*row[1:]) for row in rows), rows[0][0] if rows else 0)


def _beginning_with(typed: str) -> str:
    """For FTS5: all the words, a long last one perhaps unfinished. `tiktok micro` → `"tiktok" "micro"*`."""
    words = _WORD.findall(unicodedata.normalize("NFC", typed).lower())[:MOST_WORDS]
    if not words:
        return _NOTHING
    return " ".join(f'"{word}"' for word in words) + ("*" if len(words[-1]) >= SHORTEST else "")


def fold(text: str) -> str:
    """As two texts that differ in the case of letters alone are compared."""
    return unicodedata.normalize("NFC", text).casefold()


def _folded(*texts: str) -> str:
    return fold(" ".join(texts))
