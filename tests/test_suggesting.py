"""What is suggested to be asked next: over real libraries, with a bag of words for an embedder."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from rag.index import open_library, open_writer
from rag.pipeline import Pipeline
from rag.settings import load_settings
from rag.types import Answer, Citation, Claim, Verdict
from tests.calibrated import write_calibration
from tests.fakes import ScriptedEngine, WordEmbedder
from tests.index.shelf import IDENTITY, make_library

HARBOUR = "The harbour of Varel cost 3 million marks.\nThe harbour of Varel was built in 1912."
BAKERY = "Ada Nyberg founded the bakery of Varel.\nBread is sold there."
COST, BUILT, FOUNDED = (
    "How much did the harbour of Varel cost?",
    "When was the harbour of Varel built?",
    "Who founded the bakery of Varel?",
)
ASKED = "What do people say about the harbour of Varel?"


@contextmanager
def pipeline_over(folder: Path, articles: Mapping[str, str]) -> Iterator[Pipeline]:
    settings = load_settings(
        index=make_library(folder / "index", dict(articles)), calibration=write_calibration(folder)
    )
    with open_library(settings.index, IDENTITY) as library:
        yield Pipeline(settings, library, WordEmbedder(), ScriptedEngine(["The articles don't say."]))


def refused(pipeline: Pipeline, question: str = ASKED) -> Answer:
    return pipeline.answer(question)


def test_suggestions_are_what_the_articles_found_answer_nearest_first(tmp_path: Path) -> None:
    with pipeline_over(tmp_path, {"harbour": HARBOUR, "bakery": BAKERY}) as pipeline:
        engine = pipeline.engine
        assert isinstance(engine, ScriptedEngine)
        answer = refused(pipeline)
        asked = len(engine.prompts)
        assert pipeline.suggest(answer) == (BUILT, COST, FOUNDED)
        assert len(engine.prompts) == asked


def test_what_the_answer_cites_is_not_suggested(tmp_path: Path) -> None:
    with pipeline_over(tmp_path, {"harbour": HARBOUR, "bakery": BAKERY}) as pipeline:
        answer = refused(pipeline)
        [passage] = [one for one in answer.passages if one.document.id == "harbour"]
        end = HARBOUR.index("\n")
        claim = Claim(HARBOUR[:end], 0, end, (Citation(passage, 0, end),), Verdict.SUPPORTED, 1.0)
        assert pipeline.suggest(replace(answer, claims=(claim,))) == (BUILT, FOUNDED)


def test_what_was_asked_is_not_suggested_again_in_more_words(tmp_path: Path) -> None:
    with pipeline_over(tmp_path, {"harbour": HARBOUR}) as pipeline:
        assert pipeline.suggest(refused(pipeline, "What did the harbour of Varel cost?")) == (BUILT,)


def test_a_question_whose_own_sentence_is_not_found_first_is_not_suggested(tmp_path: Path) -> None:
    """The other article has the question's words, and more of them."""
    decoy = "Who founded the bakery of Varel, who founded the bakery?"
    with pipeline_over(tmp_path, {"bakery": BAKERY, "decoy": decoy}) as pipeline:
        assert pipeline.suggest(refused(pipeline, "Is there a bakery in Varel?")) == ()


def test_only_articles_that_may_be_searched_give_suggestions(tmp_path: Path) -> None:
    with pipeline_over(tmp_path, {"harbour": HARBOUR, "bakery": BAKERY}) as pipeline:
        only = frozenset({"bakery"})
        assert pipeline.suggest(pipeline.answer("Where is the bakery of Varel?", documents=only), only) == (FOUNDED,)


def test_nothing_more_is_tried_once_it_is_left(tmp_path: Path) -> None:
    with pipeline_over(tmp_path, {"harbour": HARBOUR, "bakery": BAKERY}) as pipeline:
        leave = threading.Event()
        leave.set()
        assert pipeline.suggest(refused(pipeline), leave=leave) == ()


@pytest.mark.parametrize("article", ["Lorem ipsum dolor sit amet.", "wer das liest, ist da.", "12 34"])
def test_articles_that_yield_no_good_question_suggest_none(article: str, tmp_path: Path) -> None:
    with pipeline_over(tmp_path, {"odd": article}) as pipeline:
        assert pipeline.suggest(refused(pipeline, article)) == ()
        assert pipeline.openers() == ()


def test_openers_come_from_articles_in_turn_and_are_tried(tmp_path: Path) -> None:
    with pipeline_over(tmp_path, {"harbour": HARBOUR, "bakery": BAKERY, "odd": "Lorem ipsum."}) as pipeline:
        assert set(pipeline.openers()) == {COST, FOUNDED}
        assert pipeline.openers() == pipeline.openers()


def test_an_empty_library_has_no_openers(tmp_path: Path) -> None:
    with pipeline_over(tmp_path, {"harbour": HARBOUR}) as pipeline:
        with open_writer(tmp_path / "index", IDENTITY) as writer:
            writer.remove("harbour")
            writer.commit()
        assert pipeline.openers() == ()


@pytest.mark.parametrize(
    ("article", "suggested"),
    [
        ("Ada Low met Bo Li, the mayor of Varel, on Monday.", True),
        ("Ada Low met Bo Li, the mayor of Varel, Cy Moe, on Monday.", False),
    ],
)
def test_whose_office_it_is_is_asked_only_where_the_sentence_leaves_no_doubt(
    article: str, suggested: bool, tmp_path: Path
) -> None:
    with pipeline_over(tmp_path, {"visit": article}) as pipeline:
        assert ("Who is the mayor of Varel?" in pipeline.openers()) is suggested
