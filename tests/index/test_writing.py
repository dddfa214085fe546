from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.errors import LibraryUnwritable
from rag.index import open_library, open_writer
from rag.types import Chunk
from tests.index.shelf import (
    ARTICLES,
    IDENTITY,
    article,
    lines_of,
    make_library,
    near,
    put,
    state,
    vector_files,
    vectors_of,
    worded,
)


def test_a_document_put_is_found_by_both_searches(tmp_path: Path) -> None:
    with open_library(make_library(tmp_path)) as library:
        assert near(library, "iron rusts in wet air", k=1) == ["iron:0"]
        assert worded(library, "rust") == ["iron:0"]


def test_a_removed_document_is_found_no_more(tmp_path: Path) -> None:
    make_library(tmp_path)
    with open_writer(tmp_path, IDENTITY) as writer:
        writer.remove("salt")
        writer.commit()
    with open_library(tmp_path) as library:
        assert worded(library, "salt sea sun pans") == []
        assert {chunk.split(":")[0] for chunk in near(library, "salt", k=100)} == {"tea", "iron"}
        assert library.documents_by_id(["salt"]) == {}
        assert library.count().chunks == 3


def test_a_document_without_chunks_is_known(tmp_path: Path) -> None:
    with open_writer(tmp_path, IDENTITY) as writer:
        writer.put(article("blank", ""), [], np.zeros((0, IDENTITY.dimension), dtype=np.float32))
        writer.commit()
        assert list(writer.known()) == ["articles/blank.txt"]


def test_known_tells_sources_and_hashes_with_uncommitted_ones(tmp_path: Path) -> None:
    with open_writer(make_library(tmp_path), IDENTITY) as writer:
        assert writer.known() == {
            f"articles/{name}.txt": article(name, text).content_hash for name, text in ARTICLES.items()
        }
        writer.remove("tea")
        put(writer, "wood", "Wood floats.")
        assert set(writer.known()) == {"articles/salt.txt", "articles/iron.txt", "articles/wood.txt"}
        assert [document.id for document in writer.documents()] == ["iron", "salt", "wood"]


def test_what_is_not_committed_is_undone(tmp_path: Path) -> None:
    before = state(make_library(tmp_path))
    with open_writer(tmp_path, IDENTITY) as writer:
        writer.remove("tea")
        put(writer, "wood", "Wood floats.")
    assert state(tmp_path) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_error_in_the_block_undoes_what_came_after_the_last_commit(
    error: type[BaseException], tmp_path: Path
) -> None:
    make_library(tmp_path)

    def work() -> None:
        with open_writer(tmp_path, IDENTITY) as writer:
            put(writer, "wood", "Wood floats.")
            writer.commit()
            writer.remove("tea")
            raise error

    with pytest.raises(error):
        work()
    with open_library(tmp_path) as library:
        assert [document.id for document in library.documents()] == ["iron", "salt", "tea", "wood"]
        assert library.generation == 2


def test_a_commit_without_changes_writes_nothing(tmp_path: Path) -> None:
    make_library(tmp_path)
    with open_writer(tmp_path, IDENTITY) as writer:
        writer.remember_root("articles")
        writer.commit()
    before = {path.name: (path.stat().st_mtime_ns, path.stat().st_size) for path in tmp_path.iterdir()}
    with open_writer(tmp_path, IDENTITY) as writer:
        writer.remove("unknown")
        writer.remember_root("articles")
        writer.forget_root("unknown")
        assert writer.commit() is False
    after = {path.name: (path.stat().st_mtime_ns, path.stat().st_size) for path in tmp_path.iterdir()}
    assert after == before
    assert vector_files(tmp_path) == ["vectors-1.faiss"]


def test_each_commit_of_changes_moves_the_generation_and_leaves_one_vector_file(tmp_path: Path) -> None:
    with open_writer(make_library(tmp_path), IDENTITY) as writer:
        for generation in (2, 3, 4):
            put(writer, "wood", f"Wood of the year {generation}.")
            assert writer.commit() is True
            assert vector_files(tmp_path) == [f"vectors-{generation}.faiss"]
    with open_library(tmp_path) as library:
        assert library.generation == 4


def test_roots_are_remembered_once_in_order_without_a_new_generation(tmp_path: Path) -> None:
    make_library(tmp_path)
    with open_writer(tmp_path, IDENTITY) as writer:
        writer.remember_root(Path("b"))
        writer.remember_root("https://example.org/a")
        writer.remember_root("c")
        writer.remember_root("b")
        writer.forget_root("c")
        assert writer.roots() == ["b", "https://example.org/a"]
        assert writer.commit() is True
    with open_library(tmp_path) as library:
        assert library.roots() == ["b", "https://example.org/a"]
        assert library.generation == 1


