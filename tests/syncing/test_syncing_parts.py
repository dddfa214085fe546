"""Folders against the library where one file holds several documents: they come, change, move and go together."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

import rag.syncing
from rag.index import check_library, open_library, repair_library
from rag.indexing import index_paths
from rag.syncing import Stale, Staleness, note_marks, stale_files, stale_sources, sync_folders
from rag.types import Document
from tests.documents.making import mail, mailbox, zipped
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY, state
from tests.syncing.folders import CountingEmbedder

NEWS = {"apples.txt": "Apples are ripe in autumn.", "deep/bread.md": "# Bread\n\nBread is dear.", "coal.txt": "Black."}
MAILS = [mail("Hello Ada.", "Ada"), mail("Hello Bo.", "Bo"), mail("Hello Cy.", "Cy")]


@pytest.fixture
def news(tmp_path: Path) -> Path:
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "may.zip").write_bytes(zipped(NEWS))
    (folder / "post.mbox").write_bytes(mailbox(*MAILS))
    return folder


def documents(library: Path, file: Path) -> list[Document]:
    """Of a file, by source."""
    with open_library(library) as now:
        found = now.documents_by_id(listed.id for listed in now.documents() if listed.file == str(file)).values()
        return sorted(found, key=lambda document: document.source)


def stale(library: Path) -> list[Stale]:
    with open_library(library) as now:
        return stale_files(now, {})


def as_new(library: Path, news: Path) -> None:
    """Assert that the library holds what one made anew would hold, and is whole."""
    fresh = library.parent / "fresh"
    index_paths([news], fresh, IDENTITY, WordEmbedder())
    assert state(library)["documents"] == state(fresh)["documents"]
    assert check_library(library).faults == ()


def test_a_zip_that_moves_keeps_its_embeddings(news: Path, library: Path, embedder: CountingEmbedder) -> None:
    (news / "old").mkdir()
    (news / "may.zip").rename(news / "old" / "spring.zip")
    done = sync_folders(library, IDENTITY, embedder)
    assert set(done.moved) == {(f"{news}/may.zip#{name}", f"{news}/old/spring.zip#{name}") for name in NEWS}
    assert (done.added, done.updated, done.removed, done.unchanged) == ((), (), (), 3)
    assert embedder.embedded == []
    as_new(library, news)


def test_of_two_zips_with_one_content_each_moves_as_a_whole(news: Path, library: Path) -> None:
    (news / "june.zip").write_bytes(zipped(NEWS))
    sync_folders(library, IDENTITY, WordEmbedder())
    (news / "old").mkdir()
    for name in ("may.zip", "june.zip"):
        (news / name).rename(news / "old" / name)
    done = sync_folders(library, IDENTITY, WordEmbedder())
    assert set(done.moved) == {
        (f"{news}/{file}#{name}", f"{news}/old/{file}#{name}") for file in ("may.zip", "june.zip") for name in NEWS
    }


def test_a_mailbox_that_loses_a_mail_loses_that_document(news: Path, library: Path, embedder: CountingEmbedder) -> None:
    (news / "post.mbox").write_bytes(mailbox(MAILS[0], MAILS[2]))
    done = sync_folders(library, IDENTITY, embedder)
    assert done.updated == (f"{news}/post.mbox#1", f"{news}/post.mbox#2")
    assert (done.removed, done.added, done.moved) == ((f"{news}/post.mbox#3",), (), ())
    assert [document.title for document in documents(library, news / "post.mbox")] == ["Ada", "Cy"]
    assert embedder.embedded == []
    as_new(library, news)


def test_a_copy_of_a_mailbox_from_before_it_lost_a_mail_was_not_moved(news: Path, library: Path) -> None:
    (news / "copy.mbox").write_bytes(mailbox(*MAILS))
    (news / "post.mbox").write_bytes(mailbox(*MAILS[:2]))
    done = sync_folders(library, IDENTITY, WordEmbedder())
    assert done.added == tuple(f"{news}/copy.mbox#{number}" for number in (1, 2, 3))
    assert (done.removed, done.moved) == ((f"{news}/post.mbox#3",), ())


def test_a_stale_file_is_named_once(news: Path, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stale(library) == []
    (news / "may.zip").write_bytes(zipped({**NEWS, "dew.txt": "Dew falls."}))
    (news / "post.mbox").unlink()
    (news / "new.mbox").write_bytes(mailbox(*MAILS[:2]))
    assert stale(library) == [
        Stale(str(news / "may.zip"), (Staleness.CHANGED,)),
        Stale(str(news / "new.mbox"), (Staleness.NEW,)),
        Stale(str(news / "post.mbox"), (Staleness.MISSING,)),
    ]
    sync_folders(library, IDENTITY, WordEmbedder())
    for module in ("rag.syncing", "rag.indexing"):
        monkeypatch.setattr(f"{module}.LOADER_VERSION", 99)
    files = [str(news / "may.zip"), str(news / "new.mbox")]
    assert stale(library) == [Stale(file, (Staleness.LOADER,)) for file in files]
    assert len(sync_folders(library, IDENTITY, WordEmbedder()).updated) == 6
    assert stale(library) == []


def test_cited_documents_are_as_stale_as_the_file_they_are_in(news: Path, library: Path) -> None:
    cited = documents(library, news / "may.zip")
    with open_library(library) as now:
        assert stale_sources(now, cited) == {}
        (news / "may.zip").write_bytes(zipped({"apples.txt": "Pears."}))
        assert stale_sources(now, cited) == {document.source: Staleness.CHANGED for document in cited}


def test_of_a_file_all_documents_are_noted_and_it_is_not_read_again(
    news: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rag.syncing, "CLOCK_SECONDS", -60.0)  # the change of times counts as a touch of now
    for file in news.iterdir():
        os.utime(file, (time.time() - 3600,) * 2)
    note_marks(library, IDENTITY)
    with open_library(library) as now:
        assert len({origin.mark for origin in now.origins().values()}) == 2
    monkeypatch.setattr(rag.syncing, "_hash", lambda _file, _mark: "other")
    assert stale(library) == []
    os.utime(news / "may.zip")
    assert stale(library) == [Stale(str(news / "may.zip"), (Staleness.CHANGED,))]


def test_what_a_repair_dropped_of_a_file_comes_back_with_the_next_sync(
    news: Path, library: Path, embedder: CountingEmbedder
) -> None:
    torn = f"{news}/may.zip#deep/bread.md"
    with closing(sqlite3.connect(library / "library.sqlite")) as connection, connection:
        connection.execute("UPDATE documents SET url = 'https://a.example' WHERE source = ?", (torn,))
    repair = repair_library(library)
    assert (repair.lost, repair.after.faults) == ((torn,), ())
    assert len(documents(library, news / "may.zip")) == 2
    assert stale(library) == [Stale(str(news / "may.zip"), (Staleness.UNFINISHED,))]
    done = sync_folders(library, IDENTITY, embedder)
    assert (done.added, len(done.updated), done.unchanged) == ((torn,), 2, 3)
    assert embedder.embedded == ["Bread\n# Bread\n\nBread is dear."]
    assert stale(library) == []
    as_new(library, news)


def test_a_database_that_is_filled_anew_knows_which_files_are_not_complete(news: Path, library: Path) -> None:
    torn = f"{news}/post.mbox#2"
    with closing(sqlite3.connect(library / "library.sqlite")) as connection, connection:
        connection.execute("UPDATE documents SET pages = '{}' WHERE source = ?", (torn,))
    repair = repair_library(library)
    assert repair.aside is not None
    assert (repair.lost, repair.after.faults) == ((torn,), ())
    assert stale(library) == [Stale(str(news / "post.mbox"), (Staleness.UNFINISHED,))]
    assert sync_folders(library, IDENTITY, WordEmbedder()).added == (torn,)
    as_new(library, news)


def test_a_number_sign_in_the_name_of_a_file_is_part_of_the_name(news: Path, library: Path) -> None:
    odd = news / "issue #5.zip"
    odd.write_bytes(zipped({"apples.txt": "Pears."}))
    (news / "issue #6.txt").write_text("Six.", encoding="utf-8")
    sync_folders(library, IDENTITY, WordEmbedder())
    assert stale(library) == []
    odd.unlink()
    assert stale(library) == [Stale(str(odd), (Staleness.MISSING,))]


def test_what_could_not_be_read_in_a_file_is_told(news: Path, library: Path) -> None:
    (news / "may.zip").write_bytes(zipped({**NEWS, "odd.txt": "\0"}))
    done = sync_folders(library, IDENTITY, WordEmbedder())
    assert done.refused == ()
    assert [note.partition(" is not text")[0] for note in done.notes] == [f"{news}/may.zip#odd.txt"]
