"""How far a score may be off because other questions could have been asked.

All of this is the percentile bootstrap of Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13:
as many questions as there are get drawn with replacement, the score is computed anew, and of all the scores so
computed the middle 95 % make the interval. Equal seeds give equal intervals.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Row = TypeVar("Row")

_BOUNDS = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Interval:
    """A score of all questions, and the bounds of its 95 % interval; where nothing varies all three are equal."""

    value: float
    low: float
    high: float


def mean_interval(values: Sequence[float], seed: int = 0, resamples: int = 2000) -> Interval:
    """The mean of one value a question. Raises ValueError where there are none or one isn't finite."""
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError("A value isn't finite.")
    return _interval(lambda drawn: float(array[drawn].mean()), len(array), seed, resamples)


def interval(
    statistic: Callable[[Sequence[Row]], float], rows: Sequence[Row], seed: int = 0, resamples: int = 2000
) -> Interval:
    """Any statistic of one row a question, such as the area under a curve.

    Draws for which the statistic raises ValueError, as an AUC does where all rows are of one kind, are left out.
    Raises what it raises for all of `rows`, and ValueError where there are no rows.
    """
    return _interval(lambda drawn: statistic([rows[at] for at in drawn.tolist()]), len(rows), seed, resamples)


def paired_difference(a: Sequence[float], b: Sequence[float], seed: int = 0, resamples: int = 2000) -> Interval:
    """The mean of b - a, two values a question in the same order: it tells apart what two intervals often can't.

    Raises ValueError as `mean_interval` does, and where there aren't as many of the one as of the other.
    """
    return mean_interval([of_b - of_a for of_a, of_b in _pairs(a, b)], seed, resamples)


def paired_statistic_difference(
    statistic: Callable[[Sequence[Row]], float],
    a_rows: Sequence[Row],
    b_rows: Sequence[Row],
    seed: int = 0,
    resamples: int = 2000,
) -> Interval:
    """The statistic of b less that of a, two rows a question in the same order; the same questions are drawn of both.

    Raises ValueError as `interval` does, and where there aren't as many of the one as of the other.
    """

    def difference(pairs: Sequence[tuple[Row, Row]]) -> float:
        return statistic([of_b for _, of_b in pairs]) - statistic([of_a for of_a, _ in pairs])

    return interval(difference, _pairs(a_rows, b_rows), seed, resamples)


def _pairs(a: Sequence[Row], b: Sequence[Row]) -> list[tuple[Row, Row]]:
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} are no pairs: give both for each question.")
    return list(zip(a, b, strict=True))


def _interval(statistic: Callable[[NDArray[np.int64]], float], count: int, seed: int, resamples: int) -> Interval:
    """`statistic` takes the places of the questions drawn, out of `count`."""
    from scipy.stats import bootstrap  # half a second to import

    if not count:
        raise ValueError("There are no questions to draw from.")
    value = statistic(np.arange(count))
    if count == 1:  # which scipy refuses
        return Interval(value, value, value)

    def of_draw(drawn: NDArray[np.int64]) -> float:
        try:
            return statistic(drawn)
        except ValueError:
            return nan

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that its own interval is nan where a draw has no statistic
        drawn = bootstrap(
            (np.arange(count),), of_draw, n_resamples=resamples, vectorized=False, method="percentile", rng=seed
        )
    found = drawn.bootstrap_distribution[np.isfinite(drawn.bootstrap_distribution)]
    if not found.size:
        raise ValueError(f"None of {resamples} draws from {count} questions has this statistic.")
    low, high = np.quantile(found, _BOUNDS)
    return Interval(value, float(low), float(high))
