"""What an embedder has read is kept, and given again as it was."""

from collections.abc import Sequence

import numpy as np

from rag.remembering import Remembering
from rag.types import Vectors
from tests.fakes import WordEmbedder

FERRY, COOK, LONG = "The ferry left.", "A cook waits.", "butter " * 40


class Counting(WordEmbedder):
    """Notes which texts it is given."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.read: list[list[str]] = []

    def embed_query(self, text: str) -> Vectors:
        self.asked.append(text)
        return super().embed_query(text)

    def embed_tokens(self, texts: Sequence[str]) -> list[tuple[Vectors, list[tuple[int, int]]]]:
        self.read.append(list(texts))
        return super().embed_tokens(texts)


def test_a_text_is_read_once_and_its_pieces_come_as_they_would_from_the_embedder() -> None:
    embedder = Counting()
    remembering = Remembering(embedder)
    remembering.embed_tokens([FERRY])
    pieces = remembering.embed_tokens([COOK, FERRY, COOK])
    assert embedder.read == [[FERRY], [COOK]]
    for (vectors, places), (expected, where) in zip(
        pieces, WordEmbedder().embed_tokens([COOK, FERRY, COOK]), strict=True
    ):
        np.testing.assert_array_equal(vectors, expected)
        assert places == where


def test_a_question_is_embedded_once() -> None:
    embedder = Counting()
    remembering = Remembering(embedder)
    first, second = remembering.embed_query(FERRY), remembering.embed_query(FERRY)
    assert embedder.asked == [FERRY]
    np.testing.assert_array_equal(first, second)


def test_what_was_used_last_is_kept_where_room_is_short() -> None:
    embedder = Counting()
    three_words = 3 * (4 * embedder.dimension + 128)
    remembering = Remembering(embedder, room=2 * three_words)
    for text in (FERRY, "A cook waited.", FERRY, "A mayor spoke.", FERRY, "A cook waited."):
        remembering.embed_tokens([text])
    assert embedder.read == [[FERRY], ["A cook waited."], ["A mayor spoke."], ["A cook waited."]]


def test_a_text_that_has_no_room_at_all_is_read_each_time() -> None:
    embedder = Counting()
    remembering = Remembering(embedder, room=1000)
    for _ in range(2):
        assert len(remembering.embed_tokens([LONG])[0][0]) == 40
    assert embedder.read == [[LONG], [LONG]]


def test_what_was_forgotten_is_read_again() -> None:
    embedder = Counting()
    remembering = Remembering(embedder)
    for _ in range(2):
        remembering.embed_tokens([FERRY])
        remembering.embed_query(FERRY)
        remembering.forget()
    assert (embedder.read, embedder.asked) == ([[FERRY], [FERRY]], [FERRY, FERRY])
