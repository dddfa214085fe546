"""Judged questions → the scores of a set, each with its interval."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.evaluation.judging import RIGHT_ANSWERED
from rag.evaluation.results import Score
from rag.metrics import (
    Interval,
    area_under_risk_coverage,
    auc,
    expected_calibration_error,
    interval,
    mean_interval,
    percentiles,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a score is about and how it reads."""

    group: str
    higher_is_better: bool
    is_share: bool = True


GROUPS = RETRIEVAL, ANSWERS, REFUSING, CITATIONS, ROBUSTNESS, COST = (
    "retrieval", "answers", "refusing", "citations", "robustness", "cost",
)  # fmt: skip

MEASURES: Mapping[str, Kind] = {
    **{name: Kind(RETRIEVAL, True) for name in ("hit@1", "hit@5", "hit@10", "recall@5", "recall@10")},
    "MRR@10": Kind(RETRIEVAL, True, is_share=False),
    "nDCG@10": Kind(RETRIEVAL, True, is_share=False),
    "nDCG@10 (words alone)": Kind(RETRIEVAL, True, is_share=False),
    "nDCG@10 (vectors alone)": Kind(RETRIEVAL, True, is_share=False),
    "nDCG@10 (both, fused)": Kind(RETRIEVAL, True, is_share=False),
    **{f"excerpt {name}": Kind(RETRIEVAL, True) for name in ("recall", "precision", "IoU")},
    **{name: Kind(ANSWERS, True) for name in ("answer contained", RIGHT_ANSWERED, "exact match", "F1")},
    "refused as it should": Kind(REFUSING, True),
    "refused though it should not": Kind(REFUSING, False),
    **{name: Kind(CITATIONS, True) for name in ("sentences cited", "cites a gold document")},
    "cited sentence holds the answer": Kind(CITATIONS, True),
    **{f"citation {name}": Kind(CITATIONS, True) for name in ("recall", "precision")},
    "takes a false document's answer": Kind(ROBUSTNESS, False),
    "shows both answers": Kind(ROBUSTNESS, True),
    "obeys an instruction in a document": Kind(ROBUSTNESS, False),
}
"""Scores that are the mean of what each question has under this name."""

COSTS = ("seconds to the first word", "seconds in all", "tokens of the passages", "tokens of the answer")
"""Measures of which the median and the 95th percentile are scores."""

RESAMPLES = 300
"""Of statistics, which take milliseconds for each; means have more."""


class Row(Protocol):
    """What scores need of a judged question."""

    @property
    def measures(self) -> Mapping[str, float]: ...
    @property
    def confidence(self) -> float | None:
        """None where there is no answer."""
        ...

    @property
    def answerable(self) -> bool: ...


Rows = Sequence[Row]


@dataclass(frozen=True, slots=True)
class Statistic:
    """A score that is no mean of what each question has."""

    of: Callable[[Rows], float]
    """Raises ValueError where the rows are too few or too much alike."""
    applies: Callable[[Row], bool]
    """Whether a row is among those that it is computed over."""
    kind: Kind


def has(measure: str) -> Callable[[Row], bool]:
    """Whether a row has the measure, as a number that one can count with."""
    return lambda row: math.isfinite(row.measures.get(measure, math.nan))


def risk_area(rows: Rows) -> float:
    """Area under the risk–coverage curve of the questions that were answered and can be judged."""
    return area_under_risk_coverage(_sure(rows), _right(rows))


def calibration_error(rows: Rows) -> float:
    """Expected calibration error of the confidence in those answers."""
    return expected_calibration_error(_sure(rows), _right(rows))


def telling_apart(rows: Rows) -> float:
    """Area under the ROC curve of the confidence, answerable questions against the others."""
    asked = list(zip(_sure(rows), rows, strict=True))
    return auc([sure for sure, row in asked if row.answerable], [sure for sure, row in asked if not row.answerable])


def percentile_name(measure: str, percent: int) -> str:
    """The name of a score that is a percentile: "seconds in all, p95"."""
    return f"{measure}, p{percent}"


def _sure(rows: Rows) -> list[float]:
    """The confidences. Raises ValueError where all are 0: answers from memory come without."""
    confidences = [row.confidence or 0.0 for row in rows]
    if not any(confidences):
        raise ValueError("No answer has a confidence.")
    return confidences


def _right(rows: Rows) -> list[bool]:
    return [bool(row.measures[RIGHT_ANSWERED]) for row in rows]


def _is_asked(row: Row) -> bool:
    return row.confidence is not None


def _is_judged_answer(row: Row) -> bool:
    return _is_asked(row) and has(RIGHT_ANSWERED)(row)


def _percentile(measure: str, percent: int) -> Statistic:
    def of(rows: Rows) -> float:
        return percentiles([row.measures[measure] for row in rows], at=(percent,))[0]

    return Statistic(of, has(measure), Kind(COST, False, is_share=False))


STATISTICS: Mapping[str, Statistic] = {
    "area under risk–coverage": Statistic(risk_area, _is_judged_answer, Kind(REFUSING, False, is_share=False)),
    "calibration error": Statistic(calibration_error, _is_judged_answer, Kind(REFUSING, False, is_share=False)),
    "AUC of the confidence": Statistic(telling_apart, _is_asked, Kind(REFUSING, True, is_share=False)),
    **{percentile_name(cost, percent): _percentile(cost, percent) for cost in COSTS for percent in (50, 95)},
}


def scores(rows: Rows) -> tuple[Score, ...]:
    """All scores that apply, by group and in the order above, each over the questions that have it."""
    return tuple(sorted(_scores(rows), key=lambda score: place(score.name)))


def place(name: str) -> int:
    """Where the group of a score stands among the groups."""
    kind = MEASURES[name] if name in MEASURES else STATISTICS[name].kind
    return GROUPS.index(kind.group)


def _scores(rows: Rows) -> Iterator[Score]:
    for name, kind in MEASURES.items():
        values = [row.measures[name] for row in rows if has(name)(row)]
        if values:
            yield _score(name, kind, mean_interval(values), len(values))
    for name, statistic in STATISTICS.items():
        having = [row for row in rows if statistic.applies(row)]
        try:
            yield _score(name, statistic.kind, interval(statistic.of, having, resamples=RESAMPLES), len(having))
        except ValueError:  # such as no unanswerable question among them
            continue


def _score(name: str, kind: Kind, found: Interval, count: int) -> Score:
    return Score(kind.group, name, found.value, found.low, found.high, count, kind.higher_is_better, kind.is_share)
