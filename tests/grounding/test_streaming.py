import random
import re
from collections.abc import Iterable

import pytest

from rag.grounding import Grounder, cited_pieces
from rag.types import Limits, Prompt
from tests.fakes import ScriptedEngine
from tests.grounding.passages import FARES, passages, with_marks

GROUNDER = Grounder(passages(*FARES))

# What a reader wrote, and what is shown of it.
ANSWERS = {
    "Bicycles travel free.": "Bicycles travel free. [1]",
    "Bicycles travel free [1].": "Bicycles travel free. [1]",
    "Bicycles travel free. [3]": "Bicycles travel free. [3]",
    "[3] Bicycles travel free.": "Bicycles travel free. [3]",
    "Dogs need a lead [2].": "Dogs need a lead. [1]",
    "Dogs need a lead [7, 12].": "Dogs need a lead. [1]",
    "Dogs need a lead [1][2][3].": "Dogs need a lead. [1]",
    "Dogs need a lead [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16].": "Dogs need a lead. [1]",
    "Dogs need a lead [1-3].": "Dogs need a lead. [1]",
    "Whales sing at night [2].": "Whales sing at night.",
    "Whales sing [1]. Dogs need a lead [1]. Fish swim [1].": "Whales sing. Dogs need a lead. [1] Fish swim.",
    "Dogs need a lead and the crossing takes 35 minutes [1].": (
        "Dogs need a lead and the crossing takes 35 minutes. [1][2]"
    ),
    "Bicycles travel free and dogs need a lead.": "Bicycles travel free and dogs need a lead. [1]",
    "Bicycles travel free [3]. Dogs need a lead [2].": "Bicycles travel free. [3] Dogs need a lead. [1]",
    "Bicycles travel free. [3] Dogs need a lead. [2]": "Bicycles travel free. [3] Dogs need a lead. [1]",
    "[3] Bicycles travel free. [2] Dogs need a lead.": "Bicycles travel free. [3] Dogs need a lead. [1]",
    "[3] Bicycles travel free\n[1] Dogs need a lead\n": "Bicycles travel free [3]\nDogs need a lead [1]",
    "Two rules:\n\n1. Bicycles travel free [3].\n2. Dogs need a lead [1].": (
        "Two rules:\n\n1. Bicycles travel free. [3]\n2. Dogs need a lead. [1]"
    ),
    "- Bicycles travel free [3]\n- Dogs need a lead [1]": "- Bicycles travel free [3]\n- Dogs need a lead [1]",
    "**Dogs need a lead.** Bicycles travel free.": "**Dogs need a lead. [1]** Bicycles travel free. [1]",
    "  Dogs [1] need a lead .  \n": "Dogs need a lead . [1]",
    "Dogs need a lead.[1]Bicycles travel free.": "Dogs need a lead. [1] Bicycles travel free. [1]",
    "Bicycles, e.g. green, travel free [1]. In the U.S. [2] dogs need a lead [1]!": (
        "Bicycles, e.g. green, travel free. [1] In the U.S. dogs need a lead! [1]"
    ),
    "Dogs need a lead [1]. “Bicycles travel free.” [3]": "Dogs need a lead. [1] “Bicycles travel free.” [3]",
    'Dogs need a lead. [1] "Bicycles travel free. Really." It says so.': (
        'Dogs need a lead. [1] "Bicycles travel free. Really." [1] It says so.'
    ),
    "Dogs need a lead (or a rope. Or a chain.) [1]. Bicycles travel free.": (
        "Dogs need a lead (or a rope. Or a chain.). [1] Bicycles travel free. [1]"
    ),
    'It sells 5" tickets. Dogs need a lead.': 'It sells 5" tickets. Dogs need a lead. [1]',
    "It's free. Dogs' leads aren't. 'Dogs need a lead', it says.": (
        "It's free. [1] Dogs' leads aren't. [1] 'Dogs need a lead', it says. [1]"
    ),
    "In [3], bicycles travel free. According to [1] and [2], dogs need a lead.": (
        "Bicycles travel free. [3] Dogs need a lead. [1]"
    ),
    "Passage [1] states that dogs need a lead (passage 2).": "Dogs need a lead. [1]",
    "Dogs need a lead, as stated in [1], and bicycles travel free. Passages 1, 2, and 3 all agree. This is in [1].": (
        "Dogs need a lead and bicycles travel free. [1] The passages all agree."
    ),
    "Dogs need a lead.\nPassage [1]": "Dogs need a lead. [1]",
    "Dogs need a lead in [1]. Bicycles travel free from passage [3]. Dogs in [1] and in [2] need a lead, by [1].": (
        "Dogs need a lead. [1] Bicycles travel free. [3] Dogs need a lead. [1]"
    ),
    "In the passage dogs need a lead, according to Passage 1 and 2": ("In the passage dogs need a lead [1]"),
    "Dogs need [a] lead [x].": "Dogs need [a] lead [x]. [1]",
    "Dogs need a lead [12345].": "Dogs need a lead [12345]. [1]",
    "Dogs need a lead [1": "Dogs need a lead [1]",
    "Dogs need a lead [": "Dogs need a lead [1]",
    "": "",
    " \n": "",
    "[1]": "",
}


