"""What it saves in transformers to keep the states of earlier prompts, when a conversation is returned to.

    python -m benchmarks.returning                                   # 4 rounds about seeds/
    python -m benchmarks.returning --reader smollm2-135m-instruct    # quick; tokens are about the same

A round: one reader asks a question, another reader asks theirs, the first asks a follow-up that has to be made to
stand alone, and then the first question over again. Once with states kept, once with the last prompt alone, in turns;
all is done that comes before the first word. Tokens are those the model reads, seconds by the clock and of the
processor.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from benchmarks.engines import SEEDS
from rag.engines import share_processor_politely
from rag.engines.conversion import converted
from rag.engines.kept_states import KEPT_MIB, KeptStates
from rag.engines.stepped import Logits, StepModel, SteppedEngine
from rag.engines.transformers_steps import open_transformers
from rag.indexing import index_paths
from rag.model_files import ensure
from rag.pipeline import Pipeline, library_identity, open_embedder
from rag.settings import load_settings
from rag.stores import open_library
from rag.types import Turn

FOLLOW_UP = "And when did it happen?"
STEPS = ("asks", "another reader asks", "follow-up", "asks again")
WAYS = {"kept": KEPT_MIB, "last prompt alone": 0}


class Counting:
    """Passes a model's steps on and adds up their tokens."""

    def __init__(self, model: StepModel) -> None:
        self.tokens = 0
        self._step = model.step
        model.step = self._count  # type: ignore[method-assign]

    def _count(self, tokens: list[int], last_only: bool) -> Logits:
        self.tokens += len(tokens)
        return self._step(tokens, last_only)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--reader", default=None)
    options = parser.parse_args()
    share_processor_politely()
    golds = [json.loads(line) for line in (SEEDS / "questions.jsonl").read_text(encoding="utf-8").splitlines()]
    golds = [gold for gold in golds if gold["answers"]]
    with tempfile.TemporaryDirectory() as folder:
        given = {"reader": options.reader} if options.reader else {}
        settings = load_settings(index=Path(folder) / "index", max_wrong=1, **given)
        embedder = open_embedder(settings)
        identity = library_identity(settings, embedder)
        index_paths([SEEDS], settings.index, identity, embedder)
        gguf = ensure(settings.reader, settings.models, offline=settings.offline, report=lambda *_: None)
        there = gguf.with_suffix(".bf16")
        weights = converted(gguf, there if there.exists() else Path(folder) / "weights", lambda *_: None)
        engine = open_transformers(weights, settings.reader, 4096, os.cpu_count() or 1)
        pipeline = Pipeline(settings, open_library(settings.index, identity), embedder, engine)
        rows = rounds(pipeline, engine, golds, options.rounds)
        pipeline.close()
    table(rows)


def rounds(
    pipeline: Pipeline, engine: SteppedEngine, golds: Sequence[dict[str, object]], count: int
) -> dict[str, list[list[tuple[int, float, float]]]]:
    """For each way a list of rounds of (tokens, seconds, processor seconds) of each step."""
    assert engine._weights is not None
    counting = Counting(engine._weights)
    rows: dict[str, list[list[tuple[int, float, float]]]] = {way: [] for way in WAYS}
    for number in range(count):
        one, other = golds[number], golds[-1 - number]
        answers = one["answers"]
        assert isinstance(answers, list)
        for way in list(WAYS) if number % 2 else list(WAYS)[::-1]:
            engine.forget()
            engine._kept = KeptStates(WAYS[way] << 20)
            talk = (Turn(str(one["question"]), str(answers[0])),)
            asked = [(one["question"], ()), (other["question"], ()), (FOLLOW_UP, talk), (one["question"], ())]
            rows[way].append([measured(pipeline, counting, str(text), history) for text, history in asked])
            print(way, [tokens for tokens, *_ in rows[way][-1]], flush=True)
    return rows


def measured(
    pipeline: Pipeline, counting: Counting, question: str, history: tuple[Turn, ...]
) -> tuple[int, float, float]:
    before, wall, processor = counting.tokens, time.perf_counter(), time.process_time()
    deque(pipeline.prepare(question, history), 0)
    return counting.tokens - before, time.perf_counter() - wall, time.process_time() - processor


def table(rows: dict[str, list[list[tuple[int, float, float]]]]) -> None:
    print(f"\n{'medians':24}{'tokens':>20}{'seconds':>20}{'processor':>20}   ({', '.join(rows)})")
    for at, step in enumerate(STEPS):
        columns = zip(*([statistics.median(values) for values in zip(*(row[at] for row in way), strict=True)]
                        for way in rows.values()), strict=True)  # fmt: skip
        print(f"{step:24}" + "".join(f"{' / '.join(f'{value:.1f}' for value in pair):>20}" for pair in columns))


if __name__ == "__main__":
    main()
