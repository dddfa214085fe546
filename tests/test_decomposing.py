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
        ("Who leads Varel and who leads Emden?", ("Who leads Varel", "who leads Emden?")),
        ("What is Varel and what is Emden?", ("What is Varel", "what is Emden?")),
        ("What is Varel and who built it?", ("What is Varel", "who built Varel?")),
        ("Where is Varel? When did its harbour open?", ("Where is Varel", "When did Varel's harbour open?")),
        ("Who wrote Emma and when did Ada Low write it?", ("Who wrote Emma", "when did Ada Low write it?")),
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
        "Who founded Varel and when?",
        "When and where was Ada Low born?",
        "When was Varel founded and by whom?",
        "How much does Varel pay Emden and why?",
        "Who wrote Emma and Persuasion?",
        "How old is Varel and how large?",
    ],
)
def test_a_question_that_asks_one_thing_has_no_parts(question: str) -> None:
    assert parts(question) == ()


def test_there_are_never_more_than_four_parts() -> None:
    assert len(parts("When did the harbour open? " * 9)) == MOST_PARTS == 4
