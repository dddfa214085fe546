"""Large libraries: what commits write, and what readers do where the segment is no good."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.index import Growth, check_library, open_library, open_writer, repair_library
from rag.index.lock import restoring_lock
from rag.index.segment import Segment, make_segment
from tests.fakes import WordEmbedder
from tests.index.damage import delete, empty, garble, truncate
from tests.index.large import ALWAYS, LAYERED, make_large
from tests.index.shelf import ARTICLES, IDENTITY, near, put, state, vector_files, worded

STONES = {f"stone{number}": f"Stone {number} lies.\nMoss grows on stone {number}." for number in range(20)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_large(tmp_path / "index", ARTICLES | STONES)


def file_of(folder: Path) -> Path:
    (name,) = vector_files(folder)
    return folder / name


def change(folder: Path, growth: Growth = LAYERED) -> None:
    with open_writer(folder, IDENTITY, growth=growth) as writer:
        writer.remove("salt")
        put(writer, "iron", "Iron is heavy.\nIt sinks.")
        writer.commit()


def test_small_changes_write_no_file_and_larger_ones_another_segment(folder: Path) -> None:
    assert vector_files(folder) == ["vectors-1.segment"]
    written = file_of(folder).stat().st_mtime_ns
    change(folder)  # two of 45 gone, one changed into two
    assert (vector_files(folder), file_of(folder).stat().st_mtime_ns) == (["vectors-1.segment"], written)
    with open_library(folder, IDENTITY) as library:
        assert near(library, "iron is heavy", k=1) == ["iron:0"]
        assert not {"salt:0", "salt:1"} & {*near(library, "salt dries in wide pans", k=99)}
        assert len(near(library, "stone", k=99)) == library.count().chunks == 44
    make_large(folder, {f"wood{number}": f"Wood {number} floats." for number in range(10)})
    assert vector_files(folder) == ["vectors-3.segment"]
    with open_library(folder, IDENTITY) as library:
        assert near(library, "wood 3 floats", k=1) == ["wood3:0"]
        assert len(near(library, "stone", k=99)) == 54
    assert check_library(folder).faults == ()


def test_a_library_becomes_large_and_small_again_with_the_same_answers(tmp_path: Path) -> None:
    growth = Growth(exact_bytes=30 * 64 * 4)
    for articles, kind in ((ARTICLES, "faiss"), (ARTICLES | STONES, "segment"), (ARTICLES, "faiss")):
        with open_writer(tmp_path / "index", IDENTITY, growth=growth) as writer:
            for gone in {listed.id for listed in writer.documents()} - articles.keys():
                writer.remove(gone)
            for name, text in articles.items():
                put(writer, name, text)
            writer.commit()
        assert file_of(tmp_path / "index").suffix == f".{kind}"
        with open_library(tmp_path / "index", IDENTITY) as library:
            assert len(near(library, "moss on a stone", 99)) == sum(text.count("\n") + 1 for text in articles.values())
            assert near(library, "salt dries in wide pans", 1) == ["salt:0"]
        assert check_library(tmp_path / "index").faults == ()


def _tear(path: Path) -> None:
    """Where only a search finds it."""
    whole = path.read_bytes()
    path.write_bytes(whole[:-1000] + bytes([whole[-1000] ^ 1]) + whole[-999:])


DAMAGE = pytest.mark.parametrize("damage", [delete, truncate, empty, garble, _tear])


@DAMAGE
def test_a_segment_that_is_no_good_is_restored_for_the_reader_and_on_disk(
    damage: Callable[[Path], None], folder: Path
) -> None:
    before, path = state(folder), file_of(folder)
    whole = path.read_bytes()
    damage(path)
    assert state(folder) == before
    assert file_of(folder).read_bytes() == whole
    damage(path)
    (fault,) = check_library(folder).faults
    wrong = "is damaged, or belongs to another state of the library" if path.exists() else "is missing"
    assert fault.what == f"vectors-1.segment {wrong}."
    assert repair_library(folder).after.faults == ()
    assert state(folder)["listed"] == before["listed"]


@DAMAGE
@pytest.mark.parametrize("growth", [LAYERED, ALWAYS], ids=["kept", "made anew"])
def test_a_segment_that_is_no_good_does_not_hinder_the_writer(
    damage: Callable[[Path], None], growth: Growth, folder: Path, tmp_path: Path
) -> None:
    damage(file_of(folder))
    make_large(tmp_path / "whole", ARTICLES | STONES)
    for place in (folder, tmp_path / "whole"):
        change(place, growth)
    assert state(folder) == state(tmp_path / "whole")
    assert check_library(folder).faults == ()


def test_while_another_reader_restores_the_segment_answers_are_exact(folder: Path) -> None:
    before = state(folder)
    file_of(folder).unlink()
    with restoring_lock(folder):
        assert state(folder) == before
        with open_library(folder, IDENTITY) as library:
            only = frozenset({"salt", "stone3"})
            hits = library.nearest(WordEmbedder().embed_query("moss on stone 3"), 2, only)
            assert [hit.chunk.document_id for hit in hits] == ["stone3", "stone3"]
    assert vector_files(folder) == []


def test_threads_that_ask_while_one_restores_do_not_wait_for_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    restoring, go_on = threading.Event(), threading.Event()

    def slow(*given: object) -> Segment:
        restoring.set()
        assert go_on.wait(timeout=20)
        return make_segment(*given)  # type: ignore[arg-type]

    file_of(folder).unlink()
    monkeypatch.setattr("rag.index.searching.make_segment", slow)
    with open_library(folder, IDENTITY) as library:
        found: list[str] = []
        thread = threading.Thread(target=lambda: found.extend(near(library, "iron rusts in wet air", k=1)))
        thread.start()
        assert restoring.wait(timeout=20)
        assert near(library, "iron rusts in wet air", k=1) == ["iron:0"]
        assert (found, vector_files(folder)) == ([], [])
        go_on.set()
        thread.join(timeout=20)
        assert found == ["iron:0"]
        assert vector_files(folder) == ["vectors-1.segment"]


def test_a_snapshot_whose_segment_a_writer_has_replaced_still_answers(folder: Path) -> None:
    with open_library(folder, IDENTITY) as library, library.snapshot() as before:
        before.count()
        change(folder, ALWAYS)
        assert vector_files(folder) == ["vectors-2.segment"]
        (hit,) = before.nearest(WordEmbedder().embed_query("iron rusts in wet air"), 1)
        assert hit.chunk.id == "iron:0"
        assert hit.score == pytest.approx(1.0)
        assert near(library, "iron is heavy", k=1) == ["iron:0"]
    assert vector_files(folder) == ["vectors-2.segment"]


def test_a_lost_segment_is_made_in_memory_on_a_full_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    file_of(folder).unlink()
    monkeypatch.setattr("os.fsync", full)
    with open_library(folder, IDENTITY) as library:
        assert near(library, "iron rusts in wet air", k=1) == ["iron:0"]
        monkeypatch.setattr("rag.index.searching.make_segment", full)
        assert near(library, "iron rusts in wet air", k=1) == ["iron:0"]
    assert vector_files(folder) == []


def test_vectors_that_differ_from_the_embeddings_are_found_by_the_check(folder: Path) -> None:
    with sqlite3.connect(folder / "library.sqlite") as connection:
        connection.execute(
            "UPDATE embeddings SET vector = (SELECT vector FROM embeddings WHERE chunk = 1) WHERE chunk = 5"
        )
    connection.close()
    assert [fault.what for fault in check_library(folder).faults] == [
        "vectors-1.segment holds other vectors than library.sqlite."
    ]


def test_beside_rare_words_common_ones_make_no_difference_to_the_search_by_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.index.words.MOST_MATCHES", 5)
    with open_library(folder, IDENTITY) as library, library.snapshot() as now:
        assert worded(library, "salt and stones", 99) == worded(library, "salt", 99) == ["salt:0", "salt:1"]
        found = {hit.chunk.id: hit.score for hit in now.matching("stone 3", 99)}
        assert found.keys() == {"stone3:0", "stone3:1"}
        some = now.matching("stone 3", 99, frozenset({"stone3", "stone4"}))
        assert {hit.chunk.id: hit.score for hit in some} == found
        assert len(now.matching("stones", 99)) == len(now.matching("nowhere stones", 99)) == 40
        assert now.matching("nowhere", 99) == now.matching("?", 99) == []
