"""Memory of the whole app, with the processes it starts: when it has begun, and after questions asked by its API.

    python -m benchmarks.memory_of_the_app                              # ten questions with each engine
    python -m benchmarks.memory_of_the_app --engines llama_cpp --questions 3

What processes share counts once where Linux tells (the proportional set size, PSS); elsewhere each counts what it has
resident. The library is made of the sample articles in a temporary folder, with the models of the settings.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import psutil

from benchmarks.startup import PATIENCE, POLL_SECONDS, ROOT, SETTINGS, called, page, searches
from rag.pipeline import index_articles
from rag.settings import load_settings

GOALS = {"llama_cpp": 2.5, "transformers": 4.5}
"""GiB, by engine."""

QUESTIONS = (
    "How much does TikTok pay Microsoft?",
    "What did the European Central Bank decide about interest rates?",
    "When did Voyager 1 enter interstellar space?",
    "Who won the election?",
    "What does the article say about electric cars?",
)


@dataclass(frozen=True, slots=True)
class Held:
    """Memory, in GiB."""

    page: float
    children: float

    @property
    def whole(self) -> float:
        return self.page + self.children


def held_by(process: int) -> Held:
    """What the process and those it started hold now."""
    page = psutil.Process(process)
    return Held(_bytes_of(page) / 2**30, sum(map(_bytes_of, page.children(recursive=True))) / 2**30)


def _bytes_of(process: psutil.Process) -> int:
    with suppress(OSError):
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def rows(engine: str, folder: str, questions: int) -> Iterator[str]:
    """Lines of the table."""
    environment = {**os.environ, **SETTINGS, "RAG_INDEX": folder, "RAG_ENGINE": engine, "PYTHONPATH": str(ROOT)}
    with page(environment) as (address, began, process):
        while not searches(address):
            if time.perf_counter() - began > PATIENCE or process.poll() is not None:
                raise SystemExit("The page did not come up.")
            time.sleep(POLL_SECONDS)
        yield _row(engine, "after start", held_by(process.pid))
        for number, question in enumerate(islice(cycle(QUESTIONS), questions), 1):
            if "event: complete" not in (said := called(address, "ask", question=question)):
                raise SystemExit(f"Question {number} was not answered: {said[:300]}")
        yield _row(engine, f"after {questions} questions", held_by(process.pid))


def _row(engine: str, when: str, held: Held) -> str:
    return f"| {engine} | {when} | {held.whole:.2f} | {held.page:.2f} | {held.children:.2f} | {GOALS[engine]} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=10)
    parser.add_argument("--engines", nargs="+", default=list(GOALS), choices=list(GOALS))
    given = parser.parse_args()
    print("| engine | when | GiB | of them the page | its children | goal |\n|:-|:-|-:|-:|-:|-:|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        index_articles(load_settings(index=folder), [ROOT / "seeds"])
        for engine in given.engines:
            for row in rows(engine, folder, given.questions):
                print(row, flush=True)


if __name__ == "__main__":
    main()
