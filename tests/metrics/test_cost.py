import random
import statistics

import pytest

from rag.metrics import percentiles


def test_the_median_and_the_95th_percentile_unless_others_are_asked_for() -> None:
    assert percentiles([4, 1, 3, 2, 5]) == pytest.approx((3, 4.8))  # 0.95 of 4 steps from 1: 3.8 of them
    assert percentiles([1, 2], at=(0, 25, 100)) == pytest.approx((1, 1.25, 2))


def test_one_value_is_all_percentiles() -> None:
    assert percentiles([7.5]) == (7.5, 7.5)


def test_random_values_have_the_percentiles_of_the_standard_library() -> None:
    """Definition 7 of Hyndman and Fan 1996, which `statistics` calls inclusive."""
    chance = random.Random(1)
    values = [chance.random() for _ in range(50)]
    assert percentiles(values, at=range(1, 100)) == pytest.approx(
        statistics.quantiles(values, n=100, method="inclusive")
    )


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")]])
def test_there_have_to_be_finite_values(values: list[float]) -> None:
    with pytest.raises(ValueError, match="no percentiles"):
        percentiles(values)
