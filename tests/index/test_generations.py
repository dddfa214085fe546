"""Readers beside a writer: which state they see, and what they do when the vector file is no good."""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.errors import LibraryEmpty, LibraryMismatch
from rag.index import FlatVectors, Identity, Library, open_library, open_writer
from tests.fakes import WordEmbedder
from tests.index.damage import delete, empty, garble, truncate
from tests.index.shelf import IDENTITY, make_library, near, put, state, vector_files, worded

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_library(tmp_path / "index")


def test_a_commit_removes_the_old_vector_file_though_a_snapshot_searches_in_it(folder: Path) -> None:
    question = WordEmbedder().embed_query("iron rusts in wet air")
    with open_library(folder, IDENTITY) as library, library.snapshot() as before:
        with open_writer(folder, IDENTITY) as writer:
            writer.remove("iron")
            writer.commit()
        assert vector_files(folder) == ["vectors-2.faiss"]
        assert before.nearest(question, 1)[0].chunk.document_id == "iron"
        assert library.nearest(question, 9)[0].chunk.document_id != "iron"


def _exchange(path: Path) -> None:
    make_library(path.parent / "other")
    shutil.copy(path.parent / "other" / "vectors-1.faiss", path)
    shutil.rmtree(path.parent / "other")


DAMAGE = pytest.mark.parametrize("damage", [delete, truncate, empty, garble, _exchange])


@DAMAGE
def test_a_vector_file_that_is_no_good_is_rebuilt_for_the_reader_and_on_disk(
    damage: Callable[[Path], None], folder: Path
) -> None:
    before = state(folder)
    vectors = folder / "vectors-1.faiss"
    whole = vectors.read_bytes()
    damage(vectors)
    assert state(folder) == before
    assert vectors.read_bytes() == whole
    assert vector_files(folder) == ["vectors-1.faiss"]


@DAMAGE
def test_a_vector_file_that_is_no_good_does_not_hinder_the_writer(
    damage: Callable[[Path], None], folder: Path, tmp_path: Path
) -> None:
    damage(folder / "vectors-1.faiss")
    make_library(tmp_path / "whole")
    for place in (folder, tmp_path / "whole"):
        with open_writer(place, IDENTITY) as writer:
            writer.remove("salt")
            put(writer, "wood", "Wood floats.")
            writer.commit()
    assert state(folder) == state(tmp_path / "whole")


def test_a_lost_vector_file_is_restored_while_a_writer_is_at_work(folder: Path) -> None:
    (folder / "vectors-1.faiss").unlink()
    with open_writer(folder, IDENTITY) as writer, open_library(folder, IDENTITY) as library:
        assert near(library, "iron rusts in wet air", k=1) == ["iron:0"]
        assert vector_files(folder) == ["vectors-1.faiss"]
        put(writer, "wood", "Wood floats on water.")
        writer.commit()
        assert near(library, "wood floats on water", k=1) == ["wood:0"]
    assert vector_files(folder) == ["vectors-2.faiss"]


