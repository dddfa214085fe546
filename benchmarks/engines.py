"""Seconds and memory of an answer in each engine, and what the pipeline adds to them.

    python -m benchmarks.engines                    # llama_cpp and transformers
    python -m benchmarks.engines llama_cpp --rounds 5

Each engine runs in a process of its own. A round asks one question twice behind the same passages: through the
pipeline, and directly, with the answer prompt the pipeline makes and nothing else: no search, no check whether there is
an answer, no citations. Each time the instructions begin with another number, so that nothing read before can be
reused. The two are compared pair by pair; medians are printed.
"""

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from rag import prompting
from rag.indexing import index_paths
from rag.pipeline import library_identity, open_embedder, open_pipeline
from rag.settings import load_settings
from rag.types import Engine, Limits, Passage

ENGINES = ("llama_cpp", "transformers")
SEEDS = Path(__file__).parent.parent / "seeds"
QUESTIONS = (
    "how much does TikTok pay Microsoft?",
    "Which project is Apple abandoning to focus on AI?",
    "When did Liang Rubo become chief executive of ByteDance?",
)

_INSTRUCTIONS = prompting.INSTRUCTIONS
_unseen = itertools.count(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engines", nargs="*", default=ENGINES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.rounds)))
        return
    rows = [_in_process(engine, options.rounds) for engine in options.engines]
    names = list(rows[0])
    for name in names:
        print(f"{name:44}" + "".join(f"{row[name]!s:>16}" for row in rows))


def _in_process(engine: str, rounds: int) -> dict[str, float | str]:
    command = [sys.executable, "-m", "benchmarks.engines", "--measure", engine, "--rounds", str(rounds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=Path(__file__).parent.parent)
    row: dict[str, float | str] = json.loads(done.stdout.splitlines()[-1])
    return row


def measure(engine: str, rounds: int) -> dict[str, float | str]:
    with tempfile.TemporaryDirectory() as folder, _peak_memory() as peak:
        settings = load_settings(index=Path(folder), engine=engine)
        embedder = open_embedder(settings)
        index_paths([SEEDS], settings.index, library_identity(settings, embedder), embedder)
        before = _resident()
        started = time.perf_counter()
        pipeline = open_pipeline(settings)
        load = time.perf_counter() - started
        resident = _resident() - before
        firsts, totals, finds, directs, ratios, tokens = [], [], [], [], [], []
        for number in range(rounds * len(QUESTIONS)):
            question = QUESTIONS[number % len(QUESTIONS)]
            passages = pipeline.find_passages(question)
            # Whoever goes first finds the machine in another state, so they take turns.
            direct = _direct(pipeline.engine, question, passages) if number % 2 else None
            make_unseen()
            answer = pipeline.answer(question)
            direct = direct or _direct(pipeline.engine, question, passages)
            firsts.append(answer.timings.first_token)
            totals.append(answer.timings.total)
            finds.append(answer.timings.retrieval)
            directs.append(direct)
            ratios.append(answer.timings.total / direct)
            tokens.append(sum(pipeline.engine.count_tokens(passage.text) for passage in passages))
        pipeline.close()
    return {
        "engine": engine,
        "seconds to load, library and embedder included": round(load, 1),
        "MB resident after loading, of that": round(resident / 1e6),
        "MB at the peak of the process": round(peak[0] / 1e6),
        "tokens of the passages": statistics.median(tokens),
        "seconds to find the passages": round(statistics.median(finds), 3),
        "seconds to the first word": round(statistics.median(firsts), 1),
        "seconds to the last word": round(statistics.median(totals), 1),
        "seconds of the same answer prompt, directly": round(statistics.median(directs), 1),
        "pipeline / direct, median of pairs": round(statistics.median(ratios), 3),
    }


def _direct(engine: Engine, question: str, passages: tuple[Passage, ...]) -> float:
    make_unseen()
    started = time.perf_counter()
    for _ in engine.stream(prompting.answer_prompt(question, passages), Limits(load_settings().answer_tokens)):
        pass
    return time.perf_counter() - started


def make_unseen() -> None:
    """Let all prompts made from now on begin as none did before."""
    prompting.INSTRUCTIONS = f"({next(_unseen)}) {_INSTRUCTIONS}"


def _resident() -> int:
    """Bytes, those of the processes started included."""
    here = psutil.Process()
    return sum(process.memory_info().rss for process in (here, *here.children(recursive=True)))


@contextmanager
def _peak_memory() -> Iterator[list[float]]:
    peak, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            peak[0] = max(peak[0], _resident())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


if __name__ == "__main__":
    main()
