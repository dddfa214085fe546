import pytest

from rag.decomposing import MOST_PARTS, parts


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "Who founded the bakery and when did the harbour open?",
            ("Who founded the bakery", "when did the harbour open?"),
        ),
        (
            "Who founded the bakery? When did the harbour open?",
            ("Who founded the bakery", "When did the harbour open?"),
        ),
        (
            "Do Varel and Emden charge the same fee?",
            ("Do Varel charge the same fee?", "Do Emden charge the same fee?"),
        ),
        (
            "Is the Old Mill older than the Lime Kiln in years?",
            ("Is the Old Mill in years?", "Is the Lime Kiln in years?"),
        ),
        (
            "Which town raised its harbour fee last spring, while its neighbour across the bay lowered the same fee?",
            ("Which town raised its harbour fee last spring", "its neighbour across the bay lowered the same fee?"),
        ),
    ],
)
def test_a_question_with_several_parts_is_searched_by_each(question: str, expected: tuple[str, ...]) -> None:
    assert parts(question) == expected


@pytest.mark.parametrize(
    "question",
    [
        "",
        "?",
        "When did the harbour open?",
        "Who owns Bread and Butter?",
        "Which is larger, the harbour of Varel or that of Emden?",
        "What is the difference between tea and coffee?",
        "who and why?",
    ],
)
def test_a_question_that_asks_one_thing_has_no_parts(question: str) -> None:
    assert parts(question) == ()


def test_there_are_never_more_than_four_parts() -> None:
    assert len(parts("When did the harbour open? " * 9)) == MOST_PARTS == 4
