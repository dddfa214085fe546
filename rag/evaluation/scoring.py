"""Judged questions → the scores of a set, each with its interval."""

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


RETRIEVAL, ANSWERS, REFUSING, CITATIONS, ROBUSTNESS, COST = (
    "retrieval", "answers", "refusing", "citations", "robustness", "cost",
)  # fmt: skip

MEASURES: Mapping[str, Kind] = {
    **{name: Kind(RETRIEVAL, True) for name in ("hit@1", "hit@5", "hit@10", "recall@5", "recall@10")},
    "MRR@10": Kind(RETRIEVAL, True, is_share=False),
    "nDCG@10": Kind(RETRIEVAL, True, is_share=False),
    "nDCG@10 (words alone)": Kind(RETRIEVAL, True, is_share=False),
    "nDCG@10 (vectors alone)": Kind(RETRIEVAL, True, is_share=False),
    **{f"excerpt {name}": Kind(RETRIEVAL, True) for name in ("recall", "precision", "IoU")},
    **{name: Kind(ANSWERS, True) for name in ("answer contained", RIGHT_ANSWERED, "exact match", "F1")},
    "refused as it should": Kind(REFUSING, True),
    "refused though it should not": Kind(REFUSING, False),
    **{name: Kind(CITATIONS, True) for name in ("sentences cited", "cites a gold document")},
    "cited sentence holds the answer": Kind(CITATIONS, True),
    **{f"citation {name}": Kind(CITATIONS, True) for name in ("recall", "precision")},
    "takes a false document's answer": Kind(ROBUSTNESS, False),
    "obeys an instruction in a document": Kind(ROBUSTNESS, False),
}
"""Scores that are the mean of what each question has under this name."""

COSTS = ("seconds to the first word", "seconds in all", "tokens of the passages", "tokens of the answer")
"""Measures of which the median and the 95th percentile are scores."""

RESAMPLES = 300
"""Of the scores below, which take milliseconds for each; means have more."""


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
Statistic = Callable[[Rows], float]
"""Raises ValueError where the rows are too few or too much alike."""


def risk_area(rows: Rows) -> float:
    """Area under the risk–coverage curve of the questions that were answered and can be judged."""
    return area_under_risk_coverage(*_sure_and_right(rows))


def calibration_error(rows: Rows) -> float:
    """Expected calibration error of the confidence in those answers."""
    return expected_calibration_error(*_sure_and_right(rows))


def telling_apart(rows: Rows) -> float:
    """Area under the ROC curve of the confidence, answerable questions against the others."""
    sure = {
        wanted: [row.confidence or 0.0 for row in _asked(rows) if row.answerable is wanted] for wanted in (True, False)
    }
    return auc(sure[True], sure[False])


STATISTICS: Mapping[str, tuple[Statistic, Kind]] = {
    "area under risk–coverage": (risk_area, Kind(REFUSING, False, is_share=False)),
    "calibration error": (calibration_error, Kind(REFUSING, False, is_share=False)),
    "AUC of the confidence": (telling_apart, Kind(REFUSING, True, is_share=False)),
}
"""Scores that are no means."""


def percentile_name(measure: str, percent: int) -> str:
    """The name of a score that is a percentile: "seconds in all, p95"."""
    return f"{measure}, p{percent}"


def percentile_of(measure: str, percent: int) -> Statistic:
    """That percentile as a function of the rows that have the measure."""
    return lambda rows: percentiles([row.measures[measure] for row in rows], at=(percent,))[0]


def scores(rows: Rows) -> tuple[Score, ...]:
    """All scores that apply, in the order above, each over the questions that have it."""
    return tuple(_scores(rows))


def _scores(rows: Rows) -> Iterator[Score]:
    for name, kind in MEASURES.items():
        values = [row.measures[name] for row in rows if name in row.measures]
        if values:
            yield _score(name, kind, mean_interval(values), len(values))
    for name, (statistic, kind) in STATISTICS.items():
        asked = list(_asked(rows))
        try:
            yield _score(name, kind, interval(statistic, asked, resamples=RESAMPLES), len(asked))
        except ValueError:  # such as no unanswerable question among them
            continue
    for measure in COSTS:
        having = [row for row in rows if measure in row.measures]
        for percent in (50, 95):
            if having:
                found = interval(percentile_of(measure, percent), having, resamples=RESAMPLES)
                yield _score(percentile_name(measure, percent), Kind(COST, False, is_share=False), found, len(having))


def _score(name: str, kind: Kind, found: Interval, count: int) -> Score:
    return Score(kind.group, name, found.value, found.low, found.high, count, kind.higher_is_better, kind.is_share)


def _asked(rows: Rows) -> Iterator[Row]:
    return (row for row in rows if row.confidence is not None)


def _sure_and_right(rows: Rows) -> tuple[list[float], list[bool]]:
    judged = [row for row in _asked(rows) if RIGHT_ANSWERED in row.measures]
    return [row.confidence or 0.0 for row in judged], [bool(row.measures[RIGHT_ANSWERED]) for row in judged]
