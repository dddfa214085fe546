"""Folders of articles against the library made of them. An article here is short enough to be one chunk."""

import os
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag import indexing
from rag.documents import FieldNames
from rag.errors import DocumentError, LibraryBusy, LibraryMismatch
from rag.index import open_library
from rag.indexing import IndexReport, index_documents, index_paths
from rag.types import Document, Progress, Vectors
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY, article, state, worded

NEWS = {
    "apples.txt": "Apples are ripe in autumn.",
    "bread.md": "# Bread\n\nBread is dear.",
    "coal.txt": "Coal is black.",
}


class AttentiveEmbedder(WordEmbedder):
    """Calls `then` with the number of the call, counted from 1, before it embeds; `then` may raise."""

    def __init__(self, then: Callable[[int], object] = lambda _: None) -> None:
        self.calls = 0
        self._then = then

    def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        self.calls += 1
        self._then(self.calls)
        return super().embed_passages(texts, progress)


@pytest.fixture
def news(tmp_path: Path) -> Path:
    return write(tmp_path / "news", NEWS)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each article is embedded by itself."""
    monkeypatch.setattr(indexing, "GROUP_CHUNKS", 1)


def write(folder: Path, articles: dict[str, str]) -> Path:
    for name, text in articles.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def index(library: Path, *paths: Path, embedder: WordEmbedder | None = None, start_over: bool = False) -> IndexReport:
    return index_paths(paths, library, IDENTITY, embedder or WordEmbedder(), start_over=start_over)


def names(sources: Sequence[str]) -> list[str]:
    return [Path(source).name for source in sources]


def texts(library: Path) -> list[str]:
    with open_library(library) as now:
        ids = [listed.id for listed in now.documents()]
        return sorted(document.text for document in now.documents_by_id(ids).values())


def roots(library: Path) -> list[str]:
    with open_library(library) as now:
        return now.roots()


def finds(library: Path, words: str) -> bool:
    with open_library(library) as now:
        return bool(worded(now, words))


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


def test_making_the_library_anew_from_nothing_readable_leaves_the_old_one(news: Path, library: Path) -> None:
    index(library, news)
    before = state(library)
    for name in NEWS:
        (news / name).write_bytes(b"\x00")
    with pytest.raises(DocumentError, match=r"Nothing could be read, so the library stays as it was.*apples\.txt"):
        index(library, news, start_over=True)
    assert state(library) == before


@pytest.mark.usefixtures("one_by_one")
@pytest.mark.parametrize("start_over", [False, True])
def test_an_interrupted_run_leaves_the_old_library_and_the_next_completes(
    start_over: bool, news: Path, library: Path
) -> None:
    def interrupt(call: int) -> None:
        assert state(library) == before
        if call == 3:
            raise KeyboardInterrupt

    index(library, news)
    before = state(library)
    write(news, dict.fromkeys(NEWS, "All is new."))
    with pytest.raises(KeyboardInterrupt):
        index(library, news, embedder=AttentiveEmbedder(interrupt), start_over=start_over)
    assert state(library) == before
    report = index(library, news, start_over=start_over)
    assert names(report.added if start_over else report.updated) == list(NEWS)
    assert texts(library) == ["All is new."] * 3


@pytest.mark.usefixtures("one_by_one")
def test_what_was_committed_before_an_interruption_is_not_done_again(
    news: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(call: int) -> None:
        if call == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(indexing, "COMMIT_SECONDS", -1.0)
    with pytest.raises(KeyboardInterrupt):
        index(library, news, embedder=AttentiveEmbedder(interrupt))
    assert texts(library) == sorted([NEWS["apples.txt"], NEWS["bread.md"]])
    report = index(library)
    assert (names(report.added), report.unchanged, report.documents) == (["coal.txt"], 2, 3)


@pytest.mark.usefixtures("one_by_one")
def test_a_library_made_anew_is_seen_only_when_it_is_complete(
    news: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "COMMIT_SECONDS", -1.0)
    index(library, news)
    before = state(library)
    seen = []
    write(news, dict.fromkeys(NEWS, "All is new."))
    index(library, news, embedder=AttentiveEmbedder(lambda _: seen.append(state(library) == before)), start_over=True)
    assert seen == [True, True, True]
    assert texts(library) == ["All is new."] * 3


def test_two_runs_at_once_are_one_too_many(news: Path, library: Path, tmp_path: Path) -> None:
    letters = write(tmp_path / "letters", {"ada.txt": "Dear Ada."})

    def meanwhile(_: int) -> None:
        with pytest.raises(LibraryBusy, match=r"Another `rag index` \(process \d+, since .*wait for it to end"):
            index(library, letters)

    assert index(library, news, embedder=AttentiveEmbedder(meanwhile)).documents == 3
    assert index(library, letters).documents == 4


def test_progress_counts_bytes_up_to_all_of_them(news: Path, library: Path) -> None:
    told: list[tuple[str, int, int]] = []
    (news / "bits.txt").write_bytes(b"\x00\x01")
    index(library, news / "coal.txt")
    index_paths([news], library, IDENTITY, WordEmbedder(), report=lambda *told_now: told.append(told_now))
    size = sum(len(text) for text in NEWS.values()) + 2
    assert {(what, total) for what, _, total in told} == {("Indexing", size)}
    done = [done for _, done, _ in told]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, size)
    assert 2 in done  # the bits are done with while the apples before them wait to be embedded


def test_progress_is_made_within_a_long_article_and_never_lost(library: Path, tmp_path: Path) -> None:
    class Slices(WordEmbedder):
        def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
            assert progress
            with (folder / "short.txt").open("a", encoding="utf-8") as file:
                file.write("It grows while it is read. " * 50)
            for done in range(0, len(texts) + 1, 10):
                progress(done, len(texts))
            return super().embed_passages(texts, progress)

    told: list[int] = []
    long = "".join(f"Stone number {number} lies in the long row of stones. " for number in range(2000))
    folder = write(tmp_path / "stones", {"long.txt": long, "short.txt": "A short one."})
    index_paths([folder], library, IDENTITY, Slices(), report=lambda _what, done, _total: told.append(done))
    assert told == sorted(told)
    assert len(set(told)) > 10
    assert told[-1] == len(long) + len("A short one.")


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


def test_a_megabyte_on_one_line_becomes_chunks_that_hold_every_word(library: Path, tmp_path: Path) -> None:
    line = "".join(f"word{number:06} " for number in range(90_000))
    folder = write(tmp_path / "long", {"line.txt": line})
    assert index(library, folder).documents == 1
    with open_library(library, IDENTITY) as now:
        # Two special tokens, the title "Line" and 157 words fit into 160.
        assert now.count().chunks >= 90_000 / 157
        for word in ("word000000", "word045678", "word089999"):
            assert len(worded(now, word)) == 1


def zip_of(path: Path, articles: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as package:
        for name, text in articles.items():
            package.writestr(name, text)
    return path


def parts(sources: Sequence[str]) -> list[str]:
    return [source.partition("#")[2] for source in sources]


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


@pytest.mark.usefixtures("one_by_one")
def test_an_interruption_never_leaves_half_of_a_files_documents(
    tmp_path: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(call: int) -> None:
        if call == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(indexing, "COMMIT_SECONDS", -1.0)
    folder = write(tmp_path / "news", {"a.txt": "First of all."})
    zip_of(folder / "all.zip", NEWS)
    with pytest.raises(KeyboardInterrupt):
        index(library, folder, embedder=AttentiveEmbedder(interrupt))
    assert texts(library) == ["First of all."]
    report = index(library, folder)
    assert (len(report.added), report.unchanged, report.documents) == (3, 1, 4)


def test_fields_of_records_can_be_named(tmp_path: Path, library: Path) -> None:
    folder = write(tmp_path / "news", {"a.jsonl": '{"story": "One."}\n{"story": "Two."}\n'})
    index_paths([folder], library, IDENTITY, WordEmbedder(), names=FieldNames.of("text=story"))
    assert texts(library) == ["One.", "Two."]


LETTERS = (article("ada", "Dear Ada."), article("bo", "Dear Bo."), article("cy", "Dear Cy."))


def hold(
    library: Path, *documents: Document, embedder: WordEmbedder | None = None, total: int = 0, **given: Any
) -> IndexReport:
    return index_documents(iter(documents), library, IDENTITY, embedder or WordEmbedder(), total=total, **given)


def held(library: Path) -> list[Document]:
    """By title."""
    with open_library(library, IDENTITY) as now:
        found = now.documents_by_id(listed.id for listed in now.documents())
        return [found[listed.id] for listed in now.documents()]


def test_documents_from_elsewhere_become_a_library_as_they_are(library: Path) -> None:
    assert hold(library, *LETTERS) == IndexReport(
        added=tuple(letter.source for letter in LETTERS),
        updated=(),
        removed=(),
        unchanged=0,
        refused=(),
        documents=3,
    )
    assert held(library) == list(LETTERS)
    assert finds(library, "Bo")
    assert roots(library) == []


def test_the_library_holds_exactly_the_documents_given(library: Path) -> None:
    hold(library, *LETTERS)
    ada, bo, _ = LETTERS
    changed, new = article("bo", "Dear Bodil."), article("di", "Dear Di.")
    embedder = AttentiveEmbedder()
    report = hold(library, new, changed, ada, embedder=embedder)
    assert report == IndexReport((new.source,), (bo.source,), (LETTERS[2].source,), 1, (), documents=3)
    assert held(library) == [ada, changed, new]
    assert not finds(library, "Cy")
    assert embedder.calls == 1


def test_the_same_documents_again_change_and_embed_nothing(library: Path) -> None:
    hold(library, *LETTERS)
    before = state(library)
    embedder = AttentiveEmbedder()
    assert hold(library, *LETTERS, embedder=embedder) == IndexReport((), (), (), unchanged=3, refused=(), documents=3)
    assert state(library) == before
    assert embedder.calls == 0


def test_documents_of_another_identity_are_refused(library: Path) -> None:
    hold(library, *LETTERS)
    with pytest.raises(LibraryMismatch):
        index_documents(LETTERS, library, replace(IDENTITY, chunk_tokens=64), WordEmbedder())


@pytest.mark.usefixtures("one_by_one")
def test_documents_stored_before_an_interruption_are_not_embedded_again(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(call: int) -> None:
        if call == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(indexing, "COMMIT_SECONDS", -1.0)
    old = article("old", "Yours, Ol.")
    hold(library, old)
    with pytest.raises(KeyboardInterrupt):
        hold(library, *LETTERS, embedder=AttentiveEmbedder(interrupt))
    assert held(library) == [*LETTERS[:2], old]
    embedder = AttentiveEmbedder()
    report = hold(library, *LETTERS, embedder=embedder)
    assert (report.added, report.removed, report.unchanged) == ((LETTERS[2].source,), (old.source,), 2)
    assert held(library) == list(LETTERS)
    assert embedder.calls == 1


@pytest.mark.usefixtures("one_by_one")
def test_progress_counts_documents(library: Path) -> None:
    told: list[tuple[str, int, int]] = []
    hold(library, LETTERS[1])
    hold(library, *LETTERS, total=3, report=lambda *now: told.append(now))
    assert {(what, total) for what, _, total in told} == {("Indexing", 3)}
    done = [done for _, done, _ in told]
    assert done == sorted(done)
    assert set(done) == {0, 1, 2, 3}
    told.clear()
    hold(library, *LETTERS, report=lambda *now: told.append(now))
    assert told[-1] == ("Indexing", 3, 0)


def test_who_writes_documents_says_what_for(library: Path) -> None:
    def meanwhile(_: int) -> None:
        with pytest.raises(LibraryBusy, match=r"Another `rag read` \(process \d+"):
            hold(library, *LETTERS)

    assert hold(library, *LETTERS, embedder=AttentiveEmbedder(meanwhile), command="rag read").documents == 3
