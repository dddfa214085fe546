import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import LibraryMismatch
from rag.index import Identity, check_library, open_library, open_writer, restore_backup, write_backup
from rag.index.schema import SCHEMA
from tests.index.shelf import (
    ARTICLES,
    IDENTITY,
    article,
    lines_of,
    make_library,
    put,
    state,
    vector_files,
    vectors_of,
    worded,
)

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
    newer = r"made by a newer Citeline \(schema 7; this one reads 4\)\. Update Citeline, .*RAG_INDEX"
    with pytest.raises(LibraryMismatch, match=newer):
        open_library(tmp_path, IDENTITY)
    with pytest.raises(LibraryMismatch, match=newer), open_writer(tmp_path, IDENTITY, start_over=start_over):
        pass


def as_the_first_version_made_it(folder: Path) -> None:
    """A library of today with the tables and the manifest that the first version of them had."""
    as_the_second_version_made_it(folder)
    with closing(sqlite3.connect(folder / "library.sqlite")) as connection, connection:
        for column in ("part", "url", "pages"):
            connection.execute(f"ALTER TABLE documents DROP COLUMN {column}")
        connection.execute("UPDATE manifest SET value = 1 WHERE key = 'schema'")


def as_the_second_version_made_it(folder: Path) -> None:
    """Likewise; it kept of each article where it was published and which part of its file it is, but no seals."""
    as_the_third_version_made_it(folder)
    with closing(sqlite3.connect(folder / "library.sqlite")) as connection, connection:
        for table in ("bands", "sketches", "origins"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DROP INDEX embeddings_of_text")
        connection.execute("ALTER TABLE embeddings DROP COLUMN text_hash")
        connection.execute("UPDATE manifest SET value = 2 WHERE key = 'schema'")


def as_the_third_version_made_it(folder: Path) -> None:
    """Likewise; it knew all of today's but what is kept of visits."""
    make_library(folder)
    with closing(sqlite3.connect(folder / "library.sqlite")) as connection, connection:
        connection.execute("DROP TABLE visits")
        connection.execute("UPDATE manifest SET value = 3 WHERE key = 'schema'")


OLDER = {1: as_the_first_version_made_it, 2: as_the_second_version_made_it, 3: as_the_third_version_made_it}


@pytest.mark.parametrize("schema", OLDER)
def test_a_library_of_an_older_version_is_read_as_it_is(schema: int, tmp_path: Path) -> None:
    OLDER[schema](tmp_path)
    with open_library(tmp_path, IDENTITY) as library:
        assert library.manifest.schema == schema
        assert {listed.part for listed in library.documents()} == {""}
        assert library.documents_by_id(["tea"])["tea"] == article("tea", ARTICLES["tea"])
        assert worded(library, "bushes") == ["tea:1"]
        assert (library.origins(), library.duplicates_of("tea")) == ({}, ())
    with pytest.raises(LibraryMismatch, match=r"older Citeline\. Run `rag sync`"):
        check_library(tmp_path)


@pytest.mark.parametrize("schema", OLDER)
def test_a_library_of_an_older_version_is_upgraded_by_its_next_writer(schema: int, tmp_path: Path) -> None:
    OLDER[schema](tmp_path)
    with open_writer(tmp_path, IDENTITY):
        pass
    paged = replace(article("wood", "Wood floats.\nIt burns."), url="https://a.example/w", pages=(0, 13), part="3")
    with open_library(tmp_path, IDENTITY) as library, open_writer(tmp_path, IDENTITY) as writer:
        assert library.manifest.schema == schema
        chunks = lines_of(paged)
        writer.put(paged, chunks, vectors_of(paged, chunks))
        assert library.documents_by_id(["tea"])["tea"].pages == ()
        writer.commit()
        assert library.manifest.schema == SCHEMA
        assert library.documents_by_id(["wood"])["wood"] == paged
        assert library.documents_by_id(["tea"])["tea"] == article("tea", ARTICLES["tea"])
        assert worded(library, "bushes") == ["tea:1"]
    assert check_library(tmp_path).faults == ()


@pytest.mark.parametrize("schema", OLDER)
def test_an_upgrade_alone_changes_nothing_that_can_be_found(schema: int, tmp_path: Path) -> None:
    OLDER[schema](tmp_path)
    before = state(tmp_path)
    with open_writer(tmp_path, IDENTITY) as writer:
        assert writer.commit() is True
    assert state(tmp_path) == before
    assert check_library(tmp_path).faults == ()


@pytest.mark.parametrize("schema", OLDER)
def test_a_backup_of_a_library_of_an_older_version_is_upgraded_when_it_is_restored(schema: int, tmp_path: Path) -> None:
    OLDER[schema](tmp_path)
    before = state(tmp_path)
    write_backup(tmp_path, tmp_path / "backup")
    restore_backup(tmp_path / "restored", tmp_path / "backup")
    assert state(tmp_path / "restored")["documents"] == before["documents"]
    assert check_library(tmp_path / "restored").faults == ()


@pytest.mark.parametrize("schema", OLDER)
def test_a_library_of_an_older_version_can_be_started_over(schema: int, tmp_path: Path) -> None:
    OLDER[schema](tmp_path)
    with open_writer(tmp_path, replace(IDENTITY, chunk_tokens=64), start_over=True) as writer:
        put(writer, "wood", "Wood floats.")
        writer.commit()
    with open_library(tmp_path) as library:
        assert [listed.id for listed in library.documents()] == ["wood"]
    assert check_library(tmp_path).faults == ()
