"""`write_backup` and `restore_backup`: the whole library and nothing else, or nothing at all."""

import json
import os
import shutil
import sqlite3
import threading
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rag.errors import DiskFull, InputError, LibraryBusy, LibraryEmpty
from rag.index import Identity, check_library, open_library, open_writer, restore_backup, write_backup
from tests.index.shelf import ARTICLES, IDENTITY, make_library, near, put, state, vector_files, worded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_library(tmp_path / "index")
    with open_writer(tmp_path / "index", IDENTITY) as writer:
        writer.remember_root("articles")
        writer.commit()
    return tmp_path / "index"


@pytest.fixture
def file(folder: Path, tmp_path: Path) -> Path:
    write_backup(folder, tmp_path / "library.backup")
    return tmp_path / "library.backup"


def content(folder: Path) -> dict[str, object]:
    return {name: value for name, value in state(folder).items() if name != "generation"}


def change(folder: Path) -> None:
    with open_writer(folder, IDENTITY) as writer:
        writer.remove("iron")
        put(writer, "wood", "Wood floats.")
        writer.remember_root("more")
        writer.commit()


def test_a_backup_restores_what_it_holds_as_a_new_generation(folder: Path, file: Path) -> None:
    before = content(folder)
    change(folder)
    restored = restore_backup(folder, file)
    assert (restored.documents, restored.chunks) == (3, 5)
    assert content(folder) == before
    assert state(folder)["generation"] == 3
    assert check_library(folder).faults == ()
    assert vector_files(folder) == ["vectors-3.faiss"]
    assert not (folder / "restoring").exists()


def test_a_backup_restores_into_a_folder_without_a_library(folder: Path, file: Path, tmp_path: Path) -> None:
    restore_backup(tmp_path / "elsewhere" / "index", file)
    assert content(tmp_path / "elsewhere" / "index") == content(folder)
    assert check_library(tmp_path / "elsewhere" / "index").faults == ()


def test_a_backup_restores_in_place_of_a_library_of_another_embedder_and_of_a_damaged_one(
    file: Path, folder: Path, tmp_path: Path
) -> None:
    before = content(folder)
    other = tmp_path / "other"
    with open_writer(other, Identity("other", "1", 8, 64, 0)) as writer:
        writer.remember_root("b")
        writer.commit()
    restore_backup(other, file)
    assert content(other) == before
    (folder / "library.sqlite").write_bytes(b"no database" * 500)
    restore_backup(folder, file)
    assert content(folder) == before


def test_a_backup_is_one_file_that_says_what_it_holds(file: Path, tmp_path: Path) -> None:
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index", "library.backup"]
    with zipfile.ZipFile(file) as archive:
        note = json.loads(archive.read("backup.json"))
        assert (note["documents"], note["chunks"], note["format"]) == (3, 5, 1)
        assert note["bytes"] == len(archive.read("library.sqlite"))


def test_a_backup_written_over_an_older_one_takes_its_place(folder: Path, file: Path) -> None:
    change(folder)
    write_backup(folder, file)
    after = content(folder)
    shutil.rmtree(folder)
    restore_backup(folder, file)
    assert content(folder) == after


def test_a_backup_made_while_a_writer_works_is_of_its_last_commit(folder: Path, tmp_path: Path) -> None:
    before = content(folder)
    with open_writer(folder, IDENTITY) as writer:
        put(writer, "wood", "Wood floats.")
        write_backup(folder, tmp_path / "b")
        writer.commit()
    restore_backup(tmp_path / "copy", tmp_path / "b")
    assert content(tmp_path / "copy") == before


def test_backups_made_while_a_writer_commits_are_each_of_one_commit(folder: Path, tmp_path: Path) -> None:
    done = threading.Event()

    def write() -> None:
        with open_writer(folder, IDENTITY) as writer:
            for number in range(1000):
                put(writer, f"stone{number}", f"Stone {number} lies here. " * 200)
                put(writer, "tea", f"Tea beside stone {number}.")
                writer.commit()
                if done.is_set():
                    return

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(4):
            write_backup(folder, tmp_path / f"b{number}")
    finally:
        done.set()
        thread.join()
    for number in range(4):
        restore_backup(tmp_path / "copy", tmp_path / f"b{number}")
        with open_library(tmp_path / "copy", IDENTITY) as library:
            stones = library.count().documents - 3
            (tea,) = library.documents_by_id(["tea"]).values()
            assert tea.text == (f"Tea beside stone {stones - 1}." if stones else ARTICLES["tea"])


