from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from rag.metrics import Interval, auc, interval, mean_interval, paired_difference, paired_statistic_difference

VALUES = np.random.default_rng(7).random(40).tolist()
OTHERS = [value + 0.1 + 0.05 * (at % 3) for at, value in enumerate(VALUES)]

Scored = tuple[float, bool]


def spread(rows: Sequence[float]) -> float:
    return max(rows) - min(rows)


def area(rows: Sequence[Scored]) -> float:
    return auc(
        [score for score, answerable in rows if answerable], [score for score, answerable in rows if not answerable]
    )


def test_bounds_are_those_of_scipy() -> None:
    """The percentile bootstrap of Efron and Tibshirani 1993; scipy makes the same draws from the same seed."""
    found = mean_interval(VALUES, seed=3, resamples=300)
    theirs = stats.bootstrap((VALUES,), np.mean, n_resamples=300, method="percentile", rng=3).confidence_interval
    assert found.value == pytest.approx(np.mean(VALUES))
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


def test_an_interval_is_about_as_wide_as_the_normal_approximation_of_a_mean() -> None:
    found = mean_interval([0.0, 1.0] * 100)
    error = 1.96 * 0.5 / 200**0.5  # 0.069
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.5 - error, 0.5 + error), abs=0.01)


def test_the_mean_is_one_of_the_statistics() -> None:
    assert interval(lambda rows: float(np.mean(rows)), VALUES, 5, 100) == mean_interval(VALUES, 5, 100)


def test_equal_seeds_give_equal_intervals() -> None:
    assert mean_interval(VALUES, seed=1, resamples=50) == mean_interval(VALUES, seed=1, resamples=50)
    assert mean_interval(VALUES, seed=1, resamples=50) != mean_interval(VALUES, seed=2, resamples=50)


@pytest.mark.parametrize("values", [[0.1], [0.1] * 7, [1] * 30])
def test_where_nothing_varies_the_bounds_are_the_value(values: list[float]) -> None:
    found = mean_interval(values, resamples=20)
    assert found.low == found.value == found.high == pytest.approx(values[0])


def test_statistics_of_rows_are_computed_for_each_draw() -> None:
    # Of 2 rows half of the draws hold one row twice, whose spread is 0.
    assert interval(spread, [1.0, 4.0], resamples=200) == Interval(3.0, 0.0, 3.0)


def test_draws_without_the_statistic_are_left_out() -> None:
    rows = [(0.9, True), (0.1, False)]  # half of the draws are of one kind only
    assert interval(area, rows, resamples=50) == Interval(1.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="both are needed"):
        interval(area, [(0.9, True), (0.8, True)], resamples=50)


def test_a_statistic_that_no_draw_has_is_an_error() -> None:
    def needs_all(rows: Sequence[int]) -> float:
        if len(set(rows)) < 30:
            raise ValueError("some are missing")
        return 1.0

    with pytest.raises(ValueError, match="None of 10 draws from 30 questions"):
        interval(needs_all, range(30), resamples=10)


def test_a_steady_difference_is_seen_where_the_intervals_of_both_overlap() -> None:
    of_a, of_b = mean_interval(VALUES, resamples=200), mean_interval(OTHERS, resamples=200)
    assert of_a.high > of_b.low
    difference = paired_difference(VALUES, OTHERS, resamples=200)
    assert difference.value == pytest.approx(of_b.value - of_a.value)
    assert 0.1 < difference.low < difference.high < 0.2


def test_paired_difference_is_of_the_second_less_the_first() -> None:
    assert paired_difference([0, 0, 1], [1, 1, 2], resamples=20) == Interval(1, 1, 1)
    assert paired_difference([1, 1, 2], [0, 0, 1], resamples=20) == Interval(-1, -1, -1)


def test_paired_differences_of_means_and_of_a_mean_as_a_statistic_are_the_same() -> None:
    found = paired_statistic_difference(lambda rows: float(np.mean(rows)), VALUES, OTHERS, 4, 100)
    expected = paired_difference(VALUES, OTHERS, 4, 100)
    assert (found.value, found.low, found.high) == pytest.approx((expected.value, expected.low, expected.high))


def test_of_both_the_same_questions_are_drawn() -> None:
    # Twice as wide whatever is drawn: the difference is the spread of the first.
    doubled = [2 * value for value in VALUES]
    found = paired_statistic_difference(spread, VALUES, doubled, seed=2, resamples=50)
    alone = interval(spread, VALUES, seed=2, resamples=50)
    assert (found.value, found.low, found.high) == pytest.approx((alone.value, alone.low, alone.high))


def test_there_have_to_be_finite_values_and_pairs() -> None:
    with pytest.raises(ValueError, match="no questions"):
        mean_interval([])
    with pytest.raises(ValueError, match="no questions"):
        interval(spread, [])
    with pytest.raises(ValueError, match="finite"):
        mean_interval([1.0, float("nan")])
    with pytest.raises(ValueError, match="no pairs"):
        paired_difference([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="no pairs"):
        paired_statistic_difference(spread, [1.0, 2.0], [1.0])
