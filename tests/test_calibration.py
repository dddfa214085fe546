"""Probabilities and thresholds worked by hand, fits held against scikit-learn's own, files that are none."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from rag.calibration import Calibration, Point, Signals, cross_validated, fit, load, save
from rag.errors import CalibrationError, InputError

CONFIDENCES = (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5)
RIGHT = (True, True, False, True, True, True, False, True, False, False)
"""Risks of giving the first 1 to 10: 0, 0, 1/3, 1/4, 1/5, 1/6, 2/7, 2/8, 3/9 and 4/10."""


def curve(right: Sequence[bool] = RIGHT) -> tuple[Point, ...]:
    wrong = np.cumsum(np.logical_not(right)).tolist()
    return tuple(
        Point(confidence, given / len(right), wrong[given - 1] / given)
        for given, confidence in enumerate(CONFIDENCES[: len(right)], start=1)
    )


def calibration(points: tuple[Point, ...] | None = None) -> Calibration:
    return Calibration(("support", "answerable"), (2.0, 1.0), -1.5, points or curve(), "rag calibrate seeds", 10)


def drawn(count: int, seed: int = 0, weights: Sequence[float] = (4, 2, 1)) -> tuple[list[Signals], list[bool]]:
    """Answers that are right as often as a model with these weights says, and right in half of all cases."""
    random = np.random.default_rng(seed)
    values = random.random((count, len(weights)))
    probabilities = 1 / (1 + np.exp(sum(weights) / 2 - values @ np.array(weights)))
    rows: list[Signals] = [dict(zip("abc", row, strict=False)) for row in values.tolist()]
    return rows, (random.random(count) < probabilities).tolist()


def table(rows: Sequence[Signals], names: str = "abc") -> Any:
    return np.array([[row[name] for name in names] for row in rows])


def model() -> Pipeline:
    """The same, of scikit-learn's parts."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.3))


@pytest.mark.parametrize(
    ("support", "answerable", "probability"),
    [
        (0.75, 0.0, 0.5),  # log-odds 1.5 - 1.5
        (0.75, 0.5, 0.6224593312),  # 1.5 + 0.5 - 1.5: 1 / (1 + e^-0.5)
        (0.75, math.log(3), 0.75),  # odds of 3 to 1
        (0.0, 0.0, 0.1824255238),  # 1 / (1 + e^1.5)
    ],
)
def test_a_probability_worked_by_hand(support: float, answerable: float, probability: float) -> None:
    signals = {"answerable": answerable, "support": support, "unused": 7.0}
    assert calibration().probability(signals) == pytest.approx(probability)


def test_weights_however_great_give_a_probability() -> None:
    for intercept, probability in ((1e6, 1.0), (-1e6, 0.0)):
        found = replace(calibration(), intercept=intercept)
        assert found.probability({"support": 0.5, "answerable": 0.5}) == probability


def test_a_signal_that_is_missing_is_named_with_those_that_came() -> None:
    with pytest.raises(CalibrationError, match=r"needs answerable, and answers come with support, words\. .*calibrate"):
        calibration().probability({"support": 1.0, "words": 1.0})
    with pytest.raises(CalibrationError, match="needs support, answerable, and answers come with nothing"):
        calibration().probability({})


@pytest.mark.parametrize(
    ("max_wrong", "confidence"),
    [
        (0.0, 0.9),
        (0.05, 0.9),
        (0.17, 0.7),  # 1 of 6
        (0.2, 0.7),
        (0.25, 0.6),  # 2 of 8, though 1 of 3 and 2 of 7 are more
        (0.3, 0.6),
        (0.35, 0.55),
        (0.4, 0.0),  # 4 of 10: all are given, however unsure
        (1.0, 0.0),
    ],
)
def test_a_threshold_is_the_lowest_confidence_that_keeps_the_promise(max_wrong: float, confidence: float) -> None:
    found = calibration()
    assert found.threshold(max_wrong) == confidence
    assert found.working_point(max_wrong).risk <= max_wrong
    assert replace(found, curve=found.curve[::-1]).threshold(max_wrong) == confidence


def test_a_promise_that_can_not_be_kept_comes_down_to_the_lowest_risk() -> None:
    """Risks 1, 1/2, 1/3, 2/4, 2/5, 2/6, 3/7: twice a third, of which the lower confidence refuses less."""
    found = calibration(curve([False, True, True, False, True, True, False]))
    assert found.threshold(0.1) == found.threshold(0.0) == 0.7
    assert found.working_point(0.1).risk == pytest.approx(1 / 3)
    assert found.threshold(0.35) == 0.7
    assert found.threshold(0.5) == 0.0


