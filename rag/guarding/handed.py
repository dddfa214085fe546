"""Files that the page made for a reader, such as exports, answers and reports: served to that reader by a token.

They are kept in memory, read or made when they are asked for, and forgotten with the running page.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from rag.errors import RagError
from rag.guarding.files import contents

MOST = 1_000
"""Files remembered, over all readers; the one handed out longest ago makes room."""
MOST_BYTES = 200_000_000
"""Of all files in memory together; the oldest make room."""
MAX_BYTES = 100_000_000
"""Of one file."""

TOKEN_PATTERN = r"[A-Za-z0-9_-]{43}"  # noqa: S105 - what a token looks like  # nosec B105


Content: TypeAlias = bytes | Path | Callable[[], bytes]
"""A file, where it lies, or what makes it."""


@dataclass(frozen=True, slots=True)
class HandedFile:
    """What is sent."""

    name: str
    """As the reader's browser saves it; in any letters."""
    data: bytes
    content_type: str
    policy: str
    """The Content-Security-Policy under which a browser may show it; empty where it may only save it."""


@dataclass(frozen=True, slots=True)
class _Kept:
    reader: str | None
    name: str
    content: Content
    content_type: str
    policy: str

    @property
    def size(self) -> int:
        """Bytes of memory it takes."""
        return len(self.content) if isinstance(self.content, bytes) else 0


class Handed:
    """What was handed to each reader. Safe to use from several threads.

    >>> handed = Handed()
    >>> token = handed.put(None, "answers.csv", b"question,answer", "text/csv")  # the page links to handed/TOKEN
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0

    def put(self, reader: str | None, name: str, content: Content, content_type: str, policy: str = "") -> str:
        """Hand a file to `reader`, or to everybody who knows the token where None stands for no login.

        A path is read, and a function called, each time the file is asked for. With a `policy`, a
        Content-Security-Policy such as `document_policy` makes, a browser shows the file; without one it saves it.
        Returns the token under which the page serves it. Raises RagError when it is too large.
        """
        kept = _Kept(reader, name, content, content_type, policy)
        if kept.size > MAX_BYTES:
            raise RagError(
                f"{name} has {kept.size:,} bytes, more than the {MAX_BYTES:,} that the page hands out. Make it with "
                "the `rag` command instead."
            )
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._kept[token] = kept
            self._bytes += kept.size
            while len(self._kept) > MOST or self._bytes > MOST_BYTES:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= oldest.size
        return token

    def holds(self, token: str) -> bool:
        """Whether the file hasn't been forgotten."""
        with self._lock:
            return token in self._kept

    def file(self, reader: str | None, token: str) -> HandedFile | None:
        """None where it wasn't handed to this reader, was forgotten, or can't be read or made any more."""
        with self._lock:
            kept = self._kept.get(token)
        if kept is None or kept.reader != reader:
            return None
        data = _data(kept.content)
        return None if data is None else HandedFile(kept.name, data, kept.content_type, kept.policy)


def _data(content: Content) -> bytes | None:
    if isinstance(content, bytes):
        return content
    if isinstance(content, Path):
        return contents(content, MAX_BYTES)
    try:
        return content()
    except RagError:
        return None
