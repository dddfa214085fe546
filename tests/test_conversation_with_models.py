"""A conversation of ten turns with the real models: questions that lean on what was said, and ones that don't."""

from pathlib import Path

import pytest

from rag.indexing import index_paths
from rag.pipeline import library_identity, open_embedder, open_pipeline
from rag.settings import load_settings
from rag.types import Answer, Turn

pytestmark = pytest.mark.models

SEEDS = Path(__file__).parent.parent / "seeds"

TALK = (
    ("how much does TikTok pay Microsoft?", "20 million"),
    ("and in rupiah?", "322.77 billion"),
    ("who said that?", "The Verge"),
    ("Who is the chief executive of ByteDance?", "Liang Rubo"),
    ("whom did he succeed?", "Zhang Yiming"),
    ("what about Kelly Zhang, what did she leave Douyin for?", "CapCut"),
    ("Which video model did Jiang Lu contribute to?", "VideoPoet"),
    ("whose model is that?", "Google"),
    ("What share of the revenue of Microsoft's AI cloud comes from TikTok?", "quarter"),
    ("and how much does the cloud bring in a year?", "1 billion"),
)
"""Each question with what a right answer holds."""


def test_ten_turns_are_answered_right_whether_they_lean_on_the_talk_or_not(tmp_path: Path, reader_file: Path) -> None:
    assert reader_file.is_file()
    settings = load_settings(index=tmp_path)
    embedder = open_embedder(settings)
    index_paths([SEEDS], settings.index, library_identity(settings, embedder), embedder)
    pipeline = open_pipeline(settings)
    answers: list[Answer] = []
    try:
        for question, _ in TALK:
            history = [Turn(answer.question, answer.text) for answer in answers]
            answers.append(pipeline.answer(question, history))
    finally:
        pipeline.close()
    missed = [
        (answer.standalone_question, answer.reason.value, answer.text)
        for answer, (_, expected) in zip(answers, TALK, strict=True)
        if expected not in answer.text
    ]
    assert missed == []
    assert all(answer.claims for answer in answers)