@pytest.mark.parametrize(
    ("start", "end"), [(-1, 4), (0, 0), (4, 2), (0, 23)], ids=["before", "empty", "backwards", "beyond"]
)
def test_chunks_outside_their_document_are_refused(start: int, end: int, tmp_path: Path) -> None:
    document = article("iron", ARTICLES["iron"])
    chunk = Chunk("iron:0", "iron", start, end)
    with open_writer(tmp_path, IDENTITY) as writer:
        with pytest.raises(ValueError, match=f"runs from {start} to {end}; wanted .* between 0 and 22"):
            writer.put(document, [chunk], np.eye(1, IDENTITY.dimension, dtype=np.float32))
        put(writer, "tea", ARTICLES["tea"])
        assert writer.commit() is True


def test_chunks_of_another_document_or_with_one_id_are_refused(tmp_path: Path) -> None:
    tea, salt = article("tea", ARTICLES["tea"]), article("salt", ARTICLES["salt"])
    chunks = lines_of(tea)
    with open_writer(tmp_path, IDENTITY) as writer:
        with pytest.raises(ValueError, match="belongs to 'tea', not to 'salt'"):
            writer.put(salt, chunks, vectors_of(tea, chunks))
        with pytest.raises(ValueError, match="same id"):
            writer.put(tea, [chunks[0], replace(chunks[1], id=chunks[0].id)], vectors_of(tea, chunks))


def test_vectors_that_do_not_fit_are_refused_with_both_shapes(tmp_path: Path) -> None:
    tea = article("tea", ARTICLES["tea"])
    chunks = lines_of(tea)
    vectors = vectors_of(tea, chunks)
    with open_writer(tmp_path, IDENTITY) as writer:
        with pytest.raises(ValueError, match=r"\(1, 64\) and float32; wanted \(2, 64\)"):
            writer.put(tea, chunks, vectors[:1])
        with pytest.raises(ValueError, match=r"\(2, 63\)"):
            writer.put(tea, chunks, vectors[:, :63])
        with pytest.raises(ValueError, match="float64"):
            writer.put(tea, chunks, vectors.astype(np.float64))
        with pytest.raises(ValueError, match=r"vector 1 has length 2\.0000; wanted 1"):
            writer.put(tea, chunks, vectors * np.array([[1], [2]], dtype=np.float32))
        with pytest.raises(ValueError, match="vector 0 has length nan"):
            writer.put(tea, chunks, np.full_like(vectors, np.nan))


def test_another_document_with_the_same_source_or_chunk_id_is_refused(tmp_path: Path) -> None:
    before = state(make_library(tmp_path))
    tea = article("tea", ARTICLES["tea"])
    twin = replace(tea, id="twin")
    with open_writer(tmp_path, IDENTITY) as writer, pytest.raises(ValueError, match=r"'articles/tea\.txt' or the id"):
        writer.put(twin, [], np.zeros((0, IDENTITY.dimension), dtype=np.float32))
    elsewhere = replace(twin, source="elsewhere")
    chunks = [replace(chunk, document_id="twin") for chunk in lines_of(tea)]
    with open_writer(tmp_path, IDENTITY) as writer, pytest.raises(ValueError, match="id of one of its chunks"):
        writer.put(elsewhere, chunks, vectors_of(tea, chunks))
    assert state(tmp_path) == before


def test_text_that_no_utf8_can_hold_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with open_writer(tmp_path, IDENTITY) as writer:
        with pytest.raises(ValueError, match="surrogates"):
            writer.put(article("odd", "fine", title="half \ud83c"), [], np.zeros((0, 64), dtype=np.float32))
        with pytest.raises(ValueError, match="surrogates"):
            writer.remember_root("half \ud83c")
        put(writer, "tea", ARTICLES["tea"])
        assert writer.commit() is True


def test_a_writer_whose_block_was_left_refuses_to_write(tmp_path: Path) -> None:
    with open_writer(tmp_path, IDENTITY) as writer:
        pass
    with pytest.raises(ValueError, match="has ended"):
        writer.remove("tea")
    with pytest.raises(ValueError, match="has ended"):
        writer.commit()


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "index"):
        with (
            pytest.raises(LibraryUnwritable, match=r"is not a folder\. Set RAG_INDEX"),
            open_writer(folder, IDENTITY),
        ):
            pass