def test_an_open_reader_sees_the_old_state_until_the_restore_is_done_and_then_the_new(folder: Path, file: Path) -> None:
    change(folder)
    with open_library(folder, IDENTITY) as library, library.snapshot() as before:
        restore_backup(folder, file)
        assert [hit.chunk.id for hit in before.matching("wood iron", 3)] == ["wood:0"]
        assert worded(library, "wood iron") == ["iron:0"]
        assert near(library, "iron rusts in wet air", k=1) == ["iron:0"]


def test_nothing_is_restored_while_a_writer_works(folder: Path, file: Path) -> None:
    with open_writer(folder, IDENTITY), pytest.raises(LibraryBusy, match="rag index"):
        restore_backup(folder, file)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-50])


def _turn_a_bit(file: Path) -> None:
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 1
    file.write_bytes(whole)


def repacked(change: Callable[[dict[str, object], Path], object]) -> Callable[[Path], None]:
    """The backup with another note or database, whose hash is right again."""

    def repack(file: Path) -> None:
        database = file.with_suffix(".sqlite")
        with zipfile.ZipFile(file) as archive:
            note = json.loads(archive.read("backup.json"))
            database.write_bytes(archive.read("library.sqlite"))
        change(note, database)
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("backup.json", json.dumps(note))
            archive.write(database, "library.sqlite")

    return repack


def _execute(*statements: str) -> Callable[[dict[str, object], Path], None]:
    def execute(note: dict[str, object], database: Path) -> None:
        import hashlib

        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)
        note["bytes"] = database.stat().st_size
        note["sha256"] = hashlib.sha256(database.read_bytes()).hexdigest()

    return execute


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "No such file"),
    "empty": (lambda file: file.write_bytes(b""), "not a zip file"),
    "something else": (lambda file: file.write_bytes(os.urandom(5000)), "not a zip file"),
    "cut short": (_cut, "not a zip file"),
    "a bit turned": (_turn_a_bit, "can't be restored"),
    "another archive": (lambda file: zipfile.ZipFile(file, "w").close(), "doesn't hold backup.json"),
    "another format": (repacked(lambda note, _: note.update(format=2)), "format 2; this Citeline reads 1"),
    "another hash": (repacked(lambda note, _: note.update(sha256="0" * 64)), "aren't those that were backed up"),
    "a bomb": (repacked(lambda _, database: database.write_bytes(bytes(1 << 24))), "aren't those that were backed up"),
    "a field too many": (repacked(lambda note, _: note.update(evil=1)), "unexpected keyword"),
    "torn": (
        repacked(_execute("UPDATE documents SET text = 'x' WHERE id = 'iron'")),
        "isn't the text that was indexed",
    ),
    "newer": (repacked(_execute("UPDATE manifest SET value = 99 WHERE key = 'schema'")), "made by a newer Citeline"),
    "a trigger": (
        repacked(_execute("CREATE TRIGGER t AFTER DELETE ON chunks BEGIN DELETE FROM documents; END")),
        "tables aren't those of a library",
    ),
    "no library": (repacked(_execute("DROP TABLE manifest")), "holds no manifest"),
}


@pytest.mark.parametrize(("spoil", "why"), BAD.values(), ids=BAD)
def test_a_bad_file_changes_nothing_and_says_why(
    spoil: Callable[[Path], object], why: str, folder: Path, file: Path
) -> None:
    change(folder)
    before = state(folder)
    spoil(file)
    with pytest.raises(InputError, match=why) as caught:
        restore_backup(folder, file)
    assert "The library stays as it was." in str(caught.value)
    assert state(folder) == before
    assert not (folder / "restoring").exists()


def test_a_full_disk_while_restoring_changes_nothing(folder: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    change(folder)
    before = state(folder)
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(DiskFull):
            restore_backup(folder, file)
    assert state(folder) == before


def test_a_full_disk_while_backing_up_leaves_the_older_backup_and_no_trace(
    folder: Path, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    whole = file.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(DiskFull, match="Free some space, or name a file elsewhere"):
            write_backup(folder, file)
    assert file.read_bytes() == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index", "library.backup"]


def test_a_backup_that_can_not_be_written_names_the_file(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is a folder\. Name a file"):
        write_backup(folder, tmp_path)
    with pytest.raises(InputError, match=r"nowhere/b can't be written .*Name a file in a folder that you can write"):
        write_backup(folder, tmp_path / "nowhere" / "b")


def test_without_a_library_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(LibraryEmpty):
        write_backup(tmp_path / "index", tmp_path / "b")
    assert list(tmp_path.iterdir()) == []
