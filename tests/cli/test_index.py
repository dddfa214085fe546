"""`rag index`: what it prints, and its exit status."""

import os
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Rag


def test_a_first_run_lists_what_was_added_and_a_second_has_nothing_to_do(rag_: Rag, articles: Path) -> None:
    done = rag_("index", articles)
    assert done.done.splitlines() == [
        f"+ {articles / 'bakery.txt'}",
        f"+ {articles / 'harbour.txt'}",
        "2 added, 0 updated, 0 removed, 0 unchanged, 0 refused: 2 articles in the library.",
    ]
    assert done.err.splitlines()[-1] == "Indexing"
    again = rag_("index")
    assert again.done == "0 added, 0 updated, 0 removed, 2 unchanged, 0 refused: 2 articles in the library.\n"
    assert again.err == "Indexing\n"


def test_changes_are_listed_with_a_sign_each(rag_: Rag, articles: Path) -> None:
    rag_("index", articles)
    (articles / "bakery.txt").unlink()
    (articles / "harbour.txt").write_text("Closed.", encoding="utf-8")
    assert rag_("index").done.splitlines() == [
        f"~ {articles / 'harbour.txt'}",
        f"- {articles / 'bakery.txt'}",
        "0 added, 1 updated, 1 removed, 0 unchanged, 0 refused: 1 articles in the library.",
    ]


@pytest.mark.parametrize(("content", "complaint"), [(b"\x00\xff\x00", "is not text"), (b"", "is empty")])
def test_an_article_that_can_not_be_read_is_named_and_the_others_are_indexed(
    content: bytes, complaint: str, rag_: Rag, articles: Path
) -> None:
    (articles / "odd.txt").write_bytes(content)
    done = rag_("index", articles)
    assert done.status == 2
    (line,) = [line for line in done.out.splitlines() if line.startswith("! ")]
    assert line.startswith(f"! {articles / 'odd.txt'} {complaint}")
    assert "1 refused: 2 articles in the library." in done.out
    assert done.complaint == "1 could not be read; the lines that begin with ! say which and why."


def test_what_could_not_be_read_in_an_article_is_named_and_is_no_failure(rag_: Rag, articles: Path) -> None:
    with zipfile.ZipFile(articles / "more.zip", "w") as package:
        package.writestr("mill.txt", "The mill turns.")
        package.writestr("odd.txt", b"\0")
    done = rag_("index", articles)
    assert done.status == 0
    assert done.out.splitlines()[-3:] == [
        f"+ {articles / 'more.zip'}#mill.txt",
        f"? {articles / 'more.zip'}#odd.txt is not text, or damaged. Save it as plain text in UTF-8.",
        "3 added, 0 updated, 0 removed, 0 unchanged, 0 refused: 3 articles in the library.",
    ]


def test_a_path_without_articles_is_refused(rag_: Rag, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "song.mp3").write_bytes(b"ID3")
    for path, complaint in (
        ("nowhere", "There is no file or folder nowhere."),
        ("empty", "There is no article in empty. Accepted formats: .txt, .md, "),
        ("song.mp3", "song.mp3 is in a format that can't be read. Accepted formats: .txt, .md, "),
        ("n" * 5000, "File name too long"),
    ):
        done = rag_("index", path)
        assert done.status == 2
        assert complaint in done.complaint
        assert not (tmp_path / "index").exists()


def test_without_a_folder_and_without_a_library_there_is_nothing_to_do(rag_: Rag) -> None:
    done = rag_("index")
    assert done.status == 1
    assert done.complaint.startswith("There are no articles in ")


def test_a_folder_that_is_gone_is_named_and_the_others_are_visited(rag_: Rag, articles: Path, tmp_path: Path) -> None:
    letters = tmp_path / "letters"
    letters.mkdir()
    (letters / "ada.txt").write_text("Dear Ada.", encoding="utf-8")
    rag_("index", articles, letters)
    (letters / "ada.txt").unlink()
    letters.rmdir()
    done = rag_("index")
    assert done.status == 2
    assert f"! There is no file or folder {letters}." in done.out
    assert "2 unchanged, 1 refused: 3 articles in the library." in done.out
    assert rag_("index", "--rebuild", articles).done.endswith("2 articles in the library.\n")
    assert rag_("index").status == 0


def test_a_library_made_with_another_embedder_is_refused_and_can_be_made_anew(
    rag_: Rag, articles: Path, tmp_path: Path
) -> None:
    rag_("index", articles)
    other = tmp_path / "other"
    other.mkdir()
    (other / "model.safetensors").write_bytes(b"other weights")
    done = rag_("--set", f"embedder={other}", "index")
    assert done.status == 1
    assert f"but now it is embedder {other}. Run `rag index --rebuild`" in done.complaint
    assert rag_("--set", f"embedder={other}", "index", "--rebuild").done.endswith(
        "2 added, 0 updated, 0 removed, 0 unchanged, 0 refused: 2 articles in the library.\n"
    )
    assert "but now it is embedder" in rag_("index").complaint


@pytest.mark.parametrize("command", [("index", "articles"), ("ask", "why?")])
def test_an_index_folder_below_a_file_is_refused(command: tuple[str, ...], rag_: Rag, articles: Path) -> None:
    done = rag_("--set", f"index={articles / 'harbour.txt' / 'index'}", *command)
    assert done.status == 1
    assert "is not a folder. Set RAG_INDEX to the folder of the library." in done.complaint


@pytest.mark.parametrize("command", [("index",), ("index", "articles"), ("ask", "why?")])
def test_a_damaged_library_is_refused_with_the_way_out(
    command: tuple[str, ...], rag_: Rag, articles: Path, tmp_path: Path
) -> None:
    rag_("index", articles)
    (tmp_path / "index" / "library.sqlite").write_bytes(b"no database" * 500)
    done = rag_(*command)
    assert done.status == 1
    assert "library.sqlite is damaged" in done.complaint
    assert "rag index --rebuild FOLDER" in done.complaint
    assert "2 articles in the library." in rag_("index", "--rebuild", articles).done


def test_names_that_would_break_a_line_or_move_the_cursor_are_tamed(rag_: Rag, tmp_path: Path) -> None:
    folder = tmp_path / "two\nlines\x1b[2J"
    folder.mkdir()
    assert rag_("index", folder).complaint.startswith("There is no article in")
    (folder / "a.txt").write_text("Text.", encoding="utf-8")
    assert rag_("index", folder).done.splitlines()[0] == f"+ {tmp_path}/two lines[2J/a.txt"


def test_a_name_that_is_not_unicode_is_refused(rag_: Rag, articles: Path) -> None:
    try:
        folder = articles.rename(Path(os.fsdecode(b"caf\xe9")).absolute())
    except OSError:
        pytest.skip("this file system takes no such name")
    done = rag_("index", folder)
    assert done.status == 2
    assert "is not valid Unicode" in done.complaint


def test_a_megabyte_on_one_line_is_an_article(rag_: Rag, articles: Path) -> None:
    (articles / "line.txt").write_text("stone and water " * 65_000, encoding="utf-8")
    assert "3 articles in the library." in rag_("index", articles).done
