import re

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
        ("Free [1], [2].", "Free.", (Mark(4, (1,)), Mark(4, (2,)))),
        ("Free [1], [2], and [3].", "Free.", (Mark(4, (1,)), Mark(4, (2,)), Mark(4, (3,)))),
        ("Free. [1], [2]", "Free.", (Mark(5, (1,)), Mark(5, (2,)))),
        ("Free [1] and late [2].", "Free and late.", (Mark(4, (1,)), Mark(13, (2,)))),
        ("Free [1], late [2].", "Free, late.", (Mark(4, (1,)), Mark(10, (2,)))),
        ("Free [1 and 2].", "Free.", (Mark(4, (1, 2)),)),
        ("Free [Passage 1].", "Free.", (Mark(4, (1,)),)),
        ("Free [passages 1, 2].", "Free.", (Mark(4, (1, 2)),)),
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
    ("written", "text", "marks"),
    [
        ("In [1], dogs bark.", "Dogs bark.", (Mark(1, (1,)),)),
        ("In passage [1], dogs bark. In [2], cats do.", "Dogs bark. Cats do.", (Mark(1, (1,)), Mark(12, (2,)))),
        ("According to [1] and [2], dogs bark.", "Dogs bark.", (Mark(1, (1,)), Mark(1, (2,)))),
        ("Based on Passages 1, 2 and 3, dogs bark.", "Dogs bark.", (Mark(1, (1, 2, 3)),)),
        ("As stated in passage [1], iPhones ring.", "iPhones ring.", (Mark(1, (1,)),)),
        ("Passage [1] states that dogs bark.", "Dogs bark.", (Mark(1, (1,)),)),
        ("The article in Passage [1] says that dogs bark.", "Dogs bark.", (Mark(1, (1,)),)),
        ("[1] also says that dogs bark.", "Dogs bark.", (Mark(1, (1,)),)),
        ("The passage states that dogs bark.", "Dogs bark.", ()),
        ("- In [1], dogs bark\n- In [2], cats do", "- Dogs bark\n- Cats do", (Mark(3, (1,)), Mark(15, (2,)))),
    ],
)
def test_a_sentence_begins_after_its_introduction_by_passages(written: str, text: str, marks: tuple[Mark, ...]) -> None:
    assert split_marks(written) == (text, marks)


@pytest.mark.parametrize(
    ("written", "text", "marks"),
    [
        ("Dogs bark (see passage 1).", "Dogs bark.", (Mark(9, (1,)),)),
        ("Dogs bark ([1]).", "Dogs bark.", (Mark(9, (1,)),)),
        ("Dogs bark, according to [1].", "Dogs bark.", (Mark(9, (1,)),)),
        ("Dogs, as stated in passage [1], bark.", "Dogs bark.", (Mark(4, (1,)),)),
        ("Dogs bark.\nPassage [1]", "Dogs bark.", (Mark(10, (1,)),)),
        ("Dogs bark. This is stated in Passage [1] and passage [2].", "Dogs bark.", (Mark(10, (1,)), Mark(10, (2,)))),
        ("Dogs bark. The answer is in [1]. Cats do.", "Dogs bark. Cats do.", (Mark(10, (1,)),)),
        ("Dogs bark.\nPassages [1] and [2] both state these things.", "Dogs bark.", (Mark(10, (1,)), Mark(10, (2,)))),
        ("Dogs bark.\n\nSources: passages [1] and [2].", "Dogs bark.", (Mark(10, (1,)), Mark(10, (2,)))),
    ],
)
def test_asides_and_sentences_that_only_name_passages_are_left_out(
    written: str, text: str, marks: tuple[Mark, ...]
) -> None:
    assert split_marks(written) == (text, marks)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("The ferry is free in [1].", "The ferry is free."),
        ("The ferry is free in [1][2], and late.", "The ferry is free, and late."),
        ("The ferry is free in [2] and [3].", "The ferry is free."),
        ("The ferry is free in both [2] and [3].", "The ferry is free."),
        ("The ferry is free in [1] and in [2].", "The ferry is free."),
        ("The ferry is free according to [1].", "The ferry is free."),
        ("The ferry is free, as stated in [2] and [3].", "The ferry is free."),
        ("The ferry is free, as listed in [2]!", "The ferry is free!"),
        ("The ferry is free, as in [2].", "The ferry is free."),
        ("The ferry is free by [1].", "The ferry is free."),
        ("The ferry is free from passage [2].", "The ferry is free."),
        ("The ferry is free in passages [1] and [2]", "The ferry is free"),
        ("The ferry is free, based on [1].", "The ferry is free."),
        ("The ferry is free, see [1].", "The ferry is free."),
        ("The ferry in [1] is free.", "The ferry is free."),
        ("The ferry, in [1], is free.", "The ferry is free."),
        ("Dogs bark in [1], cats don't.", "Dogs bark, cats don't."),
        ("- Free in [1]\n- Late in [2]", "- Free\n- Late"),
    ],
)
def test_a_preposition_goes_with_the_marks_it_stands_before(written: str, text: str) -> None:
    plain, marks = split_marks(written)
    assert plain == text
    assert {number for mark in marks for number in mark.numbers} == {int(one) for one in re.findall(r"\d", written)}


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("The ship came in [1].", "The ship came in."),
        ("It is the town she was born in [1].", "It is the town she was born in."),
        ("This is where they come from [1].", "This is where they come from."),
        ("The fare is in [1].", "The fare is in the passage."),
        ("The fares are listed in [1] and [2].", "The fares are listed in the passages."),
        ("The fare in passage [1] is low.", "The fare in the passage is low."),
        ("It opened in 1912 [1].", "It opened in 1912."),
        ("Built by Ada [1], it is old.", "Built by Ada, it is old."),
    ],
)
def test_a_preposition_that_a_sentence_needs_stays(written: str, text: str) -> None:
    assert split_marks(written)[0] == text


