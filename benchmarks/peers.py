"""Seconds and answers against LlamaIndex and txtai with the same weights, on passages not seen before and seen.

    python -m benchmarks.peers SET --output peers.jsonl              # 10 pairs of questions of a set such as xquad-en
    python -m benchmarks.peers SET --output peers.jsonl --limit 40   # goes on to 40; also after an interruption

SET is a folder as `rag eval` takes it, with a document a paragraph. A round asks everyone one question about a document
of an article not asked about before ("cold", as long as there are such articles), then everyone another question about
the same document ("seen"). They take turns in going first. Everyone keeps whatever it keeps of earlier prompts.

Citeline runs with its default settings and gives cited and checked answers; peers give plain ones, with five whole
paragraphs to read, which is what they find quickest. Each peer is installed into an environment of its own below
--place (2 GB each), never into this one, and set up as its documentation does; see `benchmarks.peer_llama_index` and
`benchmarks.peer_txtai`. Their bindings for GGUF files, llama-cpp-python, have no wheel: the reader is served to them by
the same xllamacpp wheel that Citeline uses, from the same file, at temperature 0 with as many threads, as long an
answer and the same way of waiting (GOMP_SPINCOUNT). All models stay in memory, about 5 GB.

Seconds of the processors, taken by whoever answers, tell more than the clock where the machine has other work to do.
`rag compare` tells whether answers are as good: --reports FOLDER writes what it reads.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import platformdirs

from benchmarks.peer_serving import Job
from benchmarks.question_pairs import Asked, open_for, pairs
from benchmarks.resumable import keep, kept
from rag.engines.llama_server import LlamaServerEngine
from rag.evaluation import Evaluation, Mode, report_json
from rag.evaluation.judging import Known, judge
from rag.evaluation.scoring import scores
from rag.evaluation.sets import QuestionSet, load_set
from rag.metrics import contained, paired_difference
from rag.model_files import ensure
from rag.pipeline import Pipeline
from rag.settings import Settings, load_settings
from rag.types import Answer, Conditions, Models, Reason, Timings

ROOT = Path(__file__).parent.parent
PASSAGES = 5
CITELINE = "Citeline"
PEERS = {
    "LlamaIndex": (
        "benchmarks.peer_llama_index",
        ("llama-index-core", "llama-index-llms-openai-like", "llama-index-embeddings-huggingface"),
    ),
    "txtai": ("benchmarks.peer_txtai", ("txtai", "litellm")),
}
KINDS = ("cold", "seen")

Reply: TypeAlias = dict[str, Any]
"""Of anyone to one question: "answer", "first", "seconds", "processors"; of Citeline also "refused" and "stages"."""

Round: TypeAlias = dict[str, dict[str, Reply]]
"""Kind → who → reply; see `KINDS`."""


class Peer:
    """A process that answers questions; see `benchmarks.peer_serving`."""

    def __init__(self, name: str, place: Path, job: Job) -> None:
        module, packages = PEERS[name]
        environment = place / name
        python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        installed = environment / "installed"
        if not installed.exists():
            print(f"Installing {name} into {environment} (minutes)", flush=True)
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True)
            # The very version of torch that is here: another one might be a build for CUDA of several GB.
            same = [f"{one}=={version(one).partition('+')[0]}" for one in ("torch", "xllamacpp")]
            pip = [str(python), "-m", "pip", "install", "-q", "--only-binary", ":all:"]
            subprocess.run([*pip, *same, *packages], check=True)
            installed.touch()
        with (place / f"{name}.log").open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [str(python), "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
            )
        self._log = place / f"{name}.log"
        self.versions: dict[str, str] = self._told(asdict(job))["versions"]

    def ask(self, question: str) -> Reply:
        return self._told({"question": question})

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _told(self, value: dict[str, Any]) -> Reply:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"A peer has ended; {self._log} says why.")
        reply: Reply = json.loads(line)
        return reply


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--output", type=Path, required=True, help="a line for each round; those there aren't repeated")
    parser.add_argument("--limit", type=int, default=10, help="pairs of questions in the output in the end")
    parser.add_argument("--peers", nargs="*", choices=PEERS, default=list(PEERS))
    parser.add_argument("--place", type=Path, default=platformdirs.user_cache_path("citeline") / "peers")
    parser.add_argument("--reports", type=Path, help="folder of a report for everyone and each kind of question")
    options = parser.parse_args()
    questions, settings = load_set(options.set), load_settings(engine="llama_cpp")
    chosen = list(islice(pairs(questions), options.limit))
    done = kept(options.output)
    missing = [pair for pair in chosen if pair[0][0].id not in done]
    if missing:
        with ExitStack() as opened:
            askers = open_all(opened, questions, settings, options.peers, options.place)
            for pair in missing:
                found = play(pair, askers, turn=len(done))
                keep(options.output, pair[0][0].id, found)
                done[pair[0][0].id] = found
    rounds = [done[pair[0][0].id] for pair in chosen]
    for at, kind in enumerate(KINDS):
        table(kind, [pair[at] for pair in chosen], [one[kind] for one in rounds])
    if options.reports:
        write_reports(options.reports, questions.name, settings, chosen, rounds)


def open_all(
    opened: ExitStack, questions: QuestionSet, settings: Settings, peers: Sequence[str], place: Path
) -> dict[str, Callable[[str], Reply]]:
    """Everyone who answers questions, by name. Sets the environment that peers share with Citeline."""
    pipeline = opened.enter_context(closing(open_for(questions, settings)))
    assert isinstance(pipeline.engine, LlamaServerEngine), "everyone runs the xllamacpp wheel: remove llama-cpp-python"
    assert questions.corpus is not None
    job = Job(
        documents=[{"id": one.id, "title": one.title, "text": one.text} for one in questions.corpus.read()],
        embedder=str(ensure(settings.embedder, settings.models, offline=settings.offline).resolve()),
        reader=str(ensure(settings.reader, settings.models, offline=settings.offline).resolve()),
        threads=settings.threads or os.cpu_count() or 1,
        passages=PASSAGES,
        answer_tokens=settings.answer_tokens,
    )
    askers: dict[str, Callable[[str], Reply]] = {CITELINE: lambda question: ask_citeline(pipeline, question)}
    warming = "What is this about?"  # whatever is loaded only when it is needed
    pipeline.answer(warming)
    place.mkdir(parents=True, exist_ok=True)
    for name in peers:
        peer = opened.enter_context(closing(Peer(name, place, job)))
        print(f"{name}: {', '.join(f'{one} {number}' for one, number in peer.versions.items())}", flush=True)
        peer.ask(warming)
        askers[name] = peer.ask
    return askers


def ask_citeline(pipeline: Pipeline, question: str) -> Reply:
    busy = time.process_time()
    answer = pipeline.answer(question)
    timings = asdict(answer.timings)
    return {
        "answer": answer.text,
        "first": timings.pop("first_token"),
        "seconds": timings.pop("total"),
        "processors": time.process_time() - busy,
        "refused": answer.reason if answer.abstained else "",
        "stages": timings,
    }


def play(pair: tuple[Asked, Asked], askers: dict[str, Callable[[str], Reply]], turn: int) -> Round:
    names = list(askers)
    order = names[turn % len(names) :] + names[: turn % len(names)]
    found: Round = {}
    for kind, (question, gold) in zip(KINDS, pair, strict=True):
        found[kind] = {}
        for name in order:
            reply = found[kind][name] = askers[name](question.text)
            right = "right" if contained(reply["answer"], gold.answers) else reply.get("refused") or "wrong"
            print(f"{kind} {name:12}{reply['first']:7.2f} s{reply['seconds']:7.2f} s  {right}", flush=True)
    return found


def table(kind: str, asked: Sequence[Asked], rows: Sequence[dict[str, Reply]]) -> None:
    """Medians; "of theirs" is the median of Citeline's figure divided by the peer's for the same question."""
    names = [name for name in rows[0] if all(name in row for row in rows)]
    head = f"{kind}, {len(rows)} questions"
    print(f"\n{head:24}{'first s':>9}{'all s':>9}{'of theirs':>11}{'CPU s':>9}{'of theirs':>11}{'contained':>11}")
    right = {
        name: [float(contained(row[name]["answer"], gold.answers)) for (_, gold), row in zip(asked, rows, strict=True)]
        for name in names
    }
    for name in names:
        first, whole, busy = (
            statistics.median(row[name][what] for row in rows) for what in ("first", "seconds", "processors")
        )
        share, busy_share = (
            statistics.median(row[CITELINE][what] / row[name][what] for row in rows)
            for what in ("seconds", "processors")
        )
        less = paired_difference(right[name], right[CITELINE])
        print(
            f"{name:24}{first:9.2f}{whole:9.2f}{share:11.2f}{busy:9.2f}{busy_share:11.2f}"
            f"{statistics.mean(right[name]):11.1%}"
            + ("" if name == CITELINE else f"  Citeline {less.value:+.1%} ({less.low:+.1%} to {less.high:+.1%})")
        )
    for stage in rows[0][CITELINE]["stages"]:
        print(f"  Citeline: {stage:14}{statistics.median(row[CITELINE]['stages'][stage] for row in rows):7.2f} s")
    print(f"  Citeline: {sum(bool(row[CITELINE]['refused']) for row in rows)} refused")


def write_reports(
    folder: Path, name: str, settings: Settings, chosen: Sequence[tuple[Asked, Asked]], rounds: Sequence[Round]
) -> None:
    """FOLDER/KIND/WHO/report.json, judged by the text of the answers and the seconds alone."""
    for at, kind in enumerate(KINDS):
        for who in rounds[0][kind]:
            judged = tuple(
                judge(*pair[at], _answer(pair[at], one[kind][who], who), None, Known({}, {}, len))
                for pair, one in zip(chosen, rounds, strict=True)
            )
            made = datetime.now(UTC).isoformat(timespec="seconds")
            conditions = Conditions({}, Models(settings.embedder, settings.reader, who), {}, name)
            found = Evaluation(
                f"{name} {kind} {who}", Mode.NORMAL, made, "benchmarks.peers", conditions, scores(judged), judged
            )
            file = folder / kind / who / "report.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(report_json(found), encoding="utf-8")
        print(f"rag compare {folder / kind}/{{{','.join(rounds[0][kind])}}}")


def _answer(asked: Asked, reply: Reply, who: str) -> Answer:
    refused = bool(reply.get("refused"))
    question = asked[0].text
    return Answer(
        question=question,
        standalone_question=question,
        text=reply["answer"],
        claims=(),
        passages=(),
        abstained=refused,
        reason=Reason(reply["refused"]) if refused else Reason.ANSWERED,
        confidence=0.0,
        timings=Timings(first_token=reply["first"], total=reply["seconds"]),
        models=Models("", "", who),
    )


if __name__ == "__main__":
    main()
