"""A library as a reader sees it is what a library of the readable articles alone would be, wherever it lies."""

from pathlib import Path

import numpy as np
import pytest

from rag.index import AnyLibrary
from rag.rights import EVERYTHING, Allowed, Readable, ReadableLibrary
from rag.rights.patterns import Collection
from rag.stores import Place, open_writer
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY, put
from tests.stores.libraries import make_library, opened

WORDS = ("tea", "salt", "iron", "picker", "walked", "pans", "rust", "harbour", "tide", "cherry", "yard", "steam")
ARTICLES = {
    f"{place}/{number}": " ".join(f"The {word} of {place} {number}." for word in words)
    for place in ("news", "board")
    for number in range(12)
    for words in [np.random.default_rng((number, len(place))).choice(WORDS, 4, replace=False)]
}
NEWS = Readable(frozenset([Collection(("articles/news/.*",))]))


def seen(library: AnyLibrary, readable: Readable = NEWS) -> ReadableLibrary:
    return ReadableLibrary(library, lambda: readable, Allowed())


def test_only_what_may_be_read_is_found_and_all_of_it_exactly(place: Place, tmp_path: Path) -> None:
    alone = make_library(tmp_path / "alone", {name: text for name, text in ARTICLES.items() if name[0] == "n"})
    with opened(make_library(place, ARTICLES)) as whole, opened(alone) as only, seen(whole).snapshot() as now:
        sources = {one.id: one.source for one in whole.documents()}
        assert {sources[one.id] for one in now.documents()} == {one.source for one in only.documents()}
        assert now.count() == only.count()
        assert (now.dates(), now.origins().keys()) == (only.dates(), only.origins().keys())
        assert now.entries().total == now.entries("the", most=3).total == 12
        for word in WORDS:
            for k in (1, 5, 100):
                vector = WordEmbedder().embed_query(f"{word} of the board")
                found, wanted = now.nearest(vector, k), only.nearest(vector, k)
                assert [hit.score for hit in found] == pytest.approx([hit.score for hit in wanted], abs=1e-5)
                assert {sources[hit.chunk.document_id].rpartition("/")[0] for hit in found} <= {"articles/news"}
            matches = {hit.chunk.id for hit in now.matching(word, 100)}
            assert matches == {hit.chunk.id for hit in only.matching(word, 100)}


def test_what_may_not_be_read_is_not_there_by_whatever_it_is_asked_for(place: Place) -> None:
    with opened(make_library(place, ARTICLES)) as whole, seen(whole).snapshot() as now:
        hidden = {one.id: one.content_hash for one in whole.documents() if one.source.startswith("articles/board")}
        assert len(hidden) == 12
        assert now.documents_by_id(hidden) == {}
        assert now.nearest(WordEmbedder().embed_query("tea"), 9, frozenset(hidden)) == []
        assert now.matching("tea salt iron", 9, frozenset(hidden)) == []
        assert now.entries(only=hidden).total == now.entries("board").total == 0
        assert now.titles(hidden.values()) == {}
        assert now.origins(hidden) == {}
        assert [now.chunks_of(name) for name in hidden] == [()] * 12
        assert {stored.document.id for stored in now.stored()}.isdisjoint(hidden)


def test_versions_of_an_article_are_named_where_they_may_be_read(place: Place) -> None:
    said = [f"The {word} of the harbour is counted anew, says report {at}." for at, word in enumerate(WORDS * 4)]
    report = " ".join(said)
    texts = {"news/a": report, "news/b": f"{report} So it was.", "board/c": f"{report} It is so."}
    with opened(make_library(place, texts)) as whole:
        ids = {one.id: one.id for one in whole.documents()}
        assert len(whole.duplicates_of(ids["news/a"])) == 2
        library = seen(whole)
        assert [one.source for one in library.duplicates_of(ids["news/a"])] == ["articles/news/b.txt"]
        assert library.duplicates_of(ids["board/c"]) == ()


def test_rights_count_as_they_are_at_each_question_and_articles_as_they_come(place: Place) -> None:
    rights = [NEWS]
    with opened(make_library(place, ARTICLES)) as whole:
        library = ReadableLibrary(whole, lambda: rights[0], Allowed())
        assert library.count().documents == 12
        with open_writer(place, IDENTITY) as writer:
            put(writer, "news/new", "Tea was new.")
            put(writer, "board/new", "Salt was new.")
            writer.commit()
        assert library.count().documents == 13
        rights[0] = Readable(frozenset())
        assert (library.count().documents, library.nearest(WordEmbedder().embed_query("tea"), 5)) == (0, [])
        assert library.matching("tea", 5) == []
        rights[0] = EVERYTHING
        assert library.count() == whole.count()
        library.close()
        assert whole.count().documents == 26
