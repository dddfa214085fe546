"""Seconds to the first word with nothing read before, against llama.cpp reading five whole passages.

    python -m benchmarks.cold_prompt SET --output cold.jsonl              # 10 questions of a set such as xquad-en
    python -m benchmarks.cold_prompt SET --output cold.jsonl --limit 40   # goes on to 40; also after an interruption

SET is a folder as `rag eval` takes it, with a document a paragraph. Citeline is timed from the question on: searching,
reading, asking whether the passages hold the answer, the first word; or the refusal. The xllamacpp wheel is timed from
when it is handed the question behind the five documents whose vectors are nearest, in a plain prompt; its server has
the settings it comes with. It reads the same file with as many threads, and Citeline has to run on that wheel, too.
They take turns in going first, and neither reuses anything it computed before. Seconds of the processors, which both
share with the program itself, tell more than the clock where the machine has other work to do.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.peer_serving import start_reader
from benchmarks.question_pairs import open_for, pairs
from benchmarks.resumable import keep, kept
from rag.engines.llama_server import LlamaServerEngine
from rag.evaluation.sets import QuestionSet, load_set
from rag.model_files import ensure
from rag.pipeline import Pipeline
from rag.settings import load_settings
from rag.types import Embedder, Finished, PassagesFound, TextPiece

PASSAGES = 5
CITELINE, WHEEL = "Citeline", "xllamacpp"


class Wheel:
    """llama.cpp given whole documents."""

    def __init__(self, file: Path, threads: int, questions: QuestionSet, embedder: Embedder) -> None:
        assert questions.corpus is not None, "the set has to bring its documents along"
        self._server, address = start_reader(str(file), threads)
        self._client = httpx.Client(base_url=address, timeout=None)
        self._texts = [f"{document.title}\n{document.text}" for document in questions.corpus.read()]
        self._vectors = embedder.embed_passages(self._texts)
        self._embedder = embedder

    def prompt(self, question: str) -> str:
        likeness = self._vectors @ self._embedder.embed_query(question)[0]
        nearest = [self._texts[at] for at in np.argsort(-likeness)[:PASSAGES]]
        passages = "\n\n".join(f"[{number}] {text}" for number, text in enumerate(nearest, start=1))
        return f"{passages}\n\nAnswer the question from these passages in one to three sentences.\n\n{question}"

    def first_word(self, prompt: str) -> float:
        """Seconds to it."""
        request = {"messages": [{"role": "user", "content": prompt}], "stream": True, "cache_prompt": False}
        started = time.perf_counter()
        with self._client.stream("POST", "/v1/chat/completions", json=request) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                choices = json.loads(line.removeprefix("data: "))["choices"] if line.startswith("data: {") else []
                if choices and choices[0]["delta"].get("content"):
                    return time.perf_counter() - started
        raise SystemExit("llama.cpp wrote nothing.")

    def close(self) -> None:
        self._client.close()
        self._server = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--output", type=Path, required=True, help="a line a question; those there aren't repeated")
    parser.add_argument("--limit", type=int, default=10, help="questions in the output in the end")
    options = parser.parse_args()
    questions, settings = load_set(options.set), load_settings(engine="llama_cpp")
    asked = {first.id: first.text for (first, _), _ in islice(pairs(questions), options.limit)}
    done = kept(options.output)
    if missing := [name for name in asked if name not in done]:
        with closing(open_for(questions, settings)) as pipeline:
            assert isinstance(pipeline.engine, LlamaServerEngine), (
                "both run the xllamacpp wheel: remove llama-cpp-python"
            )
            file = ensure(settings.reader, settings.models, offline=settings.offline)
            threads = settings.threads or os.cpu_count() or 1
            with closing(Wheel(file, threads, questions, pipeline.embedder)) as wheel:
                pipeline.answer("What is this about?")  # whatever is loaded only when it is needed
                for name in missing:
                    done[name] = measure(pipeline, wheel, asked[name], citeline_first=len(done) % 2 == 0)
                    keep(options.output, name, done[name])
                    print(
                        "  ".join(
                            f"{who} {found['seconds']:.2f} s, {found['tokens']} tokens"
                            for who, found in done[name].items()
                        ),
                        flush=True,
                    )
    table([done[name] for name in asked])


def measure(pipeline: Pipeline, wheel: Wheel, question: str, *, citeline_first: bool) -> dict[str, Any]:
    prompt, count = wheel.prompt(question), pipeline.engine.count_tokens
    ways: dict[str, Callable[[], dict[str, Any]]] = {
        CITELINE: lambda: first_word(pipeline, question),
        WHEEL: lambda: {"seconds": wheel.first_word(prompt), "tokens": count(prompt)},
    }
    found = {}
    for who in list(ways) if citeline_first else reversed(list(ways)):
        busy = time.process_time()
        found[who] = ways[who]()
        found[who]["processors"] = time.process_time() - busy
    return {who: found[who] for who in ways}


def first_word(pipeline: Pipeline, question: str) -> dict[str, Any]:
    """Tokens are those of the passages and the question, which is not all of the prompt."""
    pipeline.engine.forget()
    tokens, started = pipeline.engine.count_tokens(question), time.perf_counter()
    with closing(pipeline.stream_answer(question)) as events:
        for event in events:
            if isinstance(event, PassagesFound):
                tokens += sum(pipeline.engine.count_tokens(passage.text) for passage in event.passages)
            if isinstance(event, Finished) or (isinstance(event, TextPiece) and event.text):
                seconds = time.perf_counter() - started
                return {"seconds": seconds, "tokens": tokens, "refused": isinstance(event, Finished)}
    raise RuntimeError("stream_answer ended without Finished")


def table(rows: Sequence[dict[str, Any]]) -> None:
    print(f"\n{f'medians of {len(rows)}':24}{'seconds':>9}{'processors':>12}{'tokens':>9}")
    for who in (CITELINE, WHEEL):
        seconds, processors, tokens = (
            statistics.median(row[who][what] for row in rows) for what in ("seconds", "processors", "tokens")
        )
        print(f"{who:24}{seconds:9.2f}{processors:12.2f}{tokens:9.0f}")
    for what in ("seconds", "processors"):
        shares = [row[CITELINE][what] / row[WHEEL][what] for row in rows]
        share, least, most = statistics.median(shares), min(shares), max(shares)
        print(f"Citeline / xllamacpp, {what}, median of pairs {share:.2f} ({least:.2f} to {most:.2f})")
    print(f"{sum(row[CITELINE]['refused'] for row in rows)} refused before a word was written")


if __name__ == "__main__":
    main()
