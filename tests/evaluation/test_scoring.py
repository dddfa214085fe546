"""Scores of a few questions, worked out by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from rag.evaluation.results import Score
from rag.evaluation.scoring import (
    COSTS,
    MEASURES,
    STATISTICS,
    calibration_error,
    place,
    risk_area,
    scores,
    telling_apart,
)

RIGHT = "right when it answers"
AREA, ERROR, APART = "area under risk–coverage", "calibration error", "AUC of the confidence"


@dataclass(frozen=True)
class Row:
    measures: Mapping[str, float] = field(default_factory=dict)
    confidence: float | None = None
    answerable: bool = True


def scored(*rows: Row) -> dict[str, Score]:
    return {score.name: score for score in scores(rows)}


def answered(confidence: float, right: float, answerable: bool = True) -> Row:
    return Row({RIGHT: right}, confidence, answerable)


# Of the surest 1, 2, 3 and 4 none, 1/2, 1/3 and 1/4 are wrong.
JUDGED = (answered(0.9, 1), answered(0.8, 0), answered(0.7, 1), answered(0.6, 1))


def test_a_mean_is_over_the_questions_that_have_the_measure() -> None:
    found = scored(Row({"F1": 0.25}), Row({"F1": 1.0}), Row({"hit@1": 1.0}), Row())
    assert (found["F1"].value, found["F1"].count) == (0.625, 2)
    assert found["hit@1"] == Score("retrieval", "hit@1", 1.0, 1.0, 1.0, 1, True, True)
    assert set(found) == {"F1", "hit@1"}


def test_scores_come_in_groups_and_say_how_they_read() -> None:
    row = Row(dict.fromkeys([*MEASURES, *COSTS], 0.5), 0.5)
    found = scored(row, Row(row.measures, 0.5, answerable=False))
    assert list(found) == sorted([*MEASURES, *STATISTICS], key=place)
    groups = list(dict.fromkeys(score.group for score in found.values()))
    assert groups == ["retrieval", "answers", "refusing", "citations", "robustness", "cost"]
    assert [name for name, score in found.items() if not score.higher_is_better] == [
        "refused though it should not",
        AREA,
        ERROR,
        "takes a false document's answer",
        "obeys an instruction in a document",
        *(f"{cost}, {percent}" for cost in COSTS for percent in ("p50", "p95")),
    ]
    assert [name for name, score in found.items() if not score.is_share] == [
        "MRR@10",
        "nDCG@10",
        "nDCG@10 (words alone)",
        "nDCG@10 (vectors alone)",
        "nDCG@10 (both, fused)",
        *STATISTICS,
    ]


def test_a_measure_that_is_no_score_is_passed_over() -> None:
    assert scored(Row({"mood": 1.0})) == {}


def test_a_measure_that_is_no_number_counts_for_nothing() -> None:
    found = scored(Row({"F1": float("nan"), "seconds in all": float("inf")}), Row({"F1": 1.0}))
    assert [(score.name, score.count) for score in found.values()] == [("F1", 1)]


def test_risk_and_calibration_are_over_judged_answers() -> None:
    refused, unjudged, failed = Row({}, 0.1), Row({}, 0.9), Row({RIGHT: 0.0})
    found = scored(*JUDGED, refused, unjudged, failed)
    assert found[AREA].value == risk_area(JUDGED) == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    assert found[ERROR].value == calibration_error(JUDGED) == pytest.approx((0.1 + 0.8 + 0.3 + 0.4) / 4)
    assert (found[AREA].count, found[ERROR].count) == (4, 4)


def test_the_confidence_tells_apart_what_can_be_answered_whether_it_was_or_not() -> None:
    # Of the four pairs of an answerable and an unanswerable question one is the wrong way round.
    rows = (Row({}, 0.9), Row({}, 0.8), Row({}, 0.85, answerable=False), Row({}, 0.2, answerable=False))
    failed = (Row(), Row(answerable=False))
    found = scored(*rows, *failed)
    assert found[APART].value == telling_apart(rows) == 0.75
    assert found[APART].count == 4


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        ((), {AREA, ERROR, APART}),
        (JUDGED, {APART}),
        ((Row({}, 0.9), Row({}, 0.2, answerable=False)), {AREA, ERROR}),
        ((Row({}, 0.9, answerable=False), Row({}, 0.2, answerable=False)), {AREA, ERROR, APART}),
        ((Row({RIGHT: 1.0}), Row({RIGHT: 1.0}, answerable=False)), {AREA, ERROR, APART}),
        ((answered(0.0, 1), answered(0.0, 0, answerable=False)), {AREA, ERROR, APART}),
    ],
    ids=["nothing", "no unanswerable", "nothing judged", "no answerable", "no answer", "from memory"],
)
def test_a_statistic_is_left_out_where_it_says_nothing(rows: tuple[Row, ...], missing: set[str]) -> None:
    assert {AREA, ERROR, APART} - scored(*rows).keys() == missing


def test_costs_are_medians_and_95th_percentiles_of_the_questions_that_have_them() -> None:
    found = scored(*(Row({"seconds in all": seconds}) for seconds in (4.0, 1.0, 3.0, 2.0)), Row())
    # The 95th of 100 parts lies 0.95 * 3 steps up from 1.
    assert found["seconds in all, p50"].value == 2.5
    assert found["seconds in all, p95"].value == pytest.approx(3.85)
    assert {(score.group, score.count) for score in found.values()} == {("cost", 4)}
    assert len(found) == 2


def test_every_interval_holds_its_value_and_shrinks_with_more_questions() -> None:
    few = [
        Row({"F1": place / 9, "seconds in all": place, RIGHT: place % 3 > 0}, 0.5 + place / 20, place % 2 > 0)
        for place in range(10)
    ]
    less, more = scored(*few), scored(*few * 20)
    assert set(less) == set(more) == {"F1", RIGHT, "seconds in all, p50", "seconds in all, p95", AREA, ERROR, APART}
    for name in less:
        assert less[name].low <= less[name].value <= less[name].high
        assert more[name].low <= more[name].value <= more[name].high
        assert more[name].high - more[name].low < less[name].high - less[name].low, name


def test_equal_questions_leave_no_doubt() -> None:
    score = scored(*[Row({"F1": 0.5})] * 5)["F1"]
    assert (score.low, score.value, score.high) == (0.5, 0.5, 0.5)


def test_equal_rows_have_equal_scores() -> None:
    assert scores(JUDGED) == scores(JUDGED)
