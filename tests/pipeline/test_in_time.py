"""Who waits for an answer gets one that reads no more than there is time for; files of questions are read in full."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from rag import desk
from rag.engines import EngineChoice, note_of
from rag.engines.choosing import NO_CUDA, remember, situation
from rag.pipeline import Pipeline, answer_settings, open_pipeline
from rag.settings import Settings, load_settings
from tests.fakes import ScriptedEngine, WordEmbedder

SLOW = EngineChoice("llama_cpp", 70.0, None, NO_CUDA, reading=0.1, writing=0.1)
"""Reads 10 tokens a second."""


@pytest.fixture
def slow(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """With a reader that was measured to be slow here."""
    file = tmp_path / "reader.gguf"
    file.write_bytes(b"GGUF")
    remember(note_of(file), situation(file, os.cpu_count() or 1), SLOW)
    monkeypatch.setattr("rag.pipeline.opening.open_embedder", lambda *_: WordEmbedder())
    monkeypatch.setattr("rag.pipeline.opening.begin_engine", lambda *_: None)
    monkeypatch.setattr("rag.pipeline.opening.open_engine", lambda *_: ScriptedEngine())
    return load_settings(index=settings.index, embedder="words", calibration=settings.calibration, reader=str(file))


def read(settings: Settings, *, in_time: bool) -> tuple[object, object]:
    """(passages, their tokens) as they are recorded with answers."""
    pipeline = open_pipeline(settings, in_time=in_time)
    recorded = answer_settings(pipeline.settings)
    pipeline.close()
    return recorded["passages"], recorded["passage_tokens"]


def test_what_was_chosen_is_recorded_with_the_answers(slow: Settings) -> None:
    assert read(slow, in_time=True) == (3, 300)


def test_a_file_of_questions_is_read_in_full_whatever_was_measured(slow: Settings) -> None:
    assert read(slow, in_time=False) == (4, 400)


def test_the_page_answers_in_time(slow: Settings) -> None:
    pipeline = desk.open_pipeline(slow, lambda *_: None)
    assert isinstance(pipeline, Pipeline)
    assert pipeline.settings.passages == 3
    pipeline.close()


def test_an_engine_that_was_set_was_not_measured(slow: Settings) -> None:
    assert read(slow.model_copy(update={"engine": "llama_cpp"}), in_time=True) == (4, 400)


def test_a_measurement_of_other_weights_says_nothing(slow: Settings) -> None:
    Path(slow.reader).write_bytes(b"GGUF, and more")
    assert read(slow, in_time=True) == (4, 400)


def test_a_fast_machine_reads_all(slow: Settings) -> None:
    file = Path(slow.reader)
    remember(note_of(file), situation(file, os.cpu_count() or 1), replace(SLOW, reading=0.001, writing=0.01))
    assert read(slow, in_time=True) == (4, 400)
