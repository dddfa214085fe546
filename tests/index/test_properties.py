"""What holds for any order of changes: the library is what it would be if it were made of the last state at once."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rag.index import FlatVectors, Library, check_library, open_writer
from rag.indexing import index_paths
from rag.syncing import sync_folders
from rag.types import Document
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY, article, lines_of, vectors_of

STORY = "The harbour of Varel opened again on Monday after four years of work. It cost three million marks in all."
TEXTS = st.one_of(
    st.sampled_from(
        ["Tea.", "Salt dries.\nIn pans.", STORY, f"{STORY}\nShips came.", f"Monday.\n{STORY}", "Tea.\n\nTea."]
    ),
    st.lists(st.text(alphabet="ab é😀\0東", max_size=9).map(lambda text: f"{text} a"), min_size=1, max_size=3).map(
        "\n".join
    ),
)
NAMES = st.sampled_from(["a", "b", "c", "d"])
PUT = st.tuples(st.just("put"), NAMES, TEXTS)
REMOVE = st.tuples(st.just("remove"), NAMES, st.just(""))
FIRST = ("put", "always", "Always here.")
COMMIT = st.tuples(st.just("commit"), st.just(""), st.just(""))
REOPEN = st.tuples(st.just("reopen"), st.just(""), st.just(""))
CHANGES = st.lists(st.one_of(PUT, PUT, REMOVE, COMMIT, REOPEN), max_size=14).map(lambda some: [FIRST, *some])

few = settings(max_examples=25, deadline=None)


@contextmanager
def somewhere() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def put_text(folder: Path, changes: list[tuple[str, str, str]]) -> dict[str, str]:
    """Apply the changes; what the library should hold then, by name."""
    wanted: dict[str, str] = {}
    for block in _blocks(changes):
        with open_writer(folder, IDENTITY) as writer:
            for what, name, text in block:
                if what == "put":
                    document = article(name, text)
                    chunks = [chunk for chunk in lines_of(document) if chunk.start < chunk.end]
                    writer.put(document, chunks, vectors_of(document, chunks))
                    wanted[name] = text
                elif what == "remove":
                    writer.remove(name)
                    wanted.pop(name, None)
                else:
                    writer.commit()
            writer.commit()
    return wanted


def all_documents(folder: Path) -> list[Document]:
    with Library(folder, IDENTITY) as library:
        return list(library.documents_by_id([*"abcd", "always"]).values())


def _blocks(changes: list[tuple[str, str, str]]) -> list[list[tuple[str, str, str]]]:
    blocks: list[list[tuple[str, str, str]]] = [[]]
    for change in changes:
        if change[0] == "reopen":
            blocks.append([])
        else:
            blocks[-1].append(change)
    return blocks


def described(folder: Path) -> dict[str, Any]:
    """All that can be read of a library and doesn't depend on how it came about."""
    with Library(folder, IDENTITY) as library, library.snapshot() as now:
        listed = now.documents()
        documents = now.documents_by_id(one.id for one in listed)
        texts = [document.text for document in documents.values()]
        queries = [WordEmbedder().embed_query(text) for text in sorted(texts)]
        return {
            "listed": sorted(listed, key=lambda one: one.id),
            "documents": documents,
            "families": {one.id: now.duplicates_of(one.id) for one in listed},
            "roots": sorted(now.roots()),
            "nearest": [sorted((hit.chunk.id, round(hit.score, 5)) for hit in now.nearest(q, 99)) for q in queries],
            "matching": [
                sorted((hit.chunk.id, round(hit.score, 9)) for hit in now.matching(text, 99)) for text in sorted(texts)
            ],
        }


@few
@given(CHANGES)
def test_any_order_of_changes_ends_as_a_library_made_at_once(changes: list[tuple[str, str, str]]) -> None:
    with somewhere() as folder:
        wanted = put_text(folder / "changed", changes)
        put_text(folder / "fresh", [("put", name, text) for name, text in sorted(wanted.items())])
        assert set(wanted) == {document.id for document in all_documents(folder / "changed")}
        assert described(folder / "changed") == described(folder / "fresh")
        assert check_library(folder / "changed").faults == ()


@few
@given(CHANGES)
def test_what_is_removed_leaves_nothing_behind(changes: list[tuple[str, str, str]]) -> None:
    with somewhere() as folder:
        put_text(folder, [*changes, ("put", "a", STORY)])
        with open_writer(folder, IDENTITY) as writer:
            writer.remember_root("articles")
            writer.commit()
            for listed in writer.documents():
                writer.remove(listed.id)
            writer.forget_root("articles")
            writer.commit()
        assert rows_left(folder) == {}
        with Library(folder, IDENTITY) as library:
            manifest = library.manifest
        vectors = FlatVectors.load(folder / f"vectors-{manifest.generation}.faiss", manifest.stamp, IDENTITY.dimension)
        assert vectors is not None
        assert len(vectors) == 0
        assert check_library(folder).faults == ()


def rows_left(folder: Path) -> dict[str, int]:
    """Of every table that has any, but for the manifest and what SQLite and FTS5 keep for themselves."""
    with closing(sqlite3.connect(folder / "library.sqlite")) as connection:
        connection.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab('main', 'words', 'row')")
        tables = [name for (name,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")]
        kept = {"manifest", "sqlite_sequence", "words_data", "words_idx", "words_config"}
        assert kept < set(tables)
        assert len(set(tables) - kept) == 10
        counts = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in [*(set(tables) - kept), "temp.vocabulary"]
        }
    return {table: count for table, count in counts.items() if count}


FILES = st.sampled_from(["tea.md", "salt.md", "may/iron.txt", "may/tea.md"])
WRITE = st.tuples(st.just("write"), FILES, st.sampled_from(["# Tea\n\nTea grows.", "# Salt\n\nIt dries.", STORY]))
DELETE = st.tuples(st.just("delete"), FILES, st.just(""))
MOVE = st.tuples(st.just("move"), FILES, FILES)
SYNC = st.tuples(st.just("sync"), st.just(""), st.just(""))


@settings(max_examples=12, deadline=None)
@given(st.lists(st.one_of(WRITE, WRITE, DELETE, MOVE, SYNC), max_size=12))
def test_a_folder_that_is_synced_after_any_changes_is_as_if_indexed_at_once(steps: list[tuple[str, str, str]]) -> None:
    with somewhere() as place:
        news = place / "news"
        (news / "may").mkdir(parents=True)
        (news / "always.md").write_text("# Always\n\nAlways here.", encoding="utf-8")
        index_paths([news], place / "index", IDENTITY, WordEmbedder())
        for what, name, more in steps:
            file = news / name
            if what == "write":
                file.write_text(more, encoding="utf-8")
            elif what == "delete":
                file.unlink(missing_ok=True)
            elif what == "move" and file.exists():
                file.replace(news / more)
            elif what == "sync":
                sync_folders(place / "index", IDENTITY, WordEmbedder())
        done = sync_folders(place / "index", IDENTITY, WordEmbedder())
        index_paths([news], place / "fresh", IDENTITY, WordEmbedder())
        assert described(place / "index") == described(place / "fresh")
        assert done.documents == len([path for path in news.rglob("*") if path.is_file()])
        assert check_library(place / "index").faults == ()
        assert not sync_folders(place / "index", IDENTITY, WordEmbedder()).changed