def test_a_reader_that_restores_the_vector_file_turns_no_writer_away(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = FlatVectors.save

    def commit_first(store: FlatVectors, path: Path, stamp: str) -> None:
        monkeypatch.setattr(FlatVectors, "save", save)
        with open_writer(folder, IDENTITY) as writer:
            put(writer, "wood", "Wood floats on water.")
            writer.commit()
        store.save(path, stamp)

    (folder / "vectors-1.faiss").unlink()
    with open_library(folder, IDENTITY) as library:
        monkeypatch.setattr(FlatVectors, "save", commit_first)
        assert near(library, "iron rusts in wet air", k=1) == ["iron:0"]
        assert near(library, "wood floats on water", k=1) == ["wood:0"]
    with open_writer(folder, IDENTITY):
        assert vector_files(folder) == ["vectors-2.faiss"]


def test_a_lost_vector_file_is_rebuilt_in_memory_on_a_full_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    (folder / "vectors-1.faiss").unlink()
    monkeypatch.setattr("os.fsync", full)
    with open_library(folder, IDENTITY) as library:
        assert near(library, "iron rusts in wet air", k=1) == ["iron:0"]
    assert vector_files(folder) == []


def test_vectors_are_loaded_once_a_generation(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    load = FlatVectors.load

    def noted(path: Path, stamp: str, dimension: int) -> FlatVectors | None:
        loads.append(path.name)
        return load(path, stamp, dimension)

    monkeypatch.setattr(FlatVectors, "load", noted)
    with open_library(folder, IDENTITY) as library:
        library.documents()
        assert loads == []
        near(library, "tea")
        near(library, "salt")
        assert loads == ["vectors-1.faiss"]
        with open_writer(folder, IDENTITY) as writer:
            put(writer, "wood", "Wood floats.")
            writer.commit()
        loads.clear()
        near(library, "tea")
        near(library, "salt")
        assert loads == ["vectors-2.faiss"]


def test_an_open_library_notices_that_its_folder_was_removed_and_made_again(folder: Path) -> None:
    with open_library(folder, IDENTITY) as library:
        near(library, "tea")
        shutil.rmtree(folder)
        with pytest.raises(LibraryEmpty):
            near(library, "tea")
        make_library(folder, {"wood": "Wood floats."})
        assert near(library, "tea") == ["wood:0"]


def test_an_open_library_notices_that_it_was_made_anew_with_another_embedder(folder: Path) -> None:
    with open_library(folder, IDENTITY) as strict, open_library(folder) as lenient:
        with open_writer(folder, Identity("other", "1", 8, 160, 1), start_over=True) as writer:
            writer.commit()
        with pytest.raises(LibraryMismatch, match="made with embedder other, but now it is embedder words"):
            worded(strict, "tea")
        assert worded(lenient, "tea") == []


def test_eight_threads_read_whole_states_while_a_writer_commits(folder: Path) -> None:
    errors: list[BaseException] = []
    seen: set[int] = set()
    done = threading.Event()

    def read(library: Library) -> None:
        query = WordEmbedder().embed_query("stone number")
        try:
            while not done.is_set():
                with library.snapshot() as now:
                    hits = now.nearest(query, 1000)
                    documents = now.documents_by_id(hit.chunk.document_id for hit in hits)
                    texts = {documents[hit.chunk.document_id].text[hit.chunk.start : hit.chunk.end] for hit in hits}
                    assert len(hits) == now.count().chunks
                    # Each commit puts a new stone and rewrites "tea" to name it, so a mixture would show.
                    if now.manifest.generation > 1:
                        newest = f"stone number {now.manifest.generation}"
                        assert {newest, f"tea beside {newest}"} <= texts
                        assert len(now.matching("stone", 1000)) == now.manifest.generation
                    seen.add(now.manifest.generation)
                assert library.nearest(query, 3)
                assert library.matching("stone tea", 3)
        except BaseException as error:
            errors.append(error)

    with open_library(folder, IDENTITY) as library:
        threads = [threading.Thread(target=read, args=(library,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        with open_writer(folder, IDENTITY) as writer:
            for generation in range(2, 32):
                put(writer, f"stone{generation}", f"stone number {generation}")
                put(writer, "tea", f"tea beside stone number {generation}")
                writer.commit()
        done.set()
        for thread in threads:
            thread.join(timeout=20)
        assert errors == []
        assert len(seen) > 1
        assert library.generation == 31


def read_without_permission(folder: Path) -> dict[str, object]:
    """What a process reads that may not write in `folder`, whoever runs the tests."""
    folder.chmod(0o555)
    try:
        run = subprocess.run(
            [sys.executable, "-m", "tests.index.powerless_reader", str(folder)],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
    finally:
        folder.chmod(0o755)
    answer: dict[str, object] = json.loads(run.stdout)
    return answer


def test_a_library_in_a_read_only_folder_can_be_read(folder: Path) -> None:
    (folder / "vectors-1.faiss").unlink()
    assert read_without_permission(folder) == {
        "writable": False,
        "near": ["iron:0"],
        "worded": ["iron:0"],
        "documents": 3,
        "writing": f"LibraryUnwritable: {folder} can't be written (attempt to write a readonly database). "
        "Allow it, or set RAG_INDEX to a folder you can write.",
    }


def test_a_library_in_a_read_only_folder_can_be_read_beside_its_writer(folder: Path) -> None:
    with open_library(folder, IDENTITY) as library, open_writer(folder, IDENTITY) as writer:
        put(writer, "wood", "Wood floats.")
        writer.commit()
        assert library.generation == 2
        assert read_without_permission(folder)["documents"] == 4


def test_a_read_only_folder_whose_last_change_needs_writing_says_so(folder: Path, tmp_path: Path) -> None:
    with open_writer(folder, IDENTITY) as writer:
        put(writer, "wood", "Wood floats.")
        writer.commit()
        left = tmp_path / "left"  # as a killed writer would leave it: the change still in the log
        left.mkdir()
        for name in ("library.sqlite", "library.sqlite-wal"):
            shutil.copy(folder / name, left / name)
    error = read_without_permission(left)["error"]
    assert str(error).startswith("LibraryUnwritable: ")
    assert "its last change still waits in library.sqlite-wal. Run `rag status` once where it can" in str(error)
    assert len(state(left)["listed"]) == 4
