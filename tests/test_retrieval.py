from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import pytest

from rag.index import open_library, open_writer
from rag.retrieval import Budget, Retrieved, documents_ranked, fuse, join, rankings, retrieve, touch
from rag.types import Catalogue, Chunk, Document, Hit, Passage, Vectors
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY, make_library, put

FERRY = "Dogs need a lead. Bicycles travel free. Boats sail daily. Whales sing. Fish swim."
"""Sentences of 4, 3, 3, 2 and 2 words."""


def document(id: str, text: str) -> Document:  # noqa: A002
    return Document(id, id.title(), text, f"/{id}.txt", None, None, "")


def chunk(text: str, of: Document) -> Chunk:
    """The part of the article that reads so."""
    start = of.text.index(text)
    return Chunk(f"{of.id}/{text}", of.id, start, start + len(text))


def hits(chunks: Sequence[Chunk], found_by: str = "dense") -> list[Hit]:
    return [Hit(chunk, 1 - rank / 100, (found_by,)) for rank, chunk in enumerate(chunks)]


class Shelf:
    """A `Catalogue` that finds the same chunks whatever is asked, and remembers what was asked of it."""

    def __init__(
        self,
        documents: Sequence[Document],
        dense: Sequence[Chunk],
        words: Sequence[Chunk] = (),
        copies: Collection[str] = (),
    ) -> None:
        """`copies` are the ids of documents that are versions of one another."""
        self.documents, self.dense, self.words, self.copies = documents, dense, words, copies
        self.asked: list[tuple[str, int, frozenset[str] | None]] = []

    def nearest(self, query: Vectors, k: int, documents: frozenset[str] | None = None) -> list[Hit]:
        assert query.shape == (1, WordEmbedder.dimension)
        self.asked.append(("dense", k, documents))
        return hits(self.dense[:k])

    def matching(self, question: str, k: int, documents: frozenset[str] | None = None) -> list[Hit]:
        self.asked.append((question, k, documents))
        return hits(self.words[:k], "words")

    def documents_by_id(self, ids: Iterable[str]) -> dict[str, Document]:
        return {document.id: document for document in self.documents if document.id in set(ids)}

    def duplicates_of(self, document_id: str) -> list[Document]:
        family = self.copies if document_id in self.copies else ()
        return [document for document in self.documents if document.id in family and document.id != document_id]

    def dates(self) -> dict[str, str | None]:
        return {document.id: document.published for document in self.documents}


class Unmoved(WordEmbedder):
    """To it all sentences are alike, so that reading them closely leaves every chunk in its place."""

    def embed_tokens(self, texts: Sequence[str]) -> list[tuple[Vectors, list[tuple[int, int]]]]:
        return [(vectors[:0], []) for vectors, _ in super().embed_tokens(texts)]


def count_words(text: str) -> int:
    return len(text.split())


def found(catalogue: Catalogue, passages: int = 4, tokens: int = 100) -> tuple[Passage, ...]:
    return retrieve("What do dogs need?", Unmoved(), catalogue, Budget(passages, tokens, count_words)).passages


def texts(ranked: Sequence[str], passages: int = 4, tokens: int = 100, article: str = FERRY) -> list[str]:
    """What the reader gets where these parts of one article are found, best first."""
    ferry = document("ferry", article)
    shelf = Shelf([ferry], [chunk(text, ferry) for text in ranked])
    return [passage.text for passage in found(shelf, passages, tokens)]


def test_fused_scores_are_sums_of_reciprocal_ranks() -> None:
    a, b, c = (Chunk(name, "d", 0, 1) for name in "abc")
    fused = fuse(hits([a, b]), hits([b, c], "words"))
    assert [(hit.chunk, hit.found_by) for hit in fused] == [(b, ("dense", "words")), (a, ("dense",)), (c, ("words",))]
    assert [hit.score for hit in fused] == pytest.approx([1 / 62 + 1 / 61, 1 / 61, 1 / 62])


def test_a_chunk_both_searches_find_late_beats_one_that_a_single_search_finds_first() -> None:
    one, other, both = (Chunk(name, "d", 0, 1) for name in ("one", "other", "both"))
    filler = [Chunk(f"f{rank}", "d", 0, 1) for rank in range(100)]
    dense, words = [one, *filler[:19], both], [other, *filler[50:69], both]
    assert fuse(hits(dense), hits(words, "words"))[0].chunk == both  # 2/81 is more than 1/61


