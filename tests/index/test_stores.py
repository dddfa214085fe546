"""What every way of keeping vectors has to do: all in one file, a small library, and a large one."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.index import FlatVectors, check_library
from rag.types import Vectors, VectorStore
from tests.index.large import ALWAYS, LAYERED, SMALL, WholeLibrary
from tests.index.test_vectors import DIMENSION, by_brute_force, scattered_ids, unit_rows

MAKERS: dict[str, Callable[[Path], VectorStore]] = {
    "flat": lambda _: FlatVectors(DIMENSION),
    "small library": lambda folder: WholeLibrary(folder, DIMENSION, SMALL),
    "large library": lambda folder: WholeLibrary(folder, DIMENSION, LAYERED),
}


@pytest.fixture(params=MAKERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> VectorStore:
    return MAKERS[request.param](tmp_path)


def recall(found: list[tuple[int, float]], true: list[int]) -> float:
    return len({number for number, _ in found} & {*true}) / len(true)


def test_the_nearest_of_all_are_found_with_their_exact_scores(store: VectorStore) -> None:
    ids, rows = scattered_ids(400), unit_rows(400)
    store.add(ids, rows)
    recalls = []
    for query in np.split(unit_rows(20, seed=2), 20):
        found = store.search(query, 10)
        assert len(found) == 10
        recalls.append(recall(found, by_brute_force(query, ids, rows, 10)))
        where = [ids.tolist().index(number) for number, _ in found]
        assert [score for _, score in found] == pytest.approx((rows[where] @ query[0]).tolist(), abs=1e-5)
        assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    assert np.mean(recalls) >= (0.9 if isinstance(store, WholeLibrary) else 1)


@pytest.mark.parametrize("kept", [1, 7, 150, 299, 300])
def test_search_among_some_ids_is_exact(kept: int, store: VectorStore) -> None:
    ids, rows = scattered_ids(300), unit_rows(300)
    store.add(ids, rows)
    chosen = np.random.default_rng(3).permutation(300)[:kept]
    for query in np.split(unit_rows(5, seed=4), 5):
        found = store.search(query, 10, among=ids[chosen])
        assert [i for i, _ in found] == by_brute_force(query, ids[chosen], rows[chosen], 10)


def test_what_was_removed_is_never_found_and_what_came_later_is(store: VectorStore) -> None:
    ids, rows = scattered_ids(300), unit_rows(300)
    store.add(ids[:250], rows[:250])
    gone = np.random.default_rng(5).permutation(250)[:40]
    store.remove(ids[gone])
    store.add(ids[250:], rows[250:])
    left = np.setdiff1d(np.arange(300), gone)
    assert len(store) == 260
    for query in np.split(unit_rows(5, seed=6), 5):
        assert [i for i, _ in store.search(query, 1000)] == by_brute_force(query, ids[left], rows[left], 1000)
        assert not {i for i, _ in store.search(query, 20)} & {*ids[gone].tolist()}
    for at in range(250, 300, 10):
        assert store.search(rows[at : at + 1], 1)[0][0] == ids[at]


def test_a_whole_neighbourhood_that_was_removed_hides_nothing_behind_it(store: VectorStore) -> None:
    ids, rows = scattered_ids(300), unit_rows(300)
    query = unit_rows(1, seed=9)
    near = np.array(by_brute_force(query, ids, rows, 70))
    store.add(ids, rows)
    store.remove(near)
    left = ~np.isin(ids, near)
    assert recall(store.search(query, 10), by_brute_force(query, ids[left], rows[left], 10)) >= 0.8
    assert len(store.search(query, 10)) == 10


CHANGES = st.lists(
    st.tuples(st.sampled_from(["add", "add", "remove"]), st.lists(st.integers(1, 40), min_size=1, max_size=12)),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("growth", [ALWAYS, LAYERED], ids=["always", "layered"])
@settings(max_examples=15, deadline=None)
@given(changes=CHANGES)
def test_any_order_of_changes_is_as_a_fresh_exact_store(growth: object, changes: list[tuple[str, list[int]]]) -> None:
    """Each id is added with another vector each time: an update."""
    held: dict[int, Vectors] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = WholeLibrary(Path(folder), DIMENSION, growth)  # type: ignore[arg-type]
        for turn, (what, numbers) in enumerate(changes):
            ids = np.unique(np.array(numbers, dtype=np.int64))
            rows = unit_rows(len(ids), seed=turn)
            if what == "add":
                store.add(ids, rows)
                held |= dict(zip(ids.tolist(), rows, strict=True))
            else:
                store.remove(ids)
                held = {number: row for number, row in held.items() if number not in numbers}
        assert len(store) == len(held)
        ids, rows = (
            np.array([*held], dtype=np.int64),
            np.array([*held.values()], dtype=np.float32).reshape(-1, DIMENSION),
        )
        fresh = FlatVectors(DIMENSION)
        fresh.add(ids, rows)
        for query in np.split(unit_rows(3, seed=99), 3):
            for among in (None, ids[::2], np.arange(1, 41, dtype=np.int64)):
                k = 50 if among is None else 5
                found, wanted = store.search(query, k, among), fresh.search(query, k, among)
                assert [number for number, _ in found] == [number for number, _ in wanted]
        assert check_library(Path(folder)).faults == ()
