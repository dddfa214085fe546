"""Values computed by hand, and drawings that a page can hold without a link, a style or a colour of its own."""

import re
from collections.abc import Sequence
from dataclasses import replace
from xml.etree import ElementTree

import matplotlib
import pytest

from rag.evaluation.plots import (
    Plot,
    coverage_and_risk,
    hits_plot,
    latency_plot,
    plots,
    reliability_plot,
    risk_coverage_plot,
)
from rag.evaluation.results import Evaluation, Gold, Judged, Mode, Score
from rag.types import Answer, Conditions, Failure, Models, Question, Reason, Timings

MODELS = Models("words", "script", "scripted")
NAN = float("nan")


def judged(confidence: float, right: bool | None, abstained: bool = False, seconds: float = 1.0) -> Judged:
    reason = Reason.UNLIKELY if abstained else Reason.ANSWERED
    answer = Answer("Why?", "Why?", "", (), (), abstained, reason, confidence, Timings(total=seconds), MODELS)
    gold = Gold((), True, (), {}, (), ())
    return Judged(Question(1, "q1", "Why?", (), {}), gold, answer, right, {}, None)


def failed() -> Judged:
    return replace(judged(0.5, False), outcome=Failure("no reader"))


def score(name: str, value: float, low: float = NAN, high: float = NAN) -> Score:
    return Score("retrieval", name, value, low, high, 10, True, True)


def evaluation(questions: Sequence[Judged] = (), scores: Sequence[Score] = ()) -> Evaluation:
    conditions = Conditions({}, MODELS, {}, "library")
    return Evaluation(
        "set", Mode.NORMAL, "2025-01-02T03:04:05+00:00", "rag", conditions, tuple(scores), tuple(questions)
    )


ALL = evaluation(
    [judged(0.9, True, seconds=2), judged(0.7, False, seconds=3), judged(0.2, True, abstained=True)],
    [score("hit@1", 0.5, 0.25, 0.75), score("hit@5", 1.0, 1.0, 1.0)],
)


def drawn(plot: Plot) -> ElementTree.Element:
    return ElementTree.fromstring(plot.svg)


def words(plot: Plot) -> list[str]:
    return [text.text or "" for text in drawn(plot).iter("text")]


def test_risk_and_coverage_count_refusals_failures_and_ties() -> None:
    questions = [
        judged(0.8, False),
        judged(0.9, True),
        judged(0.8, True),
        judged(0.6, True),
        judged(0.1, True, abstained=True),
        failed(),
        judged(0.95, None),  # can't be told, so it counts nowhere
        judged(NAN, None),
    ]
    coverage, risk = zip(*coverage_and_risk(questions), strict=True)
    assert coverage == pytest.approx((1 / 6, 3 / 6, 4 / 6))
    assert risk == pytest.approx((0, 1 / 3, 1 / 4))


def test_only_answers_count_for_the_confidence() -> None:
    answers = [judged(0.95, False), judged(0.65, True), judged(0.65, True)]
    others = [judged(0.3, True, abstained=True), judged(0.3, None), judged(NAN, True), failed()]
    assert reliability_plot([*others, *answers]) == reliability_plot(answers)
    assert reliability_plot(answers).summary.startswith(
        "Confidence above 0.6 and up to 0.7 is the most frequent, with 2 of 3 answers: 100 % of them are right."
    )


def test_each_plot_says_what_it_shows() -> None:
    risk, confidence, hits, time = plots(ALL)
    assert risk.summary.startswith("66.7 % of the questions were answered, and 50 % of these answers are wrong.")
    assert "for 33.3 % of the questions, 0 % are" in risk.summary
    assert confidence.summary.startswith(
        "Confidence above 0.6 and up to 0.7 is the most frequent, with 1 of 2 answers: 0 % of them are right. "
    )
    assert hits.summary == "Questions with a hit: 50 % for k = 1, 100 % for k = 5. The bars are 95 % intervals."
    assert "(p50)" in time.summary
    assert all(drawn(plot).attrib["aria-label"] == plot.title for plot in (risk, confidence, hits, time))


def test_half_and_most_of_the_times_are_marked() -> None:
    plot = latency_plot([judged(0.9, True, seconds=seconds) for seconds in range(1, 22)])
    assert {"p50 11 s", "p95 20 s"} <= set(words(plot))
    assert plot.summary == (
        "Of 21 answers and refusals half took 11 s or less (p50) and 95 % 20 s or less (p95); the slowest took 21 s."
    )


def test_hits_are_drawn_by_number_and_other_scores_are_not() -> None:
    plot = hits_plot([score("hit@10", 0.9), score("hit@2", 0.5), score("nDCG@3", 0.1), score("hit@4", NAN)])
    ticks = [text for text in words(plot) if text.isdigit()]
    assert ticks == ["2", "10"]


@pytest.mark.parametrize(
    "plot",
    [
        risk_coverage_plot([judged(0.2, True, abstained=True), judged(0.9, None), failed()]),
        reliability_plot([judged(0.2, True, abstained=True), judged(NAN, True)]),
        hits_plot([score("MRR", 0.5)]),
        latency_plot([judged(0.9, True, seconds=0.0), failed()]),
        *plots(evaluation()),
    ],
    ids=lambda plot: plot.title,
)
def test_without_data_there_is_a_sentence_instead(plot: Plot) -> None:
    assert plot.svg == ""
    assert re.fullmatch(r"Not drawn: [^.]+\.", plot.summary)


@pytest.mark.parametrize("plot", [*plots(ALL), risk_coverage_plot([judged(0.5, True)])], ids=lambda plot: plot.title)
def test_a_drawing_stands_for_itself(plot: Plot) -> None:
    ids = [part.attrib["id"] for part in drawn(plot).iter() if "id" in part.attrib]
    for part in drawn(plot).iter():
        assert part.tag not in ("style", "metadata", "script", "image", "a")
        assert "style" not in part.attrib
        for name, value in part.attrib.items():
            links = re.findall(r"url\((.*?)\)", value) + ([value] if name == "href" else [])
            assert [link for link in links if link.removeprefix("#") not in ids] == []
            assert "://" not in value
            assert name not in ("fill", "stroke") or value == "none" or value.startswith("var(--"), (name, value)
    assert "://" not in plot.svg
    assert plot.svg.startswith("<svg ")


def test_equal_values_give_equal_drawings_whatever_the_users_style_is() -> None:
    with matplotlib.rc_context({"font.size": 30, "axes.grid": False, "svg.fonttype": "path"}):
        assert plots(ALL) == plots(replace(ALL, name="other"))
        styled = plots(ALL)
        assert matplotlib.rcParams["font.size"] == 30
    assert styled == plots(ALL)


def test_ids_of_different_drawings_differ() -> None:
    ids = [re.findall(r' id="(\w+)"', plot.svg) for plot in plots(ALL)]
    assert all(ids)
    assert len({name for names in ids for name in names}) == sum(map(len, ids))