def test_of_equals_the_one_of_the_first_ranking_comes_first() -> None:
    a, b = (Chunk(name, "d", 0, 1) for name in "ab")
    assert [hit.chunk for hit in fuse(hits([a]), hits([b]))] == [a, b]


def test_fusing_one_ranking_keeps_its_order_and_fusing_none_is_empty() -> None:
    chunks = [Chunk(name, "d", 0, 1) for name in "zxy"]
    assert [hit.chunk for hit in fuse(hits(chunks), [])] == chunks
    assert fuse() == fuse([], []) == []


@pytest.mark.parametrize(
    ("one", "other", "touching"),
    [
        ((0, 5), (3, 8), True),
        ((0, 9), (3, 5), True),
        ((0, 5), (0, 5), True),
        ((0, 3), (3, 5), True),
        ((0, 2), (4, 6), True),
        ((0, 2), (8, 9), False),
    ],
)
def test_chunks_touch_when_only_whitespace_lies_between_them(
    one: tuple[int, int], other: tuple[int, int], touching: bool
) -> None:
    text = "ab\n cd.ef"
    first, second = Chunk("1", "d", *one), Chunk("2", "d", *other)
    assert touch(first, second, text) is touch(second, first, text) is touching


def test_chunks_of_two_articles_never_touch() -> None:
    assert not touch(Chunk("1", "d", 0, 5), Chunk("2", "e", 0, 5), "abcde")


def test_joined_chunks_cover_all_of_their_parts() -> None:
    assert join([Chunk("1", "d", 4, 6), Chunk("2", "d", 0, 3), Chunk("3", "d", 5, 9)]) == Chunk("d:0-9", "d", 0, 9)
    assert join([Chunk("1", "d", 4, 6)]) == Chunk("d:4-6", "d", 4, 6)


def test_passages_are_numbered_from_one_best_first_and_are_slices_of_their_articles() -> None:
    ferry, trains = document("ferry", FERRY), document("trains", "Trains leave hourly.")
    shelf = Shelf([ferry, trains], [chunk("Fish swim.", ferry), chunk("Trains leave hourly.", trains)])
    first, second = found(shelf)
    assert (first.number, first.document, first.text) == (1, ferry, "Fish swim.")
    assert (second.number, second.document, second.text) == (2, trains, "Trains leave hourly.")
    for passage in (first, second):
        assert passage.text == passage.document.text[passage.chunk.start : passage.chunk.end]
        assert passage.chunk.document_id == passage.document.id


def test_nothing_found_is_no_passage() -> None:
    assert found(Shelf([], [])) == ()


def test_both_searches_get_the_question_the_number_of_candidates_and_the_documents() -> None:
    shelf = Shelf([], [])
    only = frozenset({"ferry"})
    retrieve("Who?", WordEmbedder(), shelf, Budget(4, 100, count_words), candidates=7, documents=only)
    assert shelf.asked == [("dense", 7, only), ("Who?", 7, only)]
    found(shelf)
    assert shelf.asked[2:] == [("dense", 40, None), ("What do dogs need?", 40, None)]


def test_what_one_search_found_is_scored_by_the_other_among_all_chunks_of_the_articles_found() -> None:
    ferry, trains = document("ferry", FERRY), document("trains", "Trains leave hourly.")
    shelf = Shelf([ferry, trains], [chunk("Fish swim.", ferry)], [chunk("Trains leave hourly.", trains)])
    found(shelf)
    both = frozenset({"ferry", "trains"})
    assert shelf.asked[2:] == [("dense", 2000, both), ("What do dogs need?", 2000, both)]


def test_the_searches_can_be_had_one_by_one_fused_and_reranked() -> None:
    ferry = document("ferry", FERRY)
    fish, dogs, boats = (chunk(text, ferry) for text in ("Fish swim.", "Dogs need a lead.", "Boats sail daily."))
    shelf = Shelf([ferry], dense=[fish, dogs], words=[dogs, boats])
    found = rankings("What do dogs need?", WordEmbedder(), shelf)
    assert list(found) == ["dense", "words", "fused", "reranked"]
    assert found["dense"] == hits([fish, dogs])
    assert found["words"] == hits([dogs, boats], "words")
    assert found["fused"] == fuse(hits([fish, dogs]), hits([dogs, boats], "words"))
    assert [hit.chunk for hit in found["fused"]] == [dogs, fish, boats]
    assert found["reranked"][0].chunk == dogs
    assert {hit.chunk for hit in found["reranked"]} == {dogs, fish, boats}