@pytest.mark.parametrize(
    ("written", "text", "marks"),
    [
        ("Passages [1], [2] ban it.", "The passages ban it.", (Mark(12, (1,)), Mark(12, (2,)))),
        ("So passage 3 bans dogs.", "So the passage bans dogs.", (Mark(14, (3,)),)),
        ("[2] mentions dogs.", "The passage mentions dogs.", (Mark(11, (2,)),)),
        ("Dogs are mentioned in [2].", "Dogs are mentioned in the passage.", (Mark(33, (2,)),)),
        ("Both articles [1][2] ban dogs.", "Both the passages ban dogs.", (Mark(17, (1,)), Mark(17, (2,)))),
    ],
)
def test_passages_that_a_sentence_needs_lose_their_numbers(written: str, text: str, marks: tuple[Mark, ...]) -> None:
    assert split_marks(written) == (text, marks)


@pytest.mark.parametrize(
    "text",
    [
        "The passage of 3 ships took a day.",
        "In passage 3.5 of the law dogs are free.",
        "In 2024, according to Apple, dogs barked.",
        "The article says that dogs bark.",
        "Apple's report states that dogs bark.",
    ],
)
def test_other_talk_of_passages_and_numbers_stays(text: str) -> None:
    assert split_marks(text) == (text, ())


@pytest.mark.parametrize(
    "text", ["[12345]", "[a]", "[1a]", "[]", "[ ]", "[1", "1]", "[1,]", "[,1]", "[1, a]", "[-1]", "[1.5]", "[1,\n2]"]
)
def test_other_brackets_stay(text: str) -> None:
    assert split_marks(f"Free {text} here.") == (f"Free {text} here.", ())


@pytest.mark.parametrize("begun", ["[", "[1", " [1", " [1, ", " [1, 2", " [1-", " [1 an", " [Pass", " [passage 1"])
def test_a_mark_that_the_end_cuts_short_is_left_out(begun: str) -> None:
    assert split_marks(f"Free [2].{begun}") == ("Free.", (Mark(4, (2,)),))
    assert split_marks(begun) == ("", ())


def test_an_introduction_to_nothing_stands_at_the_end() -> None:
    assert split_marks("It is free. Passage [1] states that [2]") == (
        "It is free.",
        (Mark(11, (1,)), Mark(11, (2,))),
    )
