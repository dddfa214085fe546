"""An evaluation to look at (one HTML page) and to paste (Markdown).

Text from questions, documents and models is hostile: in the page, every value that isn't markup made by
`rag.rendering` goes through its `escape`, and a Content-Security-Policy forbids all styles and scripts but the page's
own two.
"""

import base64
import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from rag.evaluation.plots import plots
from rag.evaluation.results import Evaluation, Judged, Score, Stage
from rag.rendering import Html, answer_citations, answer_html, error_card, escape, passages_html
from rag.rendering.records import markdown_words, single_line
from rag.types import Answer, Conditions, Failure

CLEAREST = 10
"""How many cases of a stage the page lists."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A question as the page lists it."""

    number: int
    """Counts from 1 in the order of the evaluation; the entry has the id "exchange-" with this number."""
    judged: Judged
    kinds: tuple[str, ...]
    """Keys of the filter that let it through."""

    @property
    def label(self) -> str:
        """What became of it, in a word or two."""
        if self.judged.stage:
            return str(self.judged.stage)
        if self.judged.right is not None:
            word = "right" if self.judged.right else "wrong"
            return f"{word}: refused" if self.abstained else word
        if self.judged.outcome is None:
            return "not asked"
        return "refused" if self.abstained else "not judged"

    @property
    def tone(self) -> str:
        """Of the label: "bad", "good" or "neutral"."""
        return {"wrong": "bad", "right": "good"}.get(self.kinds[0], "neutral")

    @property
    def abstained(self) -> bool:
        return isinstance(self.judged.outcome, Answer) and self.judged.outcome.abstained

    @property
    def confidence(self) -> float | None:
        return self.judged.outcome.confidence if isinstance(self.judged.outcome, Answer) else None

    @property
    def said(self) -> str:
        """What came of the question, without markup."""
        match self.judged.outcome:
            case Answer(abstained=True):
                return "Refused."
            case Answer(text=text) | Failure(text):
                return text
        return ""

    @property
    def outcome(self) -> Markup:
        """The answer with its passages, or the error."""
        scope = str(self.number)
        match self.judged.outcome:
            case Answer() as answer:
                title = "Closest passages" if answer.abstained else "Sources"
                cards = passages_html(answer.passages, scope, title, answer_citations(answer))
                return _markup(answer_html(answer, scope), cards if answer.passages else Html(""))
            case Failure(message):
                return _markup(error_card(message))
        return Markup("")

    @property
    def measures(self) -> list[tuple[str, str]]:
        """The confidence, then each measure, as (name, number)."""
        known = {} if self.confidence is None else {"confidence": self.confidence}
        return [(name, _number(value)) for name, value in (known | dict(self.judged.measures)).items()]


@dataclass(frozen=True, slots=True)
class Bar:
    """A score as a drawing 100 wide."""

    low: float
    high: float
    value: float


def report_html(evaluation: Evaluation) -> str:
    """The whole evaluation as one page that fetches nothing; without scripts it lacks only the filter of questions."""
    entries = [Entry(at, judged, _kinds(judged)) for at, judged in enumerate(evaluation.questions, start=1)]
    style, script = _asset("report.css"), _asset("report.js")
    return (
        _environment()
        .from_string(_asset("report.html.j2"))
        .render(
            evaluation=evaluation,
            made=f"{evaluation.made[:16].replace('T', ' ')} UTC",
            groups=_by_group(evaluation.scores),
            conditions=list(_conditions(evaluation.conditions)),
            plots=[replace(plot, svg=Markup(plot.svg)) for plot in plots(evaluation)],  # noqa: S704 - only our own numbers  # nosec B704
            blamed=[(stage, _of_stage(entries, stage)) for stage in Stage],
            wrong=sum("wrong" in entry.kinds for entry in entries),
            choices=_choices(entries),
            entries=entries,
            clearest=clearest,
            limit=CLEAREST,
            value_in_words=value_in_words,
            interval_in_words=interval_in_words,
            bar=bar,
            share=_share,
            number=_number,
            style=Markup(style),  # noqa: S704 - our own file  # nosec B704
            script=Markup(script),  # noqa: S704 - our own file  # nosec B704
            policy=(
                f"default-src 'none'; style-src '{_source(style)}'; script-src '{_source(script)}'; img-src data:; "
                "base-uri 'none'; form-action 'none'"
            ),
        )
    )


def report_markdown(evaluation: Evaluation) -> str:
    """Heading, command, a table of the scores and a line about what went wrong, for a file of results."""
    lines = [
        f"## {markdown_words(evaluation.name)}, {evaluation.mode}",
        "",
        f"{len(evaluation.questions):,} questions, {markdown_words(evaluation.made)}:",
        "",
        f"    {single_line(evaluation.command)}",
        "",
        "| | score | value | 95 % interval | questions | better |",
        "|---|---|---|---|---|---|",
    ]
    for score in evaluation.scores:
        name = f"{markdown_words(score.group)} | {markdown_words(score.name)}"
        better = "higher" if score.higher_is_better else "lower"
        lines.append(f"| {name} | {value_in_words(score)} | {interval_in_words(score)} | {score.count:,} | {better} |")
    return "\n".join([*lines, "", _blame_in_words(evaluation.questions), ""])


