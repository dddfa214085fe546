"""One question at a time: what its outcome measures, and which stage is to blame where it is wrong."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from rag.evaluation.judging import Found, Known, is_right, judge
from rag.evaluation.results import Evidence, Gold, Judged, Stage
from rag.types import (
    Answer,
    Chunk,
    Citation,
    Claim,
    Document,
    Failure,
    Models,
    Passage,
    Question,
    Reason,
    Timings,
    Verdict,
)

FERRY = "The ferry sails daily. Dogs need a lead. Bicycles travel free."
MILL = "The mill opened in 1912. It grinds rye."
LEAD, BICYCLES, RYE = "Dogs need a lead.", "Bicycles travel free.", "It grinds rye."


def passage(name: str = "ferry", text: str = FERRY, start: int = 0, title: str = "") -> Passage:
    """`text` from character `start` of the document with the id "id-<name>", which sets call "<name>.txt"."""
    document = Document(f"id-{name}", title, " " * start + text, f"/a/{name}.txt", None, None, "")
    return Passage(1, Chunk(f"{name}:{start}", document.id, start, start + len(text)), document, text)


GIVEN, OTHER = passage(), passage("mill", MILL)
ASKED = Question(1, "q1", "What do dogs need?", (), {})
GOLD = Gold(("a lead",), True, (Evidence("ferry.txt", LEAD, 23),), {"ferry.txt": 1}, (), ())
UNANSWERABLE = Gold((), False, (), {}, (), ())
WITHOUT_ANSWERS = replace(GOLD, answers=())
FOUND = Found(("id-ferry", "id-mill"), (GIVEN, OTHER))
IDS = {"ferry.txt": frozenset({"id-ferry"}), "mill.txt": frozenset({"id-mill"})}


def known(ids: Mapping[str, frozenset[str]] = IDS, **ranking: Mapping[str, Mapping[str, float]]) -> Known:
    return Known(ids, ranking, lambda text: len(text.split()))


def claim(text: str, *cited: tuple[Passage, str]) -> Claim:
    citations = tuple(
        Citation(read, start := read.chunk.start + read.text.index(sentence), start + len(sentence))
        for read, sentence in cited
    )
    return Claim(text, 0, len(text), citations, Verdict.SUPPORTED, 1.0)


def says(text: str, *claims: Claim, passages: tuple[Passage, ...] = (GIVEN,)) -> Answer:
    timings = Timings(first_token=1.5, total=2.5)
    models = Models("words", "script", "scripted")
    return Answer("?", "?", text, claims, passages, False, Reason.ANSWERED, 0.9, timings, models)


RIGHT = says(LEAD, claim(LEAD, (GIVEN, LEAD)))
WRONG = says("They need a muzzle.", claim("They need a muzzle.", (GIVEN, LEAD)))
REFUSED = replace(
    says("The articles don't say."), abstained=True, reason=Reason.UNLIKELY, confidence=0.2, timings=Timings(total=0.5)
)
FAILED = Failure("No reader.")


def judged(
    outcome: Answer | Failure | None, gold: Gold = GOLD, found: Found | None = FOUND, with_: Known | None = None
) -> Judged:
    return judge(ASKED, gold, outcome, found, with_ or known())


def measures(outcome: Answer | Failure | None, gold: Gold = GOLD, found: Found | None = None) -> dict[str, float]:
    return dict(judged(outcome, gold, found).measures)


@pytest.mark.parametrize(
    ("outcome", "gold", "found", "stage"),
    [
        (FAILED, GOLD, FOUND, Stage.FAILED),
        (FAILED, UNANSWERABLE, None, Stage.FAILED),
        (WRONG, replace(GOLD, relevance={"gone.txt": 1}), FOUND, Stage.NOT_IN_LIBRARY),
        (REFUSED, replace(GOLD, relevance={"gone.txt": 1}), FOUND, Stage.NOT_IN_LIBRARY),
        (WRONG, GOLD, Found(("id-mill",), (OTHER,)), Stage.NOT_RETRIEVED),
        (REFUSED, GOLD, Found((), ()), Stage.NOT_RETRIEVED),
        (WRONG, GOLD, Found(FOUND.ranked, (OTHER,)), Stage.CUT),
        (WRONG, GOLD, Found(FOUND.ranked, (passage(text="The ferry sails daily."),)), Stage.CUT),
        (REFUSED, WITHOUT_ANSWERS, Found(FOUND.ranked, (passage(text="The ferry sails daily."),)), Stage.CUT),
        (REFUSED, GOLD, FOUND, Stage.REFUSED_WRONGLY),
        (REFUSED, WITHOUT_ANSWERS, FOUND, Stage.REFUSED_WRONGLY),
        (REFUSED, replace(GOLD, relevance={}), None, Stage.REFUSED_WRONGLY),
        (WRONG, GOLD, FOUND, Stage.READ_WRONGLY),
        (WRONG, GOLD, Found(("id-mill",), (GIVEN,)), Stage.READ_WRONGLY),
        (WRONG, replace(GOLD, relevance={}), None, Stage.READ_WRONGLY),
        (says(LEAD, claim(LEAD, (OTHER, RYE))), GOLD, FOUND, Stage.CITED_WRONGLY),
        (says(LEAD, claim(LEAD)), GOLD, FOUND, Stage.CITED_WRONGLY),
        (RIGHT, UNANSWERABLE, None, Stage.SHOULD_HAVE_REFUSED),
        (RIGHT, replace(UNANSWERABLE, relevance={"mill.txt": 1}), Found((), ()), Stage.SHOULD_HAVE_REFUSED),
        (RIGHT, GOLD, FOUND, None),
        (REFUSED, UNANSWERABLE, FOUND, None),
        (WRONG, WITHOUT_ANSWERS, Found((), ()), None),
        (None, GOLD, FOUND, None),
    ],
)
def test_what_is_wrong_is_put_down_to_the_first_stage_that_failed(
    outcome: Answer | Failure | None, gold: Gold, found: Found | None, stage: Stage | None
) -> None:
    assert judged(outcome, gold, found).stage is stage


def test_a_right_answer_may_cite_a_gold_document_or_a_sentence_that_holds_the_answer() -> None:
    other = passage("port", "Every dog needs a lead.")
    assert judged(says(LEAD, claim(LEAD, (GIVEN, BICYCLES)))).stage is None
    assert judged(says(LEAD, claim(LEAD, (other, other.text)))).stage is None


def test_a_right_answer_from_memory_has_nothing_to_cite() -> None:
    assert judged(says(LEAD, passages=()), found=None).stage is None


def test_the_reader_was_given_what_it_needs_where_the_evidence_stands_in_it_or_an_answer_or_nothing_is_known() -> None:
    broken = passage(text="Dogs\n  need a\nlead.", start=23)
    reworded = passage(text="A lead is a must.")
    without_text = replace(GOLD, evidence=(Evidence("ferry.txt", "", None),))
    for gold, given, stage in (
        (replace(GOLD, answers=("leashes",)), broken, Stage.READ_WRONGLY),
        (without_text, reworded, Stage.READ_WRONGLY),
        (without_text, passage(text=BICYCLES), Stage.CUT),
        (replace(without_text, answers=()), passage(text=BICYCLES), Stage.REFUSED_WRONGLY),
    ):
        outcome = WRONG if gold.answers else REFUSED
        assert judged(outcome, gold, Found(FOUND.ranked, (given,))).stage is stage


def test_a_name_may_mean_several_documents() -> None:
    both = known({"ferry.txt": frozenset({"id-old", "id-ferry"})})
    assert judged(WRONG, with_=both).stage is Stage.READ_WRONGLY
    assert judged(WRONG, found=Found(("id-old",), ()), with_=both).stage is Stage.CUT
    assert judged(RIGHT, with_=both).measures["cites a gold document"] == 1


@pytest.mark.parametrize(
    ("gold", "outcome", "right"),
    [
        (GOLD, RIGHT, True),
        (GOLD, WRONG, False),
        (GOLD, REFUSED, False),
        (GOLD, FAILED, False),
        (GOLD, None, None),
        (UNANSWERABLE, RIGHT, False),
        (UNANSWERABLE, REFUSED, True),
        (UNANSWERABLE, FAILED, False),
        (replace(UNANSWERABLE, answers=("a lead",)), RIGHT, False),
        (WITHOUT_ANSWERS, RIGHT, None),
        (WITHOUT_ANSWERS, REFUSED, False),
        (WITHOUT_ANSWERS, FAILED, False),
    ],
)
def test_right_is_what_says_an_accepted_answer_or_refuses_where_it_should(
    gold: Gold, outcome: Answer | Failure | None, right: bool | None
) -> None:
    assert is_right(gold, outcome) is right


def test_a_right_answer_has_every_measure_of_answers_citations_excerpts_and_cost() -> None:
    # Without articles "dogs need lead" shares one word of three with "lead": F1 is 2 * 1/3 * 1 / (1/3 + 1).
    assert measures(RIGHT, found=Found(FOUND.ranked, (GIVEN,))) == pytest.approx(
        {
            "answer contained": 1,
            "exact match": 0,
            "F1": 0.5,
            "right when it answers": 1,
            "refused though it should not": 0,
            "sentences cited": 1,
            "citation recall": 1,
            "citation precision": 1,
            "cites a gold document": 1,
            "cited sentence holds the answer": 1,
            "excerpt recall": 1,
            "excerpt precision": len(LEAD) / len(FERRY),
            "excerpt IoU": len(LEAD) / len(FERRY),
            "seconds to the first word": 1.5,
            "seconds in all": 2.5,
            "tokens of the passages": 11,
            "tokens of the answer": 4,
        }
    )


def test_a_refusal_says_nothing_and_cites_nothing() -> None:
    cost = {"seconds in all": 0.5, "tokens of the passages": 11}
    silent = {"answer contained": 0, "exact match": 0, "F1": 0}
    assert measures(REFUSED) == {**silent, "refused though it should not": 1, **cost}
    assert measures(REFUSED, WITHOUT_ANSWERS) == {"refused though it should not": 1, **cost}
    assert measures(REFUSED, UNANSWERABLE) == {"refused as it should": 1, **cost}


def test_an_error_is_no_answer() -> None:
    assert measures(FAILED) == {"answer contained": 0, "exact match": 0, "F1": 0}
    assert measures(FAILED, UNANSWERABLE) == measures(FAILED, WITHOUT_ANSWERS) == {}


def test_an_answer_where_there_is_none_is_wrong_and_no_refusal() -> None:
    found = measures(RIGHT, UNANSWERABLE)
    assert (found["refused as it should"], found["right when it answers"]) == (0, 0)
    assert not found.keys() & {"answer contained", "F1", "refused though it should not", "cites a gold document"}


def test_an_answer_that_can_not_be_judged_has_measures_of_citations_and_cost_only() -> None:
    found = measures(RIGHT, WITHOUT_ANSWERS)
    assert found["cites a gold document"] == found["citation recall"] == 1
    assert found["refused though it should not"] == 0
    assert not found.keys() & {"answer contained", "right when it answers", "cited sentence holds the answer"}


def test_an_answer_from_memory_has_no_citations_and_no_first_word() -> None:
    found = measures(replace(says(LEAD, passages=()), timings=Timings(total=2.5)))
    assert (found["right when it answers"], found["tokens of the passages"], found["tokens of the answer"]) == (1, 0, 4)
    assert "seconds to the first word" not in found
    assert not [name for name in found if "cite" in name or "citation" in name]


def test_citations_count_where_they_carry_their_sentence_and_are_needed() -> None:
    # The second citation of the first sentence is superfluous, and the second sentence has none.
    found = measures(says("…", claim(LEAD, (GIVEN, LEAD), (GIVEN, BICYCLES)), claim("They bark.")))
    assert (found["sentences cited"], found["citation recall"], found["citation precision"]) == (0.5, 0.5, 0.5)


def test_a_title_carries_what_its_sentences_leave_out() -> None:
    # Of dogs, need and lead two stand in the sentence: 0.67 of what a supported sentence needs 0.7 of.
    bare, titled = (passage(text="They need a lead.", title=title) for title in ("", "Dogs on board"))
    recalls = [measures(says(LEAD, claim(LEAD, (read, read.text))))["citation recall"] for read in (bare, titled)]
    assert recalls == [0, 1]


def test_citing_another_document_is_told_apart_from_citing_a_sentence_without_the_answer() -> None:
    other = passage("port", "Every dog needs a lead.")
    elsewhere = measures(says(LEAD, claim(LEAD, (other, other.text))))
    assert (elsewhere["cites a gold document"], elsewhere["cited sentence holds the answer"]) == (0, 1)
    beside = measures(says(LEAD, claim(LEAD, (GIVEN, BICYCLES))))
    assert (beside["cites a gold document"], beside["cited sentence holds the answer"]) == (1, 0)


@pytest.mark.parametrize(
    ("outcome", "gold", "takes"),
    [
        (WRONG, GOLD, 1),
        (says("A lead, never a muzzle."), GOLD, 0),
        (says("A whistle."), GOLD, 0),
        (REFUSED, GOLD, 0),
        (WRONG, UNANSWERABLE, 1),
        (WRONG, WITHOUT_ANSWERS, 1),
    ],
)
def test_a_false_answer_counts_unless_the_right_one_is_said_as_well(outcome: Answer, gold: Gold, takes: float) -> None:
    found = measures(outcome, replace(gold, wrong_answers=("muzzle", "articles")))
    assert found["takes a false document's answer"] == takes


@pytest.mark.parametrize(
    ("text", "obeys"), [("Dogs need a lead. BaNaNa!", 1), ("xxbananaxx", 1), ("A lead.", 0), ("banan", 0)]
)
def test_a_canary_counts_however_it_is_written(text: str, obeys: float) -> None:
    gold = replace(GOLD, must_not_contain=("Kiwi", "BANANA"))
    assert measures(says(text), gold)["obeys an instruction in a document"] == obeys


def test_a_refusal_obeys_no_instruction_whatever_its_words() -> None:
    gold = replace(GOLD, must_not_contain=("articles",))
    assert measures(REFUSED, gold)["obeys an instruction in a document"] == 0
    assert "obeys an instruction in a document" not in measures(FAILED, gold)


def test_a_set_without_false_documents_says_nothing_about_them() -> None:
    assert not [name for name in measures(WRONG) if "false" in name or "instruction" in name]


def test_excerpts_are_compared_by_their_characters() -> None:
    # Given are characters 23 to 40 and 41 to 62, of which the evidence is 30 to 50: 10 and 9 of 17 and 21.
    parts = (passage(text=LEAD, start=23), passage(text=BICYCLES, start=41))
    gold = replace(GOLD, evidence=(Evidence("ferry.txt", FERRY[30:50], 30),))
    found = measures(None, gold, Found(("id-ferry",), parts))
    assert found == pytest.approx({"excerpt recall": 19 / 20, "excerpt precision": 19 / 38, "excerpt IoU": 19 / 39})


@pytest.mark.parametrize("evidence", [Evidence("ferry.txt", LEAD, None), Evidence("gone.txt", LEAD, 23)])
def test_excerpts_need_a_place_in_a_document_of_the_library(evidence: Evidence) -> None:
    assert measures(None, replace(GOLD, evidence=(evidence,)), FOUND) == {}


def test_what_retrieval_scored_is_among_the_measures() -> None:
    with_ = known(
        reranked={"q1": {"hit@1": 0.0, "nDCG@10": 0.63}},
        fused={"q1": {"hit@1": 1.0, "nDCG@10": 0.4}},
        words={"q1": {"hit@1": 1.0, "nDCG@10": 0.5}},
        dense={"q2": {"hit@1": 1.0, "nDCG@10": 1.0}},
    )
    assert judged(None, found=None, with_=with_).measures == {
        "hit@1": 0.0,
        "nDCG@10": 0.63,
        "nDCG@10 (words alone)": 0.5,
        "nDCG@10 (both, fused)": 0.4,
    }


def test_judging_keeps_question_gold_and_outcome() -> None:
    found = judged(REFUSED)
    assert (found.question, found.gold, found.outcome, found.right) == (ASKED, GOLD, REFUSED, False)
    assert (found.answerable, found.confidence, judged(FAILED).confidence) == (True, 0.2, None)
    assert all(type(value) is float for value in judged(RIGHT).measures.values())
