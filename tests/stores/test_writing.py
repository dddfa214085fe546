"""What every writer does, wherever the library lies."""

import re
from dataclasses import replace

import numpy as np
import pytest

from rag.errors import LibraryBusy, LibraryMismatch
from rag.index import Outcome, Visit
from rag.stores import Place, open_library, open_writer
from rag.types import Chunk
from tests.fakes import WordEmbedder
from tests.index.shelf import ARTICLES, IDENTITY, article, lines_of, near, put, vectors_of, worded
from tests.index.test_identity import DIFFERENCES
from tests.stores.libraries import make_library, opened, state


def test_a_replaced_document_is_found_by_its_new_words_only(place: Place) -> None:
    make_library(place)
    with open_writer(place, IDENTITY) as writer:
        put(writer, "iron", "Copper turns green.\nBells ring.", title="Copper")
        writer.remove("salt")
        writer.remove("unknown")
        writer.commit()
    with opened(place) as library:
        assert worded(library, "iron rusting salt pans") == []
        assert worded(library, "bell") == ["iron:1"]
        assert near(library, "bells ring", k=1) == ["iron:1"]
        assert (library.count().documents, library.count().chunks) == (2, 4)
        assert len(near(library, "anything", k=100)) == 4


def test_changes_one_by_one_end_as_changes_at_once_do(place: Place) -> None:
    at_once = state(make_library(place))
    with open_writer(place, IDENTITY, start_over=True) as writer:
        for name in ("tea", "wood", "iron"):
            put(writer, name, "An earlier text of other words.\nIt had two lines.")
            writer.commit()
        writer.remove("wood")
        writer.commit()
        for name, text in ARTICLES.items():
            put(writer, name, text)
            writer.commit()
    slowly = state(place)
    assert (at_once.pop("generation"), slowly.pop("generation")) == (1, 8)
    assert slowly == at_once


def test_a_document_put_and_replaced_before_the_commit_is_there_once(place: Place) -> None:
    with open_writer(place, IDENTITY) as writer:
        put(writer, "tea", "A first draft.")
        put(writer, "tea", ARTICLES["tea"])
        put(writer, "iron", ARTICLES["iron"])
        writer.remove("iron")
        writer.put(article("blank", ""), [], np.zeros((0, IDENTITY.dimension), dtype=np.float32))
        assert set(writer.known()) == {"articles/tea.txt", "articles/blank.txt"}
        writer.commit()
    with opened(place) as library:
        assert library.count().chunks == 2
        assert worded(library, "draft iron") == []
        assert sorted(near(library, "tea", k=100)) == ["tea:0", "tea:1"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, None])
def test_what_comes_after_the_last_commit_is_undone(error: type[BaseException] | None, place: Place) -> None:
    make_library(place)

    def work() -> None:
        with open_writer(place, IDENTITY) as writer:
            put(writer, "wood", "Wood floats.")
            writer.commit()
            writer.remove("tea")
            put(writer, "coal", "Coal burns.")
            if error:
                raise error

    if error:
        with pytest.raises(error):
            work()
    else:
        work()
    with opened(place) as library:
        assert [document.id for document in library.documents()] == ["iron", "salt", "tea", "wood"]
        assert library.generation == 2
        assert sorted(near(library, "coal", k=100)) == ["iron:0", "salt:0", "salt:1", "tea:0", "tea:1", "wood:0"]


def test_a_commit_without_changes_does_nothing(place: Place) -> None:
    make_library(place)
    with open_writer(place, IDENTITY) as writer:
        writer.remember_root("articles")
        writer.note_visit(Visit("a", "1"))
        assert writer.commit() is True
        writer.remove("unknown")
        writer.remember_root("articles")
        writer.forget_root("unknown")
        writer.note_visit(Visit("a", "1"))
        writer.forget_visit("b")
        assert writer.commit() is False
    with opened(place) as library:
        assert library.generation == 1


def test_roots_and_visits_are_remembered_without_a_new_generation(place: Place) -> None:
    make_library(place)
    seen = Visit("https://example.org/" + "n" * 5000, "1", None, "tag", "Monday", Outcome.GONE)
    with open_writer(place, IDENTITY) as writer:
        for root in ("b", "https://example.org/a", "c", "b"):
            writer.remember_root(root)
        writer.forget_root("c")
        writer.note_visit(Visit("a", "1", fields="title=headline"))
        writer.note_visit(Visit("a", "2"))
        writer.note_visit(seen)
        writer.note_visit(Visit("c", "1"))
        writer.forget_visit("c")
        assert writer.roots() == ["b", "https://example.org/a"]
        assert writer.commit() is True
    with opened(place) as library, library.snapshot() as now:
        assert now.roots() == ["b", "https://example.org/a"]
        assert now.visits() == {"a": Visit("a", "2"), seen.source: seen}
        assert now.manifest.generation == 1


