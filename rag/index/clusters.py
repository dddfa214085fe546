"""Vectors divided into clusters of alike ones, and how many clusters a search has to look into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from rag.index.vectors import faiss
from rag.late import Late
from rag.types import Ids, Vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = Late("numpy")

Stream: TypeAlias = Callable[[], Iterator[tuple[Ids, Vectors]]]
"""Gives all ids, ascending, and their unit vectors, some thousand at a time; may be called again."""

FINENESS = 4
"""Clusters for each √n vectors: looking for the clusters then costs about as much as looking into them."""
SAMPLED = 32
"""Vectors a cluster from which the clusters are learned."""
ROUNDS = 8
"""Of k-means; more of them find no more."""
QUESTIONS = 256
"""Made up of the vectors themselves, to see how many clusters hold what they should find."""
LIKENESS = 0.8
"""Of such a question to the vector it is made of: about what a real one has to the passage that answers it."""
NEIGHBOURS = 10
FOUND = 0.985
"""Share of the nearest neighbours of the questions that lie in the clusters looked into."""
LEAST_PROBES = 8
SEED = 7


@dataclass(frozen=True, slots=True)
class Clusters:
    """Learned from vectors, and good for others like them."""

    centroids: Vectors
    """Unit rows."""
    ranges: Vectors
    """Shape (2, dimension): the least value in each dimension, and how far above it the greatest is."""
    questions: Vectors

    def of(self, vectors: Vectors) -> NDArray[np.int64]:
        """The cluster of each vector."""
        _, places = faiss.knn(np.ascontiguousarray(vectors), self.centroids, 1, faiss.METRIC_INNER_PRODUCT)
        clusters: NDArray[np.int64] = places[:, 0].astype(np.int64)
        return clusters


class Neighbourhood:
    """The true nearest neighbours of the questions, and the clusters they are in, among the vectors shown so far."""

    def __init__(self, clusters: Clusters) -> None:
        self._clusters = clusters
        self._scores = np.empty((len(clusters.questions), 0), dtype=np.float32)
        self._of = np.empty((len(clusters.questions), 0), dtype=np.int64)

    def show(self, vectors: Vectors, clusters: NDArray[np.int64]) -> None:
        """More vectors, and the cluster of each."""
        scores = np.hstack([self._scores, self._clusters.questions @ vectors.T])
        of = np.hstack([self._of, np.broadcast_to(clusters, (len(scores), len(clusters)))])
        kept = np.argpartition(-scores, min(NEIGHBOURS, scores.shape[1]) - 1)[:, :NEIGHBOURS]
        self._scores, self._of = np.take_along_axis(scores, kept, 1), np.take_along_axis(of, kept, 1)

    def probes(self) -> int:
        """How many clusters, nearest first, hold `FOUND` of the neighbours."""
        order = np.argsort(-(self._clusters.questions @ self._clusters.centroids.T), axis=1, kind="stable")
        ranks = np.take_along_axis(np.argsort(order, axis=1), self._of, 1)
        wanted = int(np.quantile(ranks, FOUND, method="higher")) + 1
        return min(max(wanted, LEAST_PROBES), len(self._clusters.centroids))


def learn(stream: Stream, count: int) -> Clusters:
    """Clusters of `count` vectors, at least one. The same vectors give the same clusters."""
    chosen = np.random.default_rng(SEED)
    lists = max(1, min(count, round(FINENESS * count**0.5)))
    wanted = np.sort(chosen.choice(count, size=min(count, lists * SAMPLED), replace=False))
    rows, least, most, seen = [], np.inf, -np.inf, 0
    for _, vectors in stream():
        least, most = np.minimum(least, vectors.min(axis=0)), np.maximum(most, vectors.max(axis=0))
        here = wanted[np.searchsorted(wanted, seen) : np.searchsorted(wanted, seen + len(vectors))]
        rows.append(vectors[here - seen])
        seen += len(vectors)
    sample = np.ascontiguousarray(np.concatenate(rows), dtype=np.float32)
    ranges = np.stack([least, np.maximum(np.subtract(most, least), np.finfo(np.float32).eps)]).astype(np.float32)
    return Clusters(_centroids(sample, lists), ranges, _questions(sample, chosen))


def _centroids(sample: Vectors, lists: int) -> Vectors:
    learning = faiss.Kmeans(
        sample.shape[1],
        min(lists, len(sample)),
        niter=ROUNDS,
        spherical=True,
        seed=SEED,
        min_points_per_centroid=1,
        max_points_per_centroid=len(sample),
    )
    learning.train(sample)
    centroids: Vectors = np.ascontiguousarray(learning.centroids, dtype=np.float32)
    return centroids


def _questions(sample: Vectors, chosen: np.random.Generator) -> Vectors:
    """Vectors that have something of another one besides."""
    one, other = (sample[chosen.integers(len(sample), size=QUESTIONS)] for _ in range(2))
    mixed = LIKENESS * one + (1 - LIKENESS**2) ** 0.5 * other
    unit: Vectors = (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)
    return unit
