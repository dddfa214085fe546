"""Seconds a question in `rag batch`, against the same questions one by one with nothing reused.

    python -m benchmarks.batch_reuse SET --output batch.jsonl                # 2 articles, 10 questions each
    python -m benchmarks.batch_reuse SET --output batch.jsonl --articles 20  # goes on to 20

SET is a folder as `rag eval` takes it; an article is what its documents of one title make together. Each article's
questions are a batch, run as `rag batch` runs it, in its order and with its reuse; and are asked one by one, the reader
forgetting what it computed before each. Article by article the two ways take turns in going first. A batch of all
articles at once differs only in that articles are mixed up in it, and put back in order 32 questions at a time.

Searching is part of both. Reading the weights once to tell which they are is part of neither. Seconds of the processors
tell more than the clock where the machine has other work to do.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks.question_pairs import Asked, by_article, open_for
from benchmarks.resumable import keep, kept
from rag.batch import LibraryAsker, read_records, run_batch
from rag.evaluation.sets import load_set
from rag.metrics import contained
from rag.pipeline import Pipeline
from rag.settings import load_settings
from rag.types import Answer, Conditions

BATCH, ALONE = "batch", "one by one"


class Asker(LibraryAsker):
    """Knows the conditions from the beginning."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(pipeline)
        self._conditions = super().conditions()

    def conditions(self) -> Conditions:
        return self._conditions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--output", type=Path, required=True, help="a line an article; those there aren't repeated")
    parser.add_argument("--articles", type=int, default=2, help="in the output in the end")
    parser.add_argument("--questions", type=int, default=10, help="about each article")
    options = parser.parse_args()
    questions, settings = load_set(options.set), load_settings(strict=True)
    articles = {
        f"{article[0][0][0].id}, {options.questions}": list(chain(*article))[: options.questions]
        for article in by_article(questions)
    }
    chosen = dict(list(articles.items())[: options.articles])
    done = kept(options.output)
    if missing := [name for name in chosen if name not in done]:
        with closing(open_for(questions, settings, repeatable=True)) as pipeline:
            asker = Asker(pipeline)
            pipeline.answer("What is this about?")  # whatever is loaded only when it is needed
            for name in missing:
                done[name] = measure(asker, chosen[name], batch_first=len(done) % 2 == 0)
                keep(options.output, name, done[name])
                seconds = "  ".join(f"{way} {found['seconds']:.1f} s" for way, found in done[name].items())
                print(f"{len(chosen[name])} questions: {seconds}", flush=True)
    table(list(chosen.values()), [done[name] for name in chosen])


def measure(asker: Asker, asked: Sequence[Asked], *, batch_first: bool) -> dict[str, Any]:
    ways: dict[str, Callable[[], list[str]]] = {
        BATCH: lambda: in_a_batch(asker, asked),
        ALONE: lambda: one_by_one(asker, asked),
    }
    found = {}
    for way in list(ways) if batch_first else reversed(list(ways)):
        started, busy = time.perf_counter(), time.process_time()
        answers = ways[way]()
        seconds = {"seconds": time.perf_counter() - started, "processors": time.process_time() - busy}
        found[way] = {**seconds, "answers": answers}
    return {way: found[way] for way in ways}


def in_a_batch(asker: Asker, asked: Sequence[Asked]) -> list[str]:
    """The answers in the order of the questions."""
    rows = [replace(question, row=at, carried={}) for at, (question, _) in enumerate(asked, start=1)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answers.jsonl"
        run_batch(asker, rows, file)
        outcomes = [record.outcome for record in read_records(file)]
    return [one.text if isinstance(one, Answer) else "" for one in outcomes]


def one_by_one(asker: Asker, asked: Sequence[Asked]) -> list[str]:
    """As `in_a_batch`."""
    answers = []
    for question, _ in asked:
        asker.forget()
        answers.append(asker.answer(question).text)
    return answers


def table(asked: Sequence[Sequence[Asked]], rows: Sequence[dict[str, Any]]) -> None:
    questions = list(chain(*asked))
    print(f"\n{len(rows)} articles, {len(questions)} questions")
    answers = {way: list(chain(*(row[way]["answers"] for row in rows))) for way in (BATCH, ALONE)}
    for way in (BATCH, ALONE):
        pairs = zip(answers[way], questions, strict=True)
        right = statistics.mean(contained(answer, gold.answers) for answer, (_, gold) in pairs)
        seconds, processors = (
            sum(row[way][what] for row in rows) / len(questions) for what in ("seconds", "processors")
        )
        print(
            f"{way:12}{seconds:8.2f} s a question, {processors:.2f} s of the processors, "
            f"answer contained in {right:.0%}"
        )
    for what in ("seconds", "processors"):
        gains = [row[ALONE][what] / row[BATCH][what] for row in rows]
        gain, least, most = statistics.median(gains), min(gains), max(gains)
        print(f"one by one / batch, {what}, median of articles {gain:.2f} ({least:.2f} to {most:.2f})")
    same = sum(one == other for one, other in zip(*answers.values(), strict=True))
    print(f"{same} of {len(questions)} answers are the same word for word")


if __name__ == "__main__":
    main()
