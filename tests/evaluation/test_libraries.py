"""Libraries of question sets, made in a temporary cache folder with a bag of words for an embedder."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import platformdirs
import pytest

from rag import indexing
from rag.errors import LibraryUnwritable
from rag.evaluation import libraries
from rag.evaluation.sets import QuestionSet, load_set
from rag.index import open_library
from rag.indexing import Report
from rag.pipeline import library_identity
from rag.settings import Settings, load_settings
from rag.types import Embedder, Progress, Vectors
from tests.fakes import WordEmbedder
from tests.index.shelf import worded

TEXTS = {"f": "The ferry leaves at noon.", "b": "The bakery opened in 1950.", "s": "The ship sank."}


class CountingEmbedder(WordEmbedder):
    """Counts the texts it is given; is interrupted when it is to embed the `last` one."""

    def __init__(self, last: int = 1000) -> None:
        self.texts = 0
        self.last = last

    def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        self.texts += len(texts)
        if self.texts >= self.last:
            raise KeyboardInterrupt
        return super().embed_passages(texts, progress)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(index=tmp_path / "index", embedder="words")


def made(folder: Path, texts: Mapping[str, str] = TEXTS) -> QuestionSet:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"id": name, "text": text}) for name, text in texts.items()]
    (folder / "documents.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "questions.jsonl").write_text('{"question": "When does the ferry leave?"}\n', encoding="utf-8")
    return load_set(folder)


def library_for(
    questions: QuestionSet,
    settings: Settings,
    embedder: Embedder,
    report: Report | None = None,
    cache: Path | None = None,
) -> Path:
    place = libraries.library_for(questions, settings, embedder, report, cache)
    assert isinstance(place, Path)
    return place


def test_a_set_s_library_is_made_once_and_holds_its_documents(tmp_path: Path, settings: Settings, cache: Path) -> None:
    embedder = CountingEmbedder()
    told: list[tuple[str, int, int]] = []
    island = made(tmp_path / "island")
    folder = library_for(island, settings, embedder, lambda *now: told.append(now), cache)
    assert folder.parent == cache
    assert folder.name.startswith("island-")
    assert len(folder.name) == len("island-") + 12
    assert told[-1] == ("Indexing", 3, 3)
    with open_library(folder, library_identity(settings, embedder)) as library:
        documents = library.documents_by_id(TEXTS)
        assert {document.id: document.text for document in documents.values()} == TEXTS
        assert len(worded(library, "ferry")) == 1

    told.clear()
    assert library_for(island, settings, embedder, lambda *now: told.append(now), cache) == folder
    assert (told, embedder.texts) == ([], 3)


def test_equal_documents_share_a_library_wherever_they_lie_and_whatever_is_asked(
    tmp_path: Path, settings: Settings, cache: Path
) -> None:
    embedder = CountingEmbedder()
    folder = library_for(made(tmp_path / "island"), settings, embedder, cache=cache)
    copy = made(tmp_path / "copy")
    (tmp_path / "copy" / "some.jsonl").write_text('{"question": "Who?"}\n', encoding="utf-8")
    assert library_for(copy, settings, embedder, cache=cache) == folder
    assert library_for(load_set(tmp_path / "copy" / "some.jsonl"), settings, embedder, cache=cache) == folder
    assert embedder.texts == 3


def test_other_documents_and_other_chunks_have_a_library_of_their_own(
    tmp_path: Path, settings: Settings, cache: Path
) -> None:
    island = made(tmp_path / "island")
    changed = made(tmp_path / "changed" / "island", {**TEXTS, "s": "The ship sails."})
    smaller = settings.model_copy(update={"chunk_tokens": 64})
    asked_less = settings.model_copy(update={"passages": 1})
    embedder = WordEmbedder()
    folders = [
        library_for(questions, with_settings, embedder, cache=cache)
        for questions, with_settings in ((island, settings), (changed, settings), (island, smaller))
    ]
    assert len(set(folders)) == 3
    assert library_for(island, asked_less, embedder, cache=cache) == folders[0]


def test_other_weights_have_a_library_of_their_own(tmp_path: Path, settings: Settings, cache: Path) -> None:
    class Retrained(WordEmbedder):
        revision = "2"

    island = made(tmp_path / "island")
    first = library_for(island, settings, WordEmbedder(), cache=cache)
    assert library_for(island, settings, Retrained(), cache=cache) != first


def test_an_interrupted_build_goes_on_where_it_stopped(
    tmp_path: Path, settings: Settings, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "GROUP_CHUNKS", 1)
    monkeypatch.setattr(indexing, "COMMIT_SECONDS", -1.0)
    island = made(tmp_path / "island")
    with pytest.raises(KeyboardInterrupt):
        library_for(island, settings, CountingEmbedder(last=3), cache=cache)
    embedder = CountingEmbedder()
    folder = library_for(island, settings, embedder, cache=cache)
    assert embedder.texts == 1
    with open_library(folder) as library:
        assert library.count().documents == 3


def test_a_build_interrupted_before_anything_was_stored_is_begun_again(
    tmp_path: Path, settings: Settings, cache: Path
) -> None:
    island = made(tmp_path / "island")
    with pytest.raises(KeyboardInterrupt):
        library_for(island, settings, CountingEmbedder(last=1), cache=cache)
    with open_library(library_for(island, settings, WordEmbedder(), cache=cache)) as library:
        assert library.count().documents == 3


def test_a_damaged_library_is_named(tmp_path: Path, settings: Settings, cache: Path) -> None:
    island = made(tmp_path / "island")
    folder = library_for(island, settings, WordEmbedder(), cache=cache)
    (folder / "library.sqlite").write_bytes(b"no database at all " * 100)
    with pytest.raises(LibraryUnwritable, match=rf"in {folder} can't be read\. Remove the folder"):
        library_for(island, settings, WordEmbedder(), cache=cache)


def test_questions_without_articles_of_their_own_are_about_the_library_in_use(
    tmp_path: Path, settings: Settings, cache: Path
) -> None:
    (tmp_path / "mine.jsonl").write_text('{"question": "When?"}\n', encoding="utf-8")
    mine = load_set(tmp_path / "mine.jsonl")
    assert library_for(mine, settings, WordEmbedder(), cache=cache) == settings.index
    assert not cache.exists()


def test_libraries_lie_in_the_user_s_cache_unless_told_otherwise(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / "user" / name)
    folder = library_for(made(tmp_path / "island"), settings, WordEmbedder())
    assert folder.parent == tmp_path / "user" / "citeline" / "evaluations"


def test_a_long_name_is_cut(tmp_path: Path, settings: Settings, cache: Path) -> None:
    folder = library_for(made(tmp_path / ("long" * 50)), settings, WordEmbedder(), cache=cache)
    assert folder.name.startswith("long" * 15 + "-")