def test_vectors_of_texts_are_found_again_even_when_their_document_went(place: Place) -> None:
    tea = article("tea", ARTICLES["tea"])
    chunks = lines_of(tea)
    vectors = vectors_of(tea, chunks)
    with open_writer(place, IDENTITY) as writer:
        writer.put(tea, chunks, vectors, ["first", "second"])
        writer.commit()
    with open_writer(place, IDENTITY) as writer:
        assert writer.vectors_of([]) == {}
        for _ in range(2):
            found = writer.vectors_of(["second", "third", "first"])
            assert sorted(found) == ["first", "second"]
            assert np.array_equal(found["second"], vectors[1])
            writer.remove("tea")


def test_loaders_and_marks_tell_what_is_outdated(place: Place) -> None:
    with open_writer(place, IDENTITY, loader=3) as writer:
        put(writer, "tea", ARTICLES["tea"])
        writer.commit()
    with open_writer(place, IDENTITY, loader=4) as writer:
        put(writer, "salt", ARTICLES["salt"])
        assert writer.outdated() == {"tea"}
        writer.note_marks({"tea": "1:2:3", "unknown": "4:5:6"})
        writer.commit()
        writer.note_marks({"tea": "1:2:3"})
        assert writer.commit() is False
    with opened(place) as library:
        origins = library.origins()
        assert (origins["tea"].loader, origins["tea"].mark) == (3, "1:2:3")
        assert (origins["salt"].loader, origins["salt"].mark) == (4, None)
        assert library.origins(["salt", "unknown"]) == {"salt": origins["salt"]}


def refused() -> list[tuple[str, tuple[object, ...]]]:
    tea, salt = article("tea", ARTICLES["tea"]), article("salt", ARTICLES["salt"])
    chunks = lines_of(tea)
    vectors = vectors_of(tea, chunks)
    none = np.zeros((0, IDENTITY.dimension), dtype=np.float32)
    return [
        ("belongs to 'tea', not to 'salt'", (salt, chunks, vectors)),
        ("same id", (tea, [chunks[0], replace(chunks[1], id=chunks[0].id)], vectors)),
        ("runs from 0 to 0; wanted", (tea, [Chunk("tea:0", "tea", 0, 0)], vectors[:1])),
        (r"\(1, 64\) and float32; wanted \(2, 64\)", (tea, chunks, vectors[:1])),
        ("vector 0 has length nan", (tea, chunks, np.full_like(vectors, np.nan))),
        ("surrogates", (article("odd", "fine", title="half \ud83c"), [], none)),
        ("got 1 embedded texts; wanted 2", (tea, chunks, vectors, ["one"])),
    ]


def test_what_does_not_fit_is_refused_before_anything_is_written(place: Place) -> None:
    with open_writer(place, IDENTITY) as writer:
        for message, arguments in refused():
            with pytest.raises(ValueError, match=message):
                writer.put(*arguments)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="surrogates"):
            writer.remember_root("half \ud83c")
        put(writer, "tea", ARTICLES["tea"])
        assert writer.commit() is True


@pytest.mark.parametrize(("taken", "source"), [("source", "articles/tea.txt"), ("chunk", "elsewhere")])
def test_another_document_with_a_source_or_chunk_that_is_taken_is_refused(
    place: Place, taken: str, source: str
) -> None:
    before = state(make_library(place))
    twin = replace(article("tea", ARTICLES["tea"]), id="twin", source=source)
    chunks = (
        [replace(chunk, document_id="twin") for chunk in lines_of(article("tea", ARTICLES["tea"]))]
        if taken == "chunk"
        else []
    )
    with open_writer(place, IDENTITY) as writer:
        with pytest.raises(ValueError, match=rf"'{source}' or the id of one of its chunks is in the library already"):
            writer.put(twin, chunks, vectors_of(twin, chunks).reshape(len(chunks), IDENTITY.dimension))
        with pytest.raises(ValueError, match="has ended"):
            writer.commit()
    assert state(place) == before


@pytest.mark.parametrize(("wanted", "message"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_a_library_made_with_something_else_names_both_values(place: Place, wanted: object, message: str) -> None:
    make_library(place)
    for start in (
        lambda: open_library(place, wanted),  # type: ignore[arg-type]
        lambda: open_writer(place, wanted).__enter__(),  # type: ignore[arg-type]
    ):
        with pytest.raises(LibraryMismatch, match=re.escape(f"The library in {place} was {message}")):
            start()


def test_a_second_writer_is_turned_away_and_told_who_is_at_work(place: Place) -> None:
    make_library(place)
    with open_writer(place, IDENTITY, command="rag sync"):
        with pytest.raises(LibraryBusy, match=r"Another `rag sync` .* is writing to") as caught:
            open_writer(place, IDENTITY).__enter__()
        assert str(place) in str(caught.value)
    with open_writer(place, IDENTITY) as writer:
        writer.put(article("new", "New."), lines_of(article("new", "New.")), WordEmbedder().embed_passages(["New."]))
        assert writer.commit() is True
