import itertools
from collections.abc import Callable
from dataclasses import astuple

import numpy as np
import pytest
import torch
from torchmetrics.classification import BinaryCalibrationError

from rag.metrics import (
    ReliabilityBin,
    area_under_risk_coverage,
    auc,
    expected_calibration_error,
    reliability,
    risk_coverage,
)


def test_risk_and_coverage_of_each_threshold() -> None:
    """El-Yaniv and Wiener 2010: coverage is the share given, risk the share of those that is wrong."""
    curve = risk_coverage([0.2, 0.9, 0.5, 0.7], [False, True, True, False])
    assert curve.thresholds == (0.9, 0.7, 0.5, 0.2)
    assert curve.coverage == (1 / 4, 2 / 4, 3 / 4, 4 / 4)
    assert curve.risk == (0 / 1, 1 / 2, 1 / 3, 2 / 4)


def test_answers_that_are_equally_sure_are_given_together() -> None:
    curve = risk_coverage([0.5, 0.9, 0.5, 0.5], [False, True, True, True])
    assert (curve.thresholds, curve.coverage, curve.risk) == ((0.9, 0.5), (1 / 4, 1), (0, 1 / 4))


def test_area_under_the_curve_worked_by_hand() -> None:
    """Geifman, Uziel and El-Yaniv 2019: the mean of the risks at coverages 1/n, 2/n, … 1."""
    confidence, right = [0.2, 0.9, 0.5, 0.7], [False, True, True, False]
    assert area_under_risk_coverage(confidence, right) == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4) / 4)


def test_wrong_answers_last_make_the_smallest_area_and_first_the_greatest() -> None:
    rising = [0.1, 0.2, 0.3, 0.4]
    assert area_under_risk_coverage(rising, [False, False, True, True]) == pytest.approx((0 + 0 + 1 / 3 + 2 / 4) / 4)
    assert area_under_risk_coverage(rising, [True, True, False, False]) == pytest.approx((1 + 1 + 2 / 3 + 2 / 4) / 4)
    assert area_under_risk_coverage(rising, [True] * 4) == 0
    assert area_under_risk_coverage(rising, [False] * 4) == 1


def test_ties_make_the_mean_area_of_all_orders() -> None:
    right = [True, False, True, True, False]
    tied = area_under_risk_coverage([0.9, 0.5, 0.5, 0.5, 0.1], right)
    orders = [
        area_under_risk_coverage([0.9, *middle, 0.1], right) for middle in itertools.permutations((0.4, 0.5, 0.6))
    ]
    assert tied == pytest.approx(np.mean(orders))
    # Risks 0, (1/3)/2, (2/3)/3, 1/4 and 2/5: a third of an error with each of the three.
    assert tied == pytest.approx((0 + 1 / 6 + 2 / 9 + 1 / 4 + 2 / 5) / 5)


def test_the_order_of_the_answers_does_not_matter() -> None:
    confidence, right = [0.9, 0.5, 0.5, 0.5, 0.1], [True, False, True, True, False]
    for order in itertools.permutations(range(5)):
        shuffled = [confidence[at] for at in order], [right[at] for at in order]
        assert area_under_risk_coverage(*shuffled) == area_under_risk_coverage(confidence, right)
        assert risk_coverage(*shuffled) == risk_coverage(confidence, right)


def test_equal_confidence_is_worth_the_share_of_wrong_answers() -> None:
    assert area_under_risk_coverage([0.3] * 8, [True] * 6 + [False] * 2) == pytest.approx(2 / 8)


def test_the_bins_of_the_reliability_diagram() -> None:
    points = reliability([0.0, 0.1, 0.25, 0.5, 0.95, 1.0], [False, True, False, True, True, True], bins=4)
    first, second, last = points
    assert astuple(first) == pytest.approx((0, 0.25, 0.35 / 3, 1 / 3, 3))
    assert second == ReliabilityBin(0.25, 0.5, 0.5, 1, 1)
    assert astuple(last) == pytest.approx((0.75, 1, 1.95 / 2, 1, 2))


def test_an_edge_belongs_to_the_bin_below_it() -> None:
    """Guo et al. 2017: the bins are ((m - 1) / M, m / M]."""
    for tenth in range(1, 11):
        (point,) = reliability([tenth / 10], [True])
        assert (point.low, point.high) == ((tenth - 1) / 10, tenth / 10)


def test_calibration_error_worked_by_hand() -> None:
    # (0.8 + 0.9) / 2 = 0.85 sure, 1/2 right; 0.3 sure, 0 right: (2 * 0.35 + 1 * 0.3) / 3.
    assert expected_calibration_error([0.8, 0.9, 0.3], [True, False, False], bins=2) == pytest.approx(1 / 3)
    assert expected_calibration_error([0.75] * 4, [True, True, True, False]) == pytest.approx(0)


@pytest.mark.parametrize("bins", [1, 5, 10, 15])
def test_calibration_error_is_that_of_torchmetrics(bins: int) -> None:
    """Guo et al. 2017, which torchmetrics calls the l1 norm."""
    chance = np.random.default_rng(bins)
    confidence = chance.random(300)
    right = chance.random(300) < confidence**2
    theirs = BinaryCalibrationError(n_bins=bins, norm="l1")(torch.tensor(confidence), torch.tensor(right).int())
    assert expected_calibration_error(confidence.tolist(), right.tolist(), bins) == pytest.approx(
        float(theirs), abs=1e-6
    )


def test_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    # 0.9 beats both, 0.5 beats 0.1 and ties with 0.5: 3.5 of 4.
    assert auc([0.9, 0.5], [0.5, 0.1]) == pytest.approx(3.5 / 4)
    assert auc([2.0], [1.0, 0.0]) == 1
    assert auc([0.0], [1.0]) == 0
    assert auc([0.3, 0.3], [0.3]) == 0.5


def test_auc_of_random_scores_counts_pairs() -> None:
    """Hanley and McNeil 1982: the probability of a right order, ties half."""
    chance = np.random.default_rng(1)
    positive, negative = chance.integers(1, 9, 40).tolist(), chance.integers(0, 8, 30).tolist()
    pairs = list(itertools.product(positive, negative))
    won = sum((high > low) + (high == low) / 2 for high, low in pairs)
    assert auc(positive, negative) == pytest.approx(won / len(pairs))


@pytest.mark.parametrize("measure", [risk_coverage, area_under_risk_coverage, reliability, expected_calibration_error])
def test_there_have_to_be_answers_with_finite_confidences(measure: Callable[..., object]) -> None:
    for confidence, right in ([], []), ([0.5], []), ([0.5], [True, True]):
        with pytest.raises(ValueError, match="as many are needed"):
            measure(confidence, right)
    with pytest.raises(ValueError, match="finite"):
        measure([0.5, float("nan")], [True, True])


@pytest.mark.parametrize("confidence", [-0.1, 1.1])
def test_calibration_is_of_probabilities(confidence: float) -> None:
    with pytest.raises(ValueError, match="no probabilities"):
        reliability([confidence], [True])
    assert risk_coverage([confidence], [True]).thresholds == (confidence,)


@pytest.mark.parametrize(("positive", "negative"), [([], [1.0]), ([1.0], []), ([], [])])
def test_auc_needs_both_kinds(positive: list[float], negative: list[float]) -> None:
    with pytest.raises(ValueError, match="both are needed"):
        auc(positive, negative)
