"""What `rag compare` prints."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.evaluation import Comparison, Difference

SHOWN = 20
"""Ids of questions listed, at most."""


def comparison_lines(found: "Comparison") -> Iterator[str]:
    """A table of the scores, what was changed, and the questions whose answers flipped."""
    before, after = found.before, found.after
    yield f"{before.name} ({before.mode}, {before.made}) → {after.name} ({after.mode}, {after.made})"
    yield f"{found.questions} questions in both. Changed: {found.settings or 'nothing that is known of'}."
    rows = [("", "before", "after", "difference", "95 % interval", ""), *map(_row, found.differences)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for name, *values, verdict in rows:
        cells = [
            name.ljust(widths[0]),
            *(value.rjust(width) for value, width in zip(values, widths[1:-1], strict=True)),
        ]
        yield "  ".join([*cells, verdict]).rstrip()
    yield f"Now right: {_listed(found.gained)}"
    yield f"Now wrong: {_listed(found.lost)}"


def _row(one: "Difference") -> tuple[str, str, str, str, str, str]:
    difference = one.difference
    number = _share if one.is_share else _plain
    interval = f"{number(difference.low, '+')} to {number(difference.high, '+')}"
    return one.name, number(one.before), number(one.after), number(difference.value, "+"), interval, one.change


def _share(value: float, sign: str = "") -> str:
    return f"{100 * value:{sign}.1f} %"


def _plain(value: float, sign: str = "") -> str:
    return f"{value:{sign}.3f}" if abs(value) < 10 else f"{value:{sign},.1f}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (", ".join(names[:SHOWN]) or "none") + more
