"""What is found, and where the words stand in what is shown of it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.conversations import Conversations, Excerpt, Found
from rag.exchanges import Draft, Stopped, Trouble
from tests.conversations.samples import COST, FIRST, refusal

DRAFT = Draft("Searching the articles")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conversations]:
    with Conversations(tmp_path_factory.mktemp("saved")) as conversations:
        for question, text in (
            ("What does the ferry cost?", "It is free on Sundays."),
            ("Wo liegt die Straße nach Ærø?", "Östlich von Café Ὀδυσσεύς."),
            ("東京の港はいつ開きましたか", "東京港は1941年に開港した。"),
            ("ราคาเรือ", "मुंबई का बंदरगाह"),
            ("C++ or C#? <b>100%</b>", 'He said "free" [1].'),
        ):
            conversations.record(conversations.ask("ada", question, DRAFT), replace(COST, text=text))
        yield conversations


def titles(found: tuple[Found, ...]) -> list[str]:
    return [one.title.split()[0] for one in found]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("ferry", ["What"]),
        ("FERRY cost", ["What"]),
        ("ferry mars", []),
        ("fer sund", ["What"]),
        ("erry", []),
        ("free", ["C++", "What"]),
        ("strasse", ["Wo"]),
        ("cafe οδυσσευσ", ["Wo"]),
        ("港", ["東京の港はいつ開きましたか"]),
        ("東京港", ["東京の港はいつ開きましたか"]),
        ("京東", []),
        ("เรือ", ["ราคาเรือ"]),
        ("मुंबई", ["ราคาเรือ"]),
        ("c++ 100%", ["C++"]),
        ('"free"', ["C++", "What"]),
        ("free* OR NEAR(ferry) AND NOT question:x", []),
        ("ferry -cost", ["What"]),
        ("'; DROP TABLE words; --", []),
        ("", []),
        ("?! \x00\ud800", []),
        ("1941", ["東京の港はいつ開きましたか"]),
    ],
)
def test_words_are_found_by_their_beginnings_in_any_script(
    wanted: str, expected: list[str], saved: Conversations
) -> None:
    assert titles(saved.search("ada", wanted)) == expected


def marked(excerpt: Excerpt) -> list[str]:
    return [excerpt.text[start:end] for start, end in excerpt.spans]


def test_the_words_found_are_marked_where_they_stand(saved: Conversations) -> None:
    (found,) = saved.search("ada", "fer fre")
    assert found.question == Excerpt("What does the ferry cost?", ((14, 19),), begins=True, ends=True)
    assert found.answer == Excerpt("It is free on Sundays.", ((6, 10),), begins=True, ends=True)
    (found,) = saved.search("ada", "東京")
    assert marked(found.question) == marked(found.answer) == ["東京"]
    (found,) = saved.search("ada", "ostlich strasse")
    assert (marked(found.question), marked(found.answer)) == (["Straße"], ["Östlich"])


def test_a_long_text_is_shown_around_the_first_word(tmp_path: Path) -> None:
    text = "before " * 40 + "harbour harbour " + "after " * 60
    with Conversations(tmp_path) as saved:
        saved.record(saved.ask("ada", "Who?", DRAFT), replace(COST, text=text))
        (found,) = saved.search("ada", "harbour")
    excerpt = found.answer
    assert marked(excerpt) == ["harbour", "harbour"]
    assert (excerpt.begins, excerpt.ends) == (False, False)
    assert excerpt.text.startswith("before ")
    assert excerpt.text.endswith("after")
    assert excerpt.text in text
    assert len(excerpt.text) <= 200
    assert (found.question.text, found.question.spans) == ("Who?", ())


def test_only_what_is_shown_is_found(tmp_path: Path) -> None:
    with Conversations(tmp_path) as saved:
        place = saved.ask("ada", "one", DRAFT)
        for outcome, word in (
            (Draft("Reading", (FIRST,), "drafted"), "drafted"),
            (Stopped(Draft("", (), "halted")), "halted"),
            (replace(COST, text="answered"), "answered"),
        ):
            saved.record(place, outcome)
            assert [one.number for one in saved.search("ada", word)] == [1]
        assert saved.search("ada", "halted") == ()
        for silent in (replace(refusal("q"), text="withheld"), Trouble("withheld")):
            saved.record(place, silent)
            assert saved.search("ada", "withheld") == ()
        saved.ask("ada", "two", DRAFT, place.conversation, number=1)
        assert saved.search("ada", "one") == ()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60), query=st.text(max_size=20), cut=st.integers(0, 40))
def test_no_text_breaks_a_search_and_every_mark_lies_in_its_excerpt(
    text: str, query: str, cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Conversations(tmp_path_factory.mktemp("any")) as saved:
        saved.record(saved.ask("ada", text, DRAFT), replace(COST, text=text[::-1]))
        for wanted in (query, text[cut : cut + 9], text):
            for found in saved.search("ada", wanted):
                for excerpt in (found.question, found.answer):
                    ends = [0, *(at for span in excerpt.spans for at in span)]
                    assert ends == sorted(ends)
                    assert ends[-1] <= len(excerpt.text)