def outcome(pieces: Iterable[str]) -> tuple[list[str], str]:
    """The pieces shown, and what the generator returns."""
    shown, written = [], cited_pieces(pieces, GROUNDER)
    while True:
        try:
            shown.append(next(written))
        except StopIteration as end:
            return shown, end.value


@pytest.mark.parametrize("written", ANSWERS)
def test_what_is_shown_is_the_final_text_with_checked_marks(written: str) -> None:
    shown, returned = outcome([written])
    assert "".join(shown) == ANSWERS[written] == with_marks(*GROUNDER.ground(written))
    assert returned == written


@pytest.mark.parametrize("written", ANSWERS)
def test_every_split_into_two_pieces_shows_the_same(written: str) -> None:
    for at in range(len(written) + 1):
        shown, returned = outcome([written[:at], written[at:]])
        assert "".join(shown) == ANSWERS[written]
        assert returned == written
        assert len(shown) == 3


@pytest.mark.parametrize("written", ANSWERS)
def test_character_by_character_the_same_is_shown_and_every_piece_is_answered(written: str) -> None:
    shown, returned = outcome(written)
    assert "".join(shown) == ANSWERS[written]
    assert returned == written
    assert len(shown) == len(written) + 1


@pytest.mark.parametrize("written", [text for text in ANSWERS if not re.search(r"\[(?:a|x|\d{5})\]", text)])
def test_no_half_mark_is_ever_shown_nor_a_number_that_names_no_passage(written: str) -> None:
    for piece in outcome(written)[0]:
        assert "[" not in re.sub(r"\[[123]\]", "", piece)


def test_empty_pieces_change_nothing_and_are_answered() -> None:
    shown, _ = outcome(["", "Dogs need", "", " a lead [2", "", "].", ""])
    assert shown == ["", "Dogs", "", " need a lead", "", "", "", ". [1]"]


def test_every_whole_word_is_shown_at_once() -> None:
    written = "Dogs need a lead. Bicycles travel free."
    shown = ""
    for at, piece in enumerate(outcome(written)[0][:-1], start=1):
        shown += piece
        assert shown.replace(" [1]", "") == " ".join(written[:at].split(" ")[:-1])


def test_a_mark_is_shown_with_the_first_word_of_the_next_sentence() -> None:
    assert outcome(["Dogs need a lead [2].", " Bicycles", " travel", " free"])[0] == [
        "Dogs need a lead",
        ".",
        " [1] Bicycles",
        " travel",
        " free [1]",
    ]


def test_nothing_is_shown_of_a_quotation_before_it_is_closed() -> None:
    written = 'Dogs need a lead. "Bicycles travel. Free." It is so.'
    closed = written.index("Free.") + len('Free."')
    for at in range(1, len(written)):
        visible = "".join(outcome(written[:at])[0][:-1])
        assert ("Bicycles" in visible) == (at > closed)


def random_answers(words: str, count: int) -> list[str]:
    chance = random.Random(7)
    return [" ".join(chance.choices(words.split(" "), k=chance.randint(3, 14))) for _ in range(count)]


def test_random_answers_show_the_same_however_they_are_cut() -> None:
    words = (
        "Dogs need a lead. [1] [2, 3] [9] Bicycles travel free! “It rose. It fell.” (Sic.) Mr. Nyberg of the U.S. "
        'paid 3.5 euros, "Why?" and left… No. 5 sank; vs. Nordby.\n- Item\n1. Item 2. Item *x* ‘Quiet.’ (see [1]) In '
        "[1], Passages passage [2], and [3] the state that all mention according to Passage 2, (passage 3). source: as "
        "stated in from 1, 2 This is"
    )
    for written in random_answers(words, 200):
        final = with_marks(*GROUNDER.ground(written))
        assert "".join(outcome([written])[0]) == final
        assert "".join(outcome(written)[0]) == final, written


def test_lines_broken_within_a_sentence_can_cost_nothing_but_marks() -> None:
    words = "Dogs need\na lead.\n[1] In\n[2], Bicycles\ntravel free!\npassage\n2. and\nleft [3]\nstates that\nthe U.S."
    for written in random_answers(words, 200):
        shown = "".join(outcome(written)[0])
        assert re.sub(r" (?:\[[123]\])+", "", shown) == GROUNDER.ground(written)[0], written


@pytest.mark.parametrize("written", ["word " * 700 + "end.", "Dogs need a lead\n" * 200, "[" * 300, "1.Dogs need. [1"])
def test_nothing_is_lost_or_repeated_where_sentences_end_unforeseen(written: str) -> None:
    text, _ = GROUNDER.ground(written)
    shown = "".join(outcome(re.findall(r".{1,50}", written, re.DOTALL))[0])
    assert re.sub(r" (?:\[[123]\])+", "", shown) == text


def test_whoever_stops_reading_stops_the_reader() -> None:
    engine = ScriptedEngine(["Dogs need a lead."])
    shown = cited_pieces(engine.stream(Prompt("", (), ""), Limits(10)), GROUNDER)
    next(shown)
    shown.close()
    assert engine.stopped_early
