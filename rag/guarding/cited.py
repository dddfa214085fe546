"""The files behind citations: served by the id of the document, to who has seen it cited, and never by path.

What is sent is what was indexed, to the byte: a file that has changed since, or whose path by now leads elsewhere, has
another hash and stays where it is.
"""

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from rag.guarding.files import contents, harmless
from rag.types import Document

MOST = 10_000
"""Documents remembered as cited, over all readers; the one cited longest ago makes room."""
MAX_BYTES = 100_000_000
"""Of a file, as much as an article may have."""

SHOWN = {".pdf": "application/pdf", ".txt": "text/plain; charset=utf-8", ".md": "text/plain; charset=utf-8"}
"""What a browser may show, by suffix. Everything else, HTML first of all, it may only save."""

DOCUMENT_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class CitedFile:
    """What is sent."""

    data: bytes
    content_type: str
    name: str
    """The file's own, in harmless characters."""
    shown: bool
    """Whether the browser may show it, else it may only save it."""


@dataclass(frozen=True, slots=True)
class _Place:
    path: Path
    content_hash: str
    source: str


class Cited:
    """What each reader has seen cited."""

    def __init__(self, may_read: Callable[[str | None, str], bool] = lambda _reader, _source: True) -> None:
        """`may_read` tells at each moment whether a reader may read the article with a `Document.source`."""
        self._may_read = may_read
        self._lock = threading.Lock()
        self._places: OrderedDict[tuple[str | None, str], _Place] = OrderedDict()

    def note(self, reader: str | None, documents: Iterable[Document]) -> None:
        """`reader` has seen these cited. None stands for everybody, where there is no login."""
        with self._lock:
            for document in documents:
                key = (reader, document.id)
                self._places[key] = _Place(Path(document.file), document.content_hash, document.source)
                self._places.move_to_end(key)
            while len(self._places) > MOST:
                self._places.popitem(last=False)

    def file(self, reader: str | None, document_id: str) -> CitedFile | None:
        """None where the reader hasn't seen it cited or may no longer read it, or it isn't what was indexed."""
        with self._lock:
            place = self._places.get((reader, document_id))
        if place is None or not place.path.is_absolute() or not self._may_read(reader, place.source):
            return None
        data = contents(place.path, MAX_BYTES)
        if data is None or hashlib.sha256(data).hexdigest() != place.content_hash:
            return None
        content_type = SHOWN.get(place.path.suffix.lower())
        return CitedFile(
            data, content_type or "application/octet-stream", harmless(place.path.name), content_type is not None
        )
