"""Readers who ask while a writer indexes: is any answer torn, does anything fail, how long does a question take.

    python -m benchmarks.readers_and_writer                        # five minutes, 20 readers in 4 processes
    python -m benchmarks.readers_and_writer --seconds 30 --readers 8

The whole pipeline answers, with an embedder that counts words and an engine that follows a script. Each edition of an
article says its number in every sentence, and every edition is written to all articles before it is committed: an
answer with passages or citations of two editions is torn.
"""

import argparse
import itertools
import multiprocessing
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

from rag.errors import RagError
from rag.index import Identity, check_library, open_library
from rag.indexing import index_paths
from rag.pipeline import Pipeline
from rag.settings import load_settings
from tests.fakes import ReusingEngine, WordEmbedder

IDENTITY = Identity("words", "1", WordEmbedder.dimension, chunk_tokens=160, chunk_overlap=1)
ARTICLES = 12
SENTENCES = 30
QUESTION = "What does the edition say about stones?"
SHOWN = 20
PATIENCE = 600.0
"""Seconds to wait for a process to start or end on a machine that has other work to do."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What readers and writer saw."""

    answers: int
    commits: int
    states: int
    """Editions that some answer was made from."""
    slowest: float
    """Seconds from a question to its answer."""
    median: float
    errors: tuple[str, ...]
    """What failed or was torn, one sentence each."""


def run(place: Path, readers: int, processes: int, seconds: float) -> Seen:
    """Readers are threads, spread over processes; the writer works in this one. The library lies in `place`/index."""
    _write(place, edition=0)
    context = multiprocessing.get_context("spawn")
    results, stop = context.Queue(), context.Event()
    shares = [readers // processes + (number < readers % processes) for number in range(processes)]
    children = [
        context.Process(target=_read, args=(place / "index", share, stop, results), daemon=True) for share in shares
    ]
    for child in children:
        child.start()
    for _ in children:
        results.get(timeout=PATIENCE)  # it has imported everything and asks
    commits, until = 0, time.monotonic() + seconds
    errors: list[str] = []
    try:
        for edition in itertools.count(1):
            if time.monotonic() > until:
                break
            _write(place, edition)
            commits += 1
    except RagError as error:
        errors.append(f"the writer: {error}")
    stop.set()
    times: list[float] = []
    states: set[int] = set()
    for child in children:
        try:
            took, editions, failures = results.get(timeout=PATIENCE)
        except Empty:
            errors.append(f"a process of readers ended with {child.exitcode}")
            continue
        times += took
        states |= editions
        errors += failures
    for child in children:
        child.join(timeout=PATIENCE)
    times.sort()
    middle, slowest = (times[len(times) // 2], times[-1]) if times else (0.0, 0.0)
    return Seen(len(times), commits, len(states), slowest, middle, tuple(errors[:SHOWN]))


def _write(place: Path, edition: int) -> None:
    news = place / "news"
    news.mkdir(exist_ok=True)
    for number in range(ARTICLES):
        sentences = " ".join(f"Stone {line} of edition {edition} lies here." for line in range(SENTENCES))
        (news / f"{number}.md").write_text(f"# Article {number}\n\n{sentences}\n", encoding="utf-8")
    index_paths([news], place / "index", IDENTITY, WordEmbedder())


def _read(index: Path, readers: int, stop: Any, results: Any) -> None:
    """Runs in a process of its own."""
    times: list[float] = []
    editions: set[int] = set()
    failures: list[str] = []
    with open_library(index, IDENTITY) as library:

        def ask() -> None:
            engine = ReusingEngine("Stone 3 lies here [1].", 0.9)
            pipeline = Pipeline(load_settings(index=index), library, WordEmbedder(), engine)
            while not stop.is_set():
                began = time.perf_counter()
                try:
                    answer = pipeline.answer(QUESTION)
                except Exception as error:
                    failures.append(f"{type(error).__name__}: {error}")
                    continue
                times.append(time.perf_counter() - began)
                found = {int(number) for text in _texts(answer) for number in re.findall(r"edition (\d+)", text)}
                editions.update(found)
                if len(found) != 1:
                    failures.append(f"an answer of the editions {sorted(found)}")
                failures.extend(_misplaced(answer))

        threads = [threading.Thread(target=ask) for _ in range(readers)]
        for thread in threads:
            thread.start()
        results.put("asking")
        for thread in threads:
            thread.join()
    results.put((times, editions, failures))


def _texts(answer: Any) -> list[str]:
    cited = [citation.text for claim in answer.claims for citation in claim.citations]
    return [*cited, *(passage.text for passage in answer.passages), *(p.document.text for p in answer.passages)]


def _misplaced(answer: Any) -> list[str]:
    """Passages that aren't where their chunk says."""
    return [
        f"passage {passage.number} isn't at its offsets"
        for passage in answer.passages
        if passage.document.text[passage.chunk.start : passage.chunk.end] != passage.text
    ]


def main(report: Callable[[str], object] = print) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--processes", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seen = run(Path(folder), options.readers, options.processes, options.seconds)
        faults = check_library(Path(folder) / "index").faults
    report(f"answers              {seen.answers:,}")
    report(f"commits              {seen.commits:,}")
    report(f"editions answered    {seen.states:,}")
    report(f"seconds, median      {seen.median:.3f}")
    report(f"seconds, slowest     {seen.slowest:.3f}")
    report(f"errors               {len(seen.errors)}")
    report(f"faults afterwards    {len(faults)}")
    for error in seen.errors:
        report(f"  {error}")
    sys.exit(bool(seen.errors or faults))


if __name__ == "__main__":
    main()
