"""What `explain` says of each chunk on its way to the reader."""

import pytest

from rag.inspecting import Candidate, Explained, Fate, Place
from rag.retrieval import Budget, explain, retrieve
from rag.types import Hit
from tests.fakes import WordEmbedder
from tests.test_retrieval import FERRY, Shelf, Unmoved, chunk, count_words, document

QUESTION = "What do dogs need?"
FISH, DOGS, WHALES, BOATS = "Fish swim.", "Dogs need a lead.", "Whales sing.", "Boats sail daily."


def explained(shelf: Shelf, passages: int = 4, tokens: int = 100) -> Explained:
    return explain(QUESTION, Unmoved(), shelf, Budget(passages, tokens, count_words), 40)


def fates(found: Explained) -> list[tuple[str, Fate, int | None]]:
    return [(candidate.text, candidate.fate, candidate.passage) for candidate in found.candidates]


def candidate(found: Explained, text: str) -> Candidate:
    [one] = [one for one in found.candidates if one.text == text]
    return one


def test_a_candidate_has_its_score_and_rank_at_every_step() -> None:
    ferry = document("ferry", FERRY)
    fish, dogs, boats = (chunk(text, ferry) for text in (FISH, DOGS, BOATS))
    found = explained(Shelf([ferry], dense=[fish, dogs], words=[dogs, boats]))
    one = candidate(found, DOGS)
    assert (one.chunk, one.document) == (dogs, ferry)
    assert (one.dense, one.words) == (Place(0.99, 2), Place(1.0, 1))
    assert one.mixed is not None
    assert one.mixed.score == pytest.approx(0.6 * 0.99 + 0.4 * 1.0)
    assert (one.mixed.rank, one.reranked and one.reranked.rank) == (1, 1)
    assert candidate(found, FISH).words is None
    assert candidate(found, BOATS).dense is None


def test_the_sentence_most_like_the_question_is_named() -> None:
    ferry = document("ferry", FERRY)
    shelf = Shelf([ferry], [chunk("Dogs need a lead. Bicycles travel free.", ferry)])
    [one] = explain(QUESTION, WordEmbedder(), shelf, Budget(4, 100, count_words), 40).candidates
    assert (one.best, one.best_sentence) == ((0, 17), DOGS)
    assert one.relevance is not None
    assert 0 < one.relevance < 1


def test_what_was_not_read_closely_has_no_best_sentence() -> None:
    articles = [document(f"a{number}", f"Number {number}.") for number in range(13)]
    found = explained(Shelf(articles, [chunk(article.text, article) for article in articles]), passages=13)
    *_, last = found.candidates
    assert (last.best, last.best_sentence, last.relevance) == (None, "", None)
    assert last.passage == 13


def test_each_cut_has_its_reason() -> None:
    ferry, copy = document("ferry", FERRY), document("copy", f"Copied: {FERRY}")
    shelf = Shelf([ferry, copy], [chunk(WHALES, ferry), chunk(WHALES, copy), chunk(DOGS, ferry), chunk(BOATS, copy)])
    assert fates(explained(shelf, tokens=5)) == [
        (WHALES, Fate.GIVEN, 1),
        (WHALES, Fate.SAME_WORDS, None),
        (DOGS, Fate.OVER_BUDGET, None),
        (BOATS, Fate.GIVEN, 2),
    ]
    assert fates(explained(shelf, passages=1)) == [
        (WHALES, Fate.GIVEN, 1),
        (WHALES, Fate.NO_PLACE, None),
        (DOGS, Fate.NO_PLACE, None),
        (BOATS, Fate.NO_PLACE, None),
    ]


def test_chunks_joined_into_one_passage_name_that() -> None:
    ferry = document("ferry", FERRY)
    parts = [WHALES, DOGS, "Bicycles travel free."]
    found = explained(Shelf([ferry], [chunk(text, ferry) for text in parts]))
    assert [passage for _, _, passage in fates(found)] == [1, 2, 2]


def test_passages_and_similarity_are_those_of_retrieving() -> None:
    ferry = document("ferry", FERRY)
    shelf = Shelf([ferry], [chunk(text, ferry) for text in (FISH, DOGS, BOATS)])
    arguments = (QUESTION, WordEmbedder(), shelf, Budget(2, 100, count_words), 40)
    found, retrieved = explain(*arguments), retrieve(*arguments)
    assert (found.passages, found.similarity) == (retrieved.passages, retrieved.similarity)


def test_nothing_found_is_nothing_explained() -> None:
    assert explained(Shelf([], [])) == Explained((), (), (), 0.0)


def test_a_chunk_that_only_a_part_of_the_question_found_says_so() -> None:
    articles = [document(name, f"The {name} fee.") for name in ("harbour", "varel", "emden")]
    chunks = {article.id: chunk(article.text, article) for article in articles}

    class Parted(Shelf):
        def matching(self, question: str, k: int, documents: frozenset[str] | None = None) -> list[Hit]:
            self.words = [chunks["emden"]] if question == "Do Emden charge the same fee?" else []
            return super().matching(question, k, documents)

    shelf = Parted(articles, [chunks["harbour"], chunks["varel"]])
    question = "Do Varel and Emden charge the same fee?"
    found = explain(question, Unmoved(), shelf, Budget(3, 100, count_words), 40)
    assert found.parts == ("Do Varel charge the same fee?", "Do Emden charge the same fee?")
    emden = candidate(found, "The emden fee.")
    assert emden.best_of == "Do Emden charge the same fee?"
    assert emden.mixed is not None
    assert (emden.dense, emden.words, emden.mixed.rank) == (None, None, None)
    assert candidate(found, "The varel fee.").best_of == ""
