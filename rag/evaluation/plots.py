"""Plots of an evaluation, drawn by matplotlib as SVG that goes straight into a page.

The page's style sheet gives the colours (`--ink-soft`, `--line`, `--line-strong`, `--accent` and `--trouble`), so that
one drawing does for light and dark; no attribute needs a `style` that a Content-Security-Policy would have to allow.
"""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree  # nosec B405

import numpy as np

from rag.evaluation.results import Evaluation, Judged, Score
from rag.metrics import percentiles, reliability, risk_coverage
from rag.types import Answer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colours that stand for others until the drawing is done.
_INK, _GRID, _AXIS, _ACCENT, _TROUBLE = "#000001", "#000002", "#000003", "#000004", "#000005"
_IN_PAGE = {
    _INK: "var(--ink-soft)",
    _GRID: "var(--line)",
    _AXIS: "var(--line-strong)",
    _ACCENT: "var(--accent)",
    _TROUBLE: "var(--trouble)",
}

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.color": _INK,
    "text.parse_math": False,
    "font.size": 10,
    "axes.labelsize": 10,
    "axes.labelcolor": _INK,
    "axes.labelpad": 6,
    "axes.edgecolor": _AXIS,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "xtick.color": _AXIS,
    "ytick.color": _AXIS,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.major.pad": 5,
    "ytick.major.pad": 5,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "figure.constrained_layout.use": True,
}

