"""How search by meaning, commits and memory grow with a library: 10,000, 100,000 and 1,000,000 chunks.

    python -m benchmarks.scale                                    # all sizes, against FAISS's exact search and usearch
    python -m benchmarks.scale --sizes 10000 100000 --no-peer

The vectors are made up, with structure: topics of very different sizes in a space of few dimensions, and noise around
it; questions are others of the same kind. Every search, and every change, is measured in a process of its own. usearch
is installed into an environment of its own below --place, never into this one; it searches the same vectors with its
default settings.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.scale_peer import memory, summary
from rag.index import Identity, open_library, open_writer
from rag.types import Chunk, Document, Vectors

DIMENSION = 384
LATENT = 48
"""Dimensions in which topics differ; what embedders make of texts has some dozens, too."""
OF_A_TOPIC = 400
NOISE = 0.25
WITHIN = 0.5
QUESTIONS = 300
K = 10
CHUNKS = 20
"""Of an article."""
BLOCK = 10_000
IDENTITY = Identity("made up", "1", DIMENSION, chunk_tokens=160, chunk_overlap=1)
PEER = Path(__file__).with_name("scale_peer.py")


def made_up(count: int, seed: int, size: int) -> Iterator[Vectors]:
    """`count` unit vectors in blocks, of a library of `size`; another `seed` gives others of the same topics."""
    world = np.random.default_rng(0)
    mixing = world.standard_normal((LATENT, DIMENSION), dtype=np.float32) / np.float32(LATENT**0.5)
    topics = world.standard_normal((max(size // OF_A_TOPIC, 10), LATENT), dtype=np.float32)
    weights = 1 / np.arange(1, len(topics) + 1) ** 0.5
    chosen = np.random.default_rng(seed)
    for at in range(0, count, BLOCK):
        n = min(BLOCK, count - at)
        latent = topics[chosen.choice(len(topics), size=n, p=weights / weights.sum())]
        latent = latent + WITHIN * chosen.standard_normal((n, LATENT), dtype=np.float32)
        rows = latent @ mixing + NOISE * chosen.standard_normal((n, DIMENSION), dtype=np.float32)
        yield (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def prepare(place: Path, size: int) -> None:
    """`place` gets the vectors, the questions, and the ids of the true nearest neighbours, counted from 0."""
    questions = np.concatenate(list(made_up(QUESTIONS, 2, size)))
    vectors = np.lib.format.open_memmap(place / "vectors.npy", "w+", np.float32, (size, DIMENSION))
    best, found = np.empty((QUESTIONS, 0), np.float32), np.empty((QUESTIONS, 0), np.int64)
    at = 0
    for block in made_up(size, 1, size):
        vectors[at : at + len(block)] = block
        best = np.hstack([best, questions @ block.T])
        found = np.hstack([found, np.broadcast_to(np.arange(at, at + len(block)), (QUESTIONS, len(block)))])
        kept = np.argpartition(-best, K - 1)[:, :K]
        best, found = np.take_along_axis(best, kept, 1), np.take_along_axis(found, kept, 1)
        at += len(block)
    vectors.flush()
    np.save(place / "questions.npy", questions)
    np.save(place / "truth.npy", found)


def article(number: int, chunks: int) -> tuple[Document, list[Chunk]]:
    """An article with as many chunks, of one word each that no other article has."""
    lines = [f"{number * CHUNKS + line:x}" for line in range(chunks)]
    text = "\n".join(lines)
    ends = np.cumsum([len(line) + 1 for line in lines]) - 1
    spans = zip([0, *(ends[:-1] + 1)], ends, strict=True)
    name = str(number)
    document = Document(name, f"Report {number}", text, f"reports/{name}.txt", None, None, f"{number:064}")
    return document, [Chunk(f"{name}:{start}", name, int(start), int(end)) for start, end in spans]


def filled(place: Path) -> dict[str, float]:
    """Write the library of the vectors; ids of chunks tell which vector is theirs."""
    vectors = np.load(place / "vectors.npy", mmap_mode="r")
    began, busy = time.perf_counter(), time.process_time()
    with open_writer(place / "index", IDENTITY) as writer:
        for number, at in enumerate(range(0, len(vectors), CHUNKS)):
            rows = np.array(vectors[at : at + CHUNKS])
            document, chunks = article(number, len(rows))
            named = [Chunk(str(at + place), one.document_id, one.start, one.end) for place, one in enumerate(chunks)]
            writer.put(document, named, rows)
        put, busy_until = time.perf_counter(), time.process_time()
        writer.commit()
    return {
        "rows s": put - began,
        "build s": time.perf_counter() - put,
        "CPU rows s": busy_until - busy,
        "CPU build s": time.process_time() - busy_until,
        "build memory MB": memory(),
    }


def searched(place: Path) -> dict[str, float]:
    library = open_library(place / "index", IDENTITY)
    return measured(place, lambda query: [int(hit.chunk.id) for hit in library.nearest(query, K)])


def exact(place: Path) -> dict[str, float]:
    """FAISS's exact search, all vectors in memory."""
    import faiss

    index = faiss.IndexFlatIP(DIMENSION)
    vectors = np.load(place / "vectors.npy", mmap_mode="r")
    began = time.perf_counter()
    for at in range(0, len(vectors), BLOCK):
        index.add(np.array(vectors[at : at + BLOCK]))
    took = time.perf_counter() - began
    del vectors
    faiss.omp_set_num_threads(1)
    found = measured(place, lambda query: index.search(query, K)[1][0].tolist())
    return {"build s": took, **found}


