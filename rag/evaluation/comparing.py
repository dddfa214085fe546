"""Two reports → what got better, what got worse, and what can't be told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import mean
from typing import TypeAlias

from rag.batch import differences
from rag.errors import InputError
from rag.evaluation.report import Numbers, QuestionNumbers
from rag.evaluation.results import Score
from rag.evaluation.scoring import COSTS, MEASURES, RESAMPLES, STATISTICS, percentile_name, percentile_of
from rag.metrics import Interval, paired_difference, paired_statistic_difference


class Change(StrEnum):
    """What the interval of a difference says."""

    BETTER = "better"
    WORSE = "worse"
    UNCLEAR = "can't tell"
    """The interval holds 0."""
    SAME = "the same"
    """No question has another value."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One score of two runs, over the questions that have it in both."""

    name: str
    before: float
    after: float
    difference: Interval
    """Of after - before, from resampling questions, each with both of its values."""
    count: int
    change: Change
    is_share: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comes of changing something."""

    before: Numbers
    after: Numbers
    settings: str
    """What differs in the conditions, in words; empty where nothing does."""
    differences: tuple[Difference, ...]
    gained: tuple[str, ...]
    """Ids of questions that were wrong and are right."""
    lost: tuple[str, ...]
    """Ids of questions that were right and are wrong."""
    questions: int
    """In both."""

    def worse(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of the scores that got significantly worse. Raises InputError for a name that neither report has."""
        known = {found.name: found for found in self.differences}
        for name in names:
            if name not in known:
                raise InputError(f"Both reports have no score {name!r}. They have: {', '.join(known)}.")
        return tuple(name for name in names if known[name].change is Change.WORSE)


def compare(before: Numbers, after: Numbers) -> Comparison:
    """Pair the questions of two reports by their ids, and each score by its name.

    Raises InputError where they have no question in common.
    """
    old, new = ({question.id: question for question in report.questions} for report in (before, after))
    common = [name for name in new if name in old]
    if not common:
        raise InputError(
            f"The reports of {before.name} and {after.name} have no question in common. Compare two of the same set."
        )
    pairs = [(old[name], new[name]) for name in common]
    return Comparison(
        before=before,
        after=after,
        settings="" if before.conditions == after.conditions else differences(before.conditions, after.conditions),
        differences=tuple(_differences(pairs, {score.name: score for score in (*before.scores, *after.scores)})),
        gained=tuple(one.id for one, other in pairs if one.right is False and other.right is True),
        lost=tuple(one.id for one, other in pairs if one.right is True and other.right is False),
        questions=len(common),
    )


Pairs: TypeAlias = Sequence[tuple[QuestionNumbers, QuestionNumbers]]


def _differences(pairs: Pairs, known: Mapping[str, Score]) -> Iterator[Difference]:
    for name in MEASURES:
        if having := _having(pairs, name):
            before, after = ([of.measures[name] for of in run] for run in zip(*having, strict=True))
            found = paired_difference(before, after)
            yield _changed(known[name], mean(before), mean(after), found, len(having))
    statistics = {name: (statistic, pairs) for name, (statistic, _) in STATISTICS.items()}
    for measure in COSTS:
        for percent in (50, 95):
            statistics[percentile_name(measure, percent)] = percentile_of(measure, percent), _having(pairs, measure)
    for name, (statistic, having) in statistics.items():
        if name not in known or not having:
            continue
        before_rows, after_rows = zip(*having, strict=True)
        try:
            found = paired_statistic_difference(statistic, before_rows, after_rows, resamples=RESAMPLES)
            yield _changed(known[name], statistic(before_rows), statistic(after_rows), found, len(having))
        except ValueError:  # the questions in common are too few or too much alike
            continue


def _having(pairs: Pairs, measure: str) -> Pairs:
    return [pair for pair in pairs if all(measure in question.measures for question in pair)]


def _changed(score: Score, before: float, after: float, found: Interval, count: int) -> Difference:
    if found.low == found.high == 0:
        change = Change.SAME
    elif found.low <= 0 <= found.high:
        change = Change.UNCLEAR
    else:
        change = Change.BETTER if (found.low > 0) is score.higher_is_better else Change.WORSE
    return Difference(score.name, before, after, found, count, change, score.is_share)
