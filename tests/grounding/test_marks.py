import pytest

from rag.grounding import Mark, split_marks


@pytest.mark.parametrize(
    ("written", "text", "marks"),
    [
        ("", "", ()),
        ("It is free.", "It is free.", ()),
        ("Free [1].", "Free.", (Mark(4, (1,)),)),
        ("Free[1].", "Free.", (Mark(4, (1,)),)),
        ("Free. [1]", "Free.", (Mark(5, (1,)),)),
        ("Free. [1] Late. [2]", "Free. Late.", (Mark(5, (1,)), Mark(11, (2,)))),
        ("Free [1] on trains.", "Free on trains.", (Mark(4, (1,)),)),
        ("Free [1, 2].", "Free.", (Mark(4, (1, 2)),)),
        ("Free [1;2].", "Free.", (Mark(4, (1, 2)),)),
        ("Free [ 1 ,2 ].", "Free.", (Mark(4, (1, 2)),)),
        ("Free [2, 1, 2].", "Free.", (Mark(4, (2, 1)),)),
        ("Free [1-3].", "Free.", (Mark(4, (1, 3)),)),
        ("Free [1–3].", "Free.", (Mark(4, (1, 3)),)),
        ("Free [1][2].", "Free.", (Mark(4, (1,)), Mark(4, (2,)))),
        ("Free [1] [2].", "Free.", (Mark(4, (1,)), Mark(4, (2,)))),
        ("Free [1] [2] here.", "Free here.", (Mark(4, (1,)), Mark(4, (2,)))),
        ("Free [1234].", "Free.", (Mark(4, (1234,)),)),
        ("(Free [1])", "(Free)", (Mark(5, (1,)),)),
        ("“Free [1]”", "“Free”", (Mark(5, (1,)),)),
    ],
)
def test_marks_are_taken_out_with_the_space_before_them(written: str, text: str, marks: tuple[Mark, ...]) -> None:
    assert split_marks(written) == (text, marks)


@pytest.mark.parametrize(
    ("written", "text", "marks"),
    [
        ("[1] Free.", "Free.", (Mark(0, (1,)),)),
        ("[1]Free.", "Free.", (Mark(0, (1,)),)),
        ("[1][2] Free.", "Free.", (Mark(0, (1,)), Mark(0, (2,)))),
        ("[1] [2] Free.", "Free.", (Mark(0, (1,)), Mark(0, (2,)))),
        ("[1] Free. [2] Late.", "Free. Late.", (Mark(0, (1,)), Mark(5, (2,)))),
        ("[1]", "", (Mark(0, (1,)),)),
    ],
)
def test_marks_in_front_leave_no_space_behind(written: str, text: str, marks: tuple[Mark, ...]) -> None:
    assert split_marks(written) == (text, marks)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("Free.[1]Late.", "Free. Late."),
        ("Free [1]late.", "Free late."),
        ("Free [1] “late”.", "Free “late”."),
        ("Free [1](late).", "Free (late)."),
        ("Free\n[1] late", "Free\nlate"),
        ("Free. [1]\n\nLate.", "Free.\n\nLate."),
        ("[1] Free\n[2] Late", "Free\nLate"),
        ("- Free [1]\n- Late [2]\n", "- Free\n- Late"),
    ],
)
def test_words_and_lines_stay_apart_where_a_mark_was(written: str, text: str) -> None:
    assert split_marks(written)[0] == text


@pytest.mark.parametrize(
    "text", ["[12345]", "[a]", "[1a]", "[]", "[ ]", "[1", "1]", "[1,]", "[,1]", "[1, a]", "[-1]", "[1.5]", "[1,\n2]"]
)
def test_other_brackets_stay(text: str) -> None:
    assert split_marks(f"Free {text} here.") == (f"Free {text} here.", ())


@pytest.mark.parametrize("begun", ["[", "[1", " [1", " [1, ", " [1, 2", " [1-"])
def test_a_mark_that_the_end_cuts_short_is_left_out(begun: str) -> None:
    assert split_marks(f"Free [2].{begun}") == ("Free.", (Mark(4, (2,)),))
    assert split_marks(begun) == ("", ())
