import errno
import os
from pathlib import Path

import pytest

from rag.documents import find_files
from rag.errors import DocumentError


def make(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("An article.", encoding="utf-8")


def names(folder: Path) -> list[str]:
    return [file.relative_to(folder.resolve()).as_posix() for file in find_files([folder])]


def test_a_folder_gives_its_articles_at_any_depth_sorted(tmp_path: Path) -> None:
    make(tmp_path, "b.txt", "a.md", "deep/er/c.TXT", "picture.png", "notes")
    assert names(tmp_path) == ["a.md", "b.txt", "deep/er/c.TXT"]


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", ".b.txt", ".git/c.txt")
    assert names(tmp_path) == ["a.txt"]


def test_a_hidden_file_named_by_itself_is_taken(tmp_path: Path) -> None:
    make(tmp_path, ".b.txt")
    assert find_files([tmp_path / ".b.txt"]) == [(tmp_path / ".b.txt").resolve()]


def test_a_file_named_twice_comes_once(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", "b.txt")
    files = find_files([tmp_path / "b.txt", tmp_path, tmp_path / "b.txt"])
    assert [file.name for file in files] == ["a.txt", "b.txt"]


def test_links_out_of_the_folder_and_in_circles_are_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    make(tmp_path, "outside.txt", "other/far.txt", "articles/a.txt")
    (folder / "out.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "other").symlink_to(tmp_path / "other")
    (folder / "again").symlink_to(folder)
    (folder / "circle.txt").symlink_to(folder / "circle.txt")
    (folder / "nothing.txt").symlink_to(folder / "missing.txt")
    assert names(folder) == ["a.txt"]


def test_a_link_within_the_folder_gives_its_target_once(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", ".store/b.txt", ".store/c.bin")
    (tmp_path / "again.txt").symlink_to(tmp_path / "a.txt")
    (tmp_path / "b.txt").symlink_to(tmp_path / ".store" / "b.txt")
    (tmp_path / "c.txt").symlink_to(tmp_path / ".store" / "c.bin")
    assert names(tmp_path) == [".store/b.txt", "a.txt"]


def test_a_linked_folder_named_by_itself_is_followed(tmp_path: Path) -> None:
    make(tmp_path, "real/a.txt")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert find_files([tmp_path / "link"]) == [(tmp_path / "real" / "a.txt").resolve()]


def test_a_folder_called_like_an_article_is_a_folder(tmp_path: Path) -> None:
    make(tmp_path, "2024.txt/a.txt")
    assert names(tmp_path) == ["2024.txt/a.txt"]


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"no file or folder .*nowhere"):
        find_files([tmp_path / "nowhere"])


def test_a_folder_without_articles_is_refused_naming_the_formats(tmp_path: Path) -> None:
    make(tmp_path, "picture.png")
    with pytest.raises(DocumentError, match=r"no article in .*\.txt, \.md, .*\.zip\."):
        find_files([tmp_path])


def test_a_file_of_another_format_is_refused_naming_the_formats(tmp_path: Path) -> None:
    make(tmp_path, "song.mp3")
    with pytest.raises(DocumentError, match=r"song\.mp3 .*\.txt, \.md, .*\.zip\."):
        find_files([tmp_path / "song.mp3"])


def test_a_file_named_by_itself_is_taken_under_any_name_where_its_content_shows_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "download").write_bytes(b"%PDF-1.7\n%")
    (tmp_path / "page.php").write_bytes(b"<!doctype html><p>The ferry left.")
    assert len(find_files([tmp_path / "download", tmp_path / "page.php"])) == 2
    with pytest.raises(DocumentError, match="no article in"):
        find_files([tmp_path])


def test_the_questions_of_a_question_set_are_no_articles(tmp_path: Path) -> None:
    make(tmp_path, "documents.jsonl", "questions.jsonl", "queries.jsonl", "qrels.tsv")
    assert names(tmp_path) == ["documents.jsonl"]


def test_a_folder_that_cant_be_listed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    monkeypatch.setattr(os, "scandir", refuse)  # root, who may run the tests, can list every real folder
    with pytest.raises(DocumentError, match=rf"{tmp_path} can't be read: Permission denied\. Make it readable"):
        find_files([tmp_path])
