"""What indexing does to the disk, step by step, and what can be made to happen before any of the steps.

`work` brings a library up to date with a folder in which one article is new, one changed, one moved and one gone.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rag.index.files import Checksummed
from rag.indexing import index_paths
from tests.fakes import WordEmbedder
from tests.index.large import ALWAYS, SMALL
from tests.index.shelf import IDENTITY

STORY = "The harbour of Varel opened again on Monday after four years of work. It cost three million marks in all."
OLD = {
    "tea.md": "# Tea\n\nTea grows.",
    "salt.md": "# Salt\n\nSalt dries.",
    "iron.md": "# Iron\n\nIron rusts.",
    "a.md": STORY,
}
NEW = {
    "tea.md": "# Tea\n\nTea is picked.",
    "may/salt.md": OLD["salt.md"],
    "wood.md": "# Wood\n\nIt floats.",
    "a.md": STORY,
    "b.md": STORY,
}

LARGE = "large"
"""File beside a library that is to be treated as a large one."""

Step = Callable[[str], object]
"""Called before each step with what it is; may raise, or end the process."""


def write(folder: Path, articles: dict[str, str]) -> Path:
    for name, text in articles.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def prepare(place: Path, *, large: bool = False) -> Path:
    """`place`/index holds the library of OLD, and `place`/news the articles of NEW.

    A `large` one has a segment, which the work makes anew.
    """
    news = write(place / "news", OLD)
    if large:
        (place / "index").mkdir()
        (place / "index" / LARGE).touch()
    work(place)
    for name in OLD.keys() - NEW.keys():
        (news / name).unlink()
    write(news, NEW)
    return place


def work(place: Path) -> None:
    growth = ALWAYS if (place / "index" / LARGE).exists() else SMALL
    with patch("rag.index.writing.GROWTH", growth):
        index_paths([place / "news"], place / "index", IDENTITY, WordEmbedder())


@contextmanager
def steps(before: Step) -> Iterator[None]:
    """Have `before` called before every statement that SQLite is given to write, and every call that changes a file."""

    class Connection(sqlite3.Connection):
        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            if not statement.lstrip().startswith(("SELECT", "PRAGMA")):
                before(statement.split("(")[0].strip())
            return super().execute(statement, *values)

        def executemany(self, statement: str, *values: Any) -> sqlite3.Cursor:
            before(statement.split("(")[0].strip())
            return super().executemany(statement, *values)

    def noted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*given: Any, **named: Any) -> Any:
            before(name)
            return call(*given, **named)

        return stepped

    with (
        patch("sqlite3.connect", partial(sqlite3.connect, factory=Connection)),
        patch("os.fsync", noted("fsync", os.fsync)),
        patch.object(Path, "replace", noted("replace", Path.replace)),
        patch.object(Path, "unlink", noted("unlink", Path.unlink)),
        patch.object(Checksummed, "__call__", noted("write", Checksummed.__call__)),
    ):
        yield


class At:
    """A `Step` that does something before the step with a certain number, counted from 0."""

    def __init__(self, number: int, then: Step) -> None:
        self.number = number
        self.names: list[str] = []
        self._then = then

    def __call__(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) == self.number + 1:
            self._then(name)


def all_steps(place: Path) -> list[str]:
    """What `work` does, in its order."""
    at = At(-1, lambda _: None)
    with steps(at):
        work(place)
    return at.names