def test_a_chunk_with_a_sentence_close_to_the_question_overtakes_the_one_found_first() -> None:
    ferry = document("ferry", FERRY)
    shelf = Shelf([ferry], [chunk("Whales sing. Fish swim.", ferry), chunk("Dogs need a lead.", ferry)])
    budget = Budget(4, 100, count_words)
    retrieved = retrieve("What do dogs need?", WordEmbedder(), shelf, budget)
    assert [passage.text for passage in retrieved.passages] == ["Dogs need a lead.", "Whales sing. Fish swim."]
    assert 0 < retrieved.similarity < 1


def test_a_sentence_that_reads_as_the_question_does_has_the_highest_similarity() -> None:
    ferry = document("ferry", FERRY)
    shelf = Shelf([ferry], [chunk("Fish swim.", ferry), chunk("Dogs need a lead.", ferry)])
    retrieved = retrieve("Dogs need a lead.", WordEmbedder(), shelf, Budget(4, 100, count_words))
    assert retrieved.similarity == pytest.approx(1.0)


def test_rankings_ask_for_as_many_candidates_and_for_the_documents_they_are_told() -> None:
    shelf = Shelf([], [])
    only = frozenset({"ferry"})
    assert rankings("Who?", WordEmbedder(), shelf, 7, only) == {
        "dense": [],
        "words": [],
        "fused": [],
        "reranked": [],
    }
    assert shelf.asked == [("dense", 7, only), ("Who?", 7, only)]


def test_a_document_ranks_as_its_best_chunk_does() -> None:
    ranked = [Chunk(f"{at}", name, 0, 1) for at, name in enumerate("babcab")]
    assert documents_ranked(hits(ranked)) == ["b", "a", "c"]
    assert documents_ranked([]) == []


def test_no_more_passages_than_the_budget_allows() -> None:
    ranked = ["Fish swim.", "Boats sail daily.", "Dogs need a lead."]
    assert texts(ranked, passages=2) == ["Fish swim.", "Boats sail daily."]
    assert texts(ranked, passages=1) == ["Fish swim."]


def test_no_more_tokens_than_the_budget_allows_and_a_smaller_one_may_still_fit() -> None:
    ranked = ["Dogs need a lead.", "Boats sail daily.", "Fish swim."]  # 4, 3 and 2 words
    assert texts(ranked, tokens=9) == ranked
    assert texts(ranked, tokens=8) == ["Dogs need a lead.", "Boats sail daily."]
    assert texts(ranked, tokens=6) == ["Dogs need a lead.", "Fish swim."]
    assert texts(ranked, tokens=5) == ["Dogs need a lead."]


def test_the_best_passage_is_given_even_where_it_alone_exceeds_the_budget() -> None:
    assert texts(["Dogs need a lead.", "Fish swim."], tokens=1) == ["Dogs need a lead."]


def test_neighbours_are_joined_in_the_place_of_the_better_one() -> None:
    ranked = ["Whales sing.", "Dogs need a lead.", "Bicycles travel free."]
    assert texts(ranked) == ["Whales sing.", "Dogs need a lead. Bicycles travel free."]
    ranked = ["Bicycles travel free.", "Whales sing.", "Dogs need a lead."]
    assert texts(ranked) == ["Dogs need a lead. Bicycles travel free.", "Whales sing."]


def test_a_chunk_between_two_passages_makes_them_one() -> None:
    ranked = ["Dogs need a lead.", "Fish swim.", "Boats sail daily.", "Bicycles travel free."]
    assert texts(ranked) == ["Dogs need a lead. Bicycles travel free. Boats sail daily.", "Fish swim."]


def test_overlapping_chunks_are_joined_and_their_overlap_counts_once() -> None:
    ranked = ["Dogs need a lead. Bicycles travel free.", "Bicycles travel free. Boats sail daily."]
    assert texts(ranked, tokens=10) == ["Dogs need a lead. Bicycles travel free. Boats sail daily."]
    assert texts(ranked, tokens=9) == ["Dogs need a lead. Bicycles travel free."]


def test_a_neighbour_joins_though_no_further_passage_is_allowed() -> None:
    ranked = ["Dogs need a lead.", "Bicycles travel free."]
    assert texts(ranked, passages=1) == ["Dogs need a lead. Bicycles travel free."]


def test_making_two_passages_one_leaves_room_for_another() -> None:
    ranked = ["Dogs need a lead.", "Boats sail daily.", "Bicycles travel free.", "Fish swim."]
    assert texts(ranked, passages=2) == ["Dogs need a lead. Bicycles travel free. Boats sail daily.", "Fish swim."]


