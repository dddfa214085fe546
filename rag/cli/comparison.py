"""What `rag compare` prints."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rag.rendering.records import markdown_words

if TYPE_CHECKING:
    from rag.evaluation import Comparison, Difference
    from rag.evaluation.numbers import Numbers

SHOWN = 20
"""Ids of questions listed, at most."""

HEADER = ("score", "before", "after", "difference", "95 % interval", "questions", "verdict")
RULE = (":", "-:", "-:", "-:", "-:", "-:", ":")
"""Words begin at the left, numbers end at the right."""


def comparison_lines(found: "Comparison") -> Iterator[str]:
    """Lines of Markdown: what is compared, a table of the scores, and the questions whose answers flipped."""
    names = dict.fromkeys((found.before.name, found.after.name))
    yield f"## {markdown_words(' and '.join(names))}: {found.questions:,} questions in both"
    yield ""
    yield f"- Before: {_run(found.before)}"
    yield f"- After: {_run(found.after)}"
    yield f"- Changed: {markdown_words(found.settings) or 'nothing that is known of'}"
    yield ""
    yield from _table([HEADER, RULE, *map(_row, found.differences)])
    yield ""
    yield "“can't tell”: chance alone may explain the difference, or the questions are too few."
    yield ""
    yield f"- Now right: {_listed(found.gained)}"
    yield f"- Now wrong: {_listed(found.lost)}"


def _run(report: "Numbers") -> str:
    made = f"{report.made[:16].replace('T', ' ')} UTC"
    return f"{markdown_words(report.name)}, {report.mode}, {len(report.questions):,} questions, {markdown_words(made)}"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The second row says how columns are aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        columns = zip(row, rows[1], widths, strict=True)
        fill = "-" if row is rows[1] else " "
        cells = [cell.rjust(width, fill) if rule == "-:" else cell.ljust(width, fill) for cell, rule, width in columns]
        yield f"| {' | '.join(cells)} |"


def _row(one: "Difference") -> tuple[str, ...]:
    from rag.evaluation.wording import difference_cells  # late: loading it takes seconds

    name, *numbers, verdict = difference_cells(one)
    return (markdown_words(name), *numbers, f"**{verdict}**" if verdict in ("better", "worse") else verdict)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return (", ".join(map(markdown_words, names[:SHOWN])) or "none") + more