def value_in_words(score: Score) -> str:
    """Shares in per cent with one decimal, other numbers to three digits; a dash where there is no number.

    >>> value_in_words(replace(score, value=0.8642, is_share=True))
    '86.4 %'
    """
    return _share(score.value) if score.is_share else _number(score.value)


def interval_in_words(score: Score) -> str:
    """`value_in_words` of both ends: "80.1 to 91.0 %"; a dash where one of them is no number."""
    if not (math.isfinite(score.low) and math.isfinite(score.high)):
        return "–"
    if score.is_share:
        return f"{100 * score.low:.1f} to {_share(score.high)}"
    return f"{_number(score.low)} to {_number(score.high)}"


def bar(score: Score) -> Bar | None:
    """Where value and interval lie from 0 to 100: from 0 to 1 for a share, else from 0 to the upper end.

    A number below 0 moves the beginning there. None where something isn't a number.
    """
    ends = (score.low, score.high, score.value)
    if not all(map(math.isfinite, ends)):
        return None
    first = min(0.0, *ends)
    last = max(1.0 if score.is_share else 0.0, *ends)
    low, high, value = (round(100 * (end - first) / (last - first or 1), 1) for end in ends)
    return Bar(low, high, value)


def clearest(entries: Sequence[Entry]) -> list[Entry]:
    """The cases that were surest of what was wrong, `CLEAREST` at most.

    An answer is as sure as its confidence, a refusal as 1 minus its confidence, and anything else not at all. Those
    equally sure stay in their order.
    """
    return sorted(entries, key=_sureness, reverse=True)[:CLEAREST]


def _sureness(entry: Entry) -> float:
    if entry.confidence is None or not math.isfinite(entry.confidence):
        return 0.0
    return 1 - entry.confidence if entry.abstained else entry.confidence


def _kinds(judged: Judged) -> tuple[str, ...]:
    right = "unjudged" if judged.right is None else "right" if judged.right else "wrong"
    refused = isinstance(judged.outcome, Answer) and judged.outcome.abstained
    return (
        "wrong" if judged.stage else right,
        *(["refused"] if refused else []),
        *([judged.stage.name.lower()] if judged.stage else []),
    )


def _choices(entries: Sequence[Entry]) -> list[tuple[str, str, int]]:
    """(key, label, count) of what the filter of questions offers."""
    counts = Counter(kind for entry in entries for kind in entry.kinds)
    general = {"right": "Right", "wrong": "Wrong", "refused": "Refused", "unjudged": "Not judged"}
    labels = general | {stage.name.lower(): stage.capitalize() for stage in Stage}
    return [(key, label, counts[key]) for key, label in labels.items() if counts[key]]


def _of_stage(entries: Sequence[Entry], stage: Stage) -> list[Entry]:
    return [entry for entry in entries if entry.judged.stage is stage]


def _by_group(scores: Sequence[Score]) -> dict[str, list[Score]]:
    groups: dict[str, list[Score]] = {}
    for score in scores:
        groups.setdefault(score.group, []).append(score)
    return groups


def _conditions(conditions: Conditions) -> Iterator[tuple[str, str]]:
    for role, model in (("embedder", conditions.models.embedder), ("reader", conditions.models.reader)):
        revision = conditions.revisions.get(role)
        yield role, f"{model}, revision {revision}" if revision else model
    yield "engine", conditions.models.engine
    yield "library", conditions.library
    yield from ((name, str(value)) for name, value in conditions.settings.items() if name not in ("embedder", "reader"))


def _blame_in_words(questions: Sequence[Judged]) -> str:
    if all(judged.outcome is None for judged in questions):
        return "No reader was asked."
    counts = Counter(judged.stage for judged in questions if judged.stage)
    total = counts.total()
    if not total:
        return "Nothing is known to have gone wrong."
    told = ", ".join(f"{counts[stage]:,} {stage}" for stage in Stage if counts[stage])
    return f"{total:,} of {len(questions):,} ({_share(total / len(questions))}) went wrong: {told}."


def _share(value: float) -> str:
    return f"{100 * value:.1f} %" if math.isfinite(value) else "–"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        autoescape=True, finalize=_harmless, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _harmless(value: object) -> Markup:
    """Markup as it is, anything else as `rag.rendering` escapes it."""
    return value if isinstance(value, Markup) else _markup(escape(str(value)))


def _markup(*parts: Html) -> Markup:
    return Markup("".join(parts))  # noqa: S704 - Html is escaped already  # nosec B704


def _source(text: str) -> str:
    """How a Content-Security-Policy names the one inline text it allows."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
