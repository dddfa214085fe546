"""`check_library` and `repair_library`: what is wrong is named, what can be mended is, nothing goes unsaid."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rag.errors import LibraryEmpty, LibraryUnwritable
from rag.index import Fault, check_library, open_library, open_writer, repair_library
from tests.index.shelf import ARTICLES, IDENTITY, make_library, near, put, state, worded

STORY = "The harbour of Varel opened again on Monday after four years of work that cost three million marks in all.\n"
SHELF = {**ARTICLES, "north": f"{STORY}Ships came.", "south": f"{STORY}Boats came."}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_library(tmp_path / "index", SHELF)


def execute(folder: Path, *statements: str, foreign_keys: bool = False) -> None:
    with closing(sqlite3.connect(folder / "library.sqlite", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA foreign_keys = {int(foreign_keys)}")
        for statement in statements:
            connection.execute(statement)


def without_generation(folder: Path) -> dict[str, object]:
    return {name: value for name, value in state(folder).items() if name != "generation"}


def test_a_whole_library_is_proved_to_be_whole(folder: Path) -> None:
    report = check_library(folder)
    assert report.faults == ()
    assert report.torn == ()
    assert {check.name: check.counted for check in report.checks if check.name != "database"} == {
        "texts": 5,
        "chunks": 9,
        "embeddings": 9,
        "words": 9,
        "vector file": 9,
        "duplicates": 3,
    }


def test_a_whole_library_is_not_touched_by_a_repair(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".sqlite", ".faiss")}
    repair = repair_library(folder)
    assert (repair.before, repair.lost, repair.aside) == (repair.after, (), None)
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_a_folder_without_a_library_is_said_to_be_empty(tmp_path: Path) -> None:
    with pytest.raises(LibraryEmpty):
        check_library(tmp_path)


TEARS = {
    "changed text": (
        "UPDATE documents SET text = replace(text, 'wet', 'dry') WHERE id = 'iron'",
        "articles/iron.txt isn't the text that was indexed.",
    ),
    "changed title": (
        "UPDATE documents SET title = 'Ore' WHERE id = 'iron'",
        "articles/iron.txt isn't the text that was indexed.",
    ),
    "changed address": (
        "UPDATE documents SET url = 'https://a.example/' WHERE id = 'iron'",
        "articles/iron.txt isn't the text that was indexed.",
    ),
    "changed pages": (
        "UPDATE documents SET pages = '[0, 5]' WHERE id = 'iron'",
        "articles/iron.txt isn't the text that was indexed.",
    ),
    "changed part": (
        "UPDATE documents SET part = '2' WHERE id = 'iron'",
        "articles/iron.txt isn't the text that was indexed.",
    ),
    "no seal": ("DELETE FROM origins WHERE document = 3", "articles/iron.txt has no seal."),
    "chunk beyond the text": (
        "UPDATE chunks SET end_at = 99 WHERE document = 3",
        "articles/iron.txt: a chunk runs from 0 to 99 in a text of 22 characters.",
    ),
    "chunk that is too short": (
        "UPDATE chunks SET end_at = 4 WHERE document = 3",
        "articles/iron.txt: no chunk holds the characters from 4 to 22.",
    ),
    "chunk gone": (
        "DELETE FROM chunks WHERE document = 3",
        "articles/iron.txt: no chunk holds the characters from 0 to 22.",
    ),
    "vector gone": (
        "DELETE FROM embeddings WHERE chunk = 5",
        "articles/iron.txt: the vector of chunk 5 is missing.",
    ),
    "vector cut": (
        "UPDATE embeddings SET vector = zeroblob(8) WHERE chunk = 5",
        "articles/iron.txt: the vector of chunk 5 isn't 64 numbers long.",
    ),
    "vector of zeros": (
        "UPDATE embeddings SET vector = zeroblob(256) WHERE chunk = 5",
        "articles/iron.txt: the vector of chunk 5 has length 0.0000, not 1.",
    ),
}


@pytest.mark.parametrize(("statement", "what"), TEARS.values(), ids=TEARS)
def test_a_torn_article_is_named_and_dropped_and_the_others_stay(statement: str, what: str, folder: Path) -> None:
    execute(folder, statement)
    assert Fault(what, "articles/iron.txt") in check_library(folder).faults
    repair = repair_library(folder)
    assert repair.lost == ("articles/iron.txt",)
    assert (repair.after.faults, repair.aside) == ((), None)
    make_library(folder.parent / "rest", {name: text for name, text in SHELF.items() if name != "iron"})
    after, wanted = without_generation(folder), without_generation(folder.parent / "rest")
    assert after["documents"] == wanted["documents"]
    assert after["matching"] == wanted["matching"]
    with open_library(folder) as library:
        assert near(library, "iron rusts in wet air", k=9).count("iron:0") == 0
        assert [other.id for other in library.duplicates_of("north")] == ["south"]
    with open_writer(folder, IDENTITY) as writer:
        put(writer, "iron", ARTICLES["iron"])
        writer.commit()
    assert (
        without_generation(folder)["count"] == without_generation(make_library(folder.parent / "all", SHELF))["count"]
    )


def test_a_vector_that_is_no_number_is_found(folder: Path) -> None:
    blob = np.full(64, np.nan, dtype="<f4").tobytes().hex()
    execute(folder, f"UPDATE embeddings SET vector = x'{blob}' WHERE chunk = 5")
    assert "has length nan, not 1" in check_library(folder).faults[0].what


def _turn(folder: Path) -> None:
    path = folder / "vectors-1.faiss"
    path.write_bytes(path.read_bytes()[:-30])


def _swap(folder: Path) -> None:
    """A vector that is as good as any, but another than that of the vector file."""
    execute(folder, "UPDATE embeddings SET vector = (SELECT vector FROM embeddings WHERE chunk = 1) WHERE chunk = 5")


DERIVED: dict[str, tuple[Callable[[Path], object], str]] = {
    "vector file gone": (lambda folder: (folder / "vectors-1.faiss").unlink(), "vectors-1.faiss is missing."),
    "vector file cut": (_turn, "vectors-1.faiss is damaged, or belongs to another state of the library."),
    "vectors differ": (_swap, "vectors-1.faiss holds other vectors than library.sqlite."),
    "words of a chunk gone": (
        lambda folder: execute(
            folder,
            "INSERT INTO words (words, rowid, title, text) VALUES ('delete', 5, 'Iron', 'Iron rusts in wet air.')",
        ),
        "The full-text table differs from the articles in 1 rows.",
    ),
    "other words": (
        lambda folder: execute(
            folder,
            "INSERT INTO words (words, rowid, title, text) VALUES ('delete', 5, 'Iron', 'Iron rusts in wet air.')",
            "INSERT INTO words (rowid, title, text) VALUES (5, 'Iron', 'Iron rusts in hot air.')",
        ),
        "The full-text table holds other words than the articles.",
    ),
    "full-text table of another version": (
        lambda folder: execute(folder, "UPDATE words_config SET v = 99 WHERE k = 'version'"),
        "The words can't be read",
    ),
    "full-text table emptied": (
        lambda folder: execute(folder, "DELETE FROM words_data", "DELETE FROM words_docsize"),
        "The full-text table differs from the articles in 9 rows.",
    ),
    "family parted": (
        lambda folder: execute(folder, "UPDATE sketches SET family = document"),
        "What is known about duplicates doesn't follow from the articles.",
    ),
    "band gone": (
        lambda folder: execute(folder, "DELETE FROM bands WHERE band = (SELECT min(band) FROM bands)"),
        "What is known about duplicates doesn't follow from the articles.",
    ),
    "orphans": (
        lambda folder: execute(folder, "INSERT INTO embeddings VALUES (77, NULL, zeroblob(256))"),
        "Row 77 of embeddings belongs to a row of chunks that isn't there.",
    ),
}


@pytest.mark.parametrize(("harm", "what"), DERIVED.values(), ids=DERIVED)
def test_what_is_derived_is_derived_again_and_no_article_is_lost(
    harm: Callable[[Path], object], what: str, folder: Path
) -> None:
    before = without_generation(folder)
    harm(folder)
    assert [fault.what for fault in check_library(folder).faults if fault.what.startswith(what)]
    repair = repair_library(folder)
    assert (repair.lost, repair.unnamed, repair.after.faults) == ((), 0, ())
    after = without_generation(folder)
    if harm is _swap:
        before.pop("nearest"), after.pop("nearest")
    assert after == before


def test_a_reader_keeps_answering_through_a_repair(folder: Path) -> None:
    with open_library(folder, IDENTITY) as library:
        execute(folder, "DELETE FROM embeddings WHERE chunk = 5")
        assert worded(library, "rust") == ["iron:0"]
        repair_library(folder)
        assert worded(library, "rust") == []
        assert near(library, "tea grows on hills", k=1) == ["tea:0"]


def overwrite_a_page(folder: Path, table: str) -> None:
    """With bytes that are no page of a database: the one that holds the highest rows of a table."""
    with closing(sqlite3.connect(folder / "library.sqlite")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    database = folder / "library.sqlite"
    whole = database.read_bytes()
    page = whole[(root - 1) * size : root * size]
    right = int.from_bytes(page[8:12], "big") if page[0] == 5 else root  # an inner page's right-most child
    database.write_bytes(whole[: (right - 1) * size] + b"\xa5" * size + whole[right * size :])


@pytest.fixture
def large(tmp_path: Path) -> Path:
    return make_library(tmp_path / "index", {f"stone{n:03}": f"Stone number {n}. " * 60 for n in range(100)})


@pytest.mark.parametrize("table", ["documents", "embeddings", "chunks_of_document", "origins"])
def test_of_a_database_with_a_broken_page_all_whole_articles_are_carried_over(table: str, large: Path) -> None:
    with open_library(large) as library:
        names = {listed.id for listed in library.documents()}
        whole = library.documents_by_id(names)
    overwrite_a_page(large, table)
    assert any(fault.structural for fault in check_library(large).faults)
    repair = repair_library(large)
    assert repair.after.faults == ()
    assert repair.aside == large / "library-damaged.sqlite"
    assert repair.aside.exists()
    with open_library(large, IDENTITY) as library:
        kept = library.documents_by_id(names)
        assert kept.items() <= whole.items()
        lost = {name for name in names if f"articles/{name}.txt" in repair.lost}
        assert len(kept) + len(lost) + repair.unnamed == 100
        assert not lost & set(kept)
        assert repair.unnamed == 0
        assert len(kept) == 100 if table == "chunks_of_document" else 50 < len(kept) < 100


def test_a_salvage_that_was_killed_before_its_last_step_is_finished_by_the_next(large: Path) -> None:
    make_library(large.parent / "other")
    (large / "library.sqlite").replace(large / "library-damaged.sqlite")
    (large.parent / "other" / "library.sqlite").replace(large / "salvaged.sqlite")
    assert repair_library(large).after.faults == ()
    with open_library(large) as library:
        assert library.count().documents == 3


def test_a_database_whose_manifest_is_gone_has_to_be_made_anew(folder: Path) -> None:
    execute(folder, "DELETE FROM manifest")
    for start in (check_library, repair_library):
        with pytest.raises(LibraryUnwritable, match="rag index --rebuild FOLDER"):
            start(folder)
