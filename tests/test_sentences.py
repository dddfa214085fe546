import random
import time
from itertools import pairwise

import pytest

from rag.sentences import MAX_CHARACTERS, sentence_spans, split_at_spaces


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


def test_offsets_point_at_trimmed_sentences() -> None:
    assert sentence_spans("  He left. She stayed.\n") == [(2, 10), (11, 22)]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\t\u3000\u2028\n"])
def test_text_without_words_has_no_sentence(text: str) -> None:
    assert sentence_spans(text) == []


def test_abbreviations_initials_and_decimals_end_no_sentence() -> None:
    text = "Dr. J. K. Lee paid US$1.5 million (Rp. 24.2 billion) to the U.S. firm. It was cheap."
    assert sentences(text) == [text[:-14], "It was cheap."]


def test_a_quotation_is_not_torn_apart() -> None:
    text = "“We can’t lose,” she said. “It is all or nothing.” They lost."
    assert sentences(text) == ["“We can’t lose,” she said.", "“It is all or nothing.”", "They lost."]


def test_chinese_and_japanese_sentences_need_no_space() -> None:
    assert sentences("今日は晴れです。明日は雨？はい！") == ["今日は晴れです。", "明日は雨？", "はい！"]


def test_offsets_count_characters_not_bytes() -> None:
    assert sentence_spans("😀 Fine. É ok.") == [(0, 7), (8, 13)]


def test_each_line_of_an_article_ends_a_sentence() -> None:
    text = "Markets\nShares fell sharply on Monday\nThe index lost 3 percent. Banks led the fall."
    assert sentences(text) == [
        "Markets",
        "Shares fell sharply on Monday",
        "The index lost 3 percent.",
        "Banks led the fall.",
    ]


WRAPPED = """\
The ferry left the harbour shortly after nine and made good way until
the fog came down. Nobody on the bridge had seen the second ship. The
captain ordered full astern, but it was too late.

A short note.
Another one."""


def test_hard_wrapped_lines_are_joined() -> None:
    assert sentences(WRAPPED) == [
        "The ferry left the harbour shortly after nine and made good way until\nthe fog came down.",
        "Nobody on the bridge had seen the second ship.",
        "The\ncaptain ordered full astern, but it was too late.",
        "A short note.",
        "Another one.",
    ]


def test_hard_wrapped_lines_are_joined_with_windows_line_ends() -> None:
    expected = [sentence.replace("\n", "\r\n") for sentence in sentences(WRAPPED)]
    assert sentences(WRAPPED.replace("\n", "\r\n")) == expected


def test_lines_of_about_one_width_that_are_headlines_stay_apart() -> None:
    lines = [
        "Ferry runs aground in thick fog off the northern coast today",
        "Captain of stranded ferry blames a radar that never worked",
        "Ministers promise an inquiry into the stranding of the ferry",
    ]
    assert sentences("\n".join(lines)) == lines


def test_lines_of_uneven_width_stay_apart_though_they_go_on_in_lower_case() -> None:
    lines = ["the harbour, the ferry, the fog and the second ship in it", "the captain", "the bridge"]
    assert sentences("\n".join(lines)) == lines


def test_rows_of_a_table_stay_apart() -> None:
    lines = ["ferries stranded in a year | 12 | 14 | 13", "ferries refloated in a year | 9 | 14 | 12"]
    assert sentences("\n".join(lines)) == lines


def test_a_wrapped_list_item_ends_where_the_next_begins() -> None:
    text = (
        "- The first item of this list is long enough to be wrapped by\n"
        "  the program that wrote the mail, which happens.\n"
        "- The second item of this list is wrapped as well, and it ends\n"
        "  without a full stop"
    )
    assert sentences(text) == [
        "- The first item of this list is long enough to be wrapped by\n"
        "  the program that wrote the mail, which happens.",
        "- The second item of this list is wrapped as well, and it ends\n  without a full stop",
    ]


def test_a_heading_stands_alone_before_wrapped_text() -> None:
    text = (
        "## What happened in the harbour that morning of the fog\n"
        "the ferry left the harbour shortly after nine and made way."
    )
    assert sentences(text) == text.split("\n")


