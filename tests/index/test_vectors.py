import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.index.vectors import FOOTER, FlatVectors
from rag.types import Ids, Vectors, VectorStore

DIMENSION = 24
STAMP = "0123456789abcdef0123456789abcdef"


def unit_rows(count: int, seed: int = 0) -> Vectors:
    rows = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def scattered_ids(count: int, seed: int = 1) -> Ids:
    ids: NDArray[np.int64] = np.random.default_rng(seed).permutation(count * 7)[:count].astype(np.int64) + 1
    return ids


def filled(count: int) -> tuple[FlatVectors, Ids, Vectors]:
    store, ids, rows = FlatVectors(DIMENSION), scattered_ids(count), unit_rows(count)
    store.add(ids, rows)
    return store, ids, rows


def by_brute_force(query: Vectors, ids: Ids, rows: Vectors, k: int) -> list[int]:
    ranked: list[int] = ids[np.argsort(-(rows @ query[0]), kind="stable")][:k].tolist()
    return ranked


def test_it_is_a_vector_store() -> None:
    store: VectorStore = FlatVectors(DIMENSION)
    assert len(store) == 0


def test_search_among_ids_that_are_not_there_finds_only_those_that_are() -> None:
    store, ids, _ = filled(20)
    unknown = np.array([10_000, 10_001], dtype=np.int64)
    assert store.search(unit_rows(1), 5, among=unknown) == []
    assert [i for i, _ in store.search(unit_rows(1), 5, among=np.append(unknown, ids[3]))] == [ids[3]]
    assert store.search(unit_rows(1), 5, among=np.array([], dtype=np.int64)) == []


def test_removing_ids_that_are_not_there_changes_nothing() -> None:
    store, ids, _ = filled(5)
    store.remove(np.array([99_999], dtype=np.int64))
    store.remove(np.array([], dtype=np.int64))
    assert store.ids.tolist() == ids.tolist()
    FlatVectors(DIMENSION).remove(ids)


def test_no_hits_are_asked_for_and_none_come() -> None:
    store, _, _ = filled(5)
    assert store.search(unit_rows(1), 0) == []


def test_equal_vectors_come_in_the_order_of_their_ids() -> None:
    store, row = FlatVectors(DIMENSION), unit_rows(1)
    store.add(np.array([30, 10, 20], dtype=np.int64), np.repeat(row, 3, axis=0))
    assert [i for i, _ in store.search(row, 3)] == [10, 20, 30]


@pytest.mark.parametrize("ids", [[1, 1], [7, 2]], ids=["twice at once", "once more"])
def test_an_id_added_twice_is_refused(ids: list[int]) -> None:
    store = FlatVectors(DIMENSION)
    store.add(np.array([7], dtype=np.int64), unit_rows(1))
    with pytest.raises(ValueError, match="added twice"):
        store.add(np.array(ids, dtype=np.int64), unit_rows(2))


def test_wrong_shapes_are_refused_with_both_shapes() -> None:
    store, ids, rows = filled(3)
    with pytest.raises(ValueError, match=r"\(3, 23\) and float32; wanted \(3, 24\)"):
        store.add(ids + 1000, rows[:, :-1])
    with pytest.raises(ValueError, match="float64"):
        store.add(ids + 1000, rows.astype(np.float64))
    with pytest.raises(ValueError, match=r"query of shape \(2, 24\); wanted \(1, 24\)"):
        store.search(rows[:2], 1)


def test_a_saved_store_answers_as_before(tmp_path: Path) -> None:
    store, _, _ = filled(200)
    store.save(tmp_path / "vectors", STAMP)
    loaded = FlatVectors.load(tmp_path / "vectors", STAMP, DIMENSION)
    assert loaded is not None
    assert loaded.ids.tolist() == store.ids.tolist()
    assert loaded.search(unit_rows(1, seed=8), 20) == store.search(unit_rows(1, seed=8), 20)
    loaded.remove(store.ids[:10])
    assert len(loaded) == 190
    assert [path.name for path in tmp_path.iterdir()] == ["vectors"]


def test_a_file_of_another_commit_or_dimension_is_not_loaded(tmp_path: Path) -> None:
    store, _, _ = filled(3)
    store.save(tmp_path / "vectors", STAMP)
    assert FlatVectors.load(tmp_path / "vectors", STAMP[::-1], DIMENSION) is None
    assert FlatVectors.load(tmp_path / "vectors", STAMP, DIMENSION + 1) is None
    assert FlatVectors.load(tmp_path / "missing", STAMP, DIMENSION) is None


def test_a_file_cut_short_anywhere_is_not_loaded(tmp_path: Path) -> None:
    store, _, _ = filled(4)
    path = tmp_path / "vectors"
    store.save(path, STAMP)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert FlatVectors.load(path, STAMP, DIMENSION) is None


def test_a_file_with_any_byte_changed_is_not_loaded(tmp_path: Path) -> None:
    store, _, _ = filled(4)
    path = tmp_path / "vectors"
    store.save(path, STAMP)
    whole = path.read_bytes()
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :])
        assert FlatVectors.load(path, STAMP, DIMENSION) is None


def test_a_whole_file_in_a_format_faiss_does_not_know_is_not_loaded(tmp_path: Path) -> None:
    body = b"some later format"
    (tmp_path / "vectors").write_bytes(body + FOOTER.pack(b"citeline", STAMP.encode(), zlib.crc32(body)))
    assert FlatVectors.load(tmp_path / "vectors", STAMP, DIMENSION) is None


@pytest.mark.parametrize("step", ["rag.index.files.Checksummed.__call__", "os.fsync", "pathlib.Path.replace"])
def test_a_failed_save_leaves_the_old_file_and_nothing_else(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("the disk has gone")

    path = tmp_path / "vectors"
    path.write_bytes(b"old")
    monkeypatch.setattr(step, fail)
    with pytest.raises(OSError, match="gone"):
        filled(5)[0].save(path, STAMP)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
