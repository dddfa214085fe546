import json
import re

import pytest

from rag.errors import InputError
from rag.evaluation.numbers import QuestionNumbers, read_report, report_json
from rag.evaluation.results import Mode, Stage
from tests.evaluation.samples import HOSTILE, NAN, QUESTIONS, SCORES, answer, evaluation, hostile_evaluation, judged


def test_json_comes_back_as_it_was() -> None:
    made = evaluation([*QUESTIONS, judged(5)])
    numbers = read_report(report_json(made))
    assert numbers.scores[0] == SCORES[0]
    assert repr(numbers.scores) == repr(made.scores)  # nan equals nothing, not even itself
    assert (numbers.name, numbers.mode, numbers.made, numbers.command) == (
        "seeds",
        Mode.NORMAL,
        made.made,
        made.command,
    )
    assert numbers.conditions == made.conditions
    assert numbers.questions == (
        QuestionNumbers("q1", 1, True, None, {"F1": 0.75}, True, 0.9, False),
        QuestionNumbers("q2", 2, False, Stage.READ_WRONGLY, {"F1": 0.0}, True, 0.9, False),
        QuestionNumbers("q3", 3, False, Stage.REFUSED_WRONGLY, {}, True, 0.2, True),
        QuestionNumbers("q4", 4, False, Stage.FAILED, {}, True, None, False),
        QuestionNumbers("q5", 5, None, None, {}, True, None, False),
    )


def test_json_holds_null_for_what_is_no_number() -> None:
    text = report_json(evaluation([judged(1, outcome=answer(confidence=NAN), F1=NAN, seconds=float("-inf"))]))
    assert not re.search(r"NaN|Infinity", text)
    (question,) = read_report(text).questions
    assert repr(dict(question.measures)) == "{'F1': nan, 'seconds': nan}"
    assert question.confidence is None


@pytest.mark.parametrize("text", HOSTILE[:-1])
def test_json_keeps_foreign_text(text: str) -> None:
    numbers = read_report(report_json(hostile_evaluation(text)))
    assert (numbers.name, numbers.command, numbers.questions[0].id) == (text, text, text)


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "other"},
        {"scores": None},
        {"scores": [{"name": "right"}]},
        {"scores": ["right"]},
        {"questions": [{"id": "q1"}]},
        {"conditions": {}},
        {"name": 7},
    ],
    ids=json.dumps,
)
def test_anything_else_is_no_report(change: dict[str, object]) -> None:
    text = json.dumps(json.loads(report_json(evaluation())) | change)
    with pytest.raises(InputError, match=r"no report of an evaluation.*report\.json"):
        read_report(text)


@pytest.mark.parametrize("text", ["", "[]", "7", "null", "{}", "<html>", '{"format": 1}', "[" * 100_000])
def test_no_json_is_no_report(text: str) -> None:
    with pytest.raises(InputError, match="no report of an evaluation"):
        read_report(text)


def test_a_report_of_another_version_says_so() -> None:
    with pytest.raises(InputError, match="format 2, and only format 1"):
        read_report(report_json(evaluation()).replace('"format": 1', '"format": 2'))
    with pytest.raises(InputError, match="format '1', and only format 1"):
        read_report(report_json(evaluation()).replace('"format": 1', '"format": "1"'))
