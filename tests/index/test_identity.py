import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import LibraryMismatch
from rag.index import Identity, open_library, open_writer
from tests.index.shelf import IDENTITY, make_library, put, state, vector_files

DIFFERENCES = {
    "embedder": (
        Identity("other", "9", 128, 160, 1),
        "made with embedder words, but now it is embedder other. "
        "Run `rag index --rebuild` to make it again, or go back with RAG_EMBEDDER=words.",
    ),
    "weights": (
        replace(IDENTITY, revision="2"),
        "made with revision 1, but now it is revision 2. Run `rag index --rebuild` to make it again.",
    ),
    "chunks": (
        replace(IDENTITY, chunk_tokens=128, chunk_overlap=0),
        "made with chunk tokens 160, chunk overlap 1, but now it is chunk tokens 128, chunk overlap 0. "
        "Run `rag index --rebuild` to make it again, or go back with RAG_CHUNK_TOKENS=160 RAG_CHUNK_OVERLAP=1.",
    ),
}


@pytest.mark.parametrize(("wanted", "message"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_a_library_made_with_something_else_names_both_values_and_the_ways_out(
    wanted: Identity, message: str, tmp_path: Path
) -> None:
    before = state(make_library(tmp_path))
    for start in (lambda: open_library(tmp_path, wanted), lambda: open_writer(tmp_path, wanted).__enter__()):
        with pytest.raises(LibraryMismatch) as caught:
            start()
        assert str(caught.value) == f"The library in {tmp_path} was {message}"
    assert state(tmp_path) == before


def test_without_an_identity_any_library_opens(tmp_path: Path) -> None:
    with open_library(make_library(tmp_path)) as library:
        assert library.manifest.identity == IDENTITY


def test_starting_over_gives_a_new_identity_and_keeps_the_roots(tmp_path: Path) -> None:
    make_library(tmp_path)
    with open_writer(tmp_path, IDENTITY) as writer:
        writer.remember_root("b")
        writer.remember_root("a")
        writer.commit()
    new = replace(IDENTITY, chunk_tokens=64)
    with open_writer(tmp_path, new, start_over=True) as writer:
        assert writer.known() == {}
        assert writer.roots() == ["b", "a"]
        put(writer, "wood", "Wood floats.")
        writer.commit()
    assert vector_files(tmp_path) == ["vectors-2.faiss"]
    with open_library(tmp_path, new) as library:
        assert library.roots() == ["b", "a"]
        assert [document.id for document in library.documents()] == ["wood"]
        assert library.generation == 2


def test_starting_over_in_an_empty_folder_just_starts(tmp_path: Path) -> None:
    with open_writer(tmp_path / "index", IDENTITY, start_over=True) as writer:
        put(writer, "wood", "Wood floats.")
        writer.commit()
    assert state(tmp_path / "index")["generation"] == 1


@pytest.mark.parametrize("start_over", [False, True])
def test_a_library_of_a_newer_version_is_left_alone(start_over: bool, tmp_path: Path) -> None:
    make_library(tmp_path)
    connection = sqlite3.connect(tmp_path / "library.sqlite")
    connection.execute("UPDATE manifest SET value = 7 WHERE key = 'schema'")
    connection.commit()
    connection.close()
    newer = r"made by a newer Citeline \(schema 7; this one reads 2\)\. Update Citeline, .*RAG_INDEX"
    with pytest.raises(LibraryMismatch, match=newer):
        open_library(tmp_path, IDENTITY)
    with pytest.raises(LibraryMismatch, match=newer), open_writer(tmp_path, IDENTITY, start_over=start_over):
        pass
