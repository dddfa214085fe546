"""Folders against the library: what `sync_folders` does, and what is known to be stale before it."""

import os
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import rag.syncing
from rag.errors import DocumentError, LibraryEmpty, LibraryMismatch
from rag.index import Library, check_library, open_library
from rag.indexing import index_paths
from rag.syncing import Stale, Staleness, note_marks, stale_files, stale_sources, sync_folders
from rag.types import Document
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY, state
from tests.syncing.folders import CountingEmbedder, written

NEWS = {
    "apples.md": "# Apples\n\nApples are ripe in autumn.",
    "bread.md": "# Bread\n\nBread is dear.",
    "coal.txt": "Coal is black.",
}
PLAIN = {name: getattr(IDENTITY, name) for name in ("embedder", "revision", "chunk_tokens", "chunk_overlap")}


@pytest.fixture
def news(tmp_path: Path) -> Path:
    return written(tmp_path / "news", NEWS)


@pytest.fixture
def old_files(news: Path) -> None:
    """Files that were last touched an hour ago, as far as can be told."""
    for file in news.iterdir():
        os.utime(file, (time.time() - 3600,) * 2)


def documents(folder: Path) -> list[Document]:
    with open_library(folder) as now:
        return list(now.documents_by_id(listed.id for listed in now.documents()).values())


def stale(folder: Path, **changed: object) -> dict[str, list[str]]:
    """File name → reasons."""
    with open_library(folder) as now:
        return {Path(one.source).name: list(one.reasons) for one in stale_files(now, {**PLAIN, **changed})}


def test_added_changed_and_removed_files_are_told_apart(news: Path, library: Path, embedder: CountingEmbedder) -> None:
    (news / "dew.txt").write_text("Dew falls.", encoding="utf-8")
    (news / "bread.md").write_text("# Bread\n\nBread is cheap.", encoding="utf-8")
    (news / "coal.txt").unlink()
    done = sync_folders(library, IDENTITY, embedder)
    assert (done.added, done.updated) == ((str(news / "dew.txt"),), (str(news / "bread.md"),))
    assert (done.removed, done.moved, done.unchanged, done.documents) == ((str(news / "coal.txt"),), (), 1, 3)
    assert done.changed
    assert not sync_folders(library, IDENTITY, embedder).changed


def test_a_file_that_moved_or_was_renamed_is_not_embedded_again(
    news: Path, library: Path, embedder: CountingEmbedder
) -> None:
    (news / "may").mkdir()
    (news / "apples.md").rename(news / "may" / "apples.md")
    (news / "bread.md").rename(news / "loaf.md")
    done = sync_folders(library, IDENTITY, embedder)
    assert set(done.moved) == {
        (str(news / "apples.md"), str(news / "may" / "apples.md")),
        (str(news / "bread.md"), str(news / "loaf.md")),
    }
    assert done.added == done.updated == done.removed == ()
    assert embedder.embedded == []
    assert check_library(library).faults == ()
    fresh = library.parent / "fresh"
    index_paths([news], fresh, IDENTITY, WordEmbedder())
    assert state(library)["documents"] == state(fresh)["documents"]


def test_a_renamed_file_whose_title_is_its_name_is_embedded_under_its_new_title(
    news: Path, library: Path, embedder: CountingEmbedder
) -> None:
    (news / "coal.txt").rename(news / "embers.txt")
    assert sync_folders(library, IDENTITY, embedder).moved == ((str(news / "coal.txt"), str(news / "embers.txt")),)
    assert embedder.embedded == ["Embers\nCoal is black."]


def test_of_several_files_with_one_content_the_one_of_the_same_name_moved(news: Path, library: Path) -> None:
    (news / "copy.md").write_text(NEWS["bread.md"], encoding="utf-8")
    sync_folders(library, IDENTITY, WordEmbedder())
    (news / "may").mkdir()
    (news / "bread.md").unlink()
    (news / "copy.md").rename(news / "may" / "copy.md")
    done = sync_folders(library, IDENTITY, WordEmbedder())
    assert (done.moved, done.removed) == (
        ((str(news / "copy.md"), str(news / "may" / "copy.md")),),
        (str(news / "bread.md"),),
    )


def test_of_an_edited_article_only_the_changed_parts_are_embedded(tmp_path: Path, embedder: CountingEmbedder) -> None:
    paragraphs = [f"Paragraph {number} " + "speaks of stones and rivers. " * 25 for number in range(5)]
    folder = tmp_path / "long"
    folder.mkdir()
    (folder / "long.md").write_text("# Long\n\n" + "\n\n".join(paragraphs), encoding="utf-8")
    index_paths([folder], tmp_path / "index", IDENTITY, embedder)
    first = len(embedder.embedded)
    embedder.embedded.clear()
    paragraphs[4] += "And of one more thing."
    (folder / "long.md").write_text("# Long\n\n" + "\n\n".join(paragraphs), encoding="utf-8")
    assert len(sync_folders(tmp_path / "index", IDENTITY, embedder).updated) == 1
    assert 0 < len(embedder.embedded) < first / 2
    assert check_library(tmp_path / "index").faults == ()


