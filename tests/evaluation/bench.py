"""A set of questions about three articles, and a reader that knows an answer to some."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.evaluation import (
    Evaluation,
    Mode,
)
from rag.evaluation.libraries import library_for
from rag.evaluation.results import Judged
from rag.evaluation.running import evaluate_with
from rag.evaluation.sets import load_set
from rag.pipeline import library_identity
from rag.settings import load_settings
from rag.stores import open_library
from rag.types import Answer, Limits, Prompt
from tests.calibrated import write_calibration
from tests.fakes import WordEmbedder

DOCUMENTS = {
    "harbour": "The harbour of Varel opened in 1912. It cost 3 million marks.",
    "bakery": "Ada Nyberg founded the bakery of Varel in 1950.",
    "bridge": "The bridge over the Jade carries two trains an hour.",
}
COST, FOUNDER, MAYOR, TRAINS = (
    "What did the harbour of Varel cost?",
    "Who founded the bakery?",
    "Who is the mayor of Varel?",
    "How many trains does the bridge over the Jade carry an hour?",
)
REPLIES = {
    COST: "It cost 3 million marks [1].",
    TRAINS: "The bridge over the Jade carries three trains an hour [1].",
}


def evidence(document: str, **more: object) -> list[dict[str, object]]:
    return [{"document": document, **more}]


QUESTIONS: list[dict[str, object]] = [
    {
        "id": "cost",
        "question": COST,
        "answers": ["3 million"],
        "evidence": evidence("harbour", text="It cost 3 million marks.", start=37),
    },
    {"id": "founder", "question": FOUNDER, "answers": ["Ada Nyberg"], "evidence": evidence("bakery")},
    {"id": "mayor", "question": MAYOR, "answerable": False},
    {"id": "trains", "question": TRAINS, "answers": ["two"], "evidence": evidence("bridge")},
]


class Knowing:
    """Answers the questions it has a reply to, one after another until it is stopped, and refuses all others."""

    name = "knowing"
    model = "replies"
    context_tokens = 4096

    def __init__(self, replies: Mapping[str, str] | None = None, stops_at: int = 0) -> None:
        self.replies = REPLIES if replies is None else replies
        self.stops_at = stops_at
        self.prompts: list[Prompt] = []
        self.since: list[str] = []
        """The questions answered since it was last told to forget."""
        self.answers = 0
        self.closed = False

    def stream(self, prompt: Prompt, limits: Limits) -> Iterator[str]:  # noqa: ARG002
        self.prompts.append(prompt)
        self.answers += 1
        if self.answers == self.stops_at:
            raise KeyboardInterrupt
        question = _question(prompt)
        self.since.append(question)
        yield self.replies.get(question, f"Number {len(self.since)} it is.")

    def choose(self, prompt: Prompt, options: Sequence[str]) -> tuple[float, ...]:  # noqa: ARG002
        self.prompts.append(prompt)
        return (0.9, 0.1) if _question(prompt) in self.replies else (0.2, 0.8)

    def warm(self, prompt: Prompt) -> Iterator[None]:  # noqa: ARG002
        yield

    def forget(self) -> None:
        self.since = []

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def close(self) -> None:
        self.closed = True


def _question(prompt: Prompt) -> str:
    return prompt.request.removeprefix("Question: ").split("\n")[0]


class Bench:
    """Evaluates sets with one cache folder and one library in use."""

    def __init__(self, folder: Path) -> None:
        self.settings = load_settings(
            index=folder / "index",
            models=folder / "models",
            embedder="words",
            passages=2,
            calibration=write_calibration(folder),
        )
        self.cache = folder / "cache"
        self.told: list[tuple[str, int, int]] = []

    def evaluate(self, path: Path, engine: Knowing | None, mode: Mode = Mode.NORMAL) -> Evaluation:
        questions, embedder = load_set(path), WordEmbedder()
        folder = library_for(questions, self.settings, embedder, cache=self.cache)
        with open_library(folder, library_identity(self.settings, embedder)) as library:
            return evaluate_with(
                questions,
                questions.golds,
                self.settings,
                mode,
                library,
                embedder,
                engine,
                cache=self.cache,
                command="rag eval island",
                report=lambda *now: self.told.append(now),
            )

    def run_files(self) -> list[Path]:
        return sorted((self.cache / "answers").glob("*"))


def write_set(folder: Path, questions: Sequence[Mapping[str, object]] = tuple(QUESTIONS)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    documents = [{"id": name, "title": name.title(), "text": text} for name, text in DOCUMENTS.items()]
    write_lines(folder / "documents.jsonl", documents)
    write_lines(folder / "questions.jsonl", questions)
    return folder


def write_lines(file: Path, lines: Sequence[Mapping[str, object]]) -> Path:
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def values(evaluation: Evaluation) -> dict[str, float]:
    return {score.name: score.value for score in evaluation.scores}


def by_id(evaluation: Evaluation) -> dict[str, Judged]:
    return {judged.question.id: judged for judged in evaluation.questions}


def answer_of(judged: Judged) -> Answer:
    assert isinstance(judged.outcome, Answer)
    return judged.outcome


def read(judged: Judged) -> set[str]:
    """The documents that the reader was given."""
    return {passage.document.id for passage in answer_of(judged).passages}


def without_timings(path: Path) -> list[dict[str, Any]]:
    return [{**json.loads(line), "timings": None} for line in path.read_text(encoding="utf-8").splitlines()]
