from pathlib import Path

import numpy as np
import pytest

from rag.index.layered import LOOKED_UP, LayeredVectors
from rag.index.segment import DamagedSegment, Segment, make_segment
from rag.index.vectors import FlatVectors
from rag.types import Ids, Vectors
from tests.index.test_vectors import DIMENSION, STAMP, by_brute_force, unit_rows

COUNT = 600


def made(rows: Vectors) -> Segment:
    """Of rows with the ids 1, 2, 3 …"""
    ids = np.arange(1, len(rows) + 1, dtype=np.int64)
    return make_segment(
        lambda: ((ids[at : at + 100], rows[at : at + 100]) for at in range(0, len(rows), 100)), len(rows)
    )


@pytest.fixture(scope="module")
def rows() -> Vectors:
    return unit_rows(COUNT)


@pytest.fixture(scope="module")
def segment(rows: Vectors) -> Segment:
    return made(rows)


@pytest.fixture
def path(segment: Segment, tmp_path: Path) -> Path:
    segment.save(tmp_path / "vectors", STAMP)
    return tmp_path / "vectors"


def opened(path: Path) -> Segment:
    found = Segment.open(path, STAMP, DIMENSION)
    assert found is not None
    return found


def test_every_vector_is_in_one_cluster_and_stood_for_by_its_code(segment: Segment, rows: Vectors) -> None:
    assert sorted(segment.ids.tolist()) == list(range(1, COUNT + 1))
    assert len(segment.centroids) == 98  # 4 times the root of 600
    assert segment.stands_for(np.arange(1, COUNT + 1), rows)
    assert not segment.stands_for(np.arange(1, COUNT + 1), rows[::-1])
    assert not segment.stands_for(np.array([COUNT + 1]), rows[:1])


def test_approximate_scores_are_off_by_less_than_the_error(segment: Segment, rows: Vectors) -> None:
    query = unit_rows(1, seed=2)
    ids, scores = segment.nearest(query, COUNT)
    assert sorted(ids.tolist()) == list(range(1, COUNT + 1))
    assert 0 < np.abs(scores - rows[ids - 1] @ query[0]).max() <= segment.error < 0.02


def test_more_clusters_are_looked_into_where_more_is_wanted(segment: Segment, rows: Vectors) -> None:
    query = unit_rows(1, seed=3)
    true = by_brute_force(query, np.arange(1, COUNT + 1), rows, 200)
    shares = [len({*segment.nearest(query, 200, widened)[0].tolist()} & {*true}) / 200 for widened in (1, 64)]
    assert 0.5 < shares[0] <= shares[1]
    assert shares[1] > 0.98


def test_an_opened_segment_answers_as_before_and_equal_vectors_make_equal_files(
    segment: Segment, rows: Vectors, path: Path
) -> None:
    found, query = opened(path), unit_rows(1, seed=4)
    assert [part.tolist() for part in found.nearest(query, 20)] == [p.tolist() for p in segment.nearest(query, 20)]
    assert (found.probes, found.learned) == (segment.probes, COUNT)
    assert found.error == pytest.approx(segment.error)
    made(rows).save(path.with_name("again"), STAMP)
    assert path.with_name("again").read_bytes() == path.read_bytes()


def test_renewed_it_holds_what_is_left_and_what_was_added(segment: Segment, rows: Vectors, path: Path) -> None:
    more = unit_rows(50, seed=5)
    ids = np.arange(1001, 1051, dtype=np.int64)
    alive = np.arange(1, COUNT + 1, 2)
    renewed = opened(path).renewed(alive, [(ids, more)])
    assert sorted(renewed.ids.tolist()) == [*alive.tolist(), *ids.tolist()]
    assert renewed.stands_for(ids, more)
    assert renewed.stands_for(alive, rows[::2])
    assert np.array_equal(renewed.centroids, segment.centroids)


def test_a_file_of_another_commit_or_dimension_is_not_opened(path: Path) -> None:
    assert Segment.open(path, STAMP[::-1], DIMENSION) is None
    assert Segment.open(path, STAMP, DIMENSION + 1) is None
    assert Segment.open(path.with_name("missing"), STAMP, DIMENSION) is None


def test_a_file_cut_short_anywhere_is_not_opened(path: Path) -> None:
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.with_name("cut").write_bytes(whole[:length])
        assert Segment.open(path.with_name("cut"), STAMP, DIMENSION) is None


def test_any_byte_changed_is_found_when_it_is_opened_or_looked_at(path: Path) -> None:
    whole = path.read_bytes()
    padding = 0
    for at in range(0, len(whole), 61):
        changed = path.with_name(f"changed{at}")  # another file each time: the last one may still be mapped
        changed.write_bytes(whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :])
        found = Segment.open(changed, STAMP, DIMENSION)
        if found is None:
            continue
        try:
            found.nearest(unit_rows(1), COUNT)
            padding += 1
        except DamagedSegment:
            with pytest.raises(DamagedSegment):
                found.verify()
    assert padding <= 2


def test_what_is_in_no_cluster_looked_into_is_not_read(path: Path, segment: Segment) -> None:
    query = segment.centroids[:1]
    far = int(np.argmin(segment.centroids @ query[0]))
    assert segment.starts[far] < segment.starts[far + 1]
    whole = bytearray(path.read_bytes())
    whole[len(whole) - COUNT * DIMENSION + int(segment.starts[far]) * DIMENSION] ^= 1
    path.with_name("torn").write_bytes(whole)
    found = opened(path.with_name("torn"))
    assert len(found.nearest(query, 1)[0]) == 1
    with pytest.raises(DamagedSegment, match=f"cluster {far}"):
        found.among(query, 1, np.array([1]))


@pytest.mark.parametrize("step", ["rag.index.files.Checksummed.__call__", "os.fsync", "pathlib.Path.replace"])
def test_a_failed_save_leaves_the_old_file_and_nothing_else(
    step: str, segment: Segment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("the disk has gone")

    (tmp_path / "old").write_bytes(b"old")
    monkeypatch.setattr(step, fail)
    with pytest.raises(OSError, match="gone"):
        segment.save(tmp_path / "old", STAMP)
    assert (tmp_path / "old").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "old"]


@pytest.mark.parametrize("k", [1, 10, 300])
def test_among_very_many_ids_the_search_is_exact_too(k: int) -> None:
    """More than are looked up one by one: the codes say which of them can be among the best."""
    count = 2 * LOOKED_UP + 500
    rows, ids = unit_rows(count, seed=7), np.arange(1, count + 1, dtype=np.int64)
    looked_up = []

    def lookup(wanted: Ids) -> tuple[Ids, Vectors]:
        looked_up.extend(wanted.tolist())
        there = wanted[wanted % 5 != 0]  # every fifth is gone
        return there, rows[there - 1]

    tail = FlatVectors(DIMENSION)
    tail.add(ids[-300:], rows[-300:])
    layered = LayeredVectors(made(rows[:-300]), tail, lookup)
    among = ids[::2]
    alive = among[among % 5 != 0]
    assert len(among) > LOOKED_UP
    for query in np.split(unit_rows(4, seed=8), 4):
        looked_up.clear()
        found = layered.search(query, k, among)
        assert [number for number, _ in found] == by_brute_force(query, alive, rows[alive - 1], k)
        assert len(looked_up) < len(among) / 2
