"""The library as the page changes it, without a page."""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rag.desk import Desk, Opening
from rag.errors import LibraryBusy
from rag.holdings import Became, Result, Work
from rag.index import Library
from rag.indexing import index_paths
from rag.settings import Settings
from rag.shelf import Shelf
from rag.syncing import sync_folders
from rag.types import Progress, Vectors
from tests.fakes import WordEmbedder
from tests.page_library.shelved import (
    BILL,
    HARBOUR,
    filled,
    identity_of,
    open_pipeline,
    settings_for,
    sources,
    written,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    news = written(tmp_path / "news", bill=f"The bill\n\n{BILL}", harbour=f"Harbour\n\n{HARBOUR}")
    return filled(settings_for(tmp_path), news)


@pytest.fixture
def shelf(settings: Settings) -> Iterator[Shelf]:
    desk = Desk(settings, open_pipeline)
    desk.open()
    while isinstance(desk.state, Opening):
        time.sleep(0.01)
    yield Shelf(desk)
    desk.close()


def over(shelf: Shelf) -> Work:
    for _ in range(1000):
        if shelf.work and not shelf.work.running:
            return shelf.work
        time.sleep(0.01)
    raise AssertionError(f"it goes on: {shelf.work}")


def sent(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder / name


def ids(shelf: Shelf) -> dict[str, str]:
    return {held.title: held.id for held in shelf.listing().articles}


def test_uploads_are_remembered_as_one_folder_and_synced_like_any_other(
    shelf: Shelf, settings: Settings, tmp_path: Path
) -> None:
    files = [
        sent(tmp_path / "a", "note.txt", "A note\n\nIt rains."),
        sent(tmp_path / "b", "note.txt", "B\n\nIt snows."),
    ]
    again = sent(tmp_path / "c", "copy.txt", "A note\n\nIt rains.")
    calls: list[int] = []
    shelf.add([*files, again], (), "ann", lambda: calls.append(1))
    work = over(shelf)
    assert work.doing == "Adding 3 files"
    assert "by ann" in work.begun
    assert sorted(result.became for result in work.results) == [Became.ADDED, Became.ADDED, Became.UNCHANGED]
    assert Result("copy.txt", Became.UNCHANGED, "It is the same as note.txt.") in work.results
    assert calls == [1]
    with Library(settings.index) as library:
        assert library.roots() == [str(tmp_path / "news"), str(shelf.uploads)]
    (shelf.uploads / "note.txt").unlink()
    sync_folders(settings.index, identity_of(settings), WordEmbedder())
    assert sources(settings) == ["bill.txt", "harbour.txt", "note 2.txt"]


def test_a_file_that_can_not_be_read_is_refused_by_its_own_name_and_not_kept(shelf: Shelf, tmp_path: Path) -> None:
    empty = sent(tmp_path / "a", "empty.txt", "  ")
    table = sent(tmp_path / "a", "asked.csv", "id,question\n1,Who pays whom?\n2,Since when?\n")
    shelf.add([empty, table], ["http://localhost/x", "no address"], None)
    work = over(shelf)
    assert [result.became for result in work.results] == [Became.REFUSED] * 4
    assert {result.name for result in work.results} == {"empty.txt", "asked.csv", "http://localhost/x", "no address"}
    assert str(shelf.uploads) not in " ".join(result.detail for result in work.results)
    assert not list(shelf.uploads.iterdir())
    assert work.summary == "4 refused."


def test_a_removed_article_stays_out_until_its_file_is_named_by_itself(
    shelf: Shelf, settings: Settings, tmp_path: Path
) -> None:
    shelf.remove(ids(shelf)["Harbour"], None)
    assert over(shelf).results == (Result("Harbour", Became.REMOVED),)
    harbour = tmp_path / "news" / "harbour.txt"
    assert harbour.exists()
    assert shelf.behind() == []
    sync_folders(settings.index, identity_of(settings), WordEmbedder())
    assert sources(settings) == ["bill.txt"]
    index_paths([harbour], settings.index, identity_of(settings), WordEmbedder())
    assert sources(settings) == ["bill.txt", "harbour.txt"]
    shelf.remove("0" * 16, None)
    assert over(shelf).failure == "That article is no longer in the library."


def test_a_removed_file_that_is_gone_and_comes_back_is_new(shelf: Shelf, tmp_path: Path) -> None:
    shelf.remove(ids(shelf)["Harbour"], None)
    over(shelf)
    harbour = tmp_path / "news" / "harbour.txt"
    harbour.unlink()
    shelf.sync(None)
    over(shelf)
    harbour.write_text(f"Harbour\n\n{HARBOUR}")
    shelf.sync(None)
    assert over(shelf).results == (Result(str(harbour), Became.ADDED),)


class Holding(WordEmbedder):
    """Waits before each batch until it may go on."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.begun = threading.Event()

    def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        self.begun.set()
        while not self.may.wait(0.01):
            if progress:
                progress(0, len(texts))
        return super().embed_passages(texts, progress)


def test_changes_come_one_at_a_time_and_can_be_cancelled(shelf: Shelf, settings: Settings, tmp_path: Path) -> None:
    embedder = Holding()
    pipeline = shelf._desk.state
    assert not isinstance(pipeline, Opening)
    pipeline.embedder = embedder  # type: ignore[union-attr]
    shelf.add([sent(tmp_path / "a", "note.txt", "A note\n\nIt rains.")], (), None)
    assert embedder.begun.wait(10)
    with pytest.raises(LibraryBusy, match=r"changed already: Adding 1 file, begun at \d\d:\d\d\. Try again"):
        shelf.sync(None)
    with pytest.raises(LibraryBusy, match="Another `Citeline's page` "):
        index_paths([tmp_path / "news"], settings.index, identity_of(settings), WordEmbedder())
    shelf.cancel()
    work = over(shelf)
    assert work.summary == "Cancelled. What was done by then stays."
    assert not list(shelf.uploads.iterdir())
    assert sources(settings) == ["bill.txt", "harbour.txt"]
    shelf.dismiss()
    assert shelf.work is None


def test_an_article_is_opened_with_its_chunks_place_and_state(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "news" / "bill.txt").write_text("Other\n\nOther.")
    shelf.look()
    opened = shelf.open(ids(shelf)["The bill"])
    assert opened is not None
    assert opened.document.text[opened.chunks[0].start :].startswith("The bill")
    assert (opened.reasons, opened.uploaded, opened.siblings) == (("changed",), False, 0)
    assert opened.place == str(tmp_path / "news" / "bill.txt")
    assert [(one.source, one.reasons) for one in shelf.behind()] == [(opened.place, ("changed",))]
    assert [held.title for held in shelf.listing(stale=True).articles] == ["The bill"]
    assert Shelf(shelf._desk, whole_paths=False).open(opened.document.id).place == "news/bill.txt"  # type: ignore[union-attr]
    assert shelf.open("0" * 16) is None