_SIZE = (4.6, 3.1)
_SHARES = [0, 0.25, 0.5, 0.75, 1]
_PER_CENT = ["0 %", "25 %", "50 %", "75 %", "100 %"]
_DASHED: dict[str, Any] = {"linewidth": 1.2, "linestyle": (0, (4, 3))}


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing and what it says."""

    title: str
    svg: str
    """Markup that holds nothing foreign, without links to anything outside; empty where there is nothing to draw."""
    summary: str
    """What is to be seen, in words and numbers; where nothing was drawn, why."""


def plots(evaluation: Evaluation) -> tuple[Plot, ...]:
    """Every plot, in the order in which to show them."""
    return (
        risk_coverage_plot(evaluation.questions),
        reliability_plot(evaluation.questions),
        hits_plot(evaluation.scores),
        latency_plot(evaluation.questions),
    )


def coverage_and_risk(questions: Sequence[Judged]) -> list[tuple[float, float]]:
    """`risk_coverage` of the judged answers, with the coverage as a share of all judged questions.

    Questions that were refused or failed are never covered, so the curve ends at the coverage there was.
    """
    confidence, right = _judged_answers(questions)
    if not confidence:
        return []
    answered = len(confidence) / sum(question.right is not None for question in questions)
    curve = risk_coverage(confidence, right)
    return [(coverage * answered, risk) for coverage, risk in zip(curve.coverage, curve.risk, strict=True)]


def risk_coverage_plot(questions: Sequence[Judged]) -> Plot:
    """How many answers would be wrong if fewer questions were answered."""
    title = "Risk and coverage"
    points = coverage_and_risk(questions)
    if not points:
        return Plot(title, "", "Not drawn: no answer was judged right or wrong.")

    def draw(axes: "Axes") -> None:
        coverage, risk = zip(*points, strict=True)
        axes.plot(coverage, risk, color=_ACCENT)
        axes.plot(coverage[-1], risk[-1], "o", color=_ACCENT, clip_on=False)
        axes.set_xlim(0, 1.03)
        axes.set_ylim(0, min(1.06, 1.2 * max(0.1, *risk)))
        axes.set_xticks(_SHARES, _PER_CENT)
        axes.yaxis.set_major_formatter(lambda share, _: _per_cent(share))

    coverage, risk = points[-1]
    half, less = next(point for point in points if point[0] >= coverage / 2)
    return Plot(
        title,
        _drawn(title, "Share of questions answered", "Share of answers that is wrong", draw),
        f"{_per_cent(coverage)} of the questions were answered, and {_per_cent(risk)} of these answers are wrong. "
        f"Of the most confident ones, for {_per_cent(half)} of the questions, {_per_cent(less)} are.",
    )


def reliability_plot(questions: Sequence[Judged]) -> Plot:
    """Whether answers given with a higher confidence are right more often."""
    title = "Confidence and correctness"
    confidence, right = _judged_answers(questions)
    if not confidence:
        return Plot(title, "", "Not drawn: no answer was judged right or wrong.")

    bins = reliability(confidence, right)
    fullest = max(bins, key=lambda found: found.count)

    def draw(axes: "Axes") -> None:
        confidences, shares = [found.confidence for found in bins], [found.right for found in bins]
        areas = [20 + 120 * found.count / fullest.count for found in bins]
        axes.plot([0, 1], [0, 1], color=_AXIS, **_DASHED)
        axes.plot(confidences, shares, color=_ACCENT)
        axes.scatter(confidences, shares, areas, color=_ACCENT, zorder=3, clip_on=False)
        axes.set_xlim(0, 1.05)
        axes.set_ylim(0, 1.08)
        axes.set_xticks(_SHARES)
        axes.set_yticks(_SHARES, _PER_CENT)

    return Plot(
        title,
        _drawn(title, "Confidence", "Share of answers that is right", draw),
        f"Confidence above {fullest.low:g} and up to {fullest.high:g} is the most frequent, with {fullest.count:,} of "
        f"{len(right):,} answers: {_per_cent(fullest.right)} of them are right. "
        "A larger dot stands for more answers; on the dashed line the share would equal the confidence.",
    )


def hits_plot(scores: Sequence[Score]) -> Plot:
    """How often the first k passages hold what is needed, from the scores called hit@1, hit@5 and so on."""
    title = "Hits among the first k"
    named = ((re.fullmatch(r"hit@(\d{1,4})", score.name), score) for score in scores)
    hits = sorted((int(name[1]), score) for name, score in named if name and np.isfinite(score.value))
    if not hits:
        return Plot(title, "", "Not drawn: there is no score of hits.")

    def draw(axes: "Axes") -> None:
        at = range(len(hits))
        intervals = [(max(0.0, score.value - score.low), max(0.0, score.high - score.value)) for _, score in hits]
        axes.errorbar(
            at,
            [score.value for _, score in hits],
            yerr=np.nan_to_num(np.transpose(intervals)),
            color=_ACCENT,
            marker="o",
            elinewidth=1.2,
            capsize=3,
        )
        axes.set_xlim(-0.4, len(hits) - 0.6)
        axes.set_ylim(0, 1.06)
        axes.set_xticks(at, [str(k) for k, _ in hits])
        axes.set_yticks(_SHARES, _PER_CENT)

    told = ", ".join(f"{_per_cent(score.value)} for k = {k}" for k, score in hits)
    return Plot(
        title,
        _drawn(title, "Passages looked at (k)", "Share of questions with a hit", draw),
        f"Questions with a hit: {told}. The bars are 95 % intervals.",
    )


def latency_plot(questions: Sequence[Judged]) -> Plot:
    """How many questions were through after how many seconds."""
    title = "Time to an answer"
    totals = (question.outcome.timings.total for question in questions if isinstance(question.outcome, Answer))
    seconds = sorted(value for value in totals if value > 0 and np.isfinite(value))
    if not seconds:
        return Plot(title, "", "Not drawn: no answer was timed.")

    p50, p95 = percentiles(seconds)
    right = seconds[-1] * 1.05

    def draw(axes: "Axes") -> None:
        done = np.arange(1, len(seconds) + 1) / len(seconds)
        axes.plot([0, *seconds, right], [0, *done, 1], color=_ACCENT, drawstyle="steps-post")
        for name, value, share, height in (("p50", p50, 0.5, 0.05), ("p95", p95, 0.95, 0.18)):
            axes.plot([value, value], [0, share], color=_TROUBLE, **_DASHED)
            towards, aside = ("right", -5) if value > 0.7 * right else ("left", 5)
            axes.annotate(
                f"{name} {_seconds(value)}",
                (value, height),
                (aside, 0),
                textcoords="offset points",
                horizontalalignment=towards,
            )
        axes.set_xlim(0, right)
        axes.set_ylim(0, 1.06)
        axes.set_yticks(_SHARES, _PER_CENT)

    return Plot(
        title,
        _drawn(title, "Seconds to the end of the answer", "Share of questions", draw),
        f"Of {len(seconds):,} answers and refusals half took {_seconds(p50)} or less (p50) and "
        f"95 % {_seconds(p95)} or less (p95); the slowest took {_seconds(seconds[-1])}.",
    )


def _judged_answers(questions: Sequence[Judged]) -> tuple[list[float], list[bool]]:
    """Of everything that was answered and could be judged: the confidence, and whether it is right."""
    found = [
        (question.outcome.confidence, question.right)
        for question in questions
        if isinstance(question.outcome, Answer)
        and not question.outcome.abstained
        and question.right is not None
        and 0 <= question.outcome.confidence <= 1
    ]
    return [confidence for confidence, _ in found], [right for _, right in found]


def _per_cent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _seconds(value: float) -> str:
    return f"{value:,.0f} s" if value >= 100 else f"{value:.3g} s"


def _drawn(title: str, x: str, y: str, draw: Callable[["Axes"], None]) -> str:
    """SVG for the inside of an HTML page; equal figures give equal text."""
    import matplotlib
    from matplotlib.figure import Figure

    drawn = io.StringIO()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE | {"svg.hashsalt": title})  # it keeps the ids of different plots apart
        figure = Figure(figsize=_SIZE)
        axes = figure.subplots()
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        draw(axes)
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    root = _slim(ElementTree.fromstring(drawn.getvalue()))  # noqa: S314 - matplotlib wrote it just now  # nosec B314
    root.attrib |= {"class": "plot", "role": "img", "aria-label": title}
    written = ElementTree.tostring(root, encoding="unicode")
    for stand_in, colour in _IN_PAGE.items():
        written = written.replace(stand_in, colour)
    return written


def _slim(root: ElementTree.Element) -> ElementTree.Element:
    """matplotlib's SVG without metadata and name spaces; styles become attributes, and the page's font is used."""
    for parent in list(root.iter()):
        for child in list(parent):
            if re.search(r"\}(metadata|style)$", child.tag):
                parent.remove(child)
    used = set(re.findall(r"#(\w+)", " ".join(value for part in root.iter() for value in part.attrib.values())))
    for part in root.iter():
        part.tag = part.tag.rpartition("}")[2]
        styles = dict(re.findall(r"([\w-]+):\s*([^;]+)", part.attrib.pop("style", "")))
        styles.pop("font-family", None)
        named = {name.rpartition("}")[2]: re.sub(r"\s+", " ", value) for name, value in part.attrib.items()}
        part.attrib = {name: value for name, value in (named | styles).items() if name != "id" or value in used}
        part.text, part.tail = (part.text or "").strip(), ""
    root.attrib = {"viewBox": root.attrib["viewBox"]}
    return root
