"""A library made anew: the old one answers until the new one is whole, and an interruption costs only a little."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rag import indexing
from rag.errors import DocumentError, LibraryBusy, LibraryMismatch
from rag.index import check_library, open_library, open_writer
from rag.indexing import index_paths
from rag.rebuilding import rebuild_library
from rag.types import Progress, Vectors
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY, state, vector_files
from tests.syncing.folders import CountingEmbedder, written

OTHER = replace(IDENTITY, chunk_tokens=64)
NEWS = {f"{name}.md": f"# {name.title()}\n\nAll about {name}." for name in ("apples", "bread", "coal", "dew")}


class Mortal(CountingEmbedder):
    """Keeps what it embeds, and stops like Ctrl-C in the call with this number."""

    def __init__(self, dies_at: int = 0) -> None:
        super().__init__()
        self._dies_at = dies_at
        self._calls = 0

    def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        self._calls += 1
        if self._calls == self._dies_at:
            raise KeyboardInterrupt
        return super().embed_passages(texts, progress)


@pytest.fixture
def news(tmp_path: Path) -> Path:
    return written(tmp_path / "news", NEWS)


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each article is embedded and committed by itself."""
    monkeypatch.setattr(indexing, "GROUP_CHUNKS", 1)
    monkeypatch.setattr(indexing, "COMMIT_SECONDS", -1.0)


def test_another_chunker_is_refused_with_the_command_and_the_rebuilt_library_takes_it(
    news: Path, library: Path
) -> None:
    with pytest.raises(LibraryMismatch, match="chunk tokens 160, but now it is chunk tokens 64"):
        index_paths([news], library, OTHER, WordEmbedder())
    done = rebuild_library([], library, OTHER, WordEmbedder())
    assert (len(done.added), done.documents) == (4, 4)
    with open_library(library, OTHER) as now:
        assert now.generation == 2
        assert now.roots() == [str(news)]
    assert vector_files(library) == ["vectors-2.faiss"]
    assert not (library / "rebuilding").exists()
    assert check_library(library).faults == ()


@pytest.mark.usefixtures("one_by_one")
def test_the_old_library_answers_until_the_new_one_is_whole(news: Path, library: Path) -> None:
    before, seen = state(library), []

    class Watched(WordEmbedder):
        def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
            seen.append(state(library) == before)
            return super().embed_passages(texts, progress)

    with open_library(library, IDENTITY) as old:
        rebuild_library([news], library, OTHER, Watched())
        assert seen == [True] * 4
        with pytest.raises(LibraryMismatch, match="made with chunk tokens 64"):
            old.count()


@pytest.mark.usefixtures("one_by_one")
def test_an_interrupted_rebuild_costs_nothing_of_the_old_and_the_next_goes_on(library: Path) -> None:
    before = state(library)
    first, second = Mortal(dies_at=3), Mortal()
    with pytest.raises(KeyboardInterrupt):
        rebuild_library([], library, OTHER, first)
    assert state(library) == before
    assert check_library(library).faults == ()
    done = rebuild_library([], library, OTHER, second)
    assert (len(first.embedded), len(second.embedded)) == (2, 2)
    assert (len(done.added), done.unchanged, done.documents) == (2, 2, 4)
    assert check_library(library).faults == ()


@pytest.mark.usefixtures("one_by_one")
@pytest.mark.parametrize("change", ["identity", "folders", "damage"])
def test_an_interrupted_rebuild_of_something_else_is_not_gone_on_with(change: str, news: Path, library: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        rebuild_library([], library, OTHER, Mortal(dies_at=3))
    identity, paths = OTHER, [news]
    if change == "identity":
        identity = replace(OTHER, chunk_overlap=0)
    if change == "folders":
        paths = [news.with_name("others")]
        shutil.copytree(news, paths[0])
    if change == "damage":
        (library / "rebuilding" / "library.sqlite").write_bytes(b"no database" * 500)
    embedder = Mortal()
    done = rebuild_library(paths, library, identity, embedder)
    assert (len(embedder.embedded), done.documents) == (4, 4)
    with open_library(library, identity) as now:
        assert now.roots() == [str(path) for path in paths]


def test_a_damaged_library_is_made_anew_from_the_folders_that_are_named(news: Path, library: Path) -> None:
    (library / "library.sqlite").write_bytes(b"no database" * 500)
    assert rebuild_library([news], library, IDENTITY, WordEmbedder()).documents == 4
    assert (library / "library-damaged.sqlite").exists()
    assert check_library(library).faults == ()


def test_nothing_is_rebuilt_from_a_folder_that_is_gone_or_holds_nothing_readable(news: Path, library: Path) -> None:
    before = state(library)
    for name in NEWS:
        (news / name).write_bytes(b"\x00")
    with pytest.raises(DocumentError, match="Nothing could be read, so the library stays as it was"):
        rebuild_library([], library, OTHER, WordEmbedder())
    shutil.rmtree(news)
    with pytest.raises(DocumentError, match=r"There is no file or folder .*The library stays as it was"):
        rebuild_library([], library, OTHER, WordEmbedder())
    assert state(library) == before


def test_without_folders_there_is_nothing_to_rebuild(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="No folder has been indexed yet"):
        rebuild_library([], tmp_path / "index", IDENTITY, WordEmbedder())


def test_nothing_is_rebuilt_while_a_writer_works(news: Path, library: Path) -> None:
    with open_writer(library, IDENTITY), pytest.raises(LibraryBusy):
        rebuild_library([news], library, OTHER, WordEmbedder())
