import itertools
from collections.abc import Sequence

import pytest

from rag.engines.stopping import until_stop

CASES = [
    # text, stops, what is passed on
    ("one two three", ("two",), "one "),
    ("one two three", (), "one two three"),
    ("one two three", ("four",), "one two three"),
    ("one two three", ("three", "two"), "one "),
    ("two", ("two",), ""),
    ("aaab", ("aab",), "a"),
    ("ababac", ("abac",), "ab"),
    ("1\n2\n", ("\n",), "1"),
    ("it is tw", ("two",), "it is tw"),
    ("🎉 ends 🎉🎊", ("🎉🎊",), "🎉 ends "),
]


@pytest.mark.parametrize(("text", "stops", "expected"), CASES)
def test_nothing_from_the_first_stop_on_is_passed_on(text: str, stops: Sequence[str], expected: str) -> None:
    assert "".join(until_stop([text], stops)) == expected


@pytest.mark.parametrize(("text", "stops", "expected"), CASES)
def test_a_stop_is_found_character_by_character(text: str, stops: Sequence[str], expected: str) -> None:
    assert "".join(until_stop(list(text), stops)) == expected


@pytest.mark.parametrize(("text", "stops", "expected"), CASES)
def test_a_stop_is_found_wherever_the_text_is_split_in_three(text: str, stops: Sequence[str], expected: str) -> None:
    for one, two in itertools.combinations_with_replacement(range(len(text) + 1), 2):
        assert "".join(until_stop([text[:one], text[one:two], text[two:]], stops)) == expected


def test_text_that_cant_be_the_beginning_of_a_stop_is_passed_on_at_once() -> None:
    assert list(until_stop(["one ", "tw", "ice tw", "o three"], ["two"])) == ["one ", "", "twice ", ""]


def test_nothing_is_drawn_after_the_stop() -> None:
    pieces = iter(["one", "\n", "never drawn"])
    assert "".join(until_stop(pieces, ["\n"])) == "one"
    assert list(pieces) == ["never drawn"]


def test_no_pieces_are_no_text() -> None:
    assert "".join(until_stop([], ["two"])) == ""
