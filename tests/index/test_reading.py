from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import LibraryEmpty, LibraryUnwritable
from rag.index import Library, open_library, open_writer
from rag.types import Chunk
from tests.fakes import WordEmbedder
from tests.index.shelf import ARTICLES, IDENTITY, article, lines_of, make_library, put, worded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_library(tmp_path_factory.mktemp("index"))


@pytest.fixture
def library(folder: Path) -> Iterator[Library]:
    with open_library(folder, IDENTITY) as library:
        yield library


def test_matching_scores_are_bm25_with_the_title_counted_twice(tmp_path: Path) -> None:
    # Three rows of 8, 3 and 3 words, title included: 14/3 on average. Each word of the question is in one row of three:
    # idf = ln((3 - 1 + 0.5) / (1 + 0.5)) = 0.510826. With k1 = 1.2 and b = 0.75 a word that counts f times in a row of
    # D words scores idf * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * D / (14/3))):
    #   pear,   f = 1, D = 8: 0.510826 * 2.2 / 2.842857 = 0.395313
    #   apple,  f = 2, D = 3: 0.510826 * 4.4 / 2.878571 = 0.780816
    #   cherry, f = 2 (once, in the title), D = 3: the same
    with open_writer(tmp_path, IDENTITY) as writer:
        put(writer, "1", "a pear tree stood in the yard", title="One")
        put(writer, "2", "apple apple", title="Two")
        put(writer, "3", "red fruit", title="Cherry")
        writer.commit()
    with open_library(tmp_path) as library:
        hits = library.matching("apple, pear or cherry?", 10)
    assert [hit.chunk.document_id for hit in hits] == ["2", "3", "1"]
    assert [hit.score for hit in hits] == pytest.approx([0.780816, 0.780816, 0.395313], abs=1e-5)
    assert {hit.found_by for hit in hits} == {("words",)}


def test_searches_keep_to_the_given_documents(library: Library) -> None:
    query = WordEmbedder().embed_query("salt dries in wide pans")
    only = frozenset({"tea", "iron", "unknown"})
    assert {hit.chunk.document_id for hit in library.nearest(query, 10, only)} == {"tea", "iron"}
    assert [hit.chunk.id for hit in library.matching("tea salt iron", 10, only)] == ["iron:0", "tea:0", "tea:1"]
    assert [hit.chunk.id for hit in library.matching("tea salt iron", 1, frozenset({"salt"}))] == ["salt:0"]


def test_a_filter_without_documents_finds_nothing(library: Library) -> None:
    assert library.nearest(WordEmbedder().embed_query("salt"), 5, frozenset()) == []
    assert library.matching("salt", 5, frozenset()) == []
    assert library.matching("salt", 5, frozenset({"unknown"})) == []


def test_texts_keep_every_character(tmp_path: Path) -> None:
    text = "\ufeffA \x00 NUL, 😀 beyond the plane, e\u0301, \u2028 and \r\n."
    with open_writer(tmp_path, IDENTITY) as writer:
        document = article("odd", text)
        writer.put(document, [Chunk("odd:0", "odd", 0, len(text))], WordEmbedder().embed_passages([text]))
        writer.commit()
    with open_library(tmp_path) as library:
        assert library.documents_by_id(["odd"]) == {"odd": document}
        assert worded(library, "plane") == ["odd:0"]


@pytest.mark.parametrize("folder_exists", [True, False])
def test_a_folder_without_a_library_is_empty(folder_exists: bool, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    if folder_exists:
        folder.mkdir()
    with pytest.raises(LibraryEmpty, match=r"no articles in .*index yet\. Run `rag index FOLDER`"):
        open_library(folder, IDENTITY)
    assert not folder_exists or list(folder.iterdir()) == []


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "index").touch()
    with pytest.raises(LibraryUnwritable, match=r"index is not a folder\. Set RAG_INDEX"):
        open_library(tmp_path / "index", IDENTITY)


def test_a_closed_library_says_so(library: Library) -> None:
    library.close()
    library.close()
    with pytest.raises(ValueError, match="closed"):
        library.count()


def test_a_snapshot_may_outlive_the_closing_of_its_library(library: Library) -> None:
    with library.snapshot() as now:
        library.close()
        assert now.count().documents == 3


def test_the_dates_of_all_articles_are_known_by_id(library: Library) -> None:
    undated = replace(article("coal", "Coal burns."), published=None)
    with open_writer(library.folder, IDENTITY) as writer:
        writer.put(undated, lines_of(undated), WordEmbedder().embed_passages([undated.text]))
        writer.commit()
    assert library.dates() == {**dict.fromkeys(ARTICLES, "2024-05-01"), "coal": None}
