"""Files that can't be read, that are long, and that hold several documents."""

from pathlib import Path

import pytest

from rag.errors import DocumentError
from rag.index import open_library
from rag.indexing import IndexReport
from tests.index.shelf import IDENTITY, state, worded
from tests.indexing.folders import NEWS, AttentiveEmbedder, finds, index, names, parts, texts, write, zip_of


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"\x00\x01\x02 bits", "is not text"), (b" \n", "is empty"), (b"more than fits", "more than the 0 MB")],
    ids=["binary", "empty", "large"],
)
def test_an_article_that_became_unreadable_keeps_its_old_version_and_is_reported(
    content: bytes, complaint: str, news: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(library, news)
    before = state(library)
    (news / "coal.txt").write_bytes(content)
    if complaint.startswith("more"):
        (news / "bread.md").write_bytes(b"")
        (news / "apples.txt").write_bytes(b"")
        monkeypatch.setattr("rag.documents.loading.MAX_BYTES", 8)
    report = index(library, news)
    assert report.refused[-1].startswith(str(news / "coal.txt"))
    assert complaint in report.refused[-1]
    assert report.added == report.updated == report.removed == ()
    assert report.unchanged + len(report.refused) == report.documents == 3
    assert state(library) == before


def test_a_new_file_that_can_not_be_read_does_not_hinder_the_others(news: Path, library: Path) -> None:
    (news / "bits.txt").write_bytes(b"\x00\x01")
    report = index(library, news)
    assert names(report.added) == list(NEWS)
    assert report.refused == (f"{news / 'bits.txt'} is not text, or damaged. Save it as plain text in UTF-8.",)
    assert report.documents == 3


@pytest.mark.usefixtures("one_by_one")
def test_a_file_that_vanishes_during_the_run_is_reported_and_keeps_its_old_version(news: Path, library: Path) -> None:
    index(library, news)
    write(news, {"apples.txt": "Changed.", "coal.txt": "Changed, too."})
    report = index(library, news, embedder=AttentiveEmbedder(lambda _: (news / "coal.txt").unlink()))
    assert names(report.updated) == ["apples.txt"]
    assert report.refused == (f"There is no file {news / 'coal.txt'}. Give the path of an article.",)
    assert texts(library) == sorted(["Changed.", NEWS["bread.md"], NEWS["coal.txt"]])
    assert names(index(library, news).removed) == ["coal.txt"]


def test_making_the_library_anew_from_nothing_readable_leaves_the_old_one(news: Path, library: Path) -> None:
    index(library, news)
    before = state(library)
    for name in NEWS:
        (news / name).write_bytes(b"\x00")
    with pytest.raises(DocumentError, match=r"Nothing could be read, so the library stays as it was.*apples\.txt"):
        index(library, news, start_over=True)
    assert state(library) == before


def test_a_megabyte_on_one_line_becomes_chunks_that_hold_every_word(library: Path, tmp_path: Path) -> None:
    line = "".join(f"word{number:06} " for number in range(90_000))
    folder = write(tmp_path / "long", {"line.txt": line})
    assert index(library, folder).documents == 1
    with open_library(library, IDENTITY) as now:
        # Two special tokens, the title "Line" and 157 words fit into 160.
        assert now.count().chunks >= 90_000 / 157
        for word in ("word000000", "word045678", "word089999"):
            assert len(worded(now, word)) == 1


def test_every_article_in_a_zip_is_found_and_none_is_read_again(tmp_path: Path, library: Path) -> None:
    folder = write(tmp_path / "news", {"dew.txt": "Dew falls at dawn."})
    zip_of(folder / "all.zip", NEWS)
    report = index(library, folder)
    assert report.added == (*(f"{folder}/all.zip#{name}" for name in NEWS), str(folder / "dew.txt"))
    assert finds(library, "autumn")
    before = state(library)
    embedder = AttentiveEmbedder()
    assert index(library, folder, embedder=embedder) == IndexReport((), (), (), unchanged=4, refused=(), documents=4)
    assert (embedder.calls, state(library)) == (0, before)


def test_documents_of_one_file_change_and_go_together(tmp_path: Path, library: Path) -> None:
    folder = write(tmp_path / "news", {"dew.txt": "Dew falls at dawn."})
    zip_of(folder / "all.zip", NEWS)
    index(library, folder)
    zip_of(folder / "all.zip", {"apples.txt": "Pears, not apples.", "coal.txt": NEWS["coal.txt"], "new.txt": "News."})
    report = index(library, folder)
    assert (parts(report.added), parts(report.updated)) == (["new.txt"], ["apples.txt", "coal.txt"])
    assert parts(report.removed) == ["bread.md"]
    assert (report.unchanged, report.documents) == (1, 4)
    assert texts(library) == sorted(["Pears, not apples.", NEWS["coal.txt"], "News.", "Dew falls at dawn."])
    (folder / "all.zip").unlink()
    report = index(library, folder)
    assert parts(report.removed) == ["apples.txt", "coal.txt", "new.txt"]
    assert texts(library) == ["Dew falls at dawn."]


def test_a_file_that_became_a_single_article_loses_its_parts(tmp_path: Path, library: Path) -> None:
    folder = write(tmp_path / "news", {"a.json": '[{"text": "One."}, {"text": "Two."}]'})
    assert parts(index(library, folder).added) == ["1", "2"]
    write(folder, {"a.json": '{"text": "Three."}'})
    report = index(library, folder)
    assert (report.added, parts(report.removed)) == ((str(folder / "a.json"),), ["1", "2"])
    assert texts(library) == ["Three."]


def test_what_could_not_be_read_in_a_file_is_reported_beside_what_could(tmp_path: Path, library: Path) -> None:
    folder = tmp_path / "news"
    folder.mkdir()
    zip_of(folder / "all.zip", {"apples.txt": "Apples.", "bad.txt": "\0"})
    report = index(library, folder)
    assert (parts(report.added), report.refused) == (["apples.txt"], ())
    assert report.notes == (f"{folder}/all.zip#bad.txt is not text, or damaged. Save it as plain text in UTF-8.",)


def test_a_file_that_became_unreadable_keeps_all_its_documents(tmp_path: Path, library: Path) -> None:
    folder = tmp_path / "news"
    folder.mkdir()
    zip_of(folder / "all.zip", NEWS)
    index(library, folder)
    (folder / "all.zip").write_bytes(b"PK\x03\x04 cut off")
    report = index(library, folder)
    assert (report.added, report.removed, report.documents) == ((), (), 3)
    assert len(report.refused) == 1


def test_two_things_that_would_have_one_name_are_told_apart(tmp_path: Path, library: Path) -> None:
    folder = write(tmp_path / "news", {"all.zip#apples.txt": "A file."})
    zip_of(folder / "all.zip", NEWS)
    report = index(library, folder)
    assert texts(library) == ["A file."]
    (problem,) = report.refused
    assert problem == f"There is a file {folder}/all.zip#apples.txt, so {folder}/all.zip can't be read. Rename either."