def test_articles_read_by_other_loaders_are_read_again_and_embedded_only_where_they_differ(
    library: Path, embedder: CountingEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("rag.syncing", "rag.indexing"):
        monkeypatch.setattr(f"{module}.LOADER_VERSION", 99)
    assert stale(library) == {name: ["loader changed"] for name in NEWS}
    assert len(sync_folders(library, IDENTITY, embedder).updated) == 3
    assert embedder.embedded == []
    assert stale(library) == {}
    assert sync_folders(library, IDENTITY, embedder).unchanged == 3


def test_every_stale_file_is_named_with_its_reasons(news: Path, library: Path) -> None:
    assert stale(library) == {}
    (news / "apples.md").write_text("Pears.", encoding="utf-8")
    (news / "coal.txt").unlink()
    (news / "dew.txt").write_text("Dew.", encoding="utf-8")
    changed = {"apples.md": ["changed"], "coal.txt": ["missing"], "dew.txt": ["new"]}
    assert stale(library) == changed
    assert stale(library, embedder="other", revision="2") == {
        "apples.md": ["changed", "embedder changed"],
        "bread.md": ["embedder changed"],
        "coal.txt": ["missing"],
        "dew.txt": ["new"],
    }
    assert stale(library, chunk_tokens=64)["bread.md"] == ["chunker changed"]
    assert stale(library, revision="2", chunk_overlap=0)["bread.md"] == ["embedder changed", "chunker changed"]


def test_a_folder_that_can_not_be_visited_is_named_and_its_articles_are_not(news: Path, library: Path) -> None:
    news.rename(news.with_name("elsewhere"))
    assert stale(library) == {"news": ["folder can't be visited"]}
    with pytest.raises(DocumentError):
        sync_folders(library, IDENTITY, WordEmbedder())


@pytest.mark.usefixtures("old_files")
def test_what_was_noted_is_not_read_again_unless_it_was_touched(
    news: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rag.syncing, "CLOCK_SECONDS", -60.0)  # the change of times counts as a touch of now
    note_marks(library, IDENTITY)
    with open_library(library) as now:
        assert all(origin.mark for origin in now.origins().values())
        assert now.generation == 1
    hashed: list[str] = []

    def counted(file: Path, _mark: str) -> str:
        hashed.append(file.name)
        return "other"

    monkeypatch.setattr(rag.syncing, "_hash", counted)
    assert stale(library) == {}
    assert hashed == []
    os.utime(news / "coal.txt")
    assert stale(library) == {"coal.txt": ["changed"]}
    assert hashed == ["coal.txt"]


def test_a_file_touched_a_moment_ago_is_not_noted(library: Path) -> None:
    note_marks(library, IDENTITY)
    with open_library(library) as now:
        assert [origin.mark for origin in now.origins().values()] == [None, None, None]


@pytest.mark.usefixtures("old_files")
def test_a_file_that_changed_is_not_noted(news: Path, library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rag.syncing, "CLOCK_SECONDS", -60.0)
    (news / "coal.txt").write_text("Coal is dear.", encoding="utf-8")
    note_marks(library, IDENTITY)
    assert stale(library) == {"coal.txt": ["changed"]}


def test_of_cited_documents_those_that_changed_on_disk_are_told(news: Path, library: Path) -> None:
    cited = documents(library)
    with open_library(library) as now:
        assert stale_sources(now, cited) == {}
        (news / "apples.md").write_text("Pears.", encoding="utf-8")
        (news / "coal.txt").unlink()
        (news / "dew.txt").write_text("Dew.", encoding="utf-8")
        assert stale_sources(now, cited) == {
            str(news / "apples.md"): Staleness.CHANGED,
            str(news / "coal.txt"): Staleness.MISSING,
        }


ODD = ["https://example.org/a", "", "\0", "n" * 5000, "/dev/null", "/", "half \ud83c"]


def test_whatever_a_document_claims_to_come_from_nothing_is_raised(library: Path) -> None:
    one = documents(library)[0]
    with open_library(library) as now:
        for source in ODD:
            assert set(stale_sources(now, [replace(one, source=source, id=source)])) <= {source}
        assert stale_sources(now, [replace(one, source="https://example.org/a")]) == {}
    assert stale_sources(now, [one]) == {}  # closed by now
    assert stale_sources(Library(library / "nowhere"), [one]) == {}


def test_a_document_within_an_archive_is_as_stale_as_the_archive(news: Path, library: Path) -> None:
    archive = news / "may.zip"
    archive.write_bytes(b"PK")
    content_hash = __import__("hashlib").sha256(b"PK").hexdigest()
    inner = replace(
        documents(library)[0], source=f"{archive}#deep/tea.md", part="deep/tea.md", content_hash=content_hash
    )
    with open_library(library) as now:
        assert stale_sources(now, [inner]) == {}
        archive.write_bytes(b"PK2")
        assert stale_sources(now, [inner]) == {inner.source: Staleness.CHANGED}
        archive.unlink()
        assert stale_sources(now, [inner]) == {inner.source: Staleness.MISSING}


def test_without_a_library_or_with_another_identity_the_error_names_the_command(library: Path, tmp_path: Path) -> None:
    with pytest.raises(LibraryEmpty, match="rag index FOLDER"):
        sync_folders(tmp_path / "nowhere", IDENTITY, WordEmbedder())
    with pytest.raises(LibraryMismatch, match="rag index --rebuild"):
        sync_folders(library, replace(IDENTITY, chunk_tokens=64), WordEmbedder())


def test_stale_has_at_least_one_reason(news: Path, library: Path) -> None:
    (news / "coal.txt").unlink()
    with open_library(library) as now:
        assert stale_files(now, asdict(IDENTITY)) == [Stale(str(news / "coal.txt"), (Staleness.MISSING,))]


@pytest.fixture(autouse=True)
def _forget_hashes() -> Iterator[None]:
    yield
    rag.syncing._hash.cache_clear()