def test_the_same_text_in_another_article_is_skipped() -> None:
    ferry, copy = document("ferry", FERRY), document("copy", f"Copied: {FERRY}")
    shelf = Shelf([ferry, copy], [chunk("Fish swim.", ferry), chunk("Fish swim.", copy), chunk("Dogs need", copy)])
    assert [(passage.document.id, passage.text) for passage in found(shelf)] == [
        ("ferry", "Fish swim."),
        ("copy", "Dogs need"),
    ]


def test_a_copied_article_is_skipped_also_where_its_chunks_are_neighbours() -> None:
    ferry, copy = document("ferry", FERRY), document("copy", FERRY)
    parts = ["Dogs need a lead.", "Bicycles travel free."]
    shelf = Shelf([ferry, copy], [chunk(text, article) for text in parts for article in (ferry, copy)])
    assert [(passage.document.id, passage.text) for passage in found(shelf)] == [("ferry", " ".join(parts))]
    crossed = [chunk(parts[0], ferry), chunk(parts[1], copy), chunk(parts[1], ferry), chunk(parts[0], copy)]
    assert [passage.text for passage in found(Shelf([ferry, copy], crossed))] == parts


def test_end_to_end_the_library_s_chunks_become_joined_passages(tmp_path: Path) -> None:
    make_library(tmp_path)
    budget = Budget(2, 100, count_words)
    with open_library(tmp_path, IDENTITY) as library:
        first, *rest = retrieve("Where do pickers of tea walk?", WordEmbedder(), library, budget).passages
        assert (first.number, first.document.id) == (1, "tea")
        assert first.text == first.document.text == "Tea grows on hills.\nPickers walk between the bushes."
        assert all(passage.text == passage.document.text[passage.chunk.start : passage.chunk.end] for passage in rest)
        [only] = retrieve(
            "Where does tea grow?", WordEmbedder(), library, budget, documents=frozenset({"iron"})
        ).passages
        assert (only.number, only.text) == (1, "Iron rusts in wet air.")
        assert retrieve("Tea?", WordEmbedder(), library, budget, documents=frozenset()) == Retrieved((), 0.0)


def test_each_part_of_a_question_brings_its_best_chunk_into_the_first_places() -> None:
    """The whole question finds what its second part is about last."""
    articles = [document(name, f"The {name} fee.") for name in ("harbour", "market", "parking", "varel", "emden")]
    chunks = {article.id: chunk(article.text, article) for article in articles}

    class Towns(Shelf):
        def matching(self, question: str, k: int, documents: frozenset[str] | None = None) -> list[Hit]:
            towns = [name for name in ("varel", "emden") if name.title() in question]
            self.words = [chunks[towns[0]]] if len(towns) == 1 else []
            return super().matching(question, k, documents)

    shelf = Towns(articles, list(chunks.values()))
    question = "Do Varel and Emden charge the same fee?"
    passages = retrieve(question, Unmoved(), shelf, Budget(3, 100, count_words)).passages
    assert {passage.document.id for passage in passages} == {"harbour", "varel", "emden"}
    passages = retrieve("Do towns charge the same fee?", Unmoved(), shelf, Budget(3, 100, count_words)).passages
    assert {passage.document.id for passage in passages} == {"harbour", "market", "parking"}


def test_end_to_end_one_snapshot_answers_while_the_library_changes(tmp_path: Path) -> None:
    make_library(tmp_path)
    budget = Budget(2, 100, count_words)
    with open_library(tmp_path, IDENTITY) as library, library.snapshot() as before:
        with open_writer(tmp_path, IDENTITY) as writer:
            put(writer, "iron", "Nothing.")
            writer.commit()
        [old, *_] = retrieve("When does iron rust?", WordEmbedder(), before, budget).passages
        assert old.text == "Iron rusts in wet air."
        assert "Iron rusts" not in str(retrieve("When does iron rust?", WordEmbedder(), library, budget).passages)


def test_a_chunk_that_no_budget_could_hold_is_passed_over_even_if_it_comes_first() -> None:
    noise = document("noise", "beep " * 501 + "end.")
    ferry = document("ferry", FERRY)
    shelf = Shelf([noise, ferry], [Chunk("n", "noise", 0, len(noise.text)), chunk("Dogs need a lead.", ferry)])
    assert [passage.text for passage in found(shelf, tokens=100)] == ["Dogs need a lead."]
    assert [passage.text for passage in found(shelf, tokens=102)] == [noise.text]
