"""How a pipeline is opened, and what its answers depend on."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import LibraryEmpty, LibraryMismatch, ModelError
from rag.index import Identity, open_library
from rag.indexing import index_paths
from rag.pipeline import (
    ANSWER_SETTINGS,
    Pipeline,
    index_articles,
    library_fingerprint,
    library_identity,
    open_pipeline,
    weights_revision,
)
from rag.settings import Settings, load_settings
from rag.types import Models
from tests.fakes import WordEmbedder
from tests.pipeline.scripted import ABC, Scripted


def test_without_a_library_no_model_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(LibraryEmpty, match=r"no articles in .*Run `rag index FOLDER`"):
        open_pipeline(load_settings(index=tmp_path / "index", models=tmp_path / "models", offline=True))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"embedder": "all-mpnet-base-v2"}, "now it is embedder all-mpnet-base-v2"),
        ({"chunk_tokens": 64}, "now it is chunk tokens 64"),
        ({"chunk_overlap": 0}, "now it is chunk overlap 0"),
    ],
)
def test_other_settings_than_the_library_was_made_with_are_refused_before_a_model_is_looked_for(
    change: dict[str, object], complaint: str, settings: Settings, tmp_path: Path, articles: Path
) -> None:
    other = settings.model_copy(update={**change, "models": tmp_path / "models", "offline": True})
    with pytest.raises(LibraryMismatch, match=complaint):
        open_pipeline(other)
    with pytest.raises(LibraryMismatch, match=complaint):
        index_articles(other, [articles])


@pytest.fixture
def weighed(tmp_path: Path, articles: Path) -> Settings:
    """With a library whose embedder is a folder of weights that no program could load."""
    folder = tmp_path / "embedder"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"abc")
    made = load_settings(index=tmp_path / "weighed", embedder=str(folder), chunk_tokens=160, chunk_overlap=1)
    identity = Identity(str(folder), ABC, WordEmbedder.dimension, 160, 1)
    index_paths([articles], made.index, identity, WordEmbedder())
    return made


def test_where_nothing_has_changed_the_embedder_is_not_loaded(weighed: Settings, articles: Path) -> None:
    assert index_articles(weighed).unchanged == 3
    assert index_articles(weighed, [articles]).unchanged == 3
    (articles / "bridge.txt").unlink()
    report = index_articles(weighed)
    assert (len(report.removed), report.unchanged, report.documents) == (1, 2, 2)


def test_where_an_article_has_changed_the_embedder_is_loaded(weighed: Settings, articles: Path) -> None:
    (articles / "bridge.txt").write_text("Closed.", encoding="utf-8")
    with pytest.raises(ModelError, match=r"modules\.json is missing"):
        index_articles(weighed)


def test_other_weights_under_the_same_name_are_refused_without_loading_them(weighed: Settings) -> None:
    (Path(weighed.embedder) / "model.safetensors").write_bytes(b"abcd")
    with pytest.raises(LibraryMismatch, match=f"made with revision {ABC}, but now it is revision 88d4266fd4e6"):
        index_articles(weighed)


def test_indexing_again_where_nothing_was_indexed_says_so_before_a_model_is_looked_for(tmp_path: Path) -> None:
    empty = load_settings(index=tmp_path / "index", models=tmp_path / "models", offline=True)
    with pytest.raises(LibraryEmpty, match="no articles"):
        index_articles(empty)


def test_weights_are_known_by_their_bytes_whatever_the_files_are_called(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no embedder"):
        weights_revision(tmp_path)
    (tmp_path / "a.safetensors").write_bytes(b"a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "more.safetensors").write_bytes(b"bc")
    assert weights_revision(tmp_path) == ABC


def test_conditions_are_what_answers_depend_on(scripted: Scripted, settings: Settings) -> None:
    pipeline, engine = scripted.reads()
    found = pipeline.conditions()
    assert set(found.settings) == set(ANSWER_SETTINGS)
    assert (found.settings["passages"], found.settings["max_wrong"]) == (4, 0.2)
    assert found.models == Models(embedder="words", reader="script", engine="scripted")
    assert found.revisions["embedder"] == WordEmbedder.revision
    assert found.library == library_fingerprint(pipeline.library)
    elsewhere = settings.model_copy(update={"port": 1, "offline": True, "threads": 7})
    assert Pipeline(elsewhere, pipeline.library, pipeline.embedder, engine).conditions() == found
    fewer = settings.model_copy(update={"passages": 3})
    assert Pipeline(fewer, pipeline.library, pipeline.embedder, engine).conditions() != found


def test_conditions_tell_readers_of_one_name_apart_by_their_weights(scripted: Scripted, tmp_path: Path) -> None:
    pipeline, engine = scripted.reads()
    reader = tmp_path / "reader.gguf"
    named = pipeline.settings.model_copy(update={"reader": str(reader), "models": tmp_path})
    revisions = []
    for weights in (b"abc", b"abcd"):
        reader.write_bytes(weights)
        conditions = Pipeline(named, pipeline.library, pipeline.embedder, engine).conditions()
        revisions.append(conditions.revisions["reader"])
    assert revisions == [ABC, "88d4266fd4e6"]
    elsewhere = pipeline.settings.model_copy(update={"models": tmp_path})
    assert Pipeline(elsewhere, pipeline.library, pipeline.embedder, engine).conditions().revisions["reader"] == ""


def fingerprint(folder: Path, articles: Path, identity: Identity) -> str:
    index_paths([articles], folder, identity, WordEmbedder())
    with open_library(folder) as library:
        return library_fingerprint(library)


def test_a_library_is_known_by_its_articles_wherever_they_lie(
    scripted: Scripted, settings: Settings, articles: Path, tmp_path: Path
) -> None:
    identity = library_identity(settings, WordEmbedder())
    original = library_fingerprint(scripted.reads()[0].library)
    assert re.fullmatch("[0-9a-f]{12}", original)
    moved = tmp_path / "moved"
    moved.mkdir()
    for at, article in enumerate(sorted(articles.iterdir(), reverse=True)):
        (moved / f"{at}.txt").write_bytes(article.read_bytes())
    assert fingerprint(tmp_path / "copy", moved, identity) == original
    (moved / "0.txt").write_text("Closed.", encoding="utf-8")
    changed = fingerprint(tmp_path / "copy", moved, identity)
    (moved / "0.txt").unlink()
    fewer = fingerprint(tmp_path / "copy", moved, identity)
    assert len({original, changed, fewer}) == 3


def test_a_library_of_other_chunks_or_vectors_is_another(settings: Settings, articles: Path, tmp_path: Path) -> None:
    identity = library_identity(settings, WordEmbedder())
    others = [replace(identity, chunk_tokens=64), replace(identity, chunk_overlap=0), replace(identity, revision="2")]
    found = {fingerprint(tmp_path / str(at), articles, one) for at, one in enumerate([identity, *others])}
    assert len(found) == 4
