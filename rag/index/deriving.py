"""The vector files a writer leaves with each commit, derived from the embeddings in SQLite.

A small library has one file of all its vectors, written anew each time. A large one has a segment that many commits
share (see `rag.index.layered`): a commit writes no file at all until enough has come or gone since, and then a segment
with the same clusters, in time to a plain copy. The clusters are learned anew when the library has doubled.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.index.reading import all_vectors, embeddings
from rag.index.schema import Base, Manifest, vectors_file
from rag.index.segment import DamagedSegment, Segment, make_segment
from rag.index.vectors import FlatVectors
from rag.late import Late
from rag.types import Ids, Vectors

if TYPE_CHECKING:
    import numpy as np
else:
    np = Late("numpy")


@dataclass(frozen=True, slots=True)
class Growth:
    """When a library is large, and when its segment is made anew."""

    exact_bytes: int = 48 << 20
    """Of all vectors: up to this the exact search of all takes some milliseconds. 32,768 of length 384."""
    tail_share: float = 0.01
    """Of the segment: what may be added before it is made anew."""
    least_tail: int = 4096
    most_tail: int = 16_384
    """Vectors: more of them are slower to compare than the segment is to search."""
    gone_share: float = 0.1
    """Of the segment: what may be removed before it is made anew."""

    def is_large(self, vectors: int, dimension: int, was_large: bool) -> bool:
        """A library that has become large is small again at half that size."""
        return vectors * dimension * 4 > (self.exact_bytes // 2 if was_large else self.exact_bytes)

    def is_outgrown(self, segment: Segment, later: int, gone: int) -> bool:
        """Whether this much was added or removed since that the segment should be made anew."""
        tail = min(max(int(self.tail_share * len(segment)), self.least_tail), self.most_tail)
        return later > tail or gone > self.gone_share * len(segment)


GROWTH = Growth()


class Derived:
    """What a writer keeps of the vectors from one commit to the next."""

    def __init__(self, database: Path, growth: Growth) -> None:
        self._database = database
        self._folder = database.parent
        self._growth = growth
        self._flat: FlatVectors | None = None
        self._segment: Segment | None = None
        self._anew = False

    def start_anew(self) -> None:
        """Let the next commit derive everything from the embeddings."""
        self._flat = self._segment = None
        self._anew = True

    def write(self, connection: sqlite3.Connection, old: Manifest, new: Manifest, gone: Ids, after: int) -> Manifest:
        """Leave the files that the state `new` needs beside those of `old`, and return it with its base.

        Since `old` the vectors with the numbers `gone` were removed, and those above `after` were added. Raises OSError
        and DamagedDatabase, and what sqlite3 raises.
        """
        (count,) = connection.execute("SELECT count(*) FROM embeddings").fetchone()
        was_large = old.base is not None
        if not self._growth.is_large(count, new.identity.dimension, was_large):
            new, self._segment = replace(new, base=None), None
            self._flat = self._next_flat(connection, old, gone, after)
            self._flat.save(vectors_file(self._folder, new), new.stamp)
        else:
            self._flat = None
            new = self._with_segment(connection, old, new, count)
        self._anew = False
        return new

    def _next_flat(self, connection: sqlite3.Connection, old: Manifest, gone: Ids, after: int) -> FlatVectors:
        """The committed vectors with the changes since applied, or all built anew where their file is no good."""
        dimension = old.identity.dimension
        store = self._flat
        if store is None and not self._anew and old.base is None:
            store = FlatVectors.load(vectors_file(self._folder, old), old.stamp, dimension)
        if store is None:
            return all_vectors(connection, self._database, dimension)
        store.remove(gone)
        for numbers, vectors in embeddings(connection, self._database, dimension, after):
            store.add(numbers, vectors)
        (expected,) = connection.execute("SELECT count(*) FROM chunks").fetchone()
        return store if len(store) == expected else all_vectors(connection, self._database, dimension)

    def _with_segment(self, connection: sqlite3.Connection, old: Manifest, new: Manifest, count: int) -> Manifest:
        kept = self._kept(old)
        segment = None
        if kept is not None and old.base is not None and kept.learned // 4 <= count <= 2 * kept.learned:
            (later,) = connection.execute("SELECT count(*) FROM chunks WHERE number > ?", (old.base.last,)).fetchone()
            if not self._growth.is_outgrown(kept, later, gone=len(kept) + later - count):
                self._segment = kept
                return replace(new, base=old.base)
            segment = self._renewed(connection, kept, old.base)
        if segment is None:
            segment = make_segment(lambda: self._stream(connection, new), count)
        (last,) = connection.execute("SELECT max(chunk) FROM embeddings").fetchone()
        new = replace(new, base=Base(new.generation, new.stamp, last))
        segment.save(vectors_file(self._folder, new), new.stamp)
        self._segment = segment
        return new

    def _kept(self, old: Manifest) -> Segment | None:
        if self._segment is not None or self._anew or old.base is None:
            return self._segment
        return Segment.open(vectors_file(self._folder, old), old.base.stamp, old.identity.dimension)

    def _renewed(self, connection: sqlite3.Connection, kept: Segment, base: Base) -> Segment | None:
        numbers = connection.execute("SELECT number FROM chunks WHERE number <= ?", (base.last,))
        alive = np.fromiter((number for (number,) in numbers), dtype=np.int64)
        try:
            return kept.renewed(alive, embeddings(connection, self._database, kept.dimension, base.last))
        except DamagedSegment:
            return None

    def _stream(self, connection: sqlite3.Connection, manifest: Manifest) -> Iterator[tuple[Ids, Vectors]]:
        return embeddings(connection, self._database, manifest.identity.dimension)
