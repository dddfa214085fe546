"""How soon each command answers, and the page: medians, in seconds, of the clock and of processors.

    python -m benchmarks.startup                    # ten runs of each command, three of the page and of a question
    python -m benchmarks.startup --runs 3 --pages 1 --asks 0

The library is made of the sample articles in a temporary folder, with the models of the settings. Where the machine
does other work too, what processors spent tells more than the clock.
"""

import argparse
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from rag.pipeline import index_articles
from rag.settings import load_settings
from tests.browser import free_port

ROOT = Path(__file__).parent.parent
RAG = (sys.executable, "-c", "from rag.cli import main; main()")
QUESTION = "How much does TikTok pay Microsoft?"

SETTINGS = {"RAG_QUESTIONS_PER_MINUTE": "10000"}
"""So that asking whether it is ready is never refused."""

POLL_SECONDS = 0.05
PATIENCE = 900.0
"""Seconds after which a page counts as broken."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds."""

    clock: float
    processors: float


def command(*arguments: str, environment: dict[str, str]) -> tuple[Taken, bytes]:
    """One run of `rag`, and what it printed."""
    before = _children()
    began = time.perf_counter()
    done = subprocess.run([*RAG, *arguments], cwd=ROOT, env=environment, capture_output=True, check=False)
    taken = Taken(time.perf_counter() - began, _children() - before)
    if done.returncode not in (0, 3):
        raise SystemExit(f"rag {' '.join(arguments)} failed: {done.stderr.decode()}")
    return taken, done.stdout


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def until_first_token(environment: dict[str, str]) -> Taken:
    """Of `rag ask`: all it took but what came after the first token, as the answer itself says."""
    taken, printed = command("ask", "--json", QUESTION, environment=environment)
    timings = json.loads(printed)["timings"]
    after = timings["total"] - timings["first_token"] if timings["first_token"] else 0.0
    return Taken(taken.clock - after, taken.processors)


def page_times(environment: dict[str, str]) -> list[Taken]:
    """Until the page is there, and until questions are answered: its pipeline is open when a search finds something."""
    with page(environment) as (address, began, process):
        ready: list[Callable[[], bool]] = [lambda: _shows(address), lambda: searches(address)]
        times = []
        for is_ready in ready:
            while not is_ready():
                if time.perf_counter() - began > PATIENCE or process.poll() is not None:
                    raise SystemExit("The page did not come up.")
                time.sleep(POLL_SECONDS)
            times.append(Taken(time.perf_counter() - began, _used_by(process.pid)))
        return times


@contextmanager
def page(environment: dict[str, str]) -> Iterator[tuple[str, float, "subprocess.Popen[bytes]"]]:
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environment | {"RAG_PORT": str(port)}, stdout=subprocess.DEVNULL
    )
    try:
        yield f"http://127.0.0.1:{port}/", began, process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _shows(address: str) -> bool:
    """Whether the page with its question box is served."""
    with suppress(httpx.TransportError):
        return "gradio" in httpx.get(address, timeout=60).raise_for_status().text
    return False


def searches(address: str) -> bool:
    """Whether its pipeline is open."""
    with suppress(httpx.TransportError):
        return "event: complete" in called(address, "search", query=QUESTION)
    return False


def called(address: str, name: str, **arguments: str) -> str:
    """The events of a call of the page's API, to the last."""
    begun = httpx.post(f"{address}gradio_api/call/v2/{name}", json=arguments, timeout=PATIENCE).raise_for_status()
    return httpx.get(f"{address}gradio_api/call/{name}/{begun.json()['event_id']}", timeout=PATIENCE).text


def _used_by(process: int) -> float:
    """Seconds of processors, those of the processes it started included."""
    import psutil

    started = psutil.Process(process)
    used = 0.0
    for one in (started, *started.children(recursive=True)):
        with suppress(psutil.Error):
            used += sum(one.cpu_times()[:2])
    return used


def shown(what: str, taken: Sequence[Taken]) -> str:
    clock = [one.clock for one in taken]
    processors = statistics.median(one.processors for one in taken)
    return (
        f"| {what} | {len(taken)} | {statistics.median(clock):.2f} | {min(clock):.2f}–{max(clock):.2f} "
        f"| {processors:.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10, help="of each command")
    parser.add_argument("--pages", type=int, default=3, help="starts of the page")
    parser.add_argument("--asks", type=int, default=3, help="questions asked by the command")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        index_articles(load_settings(index=folder), [ROOT / "seeds"])
        environment = {**os.environ, **SETTINGS, "RAG_INDEX": folder, "PYTHONPATH": str(ROOT)}
        print("| what | runs | clock, median | range | processors, median |\n|:-|-:|-:|-:|-:|", flush=True)
        for arguments in (("--help",), ("status",)):
            taken = [command(*arguments, environment=environment)[0] for _ in range(given.runs)]
            print(shown(f"`rag {' '.join(arguments)}`", taken), flush=True)
        pages = [page_times(environment) for _ in range(given.pages)]
        for what, times in zip(
            ("until the page is there", "until it finds passages"), zip(*pages, strict=True), strict=False
        ):
            print(shown(f"`python app.py` {what}", times), flush=True)
        if asks := [until_first_token(environment) for _ in range(given.asks)]:
            print(shown("`rag ask` until the first token (processors: to the end)", asks), flush=True)


if __name__ == "__main__":
    main()
