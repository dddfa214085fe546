"""What is done for a question while it is typed: the same work as after it, no answer but the same."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rag import prompting
from rag.ahead import Prepared
from rag.engines.llama_server import LlamaServerEngine
from rag.errors import QuestionError
from rag.pipeline import Pipeline
from rag.settings import Settings
from rag.types import Answer, Finished, TextPiece, Timings, Vectors
from tests.engines.counting import Reading
from tests.engines.runtimes import open_runtime
from tests.engines.tiny_gguf import write_tiny_gguf
from tests.fakes import WordEmbedder
from tests.pipeline.scripted import FOLLOW_UP, NO, QUESTION, REPLY, REWRITTEN, TALK, YES, Scripted, finished

HALF = "What did the harbour of Varel"
AFTER = len("\n") + len("assistant\n") + 2
"""Tokens between a prompt's text and its answer, in ChatML with a token a byte: the two marks are one each."""


def prepared(pipeline: Pipeline, question: str, **more: object) -> Prepared:
    *_, last = pipeline.prepare(question, **more)  # type: ignore[arg-type]
    return last


def without_seconds(answer: Answer) -> Answer:
    return replace(answer, timings=Timings())


def test_what_was_prepared_is_not_done_again_and_the_answer_is_the_same(scripted: Scripted) -> None:
    plain, _ = scripted.reads(REPLY)
    expected = without_seconds(plain.answer(QUESTION))
    pipeline, engine = scripted.reads(REPLY)
    ahead = prepared(pipeline, f" {QUESTION}\n")
    check, answer = engine.warmed
    assert engine.prompts == [check]
    assert check.passages == answer.passages
    events = list(pipeline.stream_answer(QUESTION, prepared=ahead))
    assert engine.warmed == [check, answer]
    assert engine.prompts[1] == answer
    assert [prompt.request[-20:] for prompt in engine.prompts[2:]] == ["stion? Reply Yes or No."[-20:]]
    assert without_seconds(finished(events)) == expected


def test_its_passages_are_not_read_closely_again_until_all_is_forgotten(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    plain = WordEmbedder.embed_tokens

    def noted(self: WordEmbedder, texts: Sequence[str]) -> list[tuple[Vectors, list[tuple[int, int]]]]:
        read.extend(texts)
        return plain(self, texts)

    monkeypatch.setattr(WordEmbedder, "embed_tokens", noted)
    pipeline, _ = scripted.reads(REPLY)
    ahead = prepared(pipeline, QUESTION)
    before = len(read)
    list(pipeline.stream_answer(QUESTION, prepared=ahead))
    assert (before > 1, len(read)) == (True, before)
    pipeline.forget()
    pipeline.find_passages(QUESTION)
    assert sorted(read[before:]) == sorted(read[:before])


def test_who_hands_nothing_in_asks_everything_anew(scripted: Scripted) -> None:
    pipeline, engine = scripted.reads(REPLY, yes=[YES, YES, YES])
    ahead = prepared(pipeline, QUESTION)
    check = engine.warmed[0]
    assert ahead.answerable == {check: YES[0]}
    pipeline.answer(QUESTION)
    assert engine.prompts.count(check) == 2


def test_a_question_that_goes_on_begins_with_what_was_read(scripted: Scripted) -> None:
    pipeline, engine = scripted.reads(REPLY, yes=[NO, YES, YES])
    ahead = prepared(pipeline, HALF)
    events = list(pipeline.stream_answer(QUESTION, prepared=ahead))
    half, whole = engine.warmed
    assert (half.instructions, half.passages) == (whole.instructions, whole.passages)
    assert whole.request.startswith(f"Question: {HALF}")
    assert finished(events).signals["answerable"] == YES[0]  # of the whole question, not of the half


def test_the_answer_is_not_read_ahead_where_it_would_be_refused(scripted: Scripted) -> None:
    pipeline, engine = scripted.reads(yes=[NO])
    ahead = prepared(pipeline, QUESTION)
    assert len(engine.warmed) == 1
    assert finished(list(pipeline.stream_answer(QUESTION, prepared=ahead))).abstained


def test_a_question_is_made_to_stand_alone_once(scripted: Scripted) -> None:
    pipeline, engine = scripted.reads(REWRITTEN, "She was 31 years old [1].", REWRITTEN, yes=[YES] * 4)
    ahead = prepared(pipeline, FOLLOW_UP, history=TALK)
    assert ahead.standalone == REWRITTEN
    answer = finished(list(pipeline.stream_answer(FOLLOW_UP, TALK, prepared=ahead)))
    assert (answer.question, answer.standalone_question) == (FOLLOW_UP, REWRITTEN)
    assert engine.replies == [REWRITTEN]
    asked = finished(list(pipeline.stream_answer(FOLLOW_UP, prepared=ahead, history=())))
    assert asked.standalone_question == FOLLOW_UP  # after another conversation it means something else


def test_preparing_stops_at_once_wherever_it_is(scripted: Scripted) -> None:
    for steps in range(1, 9):
        pipeline, engine = scripted.reads(REWRITTEN)
        preparing = pipeline.prepare(FOLLOW_UP, TALK)
        for _ in range(steps):
            next(preparing)
        preparing.close()
        assert not engine.at_work
        assert engine.prompts[1:] == []


@pytest.mark.parametrize("question", ["", " \n", "y" * 2001, "ha " * 2001])
def test_what_can_not_be_asked_is_not_prepared(question: str, scripted: Scripted) -> None:
    pipeline, engine = scripted.reads()
    with pytest.raises(QuestionError):
        list(pipeline.prepare(question))
    assert (engine.prompts, engine.warmed) == ([], [])


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[LlamaServerEngine]:
    """Says yes to everything, and writes "Y" without end."""
    engine = open_runtime("xllamacpp", write_tiny_gguf(tmp_path / "tiny.gguf", {"Y": 9.0}), tmp_path)
    assert isinstance(engine, LlamaServerEngine)
    yield engine
    engine.close()


def test_after_enter_only_what_is_new_is_read(
    scripted: Scripted, settings: Settings, reader: LlamaServerEngine
) -> None:
    plain = scripted.reads()[0]
    pipeline = Pipeline(
        settings.model_copy(update={"max_wrong": 1.0, "answer_tokens": 16}), plain.library, plain.embedder, reader
    )
    reading = Reading(reader)

    def first_word(ahead: Prepared) -> int:
        """Tokens read from Enter to there."""
        before = reading.tokens
        events = pipeline.stream_answer(QUESTION, prepared=ahead)
        for event in events:
            assert not isinstance(event, Finished)
            if isinstance(event, TextPiece) and event.text:
                break
        events.close()
        return reading.tokens - before

    ahead = prepared(pipeline, QUESTION)
    (check,) = ahead.answerable
    assert reading.tokens > len("".join(check.passages))
    assert first_word(ahead) <= AFTER + 1

    reader.forget()
    ahead = prepared(pipeline, HALF)
    answer = prompting.answer_prompt(QUESTION, pipeline.find_passages(QUESTION))
    new = len(check.request.removeprefix(f"Question: {HALF}")) + AFTER
    new += len(answer.request.removeprefix(f"Question: {QUESTION}\n\n")) + AFTER
    assert new - AFTER <= first_word(ahead) <= new + 3  # a token may be read twice where one prompt turns into another

    reader.forget()
    assert first_word(Prepared()) > len("".join(check.passages))
