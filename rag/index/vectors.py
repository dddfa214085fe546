"""A `VectorStore` on FAISS: exact search by inner product, and its file.

The file is FAISS's own format followed by a footer that FAISS doesn't read: which commit it belongs to, and a CRC-32 of
all bytes before it. So a file that is cut short, overwritten or left over from another commit is known before FAISS,
which trusts the sizes it reads, gets to see it.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from rag.index.files import BLOCK, Checksummed, whole_file
from rag.late import Late
from rag.types import Ids, Vectors

if TYPE_CHECKING:
    import numpy as np
else:
    np = Late("numpy")

faiss: Any = Late("faiss")  # its annotations leave out what its Python layer adds

FOOTER = struct.Struct("<8s32sI")
"""Magic bytes, the commit's stamp in ASCII, CRC-32."""
MAGIC = b"citeline"
ROWS = 4096
"""Vectors compared at a time."""


class FlatVectors:
    """Unit vectors under ids, each compared with the query: no recall is lost, and 100,000 of length 384 take 15 ms.

    `search` may be called from several threads at once, `add` and `remove` only while nothing else is.
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def ids(self) -> Ids:
        """In the order they were added."""
        ids: Ids = faiss.vector_to_array(self._index.id_map)
        return ids

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """Raises ValueError where shapes don't fit, or an id is given twice or is there already."""
        if vectors.shape != (len(ids), self.dimension) or vectors.dtype != np.float32:
            raise ValueError(
                f"got vectors of shape {vectors.shape} and {vectors.dtype}; "
                f"wanted ({len(ids)}, {self.dimension}) and float32"
            )
        if not len(ids):
            return
        if len(np.unique(ids)) != len(ids) or np.isin(ids, self.ids).any():
            raise ValueError("an id was added twice")
        self._index.add_with_ids(np.ascontiguousarray(vectors), np.ascontiguousarray(ids, dtype=np.int64))

    def remove(self, ids: Ids) -> None:
        """Ids that aren't there are ignored. The others keep their order."""
        if len(ids) and len(self):
            self._index.remove_ids(np.ascontiguousarray(ids, dtype=np.int64))

    def search(self, query: Vectors, k: int, among: "Ids | None" = None) -> list[tuple[int, float]]:
        """At most `k` pairs of id and inner product, best first, equal ones by id; only ids in `among` where given.

        Raises ValueError where `query` isn't of shape (1, dimension).
        """
        if query.shape != (1, self.dimension):
            raise ValueError(f"got a query of shape {query.shape}; wanted (1, {self.dimension})")
        k = min(k, len(self) if among is None else len(among))
        if k <= 0:
            return []
        # FAISS keeps only a pointer to the selector: the name keeps it alive until the search is over.
        selector = None if among is None else faiss.IDSelectorBatch(np.ascontiguousarray(among, dtype=np.int64))
        with one_thread():
            scores, ids = self._index.search(
                np.ascontiguousarray(query, dtype=np.float32), k, params=faiss.SearchParameters(sel=selector)
            )
        found = zip(ids[0].tolist(), scores[0].tolist(), strict=True)  # id -1 fills up where fewer were found
        return sorted(((i, score) for i, score in found if i >= 0), key=lambda pair: (-pair[1], pair[0]))

    def equals(self, other: "FlatVectors") -> bool:
        """Whether both hold the same vectors, bit by bit, under the same ids, in whatever order."""
        own, others = np.argsort(self.ids), np.argsort(other.ids)
        if len(own) != len(others) or not np.array_equal(self.ids[own], other.ids[others]):
            return False
        return all(
            np.array_equal(self._rows(own[at : at + ROWS]), other._rows(others[at : at + ROWS]))
            for at in range(0, len(own), ROWS)
        )

    def _rows(self, places: Ids) -> Vectors:
        flat = faiss.downcast_index(self._index.index)
        rows: Vectors = np.array([flat.reconstruct(int(place)) for place in places], dtype=np.float32)
        return rows

    def save(self, path: Path, stamp: str) -> None:
        """Write the file whole or not at all: under another name first, synced, then renamed, and the folder synced.

        Raises OSError; then no trace is left of the new file.
        """
        with whole_file(path) as file:
            body = Checksummed(file)
            # Not faiss.write_index(path): on a full disk that only prints a line, and returns.
            faiss.write_index(self._index, faiss.PyCallbackIOWriter(body, BLOCK))
            file.write(FOOTER.pack(MAGIC, stamp.encode("ascii"), body.crc))

    @classmethod
    def load(cls, path: Path, stamp: str, dimension: int) -> "FlatVectors | None":
        """The saved vectors, or None where the file is missing, damaged, or of another commit than `stamp`."""
        try:
            with path.open("rb") as file:
                if not _is_whole(file, stamp):
                    return None
                file.seek(0)
                index = faiss.read_index(faiss.PyCallbackIOReader(file.read, BLOCK))
        except (OSError, RuntimeError):  # RuntimeError is FAISS's, for a format of another version
            return None
        if not isinstance(index, faiss.IndexIDMap2) or index.d != dimension:
            return None
        store = cls(dimension)
        store._index = index
        return store


@contextmanager
def one_thread() -> Iterator[None]:
    """One query is no faster than memory: on two busy cores, threads that waited for each other took 4 times longer.

    The number is the calling thread's, but may be shared with PyTorch, hence put back.
    """
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _is_whole(file: BinaryIO, stamp: str) -> bool:
    left = file.seek(0, os.SEEK_END) - FOOTER.size
    if left < 0:
        return False
    file.seek(left)
    magic, written_stamp, written_crc = FOOTER.unpack(file.read(FOOTER.size))
    if magic != MAGIC or written_stamp != stamp.encode("ascii"):
        return False
    file.seek(0)
    crc = 0
    while left > 0 and (block := file.read(min(BLOCK, left))):
        crc = zlib.crc32(block, crc)
        left -= len(block)
    return bool(crc == written_crc)
