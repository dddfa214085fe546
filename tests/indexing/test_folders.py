"""Folders of articles against the library made of them: what is added, changed, removed and remembered."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import DocumentError, LibraryMismatch
from rag.index import open_library
from rag.indexing import IndexReport, index_paths
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY, state
from tests.indexing.folders import NEWS, AttentiveEmbedder, finds, index, names, roots, texts, write


def test_the_first_run_adds_all_articles_in_the_order_of_their_names(news: Path, library: Path) -> None:
    sources = tuple(str(news / name) for name in ("apples.txt", "bread.md", "coal.txt"))
    assert index(library, news) == IndexReport(
        added=sources, updated=(), removed=(), unchanged=0, refused=(), documents=3
    )
    assert finds(library, "autumn")
    assert roots(library) == [str(news)]


def test_the_second_run_changes_nothing_and_embeds_nothing(news: Path, library: Path) -> None:
    index(library, news)
    before = state(library)
    for name, text in NEWS.items():
        (news / name).write_text(text, encoding="utf-8")  # a new date, the same content
    embedder = AttentiveEmbedder()
    assert index(library, news, embedder=embedder) == IndexReport((), (), (), unchanged=3, refused=(), documents=3)
    assert state(library) == before
    assert before["generation"] == 1
    assert embedder.calls == 0


def test_changes_are_told_by_content(news: Path, library: Path) -> None:
    index(library, news)
    write(news, {"apples.txt": "Pears, not apples.", "dew.txt": "Dew falls at dawn."})
    (news / "coal.txt").rename(news / "embers.txt")
    report = index(library, news)
    assert names(report.added) == ["dew.txt", "embers.txt"]
    assert names(report.updated) == ["apples.txt"]
    assert names(report.removed) == ["coal.txt"]
    assert (report.unchanged, report.documents) == (1, 4)
    assert texts(library) == sorted(["Pears, not apples.", NEWS["bread.md"], NEWS["coal.txt"], "Dew falls at dawn."])
    assert finds(library, "pears")
    assert not finds(library, "autumn")
    assert state(library)["generation"] == 2


def test_articles_are_removed_only_below_the_folders_that_were_visited(
    news: Path, library: Path, tmp_path: Path
) -> None:
    letters = write(tmp_path / "letters", {"ada.txt": "Dear Ada.", "bo.txt": "Dear Bo."})
    index(library, news, letters)
    (letters / "ada.txt").unlink()
    (news / "coal.txt").unlink()
    assert names(index(library, news).removed) == ["coal.txt"]
    assert finds(library, "Ada")
    assert names(index(library, letters).removed) == ["ada.txt"]
    assert not finds(library, "Ada")


def test_a_file_named_by_itself_says_nothing_about_its_neighbours(news: Path, library: Path) -> None:
    index(library, news)
    (news / "coal.txt").unlink()
    report = index(library, news / "bread.md")
    assert (report.removed, report.unchanged, report.documents) == ((), 1, 3)


def test_without_paths_the_folders_indexed_before_are_visited_again(news: Path, library: Path, tmp_path: Path) -> None:
    letters = write(tmp_path / "letters", {"ada.txt": "Dear Ada."})
    index(library, news)
    index(library, letters)
    write(letters, {"bo.txt": "Dear Bo."})
    (news / "coal.txt").unlink()
    report = index(library)
    assert (names(report.added), names(report.removed), report.unchanged) == (["bo.txt"], ["coal.txt"], 3)
    assert roots(library) == [str(news), str(letters)]


def test_without_paths_and_without_folders_indexed_before_there_is_nothing_to_do(library: Path) -> None:
    with pytest.raises(DocumentError, match="No folder has been indexed yet, so say which: `rag index FOLDER`"):
        index(library)


@pytest.mark.parametrize("away", [shutil.rmtree, lambda folder: (folder / "ada.txt").unlink()], ids=["gone", "empty"])
def test_a_folder_that_can_not_be_visited_again_keeps_its_articles_and_is_reported(
    away: Callable[[Path], object], news: Path, library: Path, tmp_path: Path
) -> None:
    letters = write(tmp_path / "letters", {"ada.txt": "Dear Ada."})
    index(library, letters, news)
    away(letters)
    (news / "coal.txt").unlink()
    report = index(library)
    assert names(report.removed) == ["coal.txt"]
    (refused,) = report.refused
    assert str(letters) in refused
    assert "What was indexed from it stays; `rag index --rebuild FOLDER`" in refused
    assert finds(library, "Ada")
    assert report.documents == 3

    with pytest.raises(DocumentError, match="What was indexed from it stays"):
        index(library, start_over=True)
    assert finds(library, "Ada")
    report = index(library, news, start_over=True)
    assert (report.documents, roots(library)) == (2, [str(news)])
    assert index(library).refused == ()


def test_where_no_folder_can_be_visited_again_nothing_happens(news: Path, library: Path) -> None:
    index(library, news)
    before = state(library)
    shutil.rmtree(news)
    with pytest.raises(DocumentError, match="There is no file or folder"):
        index(library)
    assert state(library) == before


def test_a_folder_removed_from_a_folder_that_is_still_there_takes_its_articles_along(news: Path, library: Path) -> None:
    write(news, {"old/ada.txt": "Dear Ada."})
    index(library, news / "old")
    index(library, news)
    shutil.rmtree(news / "old")
    report = index(library)
    assert (names(report.removed), report.refused, report.documents) == (["ada.txt"], (), 3)


def test_another_identity_is_refused_unless_the_library_is_made_anew(news: Path, library: Path) -> None:
    index(library, news)
    before = state(library)
    other = replace(IDENTITY, chunk_tokens=64)
    with pytest.raises(LibraryMismatch, match="made with chunk tokens 160, but now it is chunk tokens 64"):
        index_paths([news], library, other, WordEmbedder())
    assert state(library) == before
    report = index_paths([], library, other, WordEmbedder(), start_over=True)
    assert (names(report.added), report.unchanged, report.documents) == (list(NEWS), 0, 3)
    with open_library(library, other) as now:
        assert now.generation == 2


def test_folders_named_twice_or_within_each_other_give_each_article_once(news: Path, library: Path) -> None:
    write(news, {"old/ada.txt": "Dear Ada."})
    report = index(library, news, news / "old", news, news / "old" / "..", news / "old" / "ada.txt")
    assert names(report.added) == ["apples.txt", "bread.md", "coal.txt", "ada.txt"]
    assert report.documents == 4
    assert roots(library) == [str(news), str(news / "old"), str(news / "old" / "ada.txt")]
    assert index(library).unchanged == 4


def test_a_linked_folder_is_the_folder_it_links_to(news: Path, library: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(news, target_is_directory=True)
    assert index(library, link).added == tuple(str(news / name) for name in NEWS)
    assert roots(library) == [str(news)]
    (news / "coal.txt").unlink()
    report = index(library, news)
    assert (report.unchanged, names(report.removed)) == (2, ["coal.txt"])


def test_a_folder_whose_name_is_not_unicode_is_refused(news: Path, library: Path, tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    try:
        news.rename(folder)
    except OSError:
        pytest.skip("this file system takes no such name")
    with pytest.raises(DocumentError, match=r"caf\\udce9' is not valid Unicode"):
        index(library, folder)
