"""Two reports with numbers made up by hand, and what is said of the difference."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from rag.errors import InputError
from rag.evaluation.comparing import FEWEST, Change, Comparison, compare
from rag.evaluation.numbers import Numbers, QuestionNumbers
from rag.evaluation.results import Mode
from rag.metrics import Interval
from rag.types import Conditions, Models

CONDITIONS = Conditions({"passages": 4}, Models("words", "script", "scripted"), {"embedder": "1"}, "4f2a")
RIGHT, WRONGLY, SECONDS = "right when it answers", "refused though it should not", "seconds in all, p50"
AREA, APART = "area under risk–coverage", "AUC of the confidence"


def question(
    name: str,
    measures: Mapping[str, float] | None = None,
    right: bool | None = None,
    confidence: float | None = None,
    answerable: bool = True,
) -> QuestionNumbers:
    return QuestionNumbers(name, 1, right, None, measures or {}, answerable, confidence, False)


def report(questions: Sequence[QuestionNumbers], conditions: Conditions = CONDITIONS, name: str = "seeds") -> Numbers:
    return Numbers(name, Mode.NORMAL, "2025-01-02T03:04:05+00:00", "rag eval", conditions, (), tuple(questions))


def having(measure: str, values: Sequence[float]) -> Numbers:
    return report([question(f"q{at}", {measure: value}) for at, value in enumerate(values)])


def changed(found: Comparison) -> dict[str, Change]:
    return {one.name: one.change for one in found.differences}


@pytest.mark.parametrize(
    ("measure", "before", "after", "change"),
    [
        ("F1", [0.0] * 10, [1.0] * 10, Change.BETTER),
        ("F1", [0.0] * 10 + [1.0] * 10, [1.0] * 20, Change.BETTER),
        ("F1", [1.0] * 20, [0.0] * 10 + [1.0] * 10, Change.WORSE),
        ("F1", [0.0, 1.0] * 10, [1.0, 0.0] * 10, Change.UNCLEAR),
        ("F1", [0.0] + [1.0] * 19, [1.0] * 20, Change.UNCLEAR),
        ("F1", [0.0, 1.0, 0.5], [0.0, 1.0, 0.5], Change.SAME),
        (WRONGLY, [0.0] * 10, [1.0] * 10, Change.WORSE),
        (WRONGLY, [1.0] * 10, [0.0] * 10, Change.BETTER),
        ("takes a false document's answer", [1.0] * 10, [0.0] * 10, Change.BETTER),
    ],
)
def test_a_difference_counts_where_its_interval_leaves_out_0(
    measure: str, before: list[float], after: list[float], change: Change
) -> None:
    assert changed(compare(having(measure, before), having(measure, after))) == {measure: change}


def test_a_difference_is_after_less_before_over_the_questions_in_both() -> None:
    before = report([question("a", {"F1": 0.2}), question("b", {"F1": 0.4}), question("c", {"F1": 1.0})])
    after = report([question("d", {"F1": 0.0}), question("b", {"F1": 0.9}), question("a", {"F1": 0.7})])
    found = compare(before, after)
    (one,) = found.differences
    assert (one.name, one.count, one.is_share, found.questions) == ("F1", 2, True, 2)
    assert (one.before, one.after) == pytest.approx((0.3, 0.8))
    assert (one.difference.value, one.difference.low, one.difference.high) == pytest.approx((0.5, 0.5, 0.5))
    assert (found.before, found.after) == (before, after)


def test_questions_are_paired_so_that_a_small_change_of_each_shows() -> None:
    before = [place / 20 for place in range(20)]
    (one,) = compare(having("F1", before), having("F1", [value + 0.01 for value in before])).differences
    assert one.change is Change.BETTER
    assert one.difference.low == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("count", "change"), [(1, Change.UNCLEAR), (FEWEST - 1, Change.UNCLEAR), (FEWEST, Change.WORSE)]
)
def test_a_handful_of_questions_can_not_tell(count: int, change: Change) -> None:
    found = compare(having("F1", [1.0] * count), having("F1", [0.0] * count))
    assert changed(found) == {"F1": change}
    assert found.differences[0].difference == Interval(-1.0, -1.0, -1.0)


def test_a_measure_counts_for_the_questions_that_have_it_in_both() -> None:
    before = report([question("a", {"F1": 1.0}), question("b", {"F1": 0.0, "hit@1": 1.0}), question("c", {"F1": 1.0})])
    after = report([question("a"), question("b", {"F1": 0.5}), question("c", {"F1": float("nan"), "hit@5": 1.0})])
    (one,) = compare(before, after).differences
    assert (one.name, one.count, one.before, one.after) == ("F1", 1, 0.0, 0.5)


def test_a_measure_that_is_no_score_is_passed_over() -> None:
    assert compare(having("mood", [1.0]), having("mood", [0.0])).differences == ()


def test_costs_are_compared_by_median_and_95th_percentile() -> None:
    slow, fast = (having("seconds in all", [factor * place for place in range(1, 22)]) for factor in (2, 1))
    found = compare(slow, fast)
    assert changed(found) == {SECONDS: Change.BETTER, "seconds in all, p95": Change.BETTER}
    median = found.differences[0]
    assert (median.before, median.after, median.difference.value, median.count) == (22, 11, -11, 21)
    assert not median.is_share
    assert changed(compare(fast, slow))[SECONDS] is Change.WORSE


def sure(confidences: Sequence[float], right: Sequence[float | None], answerable: Sequence[bool]) -> Numbers:
    """One answer each; those that are None were refused."""
    rows = zip(confidences, right, answerable, strict=True)
    return report(
        [
            question(f"q{at}", {} if good is None else {RIGHT: good}, confidence=confidence, answerable=can)
            for at, (confidence, good, can) in enumerate(rows)
        ]
    )


def test_statistics_are_compared_over_the_questions_that_count_for_them_in_both() -> None:
    kinds = [True, True, False, False] * 5
    before = sure([0.5] * 20, [1.0, 0.0, None, 0.0] * 5, kinds)
    after = sure([0.9, 0.6, 0.1, 0.2] * 5, [1.0, 0.0, 0.0, None] * 5, kinds)
    found = {one.name: one for one in compare(before, after).differences}
    apart, area = found[APART], found[AREA]
    assert (apart.before, apart.after, apart.change, apart.count) == (0.5, 1.0, Change.BETTER, 20)
    # Answered in both are five right and five wrong ones: half of them wrong before whatever is left out, and after
    # none of the five surest, then 1/6 to 5/10.
    assert (area.before, area.count, area.change) == (0.5, 10, Change.BETTER)
    assert area.after == pytest.approx((1 / 6 + 2 / 7 + 3 / 8 + 4 / 9 + 5 / 10) / 10)


def test_a_statistic_that_one_of_the_reports_can_not_have_is_left_out() -> None:
    asked = sure([0.9, 0.8] * 5, [1.0, 0.0] * 5, [True, False] * 5)
    from_memory = sure([0.0] * 10, [1.0, 0.0] * 5, [True, False] * 5)
    assert {RIGHT, APART, AREA} <= changed(compare(asked, asked)).keys()
    assert changed(compare(asked, from_memory)) == changed(compare(from_memory, asked)) == {RIGHT: Change.SAME}


def test_answers_that_flipped_are_named() -> None:
    flips = {"a": (False, True), "b": (True, False), "c": (True, True), "d": (None, True), "e": (False, None)}
    before = report([question(name, right=was) for name, (was, _) in flips.items()])
    after = report([question(name, right=now) for name, (_, now) in reversed(flips.items())])
    found = compare(before, after)
    assert (found.gained, found.lost, found.questions) == (("a",), ("b",), 5)


def test_what_was_changed_is_told_in_words() -> None:
    other = replace(CONDITIONS, settings={"passages": 6}, library="77aa")
    numbers = report([question("a")])
    assert compare(numbers, replace(numbers, conditions=other)).settings == (
        "passages 4 (now 6), other articles in the library"
    )
    assert compare(numbers, numbers).settings == ""


def test_scores_that_must_not_drop_are_told_where_they_are_worse() -> None:
    before = report([question(f"q{at}", {"F1": 1.0, "hit@1": 0.5, WRONGLY: 0.0}) for at in range(10)])
    after = report([question(f"q{at}", {"F1": 0.0, "hit@1": 1.0, WRONGLY: 1.0}) for at in range(10)])
    found = compare(before, after)
    assert found.worse(["hit@1", WRONGLY, "F1"]) == (WRONGLY, "F1")
    assert found.worse(["hit@1"]) == found.worse([]) == ()
    with pytest.raises(InputError, match=r"no score 'f1' in both reports.*hit@1, F1, refused though"):
        found.worse(["F1", "f1"])


def test_a_score_of_one_report_alone_can_not_be_watched() -> None:
    with pytest.raises(InputError, match="no score 'F1' in both reports"):
        compare(having("F1", [1.0]), having("hit@1", [1.0])).worse(["F1"])


def test_reports_without_a_common_question_are_refused() -> None:
    seeds, island = report([question("a")]), report([question("b")], name="island")
    with pytest.raises(InputError, match="reports of seeds and island have no question in common"):
        compare(seeds, island)
    with pytest.raises(InputError, match="no question in common"):
        compare(report([]), report([]))
