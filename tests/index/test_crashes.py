"""Whatever ends a writer, the library is the one before or the one after."""

import errno
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

import rag.index.writing
from rag.errors import DiskFull, LibraryUnwritable
from rag.index import Writer, open_library, open_writer
from tests.index.mortal_writer import LEAVE_NEW, LEAVE_OLD, change
from tests.index.shelf import ARTICLES, IDENTITY, make_library, near, put, state, vector_files, worded

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_library(tmp_path / "index")


def put_many(writer: Writer) -> None:
    for number in range(200):
        put(writer, f"stone{number}", "Another stone. " * 200)


def start_mortal_writer(folder: Path, moment: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.index.mortal_writer", str(folder), moment]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("moment", LEAVE_OLD + LEAVE_NEW)
def test_a_writer_killed_at_any_moment_leaves_the_old_library_or_the_new(
    moment: str, folder: Path, tmp_path: Path
) -> None:
    with open_writer(make_library(tmp_path / "changed"), IDENTITY) as writer:
        change(writer)
        writer.commit()
    new, old = state(tmp_path / "changed"), state(folder)
    with start_mortal_writer(folder, moment) as child:
        assert child.wait(timeout=20) == -signal.SIGKILL

    assert state(folder) == (old if moment in LEAVE_OLD else new)

    with open_writer(folder, IDENTITY) as writer:
        generation = old["generation"] if moment in LEAVE_OLD else new["generation"]
        assert vector_files(folder) == [f"vectors-{generation}.faiss"]
        change(writer)
        writer.commit()
    after = state(folder)
    assert after["generation"] == generation + 1
    assert after["documents"] == new["documents"]


def test_a_writer_killed_at_random_moments_never_leaves_a_mixture(tmp_path: Path) -> None:
    generation = 0
    for _ in range(4):
        with start_mortal_writer(tmp_path, "whenever") as child:
            assert child.stdout
            child.stdout.readline()
            time.sleep(random.uniform(0, 0.12))
            child.kill()
            told = 1 + len(child.stdout.readlines())
        with open_library(tmp_path, IDENTITY) as library:
            assert library.generation >= generation + told
            generation = library.generation
            assert library.count().documents == library.count().chunks == 5 * generation
            assert len(near(library, "Stone", k=10_000)) == len(worded(library, "stone", k=10_000)) == 5 * generation


def test_a_first_writer_killed_before_its_commit_leaves_an_empty_library(tmp_path: Path) -> None:
    with start_mortal_writer(tmp_path, "between articles") as child:
        child.wait(timeout=20)
    assert make_library(tmp_path) == tmp_path
    assert state(tmp_path)["generation"] == 1


def test_an_interrupt_between_the_vector_file_and_the_commit_leaves_no_trace(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        assert vector_files(folder) == ["vectors-1.faiss", "vectors-2.faiss"]
        raise KeyboardInterrupt

    before = state(folder)
    with open_writer(folder, IDENTITY) as writer:
        change(writer)
        monkeypatch.setattr(rag.index.writing, "write_manifest", interrupt)
        with pytest.raises(KeyboardInterrupt):
            writer.commit()
        with pytest.raises(ValueError, match="has ended"):
            put(writer, "glass", "Glass breaks.")
    assert state(folder) == before
    assert vector_files(folder) == ["vectors-1.faiss"]


def test_starting_over_without_a_commit_leaves_the_old_library(folder: Path) -> None:
    before = state(folder)
    with open_writer(folder, IDENTITY, start_over=True) as writer:
        assert writer.known() == {}
        put(writer, "wood", "Wood floats.")
        assert state(folder) == before
    assert state(folder) == before


def test_a_database_that_may_not_grow_is_a_full_disk_and_the_library_stays(folder: Path) -> None:
    before = state(folder)
    with open_writer(folder, IDENTITY) as writer:
        (pages,) = writer._connection.execute("PRAGMA page_count").fetchone()
        writer._connection.execute(f"PRAGMA max_page_count = {pages + 8}")
        writer.remove("tea")
        with pytest.raises(DiskFull, match=r"No room left on the disk of .*; the library stays as it was"):
            put_many(writer)
        with pytest.raises(ValueError, match="has ended"):
            put(writer, "tea", ARTICLES["tea"])
        with pytest.raises(ValueError, match="has ended"):
            writer.commit()
    assert state(folder) == before
    with open_writer(folder, IDENTITY) as writer:
        put(writer, "stone", "Another stone. " * 200)
        assert writer.commit() is True


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_no_room_for_the_vector_file_is_a_full_disk_and_the_library_stays(
    code: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(code, "no room")

    before = state(folder)
    monkeypatch.setattr("os.fsync", full)
    with open_writer(folder, IDENTITY) as writer:
        change(writer)
        with pytest.raises(DiskFull):
            writer.commit()
        assert vector_files(folder) == ["vectors-1.faiss"]
    assert state(folder) == before


@pytest.mark.parametrize(
    "content", [b"no database at all, but longer than a header" * 100, b"SQLite format 3\x00" * 99]
)
def test_a_file_that_is_no_database_is_named_with_the_way_out(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "library.sqlite").write_bytes(content)
    for start in (lambda: open_library(tmp_path, IDENTITY), lambda: open_writer(tmp_path, IDENTITY).__enter__()):
        with pytest.raises(LibraryUnwritable, match=r"library\.sqlite is damaged .*Run `rag index --rebuild FOLDER`"):
            start()
    with open_writer(tmp_path, IDENTITY, start_over=True) as writer:
        put(writer, "tea", ARTICLES["tea"])
        writer.commit()
    assert state(tmp_path)["count"].documents == 1
    assert (tmp_path / "library-damaged.sqlite").read_bytes() == content


def test_a_database_of_something_else_is_not_taken_for_a_library(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "library.sqlite")
    connection.execute("CREATE TABLE bookmarks (url)")
    connection.close()
    with pytest.raises(LibraryUnwritable, match="it holds no manifest"):
        open_library(tmp_path, IDENTITY)


def test_a_damaged_full_text_table_is_named_with_the_way_out_and_can_be_made_again(folder: Path) -> None:
    connection = sqlite3.connect(folder / "library.sqlite")
    connection.execute("UPDATE words_config SET v = 99 WHERE k = 'version'")
    connection.commit()
    connection.close()
    with open_library(folder, IDENTITY) as library:
        assert near(library, "iron rusts in wet air", k=1) == ["iron:0"]
        with pytest.raises(LibraryUnwritable, match=r"damaged .*rag index --rebuild"):
            worded(library, "rust")
    with open_writer(folder, IDENTITY, start_over=True) as writer:
        put(writer, "tea", ARTICLES["tea"])
        writer.commit()
    assert state(folder)["count"].documents == 1


def test_a_library_damaged_in_the_middle_is_named_with_the_way_out_and_can_be_made_again(tmp_path: Path) -> None:
    make_library(tmp_path, {f"stone{n}": f"Stone number {n}. " * 50 for n in range(100)})
    database = tmp_path / "library.sqlite"
    whole = database.read_bytes()
    database.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    with pytest.raises(LibraryUnwritable, match=r"damaged .*malformed.*rag index --rebuild"):
        open_library(tmp_path, IDENTITY)
    with open_writer(tmp_path, IDENTITY, start_over=True) as writer:
        put(writer, "tea", ARTICLES["tea"])
        writer.commit()
    assert state(tmp_path)["count"].documents == 1
