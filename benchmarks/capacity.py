"""How long questions wait: a simulation of the queue before the readers' processes, beside what a load test measured.

    python -m benchmarks.load --calm --record calm.jsonl
    python -m benchmarks.capacity calm.jsonl              # simulated and measured queue times, side by side
    python -m benchmarks.capacity calm.jsonl --slots 1 2 4 8 --readers 10 50 200

A closed loop, as in the load test: each reader thinks, asks, waits for one of the slots (a worker answers one question
at a time), is served and thinks again, until the time is up. How long serving takes is drawn from what was measured;
how long questions wait follows from nothing but that. Without --slots it ends with status 1 where the 50th or the 95th
percentile of the two differ by more than a quarter. With --slots it says what other sizes would do, as long as the
slots don't slow each other down: on one machine without a model server of its own they do.
"""

import argparse
import json
import random
import statistics
import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import simpy

AGREES = 0.25
RUNS = 40
"""Simulations of which the median is told."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How many ask whom, for how long. Seconds."""

    readers: int
    slots: int
    seconds: float
    think: float
    """Between an answer and the next question, exponentially distributed, on average."""


@dataclass(frozen=True, slots=True)
class Queue:
    """Seconds waited, and answers a minute."""

    p50: float
    p95: float
    per_minute: float


def simulate(shape: Shape, served: Sequence[float], seed: int) -> Queue:
    """One run, `served` being the seconds of serving that are drawn from."""
    chance, clock = random.Random(seed), simpy.Environment()
    slots, waited = simpy.Resource(clock, shape.slots), list[float]()

    def read() -> Generator[simpy.Event, None, None]:
        yield clock.timeout(chance.expovariate(1 / shape.think))
        while clock.now < shape.seconds:
            asked = clock.now
            with slots.request() as turn:
                yield turn
                waited.append(clock.now - asked)
                yield clock.timeout(chance.choice(served))
            yield clock.timeout(chance.expovariate(1 / shape.think))

    for _ in range(shape.readers):
        clock.process(read())
    clock.run()
    return queue_of(waited, clock.now)


def expected(shape: Shape, served: Sequence[float], runs: int = RUNS) -> Queue:
    """The medians of so many runs."""
    queues = [simulate(shape, served, seed) for seed in range(runs)]
    return Queue(*(statistics.median(getattr(queue, name) for queue in queues) for name in Queue.__slots__))


def queue_of(waited: Sequence[float], seconds: float) -> Queue:
    """What so many waits come to; at least two."""
    cuts = statistics.quantiles(waited, n=20, method="inclusive")
    return Queue(cuts[9], cuts[18], 60 * len(waited) / seconds)


def measured(record: Path) -> tuple[Shape, Queue, list[float]]:
    """(what was run, its queue, seconds of serving) of the chats of a load test in which nothing was killed."""
    head, *rows = map(json.loads, record.read_text().splitlines())
    chats = [row for row in rows if row["way"] == "chat"]
    shape = Shape(len({row["reader"] for row in chats}), head["workers"], head["seconds"], head["think"])
    waited = [row["turn"] - row["asked"] for row in chats]
    return shape, queue_of(waited, max(row["ended"] for row in chats)), [row["ended"] - row["turn"] for row in chats]


def apart(one: float, other: float) -> float:
    """The share of `other` by which they differ; waits of less than a second count as a second."""
    return abs(one - other) / max(other, 1.0)


def compare(record: Path) -> bool:
    """Print both, and tell whether they agree."""
    shape, seen, served = measured(record)
    simulated = expected(shape, served)
    print(f"{shape.readers} readers, {shape.slots} slots, {shape.think:g} s to think, {shape.seconds:g} s")
    print(f"{len(served)} answers, served in {statistics.fmean(served):.2f} s on average\n")
    print(f"{'':<22}{'simulated':>10}{'measured':>10}{'apart':>8}")
    for name, title in (("p50", "seconds waited, p50"), ("p95", "seconds waited, p95"), ("per_minute", "a minute")):
        pair = getattr(simulated, name), getattr(seen, name)
        print(f"{title:<22}{pair[0]:>10.2f}{pair[1]:>10.2f}{apart(*pair):>8.0%}")
    return all(apart(getattr(simulated, name), getattr(seen, name)) <= AGREES for name in ("p50", "p95"))


def foresee(record: Path, slots: Sequence[int], readers: Sequence[int]) -> None:
    """Print what other sizes would do."""
    shape, _, served = measured(record)
    print("| readers | slots | seconds waited, p50 | p95 | answers a minute |\n|---|---|---|---|---|")
    for count in readers:
        for number in slots:
            queue = expected(Shape(count, number, 3600, shape.think), served, runs=3)
            print(f"| {count} | {number} | {queue.p50:.1f} | {queue.p95:.1f} | {queue.per_minute:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("record", type=Path, help="what benchmarks.load --calm --record wrote")
    parser.add_argument("--slots", type=int, nargs="+", default=[])
    parser.add_argument("--readers", type=int, nargs="+", default=[10, 50, 200])
    options = parser.parse_args()
    if options.slots:
        foresee(options.record, options.slots, options.readers)
        return
    sys.exit(not compare(options.record))


if __name__ == "__main__":
    main()