def test_probabilities_agree_with_scikit_learn() -> None:
    rows, right = drawn(200)
    found = fit(rows, right, "rag calibrate mine")
    wanted = model().fit(table(rows), right).predict_proba(table(rows))[:, 1]
    assert found.features == ("a", "b", "c")
    assert [found.probability(row) for row in rows] == pytest.approx(wanted, abs=2e-3)
    assert (found.fitted, found.questions) == ("rag calibrate mine", 200)


def test_the_weights_that_made_the_data_are_found_again() -> None:
    found = fit(*drawn(5000), "")
    assert found.weights == pytest.approx((4, 2, 1), abs=0.35)
    assert found.intercept == pytest.approx(-3.5, abs=0.35)
    assert all(weight == round(weight, 3) for weight in found.weights)


def test_cross_validated_probabilities_are_of_models_that_have_not_seen_the_answer() -> None:
    rows, right = drawn(100)
    folds = StratifiedKFold(5, shuffle=True, random_state=3)
    wanted = cross_val_predict(model(), table(rows), right, cv=folds, method="predict_proba")[:, 1]
    assert cross_validated(rows, right, seed=3) == pytest.approx(wanted, abs=1e-3)
    assert cross_validated(rows, right, seed=3) == cross_validated(rows, right, seed=3) != cross_validated(rows, right)


def test_the_curve_counts_cross_validated_probabilities_at_whole_per_cents() -> None:
    rows, right = drawn(150)
    found = fit(rows, right, "", seed=3)
    sure = np.array(cross_validated(rows, right, seed=3))
    assert 10 < len(found.curve) <= 101
    assert [point.confidence for point in found.curve] == sorted({math.floor(100 * p) / 100 for p in sure})[::-1]
    for point in found.curve:
        given = sure >= point.confidence
        assert point.coverage == pytest.approx(given.mean(), abs=1e-4)
        assert point.risk == pytest.approx(1 - np.array(right)[given].mean(), abs=1e-4)
    assert found.curve[-1].coverage == 1


def test_a_signal_that_would_lower_confidence_by_rising_is_dropped_and_the_others_fitted_again() -> None:
    rows, right = drawn(300, weights=(4, -3, 2))
    found = fit(rows, right, "")
    assert found.features == ("a", "c")
    wanted = model().fit(table(rows, "ac"), right).predict_proba(table(rows, "ac"))[:, 1]
    assert [found.probability(row) for row in rows] == pytest.approx(wanted, abs=2e-3)


def test_a_signal_that_varies_little_has_the_same_say_as_one_that_varies_much() -> None:
    rows, right = drawn(60)
    narrow = [{**row, "a": 0.5 + row["a"] / 20} for row in rows]
    found, before = fit(narrow, right, ""), fit(rows, right, "")
    assert found.weights[0] == pytest.approx(20 * before.weights[0], abs=0.02)
    assert [found.probability(row) for row in narrow] == pytest.approx(
        [before.probability(row) for row in rows], abs=2e-3
    )


def test_a_signal_that_is_always_the_same_is_dropped() -> None:
    rows, right = drawn(100)
    assert fit([{"even": 0.5} | dict(row) for row in rows], right, "") == fit(rows, right, "")


def test_only_the_least_signal_is_dropped_at_a_time() -> None:
    """`b` and `c` both lower confidence, but `c` is high where `b` is low: without `b` it speaks for the answer."""
    random = np.random.default_rng(0)
    a, b, noise, chance = random.random((4, 600))
    c = 0.8 * (1 - b) + 0.2 * noise
    right = chance < 1 / (1 + np.exp(-4 * a + 4 * b + 2 * c - 1))
    values = np.stack([a, b, c], axis=1)
    assert (model().fit(values, right)[-1].coef_[0][1:] < 0).all()
    rows = [dict(zip("abc", row, strict=True)) for row in values.tolist()]
    assert fit(rows, right.tolist(), "").features == ("a", "c")


def test_signals_none_of_which_tells_right_from_wrong_make_no_calibration() -> None:
    rows, right = drawn(100, weights=(-4, -2, -1))
    with pytest.raises(CalibrationError, match=r"No signal \(a, b, c\) is higher where answers are right"):
        fit(rows, right, "")
    with pytest.raises(CalibrationError, match="there is none"):
        fit([{}] * 100, right, "")
    assert cross_validated(rows, right) == pytest.approx([np.mean(right)] * 100, abs=0.02)


