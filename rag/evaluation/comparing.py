"""Two reports → what got better, what got worse, and what can't be told."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import mean
from typing import TypeAlias

from rag.batch import differences
from rag.errors import InputError
from rag.evaluation.numbers import Numbers, QuestionNumbers
from rag.evaluation.scoring import MEASURES, RESAMPLES, STATISTICS, Kind, Row, has, place
from rag.metrics import Interval, paired_difference, paired_statistic_difference

FEWEST = 6
"""Of fewer questions nothing can be told, whatever their interval says: by the sign test, 5 that all change alike do so
by chance in 6 % of cases."""


class Change(StrEnum):
    """What the interval of a difference says."""

    BETTER = "better"
    WORSE = "worse"
    UNCLEAR = "can't tell"
    """The interval holds 0, or there are too few questions."""
    SAME = "the same"
    """The difference is 0 whatever questions are drawn."""


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
        """Those of the scores that got significantly worse. Raises InputError for one that the reports don't share."""
        known = {found.name: found for found in self.differences}
        for name in names:
            if name not in known:
                raise InputError(f"There is no score {name!r} in both reports. Name one of: {', '.join(known)}.")
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
        differences=tuple(sorted(_differences(pairs), key=lambda found: place(found.name))),
        gained=tuple(one.id for one, other in pairs if one.right is False and other.right is True),
        lost=tuple(one.id for one, other in pairs if one.right is True and other.right is False),
        questions=len(common),
    )


Pairs: TypeAlias = Sequence[tuple[QuestionNumbers, QuestionNumbers]]


def _differences(pairs: Pairs) -> Iterator[Difference]:
    for name, kind in MEASURES.items():
        if having := _having(pairs, has(name)):
            before, after = ([of.measures[name] for of in run] for run in zip(*having, strict=True))
            found = paired_difference(before, after)
            yield _changed(name, kind, mean(before), mean(after), found, len(having))
    for name, statistic in STATISTICS.items():
        having = _having(pairs, statistic.applies)
        before_rows, after_rows = [one for one, _ in having], [other for _, other in having]
        try:
            found = paired_statistic_difference(statistic.of, before_rows, after_rows, resamples=RESAMPLES)
            ends = statistic.of(before_rows), statistic.of(after_rows)
        except ValueError:  # the questions in common are too few or too much alike
            continue
        yield _changed(name, statistic.kind, *ends, found, len(having))


def _having(pairs: Pairs, applies: Callable[[Row], bool]) -> Pairs:
    return [pair for pair in pairs if all(applies(question) for question in pair)]


def _changed(name: str, kind: Kind, before: float, after: float, found: Interval, count: int) -> Difference:
    if found.value == found.low == found.high == 0:
        change = Change.SAME
    elif count < FEWEST or found.low <= 0 <= found.high:
        change = Change.UNCLEAR
    else:
        change = Change.BETTER if (found.low > 0) is kind.higher_is_better else Change.WORSE
    return Difference(name, before, after, found, count, change, kind.is_share)
