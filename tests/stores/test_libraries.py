"""What every library does, wherever it lies."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from rag.errors import LibraryEmpty, LibraryMismatch
from rag.index import AnyLibrary, Count, Identity, Listed
from rag.stores import Place, library_at, open_library, open_writer
from rag.types import Catalogue, Chunk, Hit, Vectors
from tests.fakes import WordEmbedder
from tests.index.shelf import ARTICLES, IDENTITY, article, lines_of, near, put, worded
from tests.index.test_words import HOSTILE
from tests.stores.libraries import make_library, opened


def query(text: str) -> Vectors:
    return WordEmbedder().embed_query(text)


def test_it_is_a_catalogue(place: Place) -> None:
    with opened(make_library(place)) as library:
        catalogue: Catalogue = library
        assert catalogue.documents_by_id([]) == {}


def test_a_place_without_a_library_is_empty(place: Place) -> None:
    with pytest.raises(LibraryEmpty, match=r"no articles in .* yet\. Run `rag index FOLDER`"):
        open_library(place, IDENTITY)
    with library_at(place) as library, pytest.raises(LibraryEmpty):
        library.count()


def test_a_library_without_documents_is_empty(place: Place) -> None:
    with open_writer(place, IDENTITY) as writer:
        writer.remember_root("articles")
        assert writer.commit() is True
    with pytest.raises(LibraryEmpty):
        open_library(place, IDENTITY)
    with library_at(place, IDENTITY) as library:
        assert (library.generation, library.roots(), library.count()) == (0, ["articles"], Count(0, 0))
        assert library.nearest(query("tea"), 3) == []
        assert library.matching("tea", 3) == []


def test_nearest_chunks_come_best_first_with_their_similarity(place: Place) -> None:
    with opened(make_library(place)) as library:
        best, *others = library.nearest(query("salt dries in wide pans"), 5)
    assert best.chunk == lines_of(article("salt", ARTICLES["salt"]))[0]
    assert best.score == pytest.approx(1)
    assert best.found_by == ("dense",)
    assert len(others) == 4
    assert all(-1e-6 <= hit.score < 0.9 for hit in others)


def test_matching_chunks_hold_a_word_of_the_question_or_of_its_stem(place: Place) -> None:
    make_library(place, {**ARTICLES, "cafe": "A caf\u00e9 opened."})
    with opened(place) as library:
        assert worded(library, "the picker walked") == ["tea:1"]
        assert worded(library, "rusting") == ["iron:0"]
        assert worded(library, "cafe") == ["cafe:0"]
        assert worded(library, "nothing said here about steam engines") == []


def test_words_of_the_title_count_more_than_those_of_the_text(place: Place) -> None:
    with open_writer(place, IDENTITY) as writer:
        put(writer, "1", "a cherry stood in the yard", title="One")
        put(writer, "2", "a tree stood in the yard", title="Cherry")
        put(writer, "3", "red fruit for the taking of all", title="Three")
        writer.commit()
    with opened(place) as library:
        hits = library.matching("cherry", 10)
    assert [hit.chunk.document_id for hit in hits] == ["2", "1"]
    assert hits[0].score > hits[1].score > 0
    assert {hit.found_by for hit in hits} == {("words",)}


def test_any_text_is_a_valid_question(place: Place) -> None:
    with opened(make_library(place)) as library:
        for question in HOSTILE:
            assert all(hit.score > 0 for hit in library.matching(question, 10))
            assert library.matching(question, 10, frozenset()) == []
            name = question.encode(errors="replace").decode()
            assert library.documents_by_id([question, "tea"]).keys() == {"tea"}
            assert library.duplicates_of(name) == ()
            with library.snapshot() as now:
                assert now.chunks_of(name) == ()
                assert now.titles([question]) == {}
                assert now.entries(typed=name).total <= 3
                assert now.entries(only=[question], files=[question]).total == 0


def test_searches_keep_to_the_given_documents(place: Place) -> None:
    with opened(make_library(place)) as library:
        only = frozenset({"tea", "iron", "unknown"})
        assert {hit.chunk.document_id for hit in library.nearest(query("salt in pans"), 10, only)} == {"tea", "iron"}
        found = [hit.chunk.id for hit in library.matching("tea salt iron", 10, only)]
        assert sorted(found) == ["iron:0", "tea:0", "tea:1"]
        assert [hit.chunk.id for hit in library.matching("tea salt iron", 1, frozenset({"salt"}))] == ["salt:0"]
        for nothing in (frozenset[str](), frozenset({"unknown"})):
            assert library.nearest(query("salt"), 5, nothing) == []
            assert library.matching("salt", 5, nothing) == []


def test_a_filtered_search_scores_as_the_whole_search_does(place: Place) -> None:
    question = "tea on hills, salt in pans"
    with opened(make_library(place)) as library:
        whole = {hit.chunk.id: hit.score for hit in library.matching(question, 10)}
        some = {hit.chunk.id: hit.score for hit in library.matching(question, 10, frozenset({"salt"}))}
    assert some == {chunk: score for chunk, score in whole.items() if chunk.startswith("salt")}


def test_k_limits_the_hits(place: Place) -> None:
    with opened(make_library(place)) as library:
        assert [len(near(library, "salt", k)) for k in (0, 2, 1000)] == [0, 2, 5]
        assert [len(worded(library, "salt tea iron", k)) for k in (0, 2, 1000)] == [0, 2, 5]


def test_documents_come_back_as_they_were_put(place: Place) -> None:
    text = "\ufeffA \x00 NUL, 😀 beyond the plane, e\u0301, \u2028 and \r\n."
    odd = replace(
        article("odd", text), url="https://example.org/a", pages=(0, 5), part="3", author="Åsa", source="a.zip#3"
    )
    make_library(place)
    with open_writer(place, IDENTITY) as writer:
        writer.put(odd, [Chunk("odd:0", "odd", 0, len(text))], WordEmbedder().embed_passages([text]))
        writer.commit()
    with opened(place) as library:
        assert library.documents_by_id(["odd", "unknown", "tea", "odd"]) == {
            "odd": odd,
            "tea": article("tea", ARTICLES["tea"]),
        }
        assert worded(library, "plane") == ["odd:0"]
        with library.snapshot() as now:
            assert now.chunks_of("odd") == (Chunk("odd:0", "odd", 0, len(text)),)
            assert [chunk.id for chunk in now.chunks_of("tea")] == ["tea:0", "tea:1"]
            assert now.titles([odd.content_hash, "unknown"]) == {odd.content_hash: "Odd"}
            assert now.entries(files=["a.zip"]).entries[0].id == "odd"


def test_the_library_lists_and_counts_what_it_holds(place: Place) -> None:
    with opened(make_library(place)) as library:
        assert library.count() == Count(documents=3, chunks=5)
        assert library.documents()[0] == Listed(
            "iron", "Iron", "articles/iron.txt", article("iron", ARTICLES["iron"]).content_hash, chunks=1
        )
        assert [document.title for document in library.documents()] == ["Iron", "Salt", "Tea"]
        assert (library.generation, library.manifest.identity) == (1, IDENTITY)
        assert library.dates() == dict.fromkeys(ARTICLES, "2024-05-01")


def test_lists_hold_what_is_typed_in_titles_sources_or_texts(place: Place) -> None:
    with opened(make_library(place)) as library, library.snapshot() as now:
        found = {
            typed: [entry.id for entry in now.entries(typed=typed).entries]
            for typed in ("", "sal", "SALT.TXT", "tea bush", "walking pick", "nowhere", "te", "%", "' | tea")
        }
        assert found == {
            "": ["iron", "salt", "tea"], "sal": ["salt"], "SALT.TXT": ["salt"], "tea bush": ["tea"],
            "walking pick": ["tea"], "nowhere": [], "te": ["tea"], "%": [], "' | tea": ["tea"],
        }  # fmt: skip
        page = now.entries(after=1, most=1)
        assert ([entry.id for entry in page.entries], page.total) == (["salt"], 3)
        assert [entry.id for entry in now.entries(after=9, most=2).entries] == ["iron", "salt"]
        assert [entry.id for entry in now.entries(only=["tea", "x"], files=["articles/tea.txt"]).entries] == ["tea"]


def test_versions_of_a_report_know_each_other_until_what_joins_them_goes(place: Place) -> None:
    words = [f"word{number}" for number in range(120)]
    texts = {
        "first": " ".join(words),
        "middle": " ".join([*words[:105], *(f"other{number}" for number in range(15))]),
        "last": " ".join([*words[12:105], *(f"other{number}" for number in range(27))]),
    }
    with opened(make_library(place, {**texts, "tea": ARTICLES["tea"]})) as library:
        assert [listed.id for listed in library.duplicates_of("first")] == ["last", "middle"]
        assert library.duplicates_of("tea") == ()
        with open_writer(place, IDENTITY) as writer:
            writer.remove("middle")
            writer.commit()
        assert [listed.id for listed in library.duplicates_of("first")] in ([], ["last"])


def test_an_open_library_sees_the_old_state_until_the_commit_and_then_the_new(place: Place) -> None:
    with opened(make_library(place)) as library, open_writer(place, IDENTITY) as writer:
        put(writer, "wood", "Wood floats on water.")
        writer.remove("iron")
        assert worded(library, "wood iron") == ["iron:0"]
        assert near(library, "wood floats on water", k=9).count("wood:0") == 0
        writer.commit()
        assert worded(library, "wood iron") == ["wood:0"]
        assert near(library, "wood floats on water", k=1) == ["wood:0"]
        assert library.generation == 2


def test_a_snapshot_stays_with_its_generation_whatever_is_committed(place: Place) -> None:
    question = query("iron rusts in wet air")
    with opened(make_library(place)) as library, library.snapshot() as before:
        for text in ("Coffee now.", "Cocoa then."):
            with open_writer(place, IDENTITY) as writer:
                writer.remove("iron")
                put(writer, "tea", text)
                writer.commit()
        assert library.matching("rust", 5) == []
        assert library.nearest(question, 9)[0].chunk.document_id != "iron"
        assert before.nearest(question, 1)[0].chunk.document_id == "iron"
        assert [hit.chunk.document_id for hit in before.matching("rust", 5)] == ["iron"]
        assert before.documents_by_id(["tea"])["tea"].text == ARTICLES["tea"]
        assert before.manifest.generation == 1


def test_a_snapshot_outlives_even_a_library_made_anew_with_another_embedder(place: Place) -> None:
    with opened(make_library(place)) as library:
        with library.snapshot() as before:
            assert near_ids(before.nearest(query("salt dries in wide pans"), 1)) == ["salt:0"]
            with open_writer(place, Identity("other", "1", 8, 160, 1), start_over=True) as writer:
                writer.commit()
            assert near_ids(before.nearest(query("iron rusts in wet air"), 1)) == ["iron:0"]
            assert near_ids(before.matching("rust", 1)) == ["iron:0"]
        with pytest.raises(LibraryMismatch, match="made with embedder other, but now it is embedder words"):
            worded(library, "tea")


def near_ids(hits: list[Hit]) -> list[str]:
    return [hit.chunk.id for hit in hits]


def whole_states(library: AnyLibrary, done: threading.Event) -> set[int]:
    """Generations that were read until then; each commit adds a stone and names it in "tea", so a mixture shows."""
    seen = set()
    while not done.is_set():
        with library.snapshot() as now:
            generation, query_hits = now.manifest.generation, now.nearest(query("stone number"), 1000)
            found = {hit.chunk.document_id for hit in query_hits}
            assert len(query_hits) == now.count().chunks
            if generation > 1:
                assert f"stone{generation}" in found
                assert now.documents_by_id(["tea"])["tea"].text == f"tea beside stone number {generation}"
                assert len(now.matching("stone", 1000)) == generation
            seen.add(generation)
    return seen


def test_threads_read_whole_states_while_a_writer_commits(place: Place) -> None:
    done = threading.Event()
    with opened(make_library(place)) as library, ThreadPoolExecutor() as threads:
        reading = [threads.submit(whole_states, library, done) for _ in range(3)]
        try:
            with open_writer(place, IDENTITY) as writer:
                for generation in range(2, 14):
                    put(writer, f"stone{generation}", f"stone number {generation}")
                    put(writer, "tea", f"tea beside stone number {generation}")
                    writer.commit()
        finally:
            done.set()
        assert len(set.union(*(one.result(timeout=30) for one in reading))) > 1
        assert library.generation == 13