@pytest.mark.parametrize(
    ("right", "wrong", "wanted"),
    [
        (0, 0, "0 answers, 0 of them right, .* needs 30 more answers, 8 more right ones, 8 more wrong ones"),
        (20, 9, "29 answers, 20 of them right, .* needs 1 more answers"),
        (23, 7, "30 answers, 23 of them right, .* needs 1 more wrong ones"),
        (5, 45, "50 answers, 5 of them right, .* needs 3 more right ones"),
    ],
)
@pytest.mark.parametrize("make", [lambda rows, right: fit(rows, right, ""), cross_validated])
def test_too_few_answers_are_refused_with_how_many_more_would_do(
    make: Callable[[Sequence[Signals], Sequence[bool]], object], right: int, wrong: int, wanted: str
) -> None:
    rows = [{"a": at / 100} for at in range(right + wrong)]
    with pytest.raises(CalibrationError, match=rf"{wanted}\. Give `rag calibrate` more"):
        make(rows, [True] * right + [False] * wrong)


def test_just_enough_answers_will_do() -> None:
    rows = [{"a": at / 30} for at in range(30)]
    assert fit(rows, [False] * 8 + [True] * 22, "").questions == 30
    assert fit(rows, [False] * 22 + [True] * 8, "").threshold(1.0) == 0


@pytest.mark.parametrize("other", [{"a": 1.0}, {}, {"a": 1.0, "b": 1.0, "d": 1.0}])
def test_answers_with_other_signals_are_refused(other: Signals) -> None:
    rows, right = drawn(40)
    with pytest.raises(CalibrationError, match=f"come with a, b, c, some with {', '.join(other) or 'nothing'}"):
        fit([*rows, other], [*right, True], "")


def test_a_calibration_comes_back_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    made = replace(fit(*drawn(100), 'rag calibrate "Wörter"'), intercept=-2.0)
    save(made, file)
    assert load(file) == made
    text = file.read_text(encoding="utf-8")
    assert '"rag calibrate \\"Wörter\\""' in text
    assert json.loads(text)["weights"] == dict(zip(made.features, made.weights, strict=True))
    assert sum('"risk"' in line for line in text.splitlines()) == len(made.curve)


def test_the_one_that_comes_along_can_be_used() -> None:
    found = load()
    assert found.probability(dict.fromkeys(found.features, 0.0)) < found.probability(dict.fromkeys(found.features, 1.0))
    assert 0 <= found.threshold(0.2) <= found.threshold(0.05) <= 1
    assert found.threshold(1.0) == 0
    assert "rag calibrate" in found.fitted


GOOD: dict[str, Any] = {
    "fitted": "rag calibrate seeds",
    "questions": 40,
    "intercept": -1,
    "weights": {"support": 2},
    "curve": [{"confidence": 0.5, "coverage": 1, "risk": 0.25}],
}


def point(**changed: Any) -> list[dict[str, Any]]:
    return [GOOD["curve"][0] | changed]


def test_a_file_written_by_hand_will_do(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(GOOD), encoding="utf-8")
    assert load(tmp_path / "mine.json") == Calibration(
        ("support",), (2,), -1, (Point(0.5, 1, 0.25),), "rag calibrate seeds", 40
    )


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"weights": {"support": "2"}}, "weights.support: Input should be a valid number"),
        ({"weights": {"support": -2}}, "weights.support: Input should be greater than or equal to 0"),
        ({"weights": {"support": float("nan")}}, "weights.support: Input should be a finite number"),
        ({"weights": {}}, "weights: Dictionary should have at least 1 item"),
        ({"weights": [2]}, "weights: Input should be "),
        ({"intercept": None}, "intercept: Input should be a valid number"),
        ({"intercept": float("inf")}, "intercept: Input should be a finite number"),
        ({"questions": 0}, "questions: Input should be greater than or equal to 1"),
        ({"curve": []}, "curve: "),
        ({"curve": point(risk=1.5)}, "curve.0.risk: Input should be less than or equal to 1"),
        ({"curve": point(confidence=float("nan"))}, "curve.0.confidence: Input should be "),
        ({"curve": point(name="x")}, "curve.0.name: "),
        ({"curve": [{"confidence": 0.5}]}, "curve.0.coverage: Field required"),
        ({"fited": ""}, "fited: Extra inputs are not permitted"),
    ],
)
def test_a_file_with_something_wrong_in_it_is_refused(changed: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(GOOD | changed), encoding="utf-8")
    with pytest.raises(CalibrationError) as error:
        load(file)
    assert str(error.value).startswith(f"{file} is no calibration: {complaint}")
    assert "`rag calibrate QUESTIONS` makes a new one" in str(error.value)


@pytest.mark.parametrize("name", GOOD)
def test_a_file_with_something_missing_is_refused(name: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({kept: value for kept, value in GOOD.items() if kept != name}), encoding="utf-8")
    with pytest.raises(CalibrationError, match=f"is no calibration: {name}: Field required"):
        load(file)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe\x00", b"support = 2"])
def test_a_file_of_another_kind_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match="is no calibration: it"):
        load(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path, trouble in ((tmp_path / "mine.json", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(CalibrationError, match=rf"{path} can't be read: {trouble}.*`rag calibrate QUESTIONS`"):
            load(path)
