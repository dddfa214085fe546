import re
import zlib
from collections.abc import Sequence

import numpy as np
import pytest

from rag.reranking import CLOSELY_READ, Ranked, Sentence, rerank, weigh
from rag.types import Chunk, Document, Hit, Vectors
from tests.fakes import WordEmbedder

FERRY = "Dogs need a lead. The ferry sails daily. Bicycles travel free."


class PieceEmbedder(WordEmbedder):
    """Every word is a piece whose row has a single 1: two pieces are alike where they are the same word."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def embed_tokens(self, texts: Sequence[str]) -> list[tuple[Vectors, list[tuple[int, int]]]]:
        self.read += texts
        return [_pieces(text, self.dimension) for text in texts]


def _pieces(text: str, dimension: int) -> tuple[Vectors, list[tuple[int, int]]]:
    words = list(re.finditer(r"\w+", text.lower()))
    buckets = [zlib.crc32(word[0].encode()) % dimension for word in words]
    return np.eye(dimension, dtype=np.float32)[buckets], [word.span() for word in words]


def document(name: str, text: str, title: str = "Title") -> Document:
    return Document(name, title, text, name, None, None, "")


def whole(article: Document, score: float) -> Hit:
    return Hit(Chunk(article.id, article.id, 0, len(article.text)), score, ("dense",))


def reranked(question: str, texts: Sequence[str], scores: Sequence[float]) -> list[Ranked]:
    articles = [document(f"{at}", text) for at, text in enumerate(texts)]
    hits = [whole(article, score) for article, score in zip(articles, scores, strict=True)]
    return rerank(question, hits, {article.id: article for article in articles}, PieceEmbedder())


def order(ranked: Sequence[Ranked]) -> list[str]:
    return [one.hit.chunk.id for one in ranked]


def found(*names: str) -> list[Hit]:
    return [Hit(Chunk(name, "d", 0, 1), 0.0, ("dense", "words")) for name in names]


def test_cosine_and_share_of_the_highest_bm25_are_mixed() -> None:
    first, second = weigh(found("a", "b"), {"a": 0.5, "b": 0.3}, {"b": 4.0})
    assert (first.chunk.id, second.chunk.id) == ("b", "a")
    assert first.score == pytest.approx(0.6 * 0.3 + 0.4)
    assert second.score == pytest.approx(0.6 * 0.5)
    assert first.found_by == ("dense", "words")


def test_the_highest_bm25_is_that_of_all_that_are_known() -> None:
    [only] = weigh(found("a"), {"a": 0.5}, {"a": 2.0, "elsewhere": 8.0})
    assert only.score == pytest.approx(0.6 * 0.5 + 0.4 * 2 / 8)


def test_a_chunk_of_unknown_cosine_gets_the_lowest() -> None:
    first, second = weigh(found("a", "b"), {"a": 0.5, "elsewhere": 0.1}, {"b": 3.0})
    assert first.chunk.id == "b"
    assert first.score == pytest.approx(0.6 * 0.1 + 0.4)
    assert second.score == pytest.approx(0.3)


def test_equals_stay_in_their_order_and_nothing_is_needed_to_be_known() -> None:
    assert [hit.chunk.id for hit in weigh(found("b", "a"), {}, {})] == ["b", "a"]
    assert weigh([], {"a": 0.5}, {"a": 1.0}) == []


def test_each_sentence_says_how_much_of_the_question_it_holds() -> None:
    [only] = reranked("Does the ferry sail?", [FERRY], [0.0])
    assert [(FERRY[one.start : one.end], one.relevance) for one in only.sentences] == [
        ("Dogs need a lead.", 0.0),
        ("The ferry sails daily.", 0.5),
        ("Bicycles travel free.", 0.0),
    ]


def test_sentences_are_places_in_the_article_wherever_the_chunk_begins() -> None:
    article = document("ferry", FERRY)
    start = FERRY.index("The ferry")
    hit = Hit(Chunk("c", "ferry", start, len(FERRY)), 1.0, ("words",))
    [only] = rerank("free ferry", [hit], {"ferry": article}, PieceEmbedder())
    assert only.sentences == (
        Sentence(start, FERRY.index(" Bicycles"), 0.5),
        Sentence(FERRY.index("Bicycles"), len(FERRY), 0.5),
    )
    assert only.hit == Hit(hit.chunk, 1.0 + 3 * 0.5, ("words",))


def test_words_of_one_sentence_are_worth_more_than_those_of_two() -> None:
    ranked = reranked("free ferry", ["Dogs travel free. The ferry sails.", "The ferry is free."], [0.4, 0.0])
    assert order(ranked) == ["1", "0"]
    assert [one.hit.score for one in ranked] == pytest.approx([3 * 1.0, 0.4 + 3 * 0.5])


def test_a_first_score_that_is_much_better_isn_t_overtaken() -> None:
    assert order(reranked("free ferry", ["The ferry sails.", "The ferry is free."], [1.6, 0.0])) == ["0", "1"]


def test_what_the_title_holds_every_sentence_holds_but_it_is_none_itself() -> None:
    embedder = PieceEmbedder()
    article = document("ferry", "It sails. Dogs travel free.", "The ferry")
    [only] = rerank("free ferry", [whole(article, 0.0)], {"ferry": article}, embedder)
    assert embedder.read == ["free ferry", "The ferry\nIt sails. Dogs travel free."]
    assert only.sentences == (Sentence(0, 9, 0.5), Sentence(10, 27, 1.0))


def test_what_comes_after_the_first_twelve_stays_behind_them_unread() -> None:
    texts = ["Dogs bark."] * CLOSELY_READ + ["The ferry is free."] * 2
    scores = [1 - at / 100 for at in range(len(texts))]
    ranked = reranked("free ferry", texts, scores)
    assert order(ranked) == [f"{at}" for at in range(len(texts))]
    assert [bool(one.sentences) for one in ranked] == [True] * CLOSELY_READ + [False] * 2
    assert [one.hit.score for one in ranked] == pytest.approx(scores)


def test_the_rest_is_lifted_by_the_lowest_gain_so_that_scores_fall() -> None:
    texts = ["The ferry is free."] * (CLOSELY_READ - 1) + ["The ferry sails.", "Dogs bark."]
    ranked = reranked("free ferry", texts, [0.5] * len(texts))
    assert [one.hit.score for one in ranked] == pytest.approx([3.5] * (CLOSELY_READ - 1) + [2.0, 2.0])
    assert order(ranked)[-2:] == ["11", "12"]


def test_nothing_to_compare_leaves_the_order_and_the_scores() -> None:
    ranked = reranked("?!", ["Dogs bark.", "…"], [0.4, 0.3])
    assert [(one.hit.chunk.id, one.hit.score) for one in ranked] == [("0", 0.4), ("1", 0.3)]
    assert reranked("ferry", [], []) == []
