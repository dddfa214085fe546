"""What a question takes for granted, and whether sentences bear it out."""

import json
from math import exp
from pathlib import Path

import pytest

from rag.grounding import premise_held
from rag.grounding import premises as module
from rag.grounding.premises import joined_by, premises

KHAN = "Möngke Khan attacked the Song dynasty in southern China in 1258."


def measured(question: str, text: str) -> dict[str, float]:
    return premises(question, [text], [text])


def test_measures_by_hand() -> None:
    # Of the question's words, Möngke and Khan (names, 2 each), attacked (1) and the year (3), all but the year are
    # there; of its name and its year the name is.
    found = measured("Where did Möngke Khan attack in 1260?", KHAN)
    assert found == {"words": 5 / 8, "named": 0.5, "figures": 0.0, "denied": 1.0, "opposite": 1.0}


def test_what_is_not_so_is_said_by_a_sentence_with_a_not() -> None:
    assert measured("Where did Möngke Khan not attack?", KHAN)["denied"] == 0
    assert measured("Where did Möngke Khan not attack?", "Möngke Khan didn't attack Korea.")["denied"] == 1
    assert measured("Where did Möngke Khan attack?", KHAN)["denied"] == 1


def test_a_not_counts_where_the_question_asks_and_not_in_what_is_told_before() -> None:
    told = "I could not find the fair. When does it open?"
    assert measured(told, "The fair opens on Friday.")["denied"] == 1


@pytest.mark.parametrize(
    ("question", "text", "borne_out"),
    [
        ("What is the abnormal force?", "The normal force pushes back.", 0.0),
        ("What is the normal force?", "The abnormal force pushes back.", 0.0),
        ("What is a non-Islamic movement?", "An Islamic movement has leaders.", 0.0),
        ("Which mill is the oldest?", "The newest mill is in Emden.", 0.0),
        ("Which mill is the oldest?", "The oldest mill is in Varel, the newest in Emden.", 1.0),
        ("Which mill is the oldest or the newest?", "The newest mill is in Emden.", 1.0),
        ("Which mill is the largest?", "The newest mill is in Emden.", 1.0),
    ],
)
def test_a_word_that_is_there_as_its_opposite_only_is_not_borne_out(question: str, text: str, borne_out: float) -> None:
    assert measured(question, text)["opposite"] == borne_out


def test_dates_and_larger_numbers_have_to_be_there_small_counts_need_not() -> None:
    assert measured("Who won in 1260?", KHAN)["figures"] == 0
    assert measured("Who won in 1258?", KHAN)["figures"] == 1
    assert measured("Which two dynasties won?", KHAN)["figures"] == 1
    assert measured("Who won in the 4th century?", KHAN)["figures"] == 0


@pytest.mark.parametrize(
    "question", ["Did Bo Li not attack in 1260?", "Between Bo Li and the khan, was there no peace in 1260?"]
)
def test_a_question_for_yes_or_no_takes_nothing_for_granted(question: str) -> None:
    found = measured(question, KHAN)
    assert {name for name, value in found.items() if value < 1} == {"words"}


def test_a_name_may_stand_elsewhere_in_the_passage() -> None:
    question = "Where did Möngke Khan attack?"
    found = premises(question, ["He attacked the Song dynasty."], ["Möngke Khan was born in 1209.", "He attacked."])
    assert found["named"] == 1
    assert found["words"] == 1 / 5


def test_the_probability_is_the_logistic_function_of_the_weighted_sum() -> None:
    model = {"words": 2.0, "denied": 1.0, "intercept": -2.0}
    assert joined_by(model, {"words": 0.5, "denied": 1.0}) == 0.5
    assert joined_by(model, {"words": 0.5, "denied": 0.0}) == pytest.approx(1 / (1 + exp(1)))


def test_the_model_in_use_has_a_weight_for_each_measure() -> None:
    kept = json.loads((Path(module.__file__).parent / "premises.json").read_text(encoding="utf-8"))
    assert kept["model"].keys() == {"intercept", *measured("Who won?", KHAN)}
    assert all(weight > 0 for name, weight in kept["model"].items() if name != "intercept")


def test_a_question_that_is_turned_round_is_far_less_probable() -> None:
    plain = premise_held("Where did Möngke Khan attack the Song dynasty?", [KHAN], [KHAN])
    turned = premise_held("Where did Möngke Khan not attack the Song dynasty?", [KHAN], [KHAN])
    assert plain > 0.5
    assert turned < 0.1
