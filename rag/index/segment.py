"""An approximate store that never changes: vectors in clusters, a byte a number, read from a memory-mapped file.

A search looks into the clusters nearest to the query, and compares with bytes instead of floats; `error` says how far
that can be off, so that who has the floats can tell which of them to look at. Opening a file reads the centroids, about
√n vectors, and nothing else: what is in a cluster is checked against the file's checksums when it is first looked into.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from rag.index.clusters import Clusters, Neighbourhood, Stream, learn
from rag.index.files import Checksummed, whole_file
from rag.index.vectors import faiss, one_thread
from rag.late import Late
from rag.types import Ids, Vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = Late("numpy")

MAGIC = b"citelin1"
HEADER = struct.Struct("<8s32sIIQQIfI")
"""Magic bytes, stamp, dimension, lists, count, learned, probes, error, CRC-32 of the sections up to `checksums`."""
ALIGNED = 64
"""Bytes: where each section begins is a multiple."""
PLENTY = 4
"""Vectors looked at for each that is wanted, at least."""


class DamagedSegment(Exception):
    """A file turned out not to hold what was written, when a part of it was first looked at."""


@dataclass(frozen=True)
class Segment:
    """Ids and codes of vectors, by cluster; within one in ascending order of ids.

    May be used from several threads at once.
    """

    centroids: Vectors
    ranges: Vectors
    """See `Clusters`."""
    starts: NDArray[np.int64]
    """Where each cluster begins in `ids` and `codes`, and where the last ends."""
    checksums: NDArray[np.uint32]
    """CRC-32 of each cluster's ids and codes."""
    ids: Ids
    codes: NDArray[np.uint8]
    """Shape (n, dimension)."""
    learned: int
    """How many vectors there were when the clusters were learned."""
    probes: int
    """Clusters to look into for about ten neighbours."""
    error: float
    """The greatest distance between a vector and what its code stands for: scores are off by no more."""
    _unchecked: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def dimension(self) -> int:
        return int(self.centroids.shape[1])

    @property
    def last(self) -> int:
        """The highest id; 0 where there is none."""
        return int(self.ids.max(initial=0))

    def nearest(self, query: Vectors, wanted: int, widened: int = 1) -> tuple[Ids, NDArray[np.float32]]:
        """About `wanted` ids with their approximate scores, best first; better ones with more clusters, `widened`-fold.

        Fewer come only where there are fewer in all the clusters looked into. Raises DamagedSegment.
        """
        probes, enough = self.probes * widened, min(PLENTY * wanted * widened, len(self))
        while True:
            lists = self._nearest_lists(query, min(probes, len(self.centroids)))
            if probes >= len(self.centroids) or (self.starts[lists + 1] - self.starts[lists]).sum() >= enough:
                return self._scan(query, lists, wanted, None)
            probes *= 2

    def among(self, query: Vectors, wanted: int, only: Ids) -> tuple[Ids, NDArray[np.float32]]:
        """`nearest` of all that are in `only`, whatever their cluster: not one that scores higher is left out."""
        bits = np.zeros(max(self.last, int(only.max(initial=0))) + 1, dtype=bool)
        bits[only] = True
        packed = np.packbits(bits, bitorder="little")
        selector = faiss.IDSelectorBitmap(len(packed), faiss.swig_ptr(packed))
        return self._scan(query, np.arange(len(self.centroids)), wanted, selector)

    def encoded(self, vectors: Vectors) -> NDArray[np.uint8]:
        """The codes of vectors."""
        codes: NDArray[np.uint8] = self._faiss.sq.compute_codes(np.ascontiguousarray(vectors, dtype=np.float32))
        return codes

    def off(self, vectors: Vectors, codes: NDArray[np.uint8]) -> float:
        """The greatest distance between a vector and what its code stands for; 0 for none."""
        apart = vectors - (self.ranges[0] + (codes + np.float32(0.5)) * (self.ranges[1] / 255))
        return float(np.sqrt(np.einsum("ij,ij->i", apart, apart).max(initial=0.0)))

    def stands_for(self, ids: Ids, vectors: Vectors) -> bool:
        """Whether all these vectors are in it, and `error` is true of them."""
        order = self._order
        places = order[np.minimum(np.searchsorted(self.ids, ids, sorter=order), len(order) - 1)]
        codes = self.codes[places]
        return bool(
            np.array_equal(self.ids[places], ids)
            and np.array_equal(codes, self.encoded(vectors))
            and self.off(vectors, codes) <= self.error
        )

    def verify(self) -> None:
        """Raises DamagedSegment where any cluster isn't as it was written."""
        self._check(np.arange(len(self.centroids)))

    def renewed(self, alive: Ids, added: Iterable[tuple[Ids, Vectors]]) -> Segment:
        """Another with the same clusters: of these only the ids in `alive`, and what is `added`. Raises as `verify`."""
        self.verify()
        kept = np.isin(self.ids, alive)
        growing = _Growing(self)
        growing.put(self.ids[kept], self._lists[kept], self.codes[kept])
        for ids, vectors in added:
            growing.add(ids, vectors)
        return growing.done(self.learned, self.probes)

    def save(self, path: Path, stamp: str) -> None:
        """Write the file whole or not at all. Raises OSError; then no trace is left of the new file."""
        small = _joined(_whole_sections(self))
        header = HEADER.pack(
            MAGIC, stamp.encode("ascii"), self.dimension, len(self.centroids), len(self), self.learned,
            self.probes, self.error, zlib.crc32(small),
        )  # fmt: skip
        with whole_file(path) as file:
            write = Checksummed(file)
            write(_padded(header) + small)
            write(_padded(np.ascontiguousarray(self.ids).tobytes()))
            for at in range(0, len(self), 1 << 16):
                write(np.ascontiguousarray(self.codes[at : at + (1 << 16)]).tobytes())

    @classmethod
    def open(cls, path: Path, stamp: str, dimension: int) -> Self | None:
        """The saved segment, or None where the file is missing, plainly damaged, or not the one with this stamp."""
        try:
            with path.open("rb") as file:
                head = file.read(HEADER.size)
                if len(head) < HEADER.size:
                    return None
                magic, written, wide, lists, count, learned, probes, error, crc = HEADER.unpack(head)
                if magic != MAGIC or written != stamp.encode("ascii") or wide != dimension:
                    return None
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):  # ValueError is mmap's, of an empty file
            return None
        return cls._mapped(mapped, _Layout(dimension, lists, count), learned, probes, error, crc)

    @classmethod
    def _mapped(
        cls, mapped: mmap.mmap, layout: _Layout, learned: int, probes: int, error: float, crc: int
    ) -> Self | None:
        if len(mapped) != layout.size or zlib.crc32(memoryview(mapped)[layout.small]) != crc:
            return None
        sections = layout.sections(mapped)
        starts = sections["starts"]
        if starts[0] != 0 or starts[-1] != layout.count or (np.diff(starts) < 0).any():
            return None
        return cls(
            **sections, learned=learned, probes=probes, error=error, _unchecked=np.ones(layout.lists, dtype=bool)
        )

    @cached_property
    def _faiss(self) -> Any:
        """Knows how to compare with codes; holds none itself."""
        kind, metric = faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
        index = faiss.IndexIVFScalarQuantizer(faiss.IndexFlatIP(self.dimension), self.dimension, 1, kind, metric, False)
        faiss.copy_array_to_vector(np.ascontiguousarray(self.ranges).ravel(), index.sq.trained)
        index.is_trained = True
        return index

    @cached_property
    def _order(self) -> NDArray[np.intp]:
        """Places of the ids in ascending order of these."""
        return np.argsort(self.ids)

    @property
    def _lists(self) -> NDArray[np.int64]:
        """The cluster of each id."""
        lists: NDArray[np.int64] = np.repeat(np.arange(len(self.centroids)), np.diff(self.starts))
        return lists

    def _nearest_lists(self, query: Vectors, probes: int) -> NDArray[np.int64]:
        with one_thread():
            _, lists = faiss.knn(query, self.centroids, probes, faiss.METRIC_INNER_PRODUCT)
        nearest: NDArray[np.int64] = lists[0]
        return nearest

    def _scan(
        self, query: Vectors, lists: NDArray[np.int64], wanted: int, selector: Any
    ) -> tuple[Ids, NDArray[np.float32]]:
        self._check(lists)
        scores = np.full(wanted, -np.inf, dtype=np.float32)
        ids = np.full(wanted, -1, dtype=np.int64)
        query = np.ascontiguousarray(query, dtype=np.float32)
        with one_thread(), self._scanner(selector) as scanner:
            scanner.set_query(faiss.swig_ptr(query))
            for at in lists:
                start, end = int(self.starts[at]), int(self.starts[at + 1])
                if start < end:
                    scanner.set_list(int(at), 0.0)
                    scanner.scan_codes(
                        end - start,
                        faiss.swig_ptr(self.codes[start:end]),
                        faiss.swig_ptr(self.ids[start:end]),
                        faiss.swig_ptr(scores),
                        faiss.swig_ptr(ids),
                        wanted,
                    )
        order = np.lexsort((ids, -scores))
        order = order[ids[order] >= 0]
        return ids[order], scores[order]

    @contextmanager
    def _scanner(self, selector: Any) -> Iterator[Any]:
        scanner = self._faiss.get_InvertedListScanner(False, selector, None)
        try:
            yield scanner
        finally:
            # Its Python object doesn't own it, and saying that it does spoils the class: FAISS meant it for C++ only.
            faiss.InvertedListScanner.__swig_destroy__(scanner)

    def _check(self, lists: NDArray[np.int64]) -> None:
        """Compare with their checksums the clusters that nobody has looked into before."""
        if not len(self._unchecked):  # made in memory
            return
        for at in lists[self._unchecked[lists]]:
            if _checksum(self.starts, self.ids, self.codes, int(at)) != self.checksums[at]:
                raise DamagedSegment(f"cluster {at} isn't what was written")
            self._unchecked[at] = False


