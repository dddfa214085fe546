import random
import time
from itertools import pairwise

import pytest

from rag.chunking import chunk_document, fit_title, with_title
from rag.sentences import sentence_spans
from rag.types import Document
from tests.fakes import WordEmbedder

count = WordEmbedder().count_tokens  # words, and 2 special tokens


def article(text: str, title: str = "Ferry") -> Document:
    return Document("d1", title, text, "/a.txt", None, None, "")


def chunks(text: str, max_tokens: int, overlap: int = 0, title: str = "Ferry") -> list[str]:
    document = article(text, title)
    return [text[chunk.start : chunk.end] for chunk in chunk_document(document, count, max_tokens, overlap)]


FOUR = "One two three four. Five six seven. Eight nine ten eleven. Twelve thirteen."
"""Sentences of 4, 3, 4 and 2 words."""


def test_a_short_article_is_one_chunk_without_the_space_around_it() -> None:
    [chunk] = chunk_document(article(f"\n  {FOUR}\n"), count, 32, 1)
    assert (chunk.id, chunk.document_id, chunk.start, chunk.end) == ("d1:3-78", "d1", 3, 78)


def test_sentences_fill_a_chunk_up_to_the_limit_with_title_and_special_tokens() -> None:
    # 2 special tokens and the word of the title leave room for 7 words in 10, but for 6 in 9.
    assert chunks(FOUR, 10) == ["One two three four. Five six seven.", "Eight nine ten eleven. Twelve thirteen."]
    assert chunks(FOUR, 9) == ["One two three four.", "Five six seven.", "Eight nine ten eleven. Twelve thirteen."]


def test_a_longer_title_leaves_less_room() -> None:
    assert chunks(FOUR, 15, title="All ferry news")[0] == "One two three four. Five six seven."
    assert chunks(FOUR, 15, title="Ferry")[0] == "One two three four. Five six seven. Eight nine ten eleven."


def test_neighbours_share_whole_sentences() -> None:
    assert chunks(FOUR, 10, overlap=1) == [
        "One two three four. Five six seven.",
        "Five six seven. Eight nine ten eleven.",
        "Eight nine ten eleven. Twelve thirteen.",
    ]


def test_shared_sentences_give_way_where_the_next_would_not_fit() -> None:
    text = "One. Two. Three four five six seven eight nine."
    assert chunks(text, 11, overlap=2) == ["One. Two.", "Two. Three four five six seven eight nine."]
    assert chunks(text, 10, overlap=2) == ["One. Two.", "Three four five six seven eight nine."]


def test_a_chunk_never_shares_all_of_the_one_before() -> None:
    text = "One two three. Four. Five. Six. Seven. Eight. Nine."
    result = chunks(text, 8, overlap=8)
    assert result[:2] == ["One two three. Four. Five.", "Four. Five. Six. Seven. Eight."]
    assert all(not later.startswith(earlier) for earlier, later in pairwise(result))


def test_a_chunk_that_is_full_enough_ends_with_its_paragraph() -> None:
    # Room for 10 words: 6 are full enough, 5 are not.
    six, five, four = "One two three four five six.", "One two three four five.", "Seven eight nine ten."
    assert chunks(f"{six}\n{four}", 13) == [six, four]
    assert chunks(f"{six} {four}", 13) == [f"{six} {four}"]
    assert chunks(f"{five}\n{four}", 13) == [f"{five}\n{four}"]


def test_a_sentence_too_long_for_any_chunk_is_split_between_words() -> None:
    text = "Go. " + " ".join(f"word{number:02}" for number in range(60)) + ". Stop."
    result = chunks(text, 32, title="")  # room for 30 words
    assert result[0].startswith("Go. word00 ")
    assert result[-1].endswith(" word59. Stop.")
    assert " ".join(result) == text
    assert max(map(count, result)) <= 32


def test_a_word_too_long_for_any_chunk_is_split_anywhere() -> None:
    result = chunks("x" * 5000, 42, title="")  # room for 40 word pieces, each of 10 characters at most
    assert "".join(result) == "x" * 5000
    assert max(map(len, result)) <= 400 + 9


def test_a_title_may_take_a_third_of_the_limit() -> None:
    title = " ".join(f"word{number:02}" for number in range(60))
    fitted = fit_title(title, count, 60)
    assert title.startswith(fitted + " ")
    assert 12 <= count(fitted) <= 20
    assert fit_title("Ferry news", count, 60) == "Ferry news"


def test_an_endless_title_leaves_room_for_sentences() -> None:
    assert chunks(FOUR, 32, title="title " * 500) == [FOUR]
    assert len(fit_title("渡" * 500, len, 32)) <= 10


def test_text_without_words_has_no_chunk() -> None:
    assert chunks(" \n ", 32) == []


def test_what_is_embedded_has_the_title_on_its_own_line() -> None:
    assert with_title("Ferry news", "It left.") == "Ferry news\nIt left."


@pytest.mark.parametrize("overlap", [0, 1, 3])
@pytest.mark.parametrize("max_tokens", [32, 60, 160])
def test_chunks_of_any_text_fit_and_cover_every_sentence(max_tokens: int, overlap: int) -> None:
    generator = random.Random(max_tokens + overlap)
    words = ["a", "ferry", "Ferry", "x" * 30, "é", "船", "left. ", "ok?\n", "\n\n", "[1]", "- "]
    for length in [*range(1, 40), 400, 4000]:
        text = " ".join(generator.choices(words, k=length))
        document = article(text, title=" ".join(generator.choices(words[:5], k=length % 50)))
        title = fit_title(document.title, count, max_tokens)
        found = chunk_document(document, count, max_tokens, overlap)
        texts = [text[chunk.start : chunk.end] for chunk in found]
        assert all(count(with_title(title, chunk)) <= max_tokens for chunk in texts)
        assert all(chunk == chunk.strip() != "" for chunk in texts)
        assert all(one.start < two.start and one.end < two.end for one, two in pairwise(found))
        assert len({chunk.id for chunk in found}) == len(found)
        covered = {at for chunk in found for at in range(chunk.start, chunk.end)}
        assert all(at in covered for start, end in sentence_spans(text) for at in range(start, end) if text[at].strip())


def test_sentences_that_fit_are_never_cut() -> None:
    text = " ".join(f"Sentence number {number} is here." for number in range(300))
    spans = sentence_spans(text)
    for chunk in chunk_document(article(text), count, 40, 1):
        assert chunk.start in {start for start, _ in spans}
        assert chunk.end in {end for _, end in spans}


def test_five_megabytes_without_a_full_stop_take_seconds() -> None:
    began = time.perf_counter()
    result = chunks("word " * 1_000_000, 160, 1)
    assert time.perf_counter() - began < 15
    assert sum(map(count, result)) >= 1_000_000
