"""What every `VectorStore` does: the one on FAISS and the one in Milvus."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.errors import LibraryUnreachable, LibraryUnwritable
from rag.index import FlatVectors
from rag.stores import Servers, milvus
from rag.stores.milvus import MilvusVectors
from rag.types import Ids, Vectors, VectorStore
from tests.index.test_vectors import DIMENSION, by_brute_force, scattered_ids, unit_rows

NO_DATABASE = "postgresql://nobody@nowhere/nothing"
_numbers = count()


@pytest.fixture(scope="module")
def milvus_place(milvus_file: Path) -> Servers:
    return Servers(NO_DATABASE, str(milvus_file))


@pytest.fixture(scope="module")
def client(milvus_place: Servers) -> Iterator[Any]:
    client = milvus.connect(milvus_place)
    yield client
    client.close()


@pytest.fixture
def collection(client: Any, milvus_place: Servers) -> MilvusVectors:
    name = f"vectors{next(_numbers)}"
    milvus.create_collection(client, name, DIMENSION, milvus_place)
    return MilvusVectors(client, name, DIMENSION, milvus_place)


@pytest.fixture(params=["faiss", "milvus"])
def store(request: pytest.FixtureRequest) -> VectorStore:
    if request.param == "faiss":
        return FlatVectors(DIMENSION)
    found: MilvusVectors = request.getfixturevalue("collection")
    return found


@pytest.fixture
def filled(store: VectorStore) -> tuple[VectorStore, Ids, Vectors]:
    ids, rows = scattered_ids(300), unit_rows(300)
    store.add(ids, rows)
    return store, ids, rows


Filled = tuple[VectorStore, Ids, Vectors]


def test_search_finds_what_brute_force_finds(filled: Filled) -> None:
    store, ids, rows = filled
    assert len(store) == 300
    for k in (1, 5, 300, 1000):
        for query in np.split(unit_rows(3, seed=2), 3):
            found = store.search(query, k)
            assert [i for i, _ in found] == by_brute_force(query, ids, rows, k)
            where = [ids.tolist().index(i) for i, _ in found]
            assert [score for _, score in found] == pytest.approx((rows[where] @ query[0]).tolist(), abs=1e-5)


@pytest.mark.parametrize("most", [milvus.FILTERED, 40])
def test_search_among_some_ids_is_exact(filled: Filled, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(milvus, "FILTERED", most)
    store, ids, rows = filled
    for kept in (1, 7, 150, 300):
        chosen = np.random.default_rng(3).permutation(300)[:kept]
        query = unit_rows(1, seed=4)
        found = store.search(query, 10, among=ids[chosen])
        assert [i for i, _ in found] == by_brute_force(query, ids[chosen], rows[chosen], 10)
    unknown = np.array([10_000, 10_001], dtype=np.int64)
    assert store.search(unit_rows(1), 5, among=unknown) == []
    assert store.search(unit_rows(1), 5, among=np.array([], dtype=np.int64)) == []


def test_removed_ids_are_never_found_again_and_can_be_added_anew(filled: Filled) -> None:
    store, ids, rows = filled
    gone = np.random.default_rng(5).permutation(300)[:120]
    left = np.setdiff1d(np.arange(300), gone)
    store.remove(np.append(ids[gone], 99_999))
    store.remove(np.array([], dtype=np.int64))
    assert len(store) == 180
    for query in np.split(unit_rows(3, seed=6), 3):
        assert [i for i, _ in store.search(query, 50)] == by_brute_force(query, ids[left], rows[left], 50)
    store.add(ids[gone], rows[gone])
    assert [i for i, _ in store.search(rows[gone[:1]], 1)] == [ids[gone[0]]]


def test_an_empty_store_finds_nothing(store: VectorStore) -> None:
    store.add(np.array([], dtype=np.int64), np.zeros((0, DIMENSION), dtype=np.float32))
    assert store.search(unit_rows(1), 5) == []
    assert len(store) == 0


@pytest.mark.parametrize(
    ("ids", "rows", "message"),
    [
        (np.array([1, 2]), unit_rows(3), "wanted"),
        (np.array([1, 2]), unit_rows(2).astype(np.float64), "float32"),
        (np.array([1, 1]), unit_rows(2), "an id was added twice"),
        (np.array([1, 9]), unit_rows(2), "an id was added twice"),
    ],
)
def test_what_does_not_fit_is_refused(store: VectorStore, ids: Ids, rows: Vectors, message: str) -> None:
    store.add(np.array([9], dtype=np.int64), unit_rows(1))
    with pytest.raises(ValueError, match=message):
        store.add(ids, rows)
    with pytest.raises(ValueError, match=rf"wanted \(1, {DIMENSION}\)"):
        store.search(unit_rows(2), 1)
    assert len(store) == 1


def test_rows_come_back_bit_by_bit_with_their_stems(collection: MilvusVectors) -> None:
    rows = unit_rows(2500)
    collection.add(np.arange(2500), rows, [f"stem{i}" for i in range(2500)])
    found = collection.rows(np.arange(2400, 2600))
    assert sorted(found) == list(range(2400, 2500))
    assert all(np.array_equal(vector, rows[i]) and words == f"stem{i}" for i, (vector, words) in found.items())
    collection.remove_above(1999)
    assert len(collection) == 2000


def test_stems_are_found_by_how_rare_and_how_frequent_they_are(collection: MilvusVectors) -> None:
    texts = ["tea tea", "tea salt", "salt salt salt", "", "iron tea"]
    collection.add(np.arange(5), unit_rows(5), texts)
    collection.settle()
    hits = collection.match(["iron", "tea"], 10)
    assert [number for number, _ in hits] == [4, 0, 1]
    assert all(score > 0 for _, score in hits)
    assert collection.match(["iron", "tea"], 10, among=np.array([0, 1, 2])) == hits[1:]
    assert collection.match([], 10) == []
    assert collection.match(["unheard"], 10) == []


def test_a_collection_that_is_missing_and_a_server_that_is_away_are_said(client: Any, milvus_place: Servers) -> None:
    with pytest.raises(LibraryUnwritable, match=r"Run `rag check --repair`"):
        len(MilvusVectors(client, "nothing", DIMENSION, milvus_place))
    away = Servers(NO_DATABASE, "http://127.0.0.1:9", token="anna:secret")
    with pytest.raises(LibraryUnreachable, match=r"The vector store http://127\.0\.0\.1:9 doesn't answer") as caught:
        milvus.connect(away)
    assert "secret" not in str(caught.value)


def test_what_goes_wrong_with_the_channel_alone_is_the_server_s_fault(milvus_place: Servers) -> None:
    def raised(error: BaseException) -> None:
        with milvus.explained(milvus_place):
            raise error

    with pytest.raises(LibraryUnreachable):
        raised(ValueError("Cannot invoke RPC on closed channel!"))
    with pytest.raises(ValueError, match="other"):
        raised(ValueError("other"))
