"""Search in a large library: an approximate segment, what was added since, and SQLite, which has the last word.

The segment never changes, so it may hold vectors whose chunks are gone, and lack those that came later. The later ones
are few and compared exactly. What both propose is looked up in SQLite by the same snapshot that everything else of the
answer comes from: whatever isn't there any more drops out, and scores are those of the exact vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

from rag.index.segment import Segment
from rag.index.vectors import FlatVectors
from rag.late import Late
from rag.types import Ids, Vectors

if TYPE_CHECKING:
    import numpy as np
else:
    np = Late("numpy")

Lookup: TypeAlias = Callable[[Ids], tuple[Ids, Vectors]]
"""Ids → those of them that there are, in whatever order, and a unit row for each."""

Ranked: TypeAlias = list[tuple[int, float]]
"""Pairs of id and inner product, best first, equal ones by id."""

SPARE = 8
"""Candidates looked up beyond those wanted, and a quarter more: codes may confuse neighbours of about equal scores."""
LOOKED_UP = 4096
"""Ids that are rather looked up one by one than looked for in the segment."""


class LayeredVectors:
    """What `VectorStore` asks of a search; unfiltered it is approximate, and among given ids exact.

    May be used as `lookup` may.
    """

    def __init__(self, segment: Segment, tail: FlatVectors, lookup: Lookup) -> None:
        self._segment = segment
        self._tail = tail
        self._lookup = lookup

    def search(self, query: Vectors, k: int, among: Ids | None = None) -> Ranked:
        """As `FlatVectors.search`. Raises DamagedSegment, and what the lookup raises."""
        if query.shape != (1, self._segment.dimension):
            raise ValueError(f"got a query of shape {query.shape}; wanted (1, {self._segment.dimension})")
        if k <= 0:
            return []
        return self._nearest(query, k) if among is None else self._among(query, k, np.unique(among))

    def _nearest(self, query: Vectors, k: int) -> Ranked:
        later = [number for number, _ in self._tail.search(query, k)]
        widened = 1
        while True:
            wanted = min((k + k // 4 + SPARE) * widened, len(self._segment))
            ids, _ = self._segment.nearest(query, wanted, widened)
            ranked = self._exactly(query, np.append(ids, np.array(later, dtype=np.int64)))
            if len(ranked) >= k or wanted == len(self._segment) == len(ids):
                return ranked[:k]
            widened *= 2  # much of what was found is gone

    def _among(self, query: Vectors, k: int, among: Ids) -> Ranked:
        """Exact: no vector's score is further from that of its code than `Segment.error` times the query's length."""
        if len(among) <= max(LOOKED_UP, 2 * k):
            return self._exactly(query, among)[:k]
        later = np.array([number for number, _ in self._tail.search(query, k, among)], dtype=np.int64)
        margin = self._segment.error * float(np.linalg.norm(query)) * (1 + 1e-3) + 1e-6  # floats are off a little, too
        wanted = 4 * k + LOOKED_UP // 4
        while True:
            wanted = min(wanted, len(self._segment))
            ids, scores = self._segment.among(query, wanted, among)
            ranked = self._exactly(query, later)
            for at in range(0, len(ids), k + SPARE):
                if len(ranked) >= k and scores[at] + margin < ranked[k - 1][1]:
                    return ranked[:k]
                ranked = _merged(ranked, self._exactly(query, ids[at : at + k + SPARE]))
            if len(ids) < wanted or wanted == len(self._segment):
                return ranked[:k]
            wanted *= 4

    def _exactly(self, query: Vectors, ids: Ids) -> Ranked:
        found, vectors = self._lookup(ids)
        return ranked_exactly(query, found, vectors)


def ranked_exactly(query: Vectors, ids: Ids, vectors: Vectors) -> Ranked:
    """All ids by the inner products of their vectors, which are the same for equal vectors wherever they stand."""
    scores = (vectors.astype(np.float64) @ query[0].astype(np.float64)).astype(np.float32)
    order = np.lexsort((ids, -scores))
    return list(zip(ids[order].tolist(), scores[order].tolist(), strict=True))


def searched_through(query: Vectors, k: int, batches: Iterable[tuple[Ids, Vectors]], among: Ids | None) -> Ranked:
    """Exact search in vectors that come in batches, with nothing kept of them: seconds for a million."""
    best: Ranked = []
    for ids, vectors in batches:
        if among is not None:
            kept = np.isin(ids, among)
            ids, vectors = ids[kept], vectors[kept]
        best = _merged(best, ranked_exactly(query, ids, vectors)[:k])[:k]
    return best


def _merged(one: Ranked, other: Ranked) -> Ranked:
    return sorted([*one, *other], key=lambda pair: (-pair[1], pair[0]))