def make_segment(stream: Stream, count: int) -> Segment:
    """A segment of the `count` vectors that `stream` gives, at least one. The same vectors give the same segment."""
    clusters = learn(stream, count)
    empty = np.zeros(0, dtype=np.int64)
    blank = Segment(
        clusters.centroids, clusters.ranges, np.zeros(len(clusters.centroids) + 1, dtype=np.int64),
        np.zeros(0, dtype=np.uint32), empty, np.zeros((0, clusters.centroids.shape[1]), dtype=np.uint8), count, 1, 0.0,
    )  # fmt: skip
    growing, neighbourhood = _Growing(blank), Neighbourhood(clusters)
    for ids, vectors in stream():
        neighbourhood.show(vectors, growing.add(ids, vectors))
    return growing.done(count, neighbourhood.probes())


class _Growing:
    """Gathers ids and codes with their clusters, and sorts them by these in the end."""

    def __init__(self, like: Segment) -> None:
        self._like = like
        self._clusters = Clusters(like.centroids, like.ranges, like.centroids[:0])
        self._error = like.error
        self._ids: list[Ids] = []
        self._lists: list[NDArray[np.int64]] = []
        self._codes: list[NDArray[np.uint8]] = []

    def add(self, ids: Ids, vectors: Vectors) -> NDArray[np.int64]:
        """Returns their clusters."""
        codes, lists = self._like.encoded(vectors), self._clusters.of(vectors)
        self._error = max(self._error, self._like.off(vectors, codes))
        self.put(ids, lists, codes)
        return lists

    def put(self, ids: Ids, lists: NDArray[np.int64], codes: NDArray[np.uint8]) -> None:
        self._ids.append(ids)
        self._lists.append(lists)
        self._codes.append(codes)

    def done(self, learned: int, probes: int) -> Segment:
        lists, ids = np.concatenate(self._lists), np.concatenate(self._ids)
        order = np.lexsort((ids, lists))
        codes = np.empty((len(ids), self._like.dimension), dtype=np.uint8)
        places = np.empty(len(ids), dtype=np.int64)
        places[order] = np.arange(len(ids))
        for part in self._codes:
            codes[places[: len(part)]] = part
            places = places[len(part) :]
        starts = np.searchsorted(lists[order], np.arange(len(self._like.centroids) + 1))
        starts, ids = starts.astype(np.int64), ids[order]
        checksums = np.array([_checksum(starts, ids, codes, at) for at in range(len(starts) - 1)], dtype=np.uint32)
        return Segment(
            self._like.centroids, self._like.ranges, starts, checksums, ids, codes, learned, probes, self._error
        )


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the sections of a file lie."""

    dimension: int
    lists: int
    count: int

    def shapes(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Name → numbers and shape, in the file's order."""
        return {
            "ranges": ("<f4", (2, self.dimension)),
            "centroids": ("<f4", (self.lists, self.dimension)),
            "starts": ("<i8", (self.lists + 1,)),
            "checksums": ("<u4", (self.lists,)),
            "ids": ("<i8", (self.count,)),
            "codes": ("<u1", (self.count, self.dimension)),
        }

    def offsets(self) -> dict[str, int]:
        offsets, at = {}, _up(HEADER.size)
        for name, (kind, shape) in self.shapes().items():
            offsets[name] = at
            at = _up(at + int(np.prod(shape)) * np.dtype(kind).itemsize)
        return offsets

    @property
    def small(self) -> slice:
        """The bytes that are read when a file is opened."""
        offsets = self.offsets()
        return slice(offsets["ranges"], offsets["ids"])

    @property
    def size(self) -> int:
        return self.offsets()["codes"] + self.count * self.dimension

    def sections(self, mapped: mmap.mmap) -> dict[str, NDArray[Any]]:
        offsets = self.offsets()
        return {
            name: np.frombuffer(mapped, kind, int(np.prod(shape)), offsets[name]).reshape(shape)
            for name, (kind, shape) in self.shapes().items()
        }


def _whole_sections(segment: Segment) -> list[NDArray[Any]]:
    return [segment.ranges, segment.centroids, segment.starts, segment.checksums]


def _joined(sections: list[NDArray[Any]]) -> bytes:
    return b"".join(_padded(np.ascontiguousarray(section).tobytes()) for section in sections)


def _padded(whole: bytes) -> bytes:
    return whole + bytes(_up(len(whole)) - len(whole))


def _up(size: int) -> int:
    return -(-size // ALIGNED) * ALIGNED


def _checksum(starts: NDArray[np.int64], ids: Ids, codes: NDArray[np.uint8], at: int) -> int:
    here = slice(int(starts[at]), int(starts[at + 1]))
    return zlib.crc32(codes[here].data, zlib.crc32(ids[here].data))
