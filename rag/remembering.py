"""An embedder that reads no text closely twice: a question that was typed, regenerated or followed up finds most of its
passages read already."""

import threading
from collections.abc import Sequence
from typing import TypeAlias

from cachetools import LRUCache

from rag.types import Embedder, Progress, Vectors

ROOM = 128 * 2**20
"""Bytes for what was read: some 500 chunks of the default size, or the twelve best of forty questions."""
QUESTIONS = 256

Pieces: TypeAlias = tuple[Vectors, list[tuple[int, int]]]


class Remembering:
    """Implements `rag.types.Embedder` with another one, whose vectors of questions and of word pieces it keeps.

    What was used last is kept longest. A text's vectors may differ in their last digits with the texts that it is read
    beside, so `forget` before what has to come out the same again. Safe to call from several threads.
    """

    def __init__(self, embedder: Embedder, room: int = ROOM) -> None:
        """`room` in bytes."""
        self._embedder = embedder
        self._lock = threading.Lock()
        self._asked: LRUCache[str, Vectors] = LRUCache(QUESTIONS)
        self._read: LRUCache[str, Pieces] = LRUCache(room, getsizeof=_size)

    @classmethod
    def around(cls, embedder: Embedder) -> "Remembering":
        """The embedder with a memory: its own, where it has one already."""
        return embedder if isinstance(embedder, cls) else cls(embedder)

    @property
    def name(self) -> str:
        """See `Embedder.name`; so those that follow."""
        return self._embedder.name

    @property
    def revision(self) -> str:
        return self._embedder.revision

    @property
    def dimension(self) -> int:
        return self._embedder.dimension

    @property
    def max_tokens(self) -> int:
        return self._embedder.max_tokens

    def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        return self._embedder.embed_passages(texts, progress)

    def embed_query(self, text: str) -> Vectors:
        with self._lock:
            known = self._asked.get(text)
        if known is None:
            known = self._embedder.embed_query(text)
            with self._lock:
                self._asked[text] = known
        return known

    def embed_tokens(self, texts: Sequence[str]) -> list[Pieces]:
        with self._lock:
            known = {text: self._read[text] for text in texts if text in self._read}
        if new := [text for text in dict.fromkeys(texts) if text not in known]:
            read = dict(zip(new, self._embedder.embed_tokens(new), strict=True))
            known |= read
            with self._lock:
                for text, pieces in read.items():
                    if _size(pieces) <= self._read.maxsize:
                        self._read[text] = pieces
        return [known[text] for text in texts]

    def count_tokens(self, text: str) -> int:
        return self._embedder.count_tokens(text)

    def forget(self) -> None:
        """Keep nothing of what was read."""
        with self._lock:
            self._asked.clear()
            self._read.clear()


def _size(pieces: Pieces) -> int:
    vectors, places = pieces
    return int(vectors.nbytes) + 128 * len(places)  # a pair of numbers and its place in the list
