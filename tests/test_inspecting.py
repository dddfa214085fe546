"""How a pipeline's answers are explained, also once the library or the settings have changed."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.index import open_library, open_writer
from rag.inspecting import Fate, Inspection, Purpose, Stage, shares
from rag.pipeline import Pipeline
from rag.prompting import ABSTENTION
from rag.settings import load_settings
from rag.types import Reason, Timings, Turn
from tests.calibrated import write_calibration
from tests.fakes import ScriptedEngine, WordEmbedder
from tests.index.shelf import IDENTITY, make_library, put

ARTICLES = {"harbour": "The harbour of Varel cost 3 million marks.", "bakery": "Ada Nyberg founded the bakery."}
QUESTION = "What did the harbour of Varel cost?"
REPLY = "It cost 3 million marks [1]."
YES, NO = (0.9, 0.1), (0.1, 0.9)


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    folder = make_library(tmp_path / "index", ARTICLES)
    settings = load_settings(index=folder, calibration=write_calibration(tmp_path), max_wrong=0.2)
    with open_library(folder, IDENTITY) as library:
        yield Pipeline(settings, library, WordEmbedder(), ScriptedEngine())


def reading(pipeline: Pipeline, *replies: str, yes: tuple[tuple[float, ...], ...] = (YES, YES)) -> ScriptedEngine:
    """The pipeline's engine, with this script."""
    engine = ScriptedEngine(replies, yes)
    pipeline.engine = engine
    return engine


def purposes(inspection: Inspection) -> list[Purpose]:
    return [asked.purpose for asked in inspection.prompts]


def test_the_prompts_are_those_the_reader_got_with_their_tokens(pipeline: Pipeline) -> None:
    engine = reading(pipeline, REPLY)
    inspection = pipeline.inspect(pipeline.answer(QUESTION))
    assert [asked.prompt for asked in inspection.prompts] == engine.prompts
    assert purposes(inspection) == [Purpose.CHECK, Purpose.ANSWER, Purpose.VERIFY]
    check = inspection.prompts[0]
    assert check.instruction_tokens == len(check.prompt.instructions.split())
    assert check.passage_tokens == tuple(map(engine.count_tokens, check.prompt.passages))
    assert check.tokens == check.instruction_tokens + sum(check.passage_tokens) + check.request_tokens
    assert inspection.answer_tokens == 5  # It cost 3 million marks


def test_inspecting_asks_the_reader_nothing(pipeline: Pipeline) -> None:
    engine = reading(pipeline, REPLY)
    answer = pipeline.answer(QUESTION)
    asked = len(engine.prompts)
    pipeline.inspect(answer)
    assert (len(engine.prompts), len(engine.warmed)) == (asked, 1)


def test_a_sentence_that_nothing_supports_was_not_shown_to_the_reader_again(pipeline: Pipeline) -> None:
    engine = reading(pipeline, f"{REPLY} Purple elephants juggle volcanoes.")
    assert [asked.prompt for asked in pipeline.inspect(pipeline.answer(QUESTION)).prompts] == engine.prompts


def test_what_another_article_says_was_put_in_after_the_last_prompt(pipeline: Pipeline) -> None:
    with open_writer(pipeline.settings.index, IDENTITY) as writer:
        put(writer, "rival", "The harbour of Varel cost 5 million marks.")
        writer.commit()
    engine = reading(pipeline, REPLY, yes=(YES, YES, YES))
    answer = pipeline.answer(QUESTION)
    assert "But “" in answer.text
    check, write, verify, _ = engine.prompts
    assert [asked.prompt for asked in pipeline.inspect(answer).prompts] == [check, write, verify]


@pytest.mark.parametrize(
    ("reply", "yes", "reason", "asked"),
    [
        (REPLY, (NO,), Reason.UNLIKELY, [Purpose.CHECK]),
        (ABSTENTION, (YES,), Reason.READER_ABSTAINED, [Purpose.CHECK, Purpose.ANSWER]),
        ("Purple elephants juggle.", (YES,), Reason.UNSUPPORTED, [Purpose.CHECK, Purpose.ANSWER]),
        (REPLY, (YES, NO), Reason.UNSURE, [Purpose.CHECK, Purpose.ANSWER]),
    ],
)
def test_a_refusal_has_the_prompts_up_to_it_and_no_answer_tokens(
    reply: str, yes: tuple[tuple[float, ...], ...], reason: Reason, asked: list[Purpose], pipeline: Pipeline
) -> None:
    reading(pipeline, reply, yes=yes)
    answer = pipeline.answer(QUESTION)
    assert answer.reason is reason
    inspection = pipeline.inspect(answer)
    assert (purposes(inspection), inspection.answer_tokens, inspection.changes) == (asked, 0, ())


def test_a_follow_up_was_made_to_stand_alone_first(pipeline: Pipeline) -> None:
    history = (Turn("Who built the harbour of Varel?", "The town."),)
    engine = reading(pipeline, QUESTION, REPLY)
    answer = pipeline.answer("And what did it cost?", history)
    inspection = pipeline.inspect(answer, history)
    assert [asked.prompt for asked in inspection.prompts] == engine.prompts
    assert purposes(inspection)[0] is Purpose.STANDALONE
    assert inspection.changes == ()


def test_an_answer_from_memory_rests_on_one_prompt(pipeline: Pipeline) -> None:
    engine = reading(pipeline, "It cost much.")
    inspection = pipeline.inspect(pipeline.recall(QUESTION))
    assert [asked.prompt for asked in inspection.prompts] == engine.prompts
    assert (inspection.found.candidates, inspection.decision.signals, inspection.changes) == ((), (), ())


