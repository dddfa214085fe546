"""Numbers of a comparison in words, for a terminal and for the page."""

import math

from rag.evaluation.comparing import Difference


def difference_cells(one: Difference) -> tuple[str, ...]:
    """Name, before, after, difference, its 95 % interval, questions and verdict.

    >>> difference_cells(Difference("right", 0.8, 0.925, Interval(0.125, 0.041, 0.209), 40, Change.BETTER, True))
    ('right', '80.0 %', '92.5 %', '+12.5 points', '+4.1 to +20.9', '40', 'better')
    """
    low, value, high = one.difference.low, one.difference.value, one.difference.high
    shown, unit = (_points, " points") if one.is_share else (_signed, "")
    same = low == value == high == 0
    return (
        one.name,
        _share(one.before) if one.is_share else _number(one.before),
        _share(one.after) if one.is_share else _number(one.after),
        "0" if same else f"{shown(value)}{unit}",
        "" if same else f"{shown(low)} to {shown(high)}",
        f"{one.count:,}",
        str(one.change),
    )


def _share(value: float) -> str:
    return f"{100 * value:.1f} %" if math.isfinite(value) else "–"


def _points(value: float) -> str:
    """Percentage points: 0.125 → "+12.5"."""
    return f"{round(100 * value, 1) + 0.0:+.1f}" if math.isfinite(value) else "–"


def _number(value: float, sign: str = "") -> str:
    """To three digits, as in the report: 0.00128, 12.5, 1,250."""
    if not math.isfinite(value):
        return "–"
    return f"{value + 0.0:{sign},.0f}" if abs(value) >= 100 else f"{value + 0.0:{sign}.3g}"


def _signed(value: float) -> str:
    return _number(value, "+")