def measured(place: Path, search: Callable[[Vectors], list[int]]) -> dict[str, float]:
    """Milliseconds of searches one by one, and how much of the truth they find."""
    questions, truth = np.load(place / "questions.npy"), np.load(place / "truth.npy")
    times, processors, found = [], [], []
    for question in np.split(questions, len(questions)):
        began, busy = time.perf_counter(), time.process_time()
        found.append(search(question))
        processors.append(1000 * (time.process_time() - busy))
        times.append(1000 * (time.perf_counter() - began))
    recalls = [len({*ids} & {*true}) / K for ids, true in zip(found, truth.tolist(), strict=True)]
    return summary(times, processors, recalls)


def changed(place: Path) -> dict[str, float]:
    """Milliseconds to add an article of twenty chunks and to take it out again, each with its commit."""
    adding, removing, processors = [], [], []
    rows = next(made_up(CHUNKS, 3, BLOCK))
    for number in range(5):
        document, chunks = article(10**9 + number, CHUNKS)
        began, busy = time.perf_counter(), time.process_time()
        with open_writer(place / "index", IDENTITY) as writer:
            writer.put(document, chunks, rows)
            writer.commit()
        added = time.perf_counter()
        with open_writer(place / "index", IDENTITY) as writer:
            writer.remove(document.id)
            writer.commit()
        adding.append(1000 * (added - began))
        removing.append(1000 * (time.perf_counter() - added))
        processors.append(1000 * (time.process_time() - busy))
    files = {suffix: sum(path.stat().st_size for path in (place / "index").glob(suffix)) for suffix in ("vec*", "*")}
    return {
        "add ms": statistics.median(adding),
        "remove ms": statistics.median(removing),
        "CPU both ms": statistics.median(processors),
        "vectors MB": files["vec*"] / 1e6,
        "disk MB": files["*"] / 1e6,
    }


STEPS: dict[str, Callable[[Path], dict[str, float]]] = {
    "filled": filled, "searched": searched, "changed": changed, "exact": exact,
}  # fmt: skip


def apart(step: str, place: Path) -> dict[str, float]:
    """Run a step in a process of its own."""
    return run([sys.executable, "-m", "benchmarks.scale", "--step", step, "--place", str(place)])


def run(command: list[str]) -> dict[str, float]:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def peer_python(place: Path) -> Path:
    """The interpreter of the environment with the peer, made where it is missing."""
    environment = place / "peer"
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "usearch", "numpy"], check=True)
    return python


def show(what: str, size: int, found: dict[str, Any]) -> None:
    figures = "  ".join(
        f"{name} {value:,.3g}" if value < 10 else f"{name} {value:,.0f}" for name, value in found.items()
    )
    print(f"{size:>9,}  {what:10}  {figures}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--place", type=Path, help="a folder with room for 6 GB; a temporary one without it")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        print(json.dumps(STEPS[options.step](options.place)))
        return
    with tempfile.TemporaryDirectory(dir=options.place) as folder:
        for size in options.sizes:
            place = Path(folder) / str(size)
            place.mkdir()
            prepare(place, size)
            show("Citeline", size, {**apart("filled", place), **apart("searched", place), **apart("changed", place)})
            show("FAISS", size, apart("exact", place))
            if not options.no_peer:
                show("usearch", size, run([str(peer_python(Path(folder))), str(PEER), str(place)]))


if __name__ == "__main__":
    main()
