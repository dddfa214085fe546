"""`python scale_peer.py PLACE` measures usearch on the vectors of `benchmarks.scale`, in usearch's own environment.

Prints JSON. The index is built, saved, and searched as a memory-mapped view in a process of its own.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

K = 10
BLOCK = 10_000


def build(place: Path) -> dict[str, float]:
    from usearch.index import Index

    vectors = np.load(place / "vectors.npy", mmap_mode="r")
    index = Index(ndim=vectors.shape[1], metric="ip", dtype="f32")
    began = time.perf_counter()
    for at in range(0, len(vectors), BLOCK):
        rows = np.array(vectors[at : at + BLOCK])
        index.add(np.arange(at, at + len(rows)), rows)
    took = time.perf_counter() - began
    index.save(str(place / "usearch"))
    return {"build s": took, "vectors MB": (place / "usearch").stat().st_size / 1e6}


def search(place: Path) -> dict[str, float]:
    from usearch.index import Index

    index = Index.restore(str(place / "usearch"), view=True)
    questions, truth = np.load(place / "questions.npy"), np.load(place / "truth.npy").tolist()
    times, processors, shares = [], [], []
    for question, true in zip(questions, truth, strict=True):
        began, busy = time.perf_counter(), time.process_time()
        found = index.search(question, K, threads=1).keys
        processors.append(1000 * (time.process_time() - busy))
        times.append(1000 * (time.perf_counter() - began))
        shares.append(len({*found.tolist()} & {*true}) / K)
    return summary(times, processors, shares)


def summary(times: list[float], processors: list[float], recalls: list[float]) -> dict[str, float]:
    """Of searches one after the other; what is slow at first only is told apart."""
    settled = times[len(times) // 3 :]
    return {
        "first ms": times[0],
        "p50 ms": statistics.median(settled),
        "p95 ms": float(np.quantile(settled, 0.95)),
        "CPU p50 ms": statistics.median(processors),
        "recall@10": statistics.mean(recalls),
        "memory MB": memory(),
    }


def memory() -> float:
    """Megabytes: the most this process ever had in memory, mapped files included; 0 where the system doesn't tell."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="ascii").splitlines() if status.exists() else []
    return sum(int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    place = Path(sys.argv[1])
    if "search" in sys.argv:
        print(json.dumps(search(place)))
    else:
        built = build(place)
        done = subprocess.run(
            [sys.executable, __file__, str(place), "search"], check=True, capture_output=True, text=True
        )
        print(json.dumps(built | json.loads(done.stdout)))