def test_the_number_of_a_list_item_is_no_sentence_of_its_own() -> None:
    assert sentences("1. Stop. Look.\n2) Go.\n3.") == ["1. Stop.", "Look.", "2) Go.", "3."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He left. [1] She stayed. [2]", ["He left. [1]", "She stayed. [2]"]),
        ("He left.[1] She stayed.[2]", ["He left.[1]", "She stayed.[2]"]),
        ("He left [1]. She stayed [2].", ["He left [1].", "She stayed [2]."]),
        ("He left. [1, 2] She stayed.", ["He left. [1, 2]", "She stayed."]),
        ("He left. [1][2] She stayed.", ["He left. [1][2]", "She stayed."]),
        ("“He left.”[1] She stayed.", ["“He left.”[1]", "She stayed."]),
        ("(He left.) [1] She stayed.", ["(He left.) [1]", "She stayed."]),
        ("(He left.) [1] she stayed.", ["(He left.) [1] she stayed."]),
        ("He wrote “Stop.” [1] [2] “Go.” [3]", ["He wrote “Stop.” [1] [2]", "“Go.” [3]"]),
        ("彼は去った。[1]彼女は残った。[2]", ["彼は去った。[1]", "彼女は残った。[2]"]),
        ("In 2021. [1] She stayed.", ["In 2021. [1]", "She stayed."]),
        ("[1] He left. She stayed.", ["[1] He left.", "She stayed."]),
    ],
)
def test_a_citation_mark_stays_with_the_sentence_before_it(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_piece_without_words_joins_the_sentence_before_it() -> None:
    assert sentences("It works! !! 😀") == ["It works! !! 😀"]


def test_whitespace_and_surrogates_that_crash_the_splitter_are_harmless() -> None:
    assert sentences("Plan A\u00a0. Then \ud800 B\u3000.") == ["Plan A\u00a0.", "Then \ud800 B\u3000."]


def test_a_sentence_without_end_is_split_at_whitespace() -> None:
    text = "word " * 1000
    spans = sentence_spans(text)
    # 400 words of 5 characters are 2000 with the last space, which the span leaves out.
    assert spans == [(0, 1999), (2000, 3999), (4000, 4999)]


def test_a_word_without_end_is_split_at_a_fixed_length() -> None:
    assert sentence_spans("a" * 5000) == [(0, 2000), (2000, 4000), (4000, 5000)]


def test_a_sentence_that_crosses_the_window_stays_whole() -> None:
    first = "One " * 975 + "end."  # 3904 characters, so that the next sentence crosses 4000
    second = "Two " * 100 + "end."
    assert sentences(f"{first} {second} Three.")[-2:] == [second, "Three."]


@pytest.mark.parametrize(
    ("text", "size", "expected"),
    [
        ("aa bb cc", 5, ["aa bb", "cc"]),
        ("aa bb cc", 4, ["aa", "bb", "cc"]),
        ("aa  bb", 3, ["aa", "bb"]),
        ("aaaaa bb", 3, ["aaa", "aa", "bb"]),
        ("  aa  ", 8, ["aa"]),
        ("   ", 1, []),
        ("ab", 1, ["a", "b"]),
    ],
)
def test_split_at_spaces(text: str, size: int, expected: list[str]) -> None:
    assert [text[start:end] for start, end in split_at_spaces(text, 0, len(text), size)] == expected


ALPHABETS = {
    "plain": "ab. ",
    "marks": "abc .!?[1]2,;–-)(]}”“\"'\n #*",
    "cjk": "日本。！？「」字\u3000\n ",
    "spaces": "AB.\u0000\x1c\x85\u2028\u2029\u200b\ufeff\r\n\t \x0b\x0c\u00a0",
    "emoji": "😀👨\u200d👩é e\u0301.A \ud800",
    "anything": "".join(map(chr, range(1, 0x3100))),
}


@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=ALPHABETS.keys())
def test_spans_cover_every_word_of_any_text_in_order(alphabet: str) -> None:
    generator = random.Random(20)
    for length in [*range(1, 60)] * 5 + [9000]:
        text = "".join(generator.choices(alphabet, k=length))
        spans = sentence_spans(text)
        edges = [(0, 0), *spans, (len(text), len(text))]
        assert all(before[1] <= after[0] for before, after in pairwise(edges))
        assert all(not text[before[1] : after[0]].strip() for before, after in pairwise(edges))
        assert all(0 < end - start <= MAX_CHARACTERS for start, end in spans)
        assert all(text[start:end] == text[start:end].strip() for start, end in spans)


def test_a_line_of_ten_megabytes_without_an_end_takes_seconds() -> None:
    text = "word " * 2_000_000
    began = time.perf_counter()
    spans = sentence_spans(text)
    assert time.perf_counter() - began < 10
    assert len(spans) == 5000