def test_the_decision_says_what_each_signal_adds_and_what_was_wanted(pipeline: Pipeline) -> None:
    reading(pipeline, REPLY, yes=(YES, (0.8, 0.2)))
    decision = pipeline.inspect(pipeline.answer(QUESTION)).decision
    assert (decision.threshold, decision.max_wrong, decision.risk, decision.questions) == (0.6, 0.2, 0.1, 100)
    assert decision.intercept == -2
    assert decision.confidence == pytest.approx(expit(1.4))  # 2 * 0.9 + 2 * 0.8 - 2
    signals = {signal.name: signal for signal in decision.signals}
    assert (signals["answerable"].value, signals["answerable"].weight) == (0.9, 2)
    assert signals["answerable"].gain == pytest.approx(expit(1.4) - expit(1.4 - 1.8))
    assert signals["verified"].gain == pytest.approx(expit(1.4) - expit(1.4 - 1.6))
    assert (signals["named"].weight, signals["named"].gain) == (0, 0)
    assert not any(signal.assumed for signal in decision.signals)


def test_a_refusal_before_writing_assumes_the_best_of_what_is_not_known(pipeline: Pipeline) -> None:
    reading(pipeline, yes=(NO,))
    decision = pipeline.inspect(pipeline.answer(QUESTION)).decision
    [assumed] = [signal for signal in decision.signals if signal.assumed]
    assert (assumed.name, assumed.value) == ("verified", 1)
    assert decision.confidence == pytest.approx(expit(0.2))  # 2 * 0.1 + 2 * 1 - 2


def test_the_search_is_that_of_the_answer(pipeline: Pipeline) -> None:
    reading(pipeline, REPLY)
    answer = pipeline.answer(QUESTION)
    inspection = pipeline.inspect(answer)
    assert inspection.found.passages == answer.passages
    assert [candidate.fate for candidate in inspection.found.candidates] == [Fate.GIVEN, Fate.GIVEN]
    assert (inspection.most_passages, inspection.most_tokens) == (4, 400)


def test_an_answer_limited_to_articles_is_explained_within_them(pipeline: Pipeline) -> None:
    only = frozenset({"harbour"})
    reading(pipeline, REPLY)
    answer = pipeline.answer(QUESTION, documents=only)
    assert pipeline.inspect(answer, documents=only).changes == ()
    assert pipeline.inspect(answer).changes == (OTHER_PASSAGES,)


OTHER_PASSAGES = "The searches now bring other passages than those the answer was made from."


def test_an_article_that_changed_or_went_is_named(pipeline: Pipeline) -> None:
    engine = reading(pipeline, REPLY)
    answer = pipeline.answer(QUESTION)
    with open_writer(pipeline.settings.index, IDENTITY) as writer:
        put(writer, "harbour", "The harbour of Varel cost 4 million marks.")
        writer.remove("bakery")
        writer.commit()
    inspection = pipeline.inspect(answer)
    assert inspection.changes == (
        "“Harbour” has changed since.",
        "“Bakery” is no longer in the library.",
        OTHER_PASSAGES,
    )
    assert [asked.prompt for asked in inspection.prompts] == engine.prompts


def test_another_model_and_calibration_are_named(pipeline: Pipeline) -> None:
    reading(pipeline, REPLY)
    answer = pipeline.answer(QUESTION)
    made = replace(answer, models=replace(answer.models, reader="other"), confidence=0.5)
    assert pipeline.inspect(made).changes == (
        "The reader was other and is now script.",
        "The calibration has changed since: the same signals made 50 % then and make 83 % now.",
    )


@pytest.mark.parametrize(
    ("yes", "max_wrong", "change"),
    [
        ((YES, YES), 0.05, "With the present settings the answer would be refused."),
        ((YES, NO), 1.0, "With the present settings it would not be refused for its confidence."),
    ],
)
def test_a_decision_that_would_fall_otherwise_now_is_named(
    yes: tuple[tuple[float, ...], ...], max_wrong: float, change: str, pipeline: Pipeline
) -> None:
    reading(pipeline, REPLY, yes=yes)
    answer = pipeline.answer(QUESTION)
    settings = pipeline.settings.model_copy(update={"max_wrong": max_wrong})
    now = Pipeline(settings, pipeline.library, pipeline.embedder, pipeline.engine)
    assert now.inspect(answer).changes == (change,)


def test_known_conditions_tell_which_settings_library_and_code_have_changed(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.pipeline.answering.reader_revision", lambda *_: "")
    reading(pipeline, REPLY)
    answer, made = pipeline.answer(QUESTION), pipeline.conditions()
    assert pipeline.inspect(answer, made=made).changes == ()
    then = replace(
        made, settings={**made.settings, "candidates": 9, "passages": 2}, revisions={"code": "old"}, library="old"
    )
    assert pipeline.inspect(answer, made=then).changes == (
        "Settings that have changed since: candidates, passages.",
        "Articles were added to the library, changed or removed since.",
        "The answer was made by another version of Citeline.",
    )


def test_stages_share_all_the_time_the_answer_took(pipeline: Pipeline) -> None:
    reading(pipeline, REPLY)
    timings = Timings(retrieval=1.0, checking=2.0, first_token=3.5, generation=4.0, total=8.0)
    answer = replace(pipeline.answer(QUESTION), timings=timings)
    assert pipeline.inspect(answer).stages == (
        Stage("searching", 1.0, 0.125),
        Stage("checking", 2.0, 0.25),
        Stage("writing", 4.0, 0.5),
        Stage("other", 1.0, 0.125),
    )


def test_no_time_makes_no_stages() -> None:
    assert shares([("search", 0.0), ("checking", 0.0009)]) == ()


def expit(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))
