"""A `VectorStore` in Milvus, with full-text search beside it.

One collection holds one chunk a row: its number, its vector, and its stems, which Milvus itself turns into BM25. All
search is exact. Every read waits for the writes before it ("Strong"), by whichever client.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from rag.errors import LibraryBusy, LibraryUnreachable, LibraryUnwritable
from rag.stores.places import Servers
from rag.stores.words import MOST_BYTES
from rag.types import Ids, Vectors

MOST = 16_384
"""Hits that Milvus gives for one search, at most."""
SENT = 1000
"""Rows written, read or removed at a time."""
FILTERED = 10_000
"""Ids in one filter; a search among more is several."""
PATIENCE = 60.0
"""Seconds for an answer."""
CONNECTING = 10.0
"""Seconds for a connection."""

K1, B = 1.2, 0.75
"""Of BM25, as FTS5 has them."""

SOON = 2
"""Seconds in which a store that is well says what it has."""
MISSING = 100
"""Milvus's code for a collection that isn't there."""


def connect(place: Servers) -> Any:
    """A client, which may be used from several threads. Raises LibraryUnreachable, or LibraryBusy for a file in use."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # else each subprocess of ours costs a line of its on the terminal
    from pymilvus import MilvusClient
    from pymilvus.exceptions import MilvusException

    # It would print each refused call with a traceback; what goes wrong is raised, and said once.
    for name in ("pymilvus", "grpc._server"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        return MilvusClient(place.vectors, token=place.token, timeout=CONNECTING)
    except MilvusException as error:
        if place.is_file:
            raise LibraryBusy(
                f"{place.vectors} can't be opened ({error.message}). One process at a time can use a Milvus Lite file: "
                "close the other, or run a Milvus server."
            ) from error
        raise _unreachable(place, error.message) from error


@contextmanager
def explained(place: Servers) -> Iterator[None]:
    """Turn what pymilvus raises in the block into the RagError it stands for."""
    import grpc
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except MilvusException as error:
        if error.code == MISSING:
            raise incomplete(place) from error
        raise _unreachable(place, error.message) from error
    except (grpc.RpcError, ValueError) as error:
        # pymilvus closes a channel that failed; grpc then raises ValueError.
        if isinstance(error, ValueError) and "channel" not in str(error):
            raise
        raise _unreachable(place, type(error).__name__) from error


def incomplete(place: Servers) -> LibraryUnwritable:
    """The error for a vector store that hasn't all that the database says it has."""
    return LibraryUnwritable(
        f"The vectors in {place.vectors} aren't those of the articles in the database. "
        "Run `rag check --repair`, which makes them again from the database."
    )


def create_collection(client: Any, name: str, dimension: int, place: Servers) -> None:
    """One that is empty. Nothing changes where there is one."""
    from pymilvus import DataType, Function, FunctionType, MilvusClient

    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("number", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    schema.add_field(
        "words",
        DataType.VARCHAR,
        max_length=MOST_BYTES,
        enable_analyzer=True,
        analyzer_params={"tokenizer": "standard"},
    )
    schema.add_field("bm25", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_function(
        Function(
            name="bm25_of_words", function_type=FunctionType.BM25, input_field_names=["words"],
            output_field_names=["bm25"],
        )
    )  # fmt: skip
    indexes = MilvusClient.prepare_index_params()
    indexes.add_index("vector", index_type="FLAT", metric_type="IP")
    indexes.add_index(
        "bm25", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params={"bm25_k1": K1, "bm25_b": B}
    )
    with explained(place):
        client.create_collection(name, schema=schema, index_params=indexes, consistency_level="Strong")


def drop_collection(client: Any, name: str, place: Servers) -> None:
    """One that isn't there is ignored."""
    with explained(place):
        if client.has_collection(name):
            client.drop_collection(name)


class MilvusVectors:
    """Unit vectors and stems under ids, in a collection that `create_collection` made. Safe to use from any thread."""

    def __init__(self, client: Any, collection: str, dimension: int, place: Servers) -> None:
        self.collection = collection
        self.dimension = dimension
        self._client = client
        self._place = place

    def __len__(self) -> int:
        with explained(self._place):
            rows = self._client.query(self.collection, filter="", output_fields=["count(*)"], timeout=PATIENCE)
            return int(rows[0]["count(*)"])

    def reach(self) -> None:
        """Raises LibraryUnreachable where Milvus doesn't answer soon."""
        with explained(self._place):
            self._client.has_collection(self.collection, timeout=SOON)

    def load(self) -> bool:
        """Make the collection searchable, as it no longer is when Milvus Lite is opened; False where there is none."""
        with explained(self._place):
            if not self._client.has_collection(self.collection):
                return False
            self._client.load_collection(self.collection, timeout=PATIENCE)
            return True

    def rows(self, ids: Ids) -> dict[int, tuple[Vectors, str]]:
        """Id → (vector of shape (dimension,), stems) of those that are there."""
        found: dict[int, tuple[Vectors, str]] = {}
        for row in self._of(ids, ["number", "vector", "words"]):
            found[int(row["number"])] = (np.array(row["vector"], dtype=np.float32), str(row["words"]))
        return found

    def add(self, ids: Ids, vectors: Vectors, words: Sequence[str] | None = None) -> None:
        """`words` are the stems of each row, none where not given.

        Raises ValueError where shapes don't fit, or an id is given twice or is there already.
        """
        if vectors.shape != (len(ids), self.dimension) or vectors.dtype != np.float32:
            raise ValueError(
                f"got vectors of shape {vectors.shape} and {vectors.dtype}; "
                f"wanted ({len(ids)}, {self.dimension}) and float32"
            )
        stems = [""] * len(ids) if words is None else list(words)
        if len(np.unique(ids)) != len(ids) or any(self._of(ids, ["number"])):
            raise ValueError("an id was added twice")
        with explained(self._place):
            for at in range(0, len(ids), SENT):
                part = slice(at, at + SENT)
                rows = [
                    {"number": int(number), "vector": vector, "words": text}
                    for number, vector, text in zip(ids[part], vectors[part], stems[part], strict=True)
                ]
                self._client.insert(self.collection, rows, timeout=PATIENCE)

    def remove(self, ids: Ids) -> None:
        """Ids that aren't there are ignored."""
        with explained(self._place):
            for part in _parts(ids, SENT):
                self._client.delete(self.collection, ids=part, timeout=PATIENCE)

    def remove_above(self, number: int) -> None:
        """All ids greater than `number`."""
        with explained(self._place):
            self._client.delete(self.collection, filter=f"number > {number}", timeout=PATIENCE)

    def settle(self) -> None:
        """After a commit: Milvus Lite counts words anew for each search, of what the search filters alone, until then.

        A server needs none of it.
        """
        if self._place.is_file:
            with explained(self._place):
                self._client.flush(self.collection, timeout=PATIENCE)

    def search(self, query: Vectors, k: int, among: Ids | None = None) -> list[tuple[int, float]]:
        """At most `k` pairs of id and inner product, best first, equal ones by id; only ids in `among` where given.

        Never more than `MOST`. Raises ValueError where `query` isn't of shape (1, dimension).
        """
        if query.shape != (1, self.dimension):
            raise ValueError(f"got a query of shape {query.shape}; wanted (1, {self.dimension})")
        return self._found("vector", np.ascontiguousarray(query[0], dtype=np.float32), k, among)

    def match(self, stems: Sequence[str], k: int, among: Ids | None = None) -> list[tuple[int, float]]:
        """As `search`, by BM25 of the stems. Only rows with one of them are found; scores are above 0."""
        if not stems:
            return []
        return self._found("bm25", " ".join(stems), k, among)

    def _found(self, field: str, query: Any, k: int, among: Ids | None) -> list[tuple[int, float]]:
        k = min(k, MOST)
        if k <= 0:
            return []
        filters = [""] if among is None else [f"number in {part}" for part in _parts(among, FILTERED)]
        found: list[tuple[int, float]] = []
        with explained(self._place):
            for only in filters:
                (hits,) = self._client.search(
                    self.collection,
                    data=[query],
                    anns_field=field,
                    filter=only,
                    limit=k,
                    output_fields=["number"],
                    timeout=PATIENCE,
                )
                # Milvus Lite gives BM25 with its sign turned.
                found += [(int(hit["number"]), self._score(field, float(hit["distance"]))) for hit in hits]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:k]

    def _score(self, field: str, distance: float) -> float:
        return abs(distance) if field == "bm25" else distance

    def _of(self, ids: Ids, fields: list[str]) -> Iterator[dict[str, Any]]:
        with explained(self._place):
            for part in _parts(ids, SENT):
                yield from self._client.query(
                    self.collection, filter=f"number in {part}", output_fields=fields, timeout=PATIENCE
                )


def _parts(ids: Ids, size: int) -> Iterator[list[int]]:
    numbers: list[int] = ids.tolist()
    for at in range(0, len(numbers), size):
        yield numbers[at : at + size]


def _unreachable(place: Servers, why: object) -> LibraryUnreachable:
    return LibraryUnreachable(
        f"The vector store {place.vectors} doesn't answer as it should ({why}). Start it, or put RAG_STORE_URI and "
        "RAG_STORE_TOKEN right."
    )
