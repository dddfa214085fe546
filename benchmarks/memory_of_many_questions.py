"""Memory of the page over many questions: asks them over HTTP as a browser would, in sessions that come and go.

    python -m benchmarks.memory_of_many_questions [questions]

The page, its gate, its line and the pipeline are the real ones; only the reader and the embedder are the scripted ones
of the tests, so what grows is ours (or Gradio's). Each session asks three questions and leaves.
"""

import gc
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from rag.index import Identity, open_library
from rag.indexing import index_paths
from rag.page.serving import serving
from rag.pipeline import Pipeline
from rag.settings import Settings, load_settings
from rag.types import Limits, Prompt
from tests.browser import free_port
from tests.fakes import ScriptedEngine, WordEmbedder

QUESTIONS = 1_000
ASKING = 1
"""Number of the event that asks: the second that the page defines."""
A_SESSION = 3
"""Questions before a reader leaves."""
WARM = 400
"""Questions after which memory should stand still: as many conversations are remembered as ever will be."""


class EndlessEngine(ScriptedEngine):
    """Gives one reply for ever, and remembers nothing."""

    def stream(self, prompt: Prompt, limits: Limits) -> Iterator[str]:
        self.prompts.clear()
        self.replies = ["TikTok pays Microsoft US$20 million a month. [1]"]
        yield from super().stream(prompt, limits)

    def choose(self, prompt: Prompt, options: Sequence[str]) -> tuple[float, ...]:
        self.choices = [(0.9, 0.1)]
        return super().choose(prompt, options)

    def warm(self, prompt: Prompt) -> Iterator[None]:
        self.warmed.clear()
        yield from super().warm(prompt)


def library(folder: Path) -> Identity:
    """Two hundred articles of some 6 kB."""
    articles = folder / "articles"
    articles.mkdir()
    for number in range(200):
        words = " ".join(f"Sentence {at} of article {number} says nothing of note." for at in range(110))
        (articles / f"{number}.txt").write_text(f"TikTok pays Microsoft US$20 million a month, says {number}. {words}")
    embedder = WordEmbedder()
    identity = Identity(embedder.name, embedder.revision, embedder.dimension, 160, 1)
    index_paths([articles], folder / "index", identity, embedder)
    return identity


@contextmanager
def page(folder: Path) -> Iterator[str]:
    identity = library(folder)

    def opener(settings: Settings, _report: object) -> Pipeline:
        return Pipeline(settings, open_library(settings.index, identity), WordEmbedder(), EndlessEngine())

    settings = load_settings(index=folder / "index", port=free_port(), questions_per_minute=10_000)
    with serving(settings, opener) as address:
        yield address


def come_and_go(client: httpx.Client, session: str) -> None:
    """What a tab that is opened and closed asks for."""
    client.get("").raise_for_status()
    with client.stream("GET", f"gradio_api/heartbeat/{session}") as beats:
        next(beats.iter_lines())


def ask(client: httpx.Client, session: str, question: str) -> None:
    """Ask as the page does, and read the answer to its end."""
    data = [question, None, None]  # the question box, and two states that the page keeps itself
    body = {"data": data, "fn_index": ASKING, "session_hash": session, "trigger_id": 0, "event_data": None}
    client.post("gradio_api/queue/join", json=body).raise_for_status()
    with client.stream("GET", "gradio_api/queue/data", params={"session_hash": session}) as events:
        seen = [line for line in events.iter_lines() if line.startswith("data:")]
    if not any("US$20 million" in line and "timings" in line for line in seen):
        raise SystemExit(f"No answer came: {seen[-1][:500]}")


def main() -> None:
    questions = int(sys.argv[1]) if len(sys.argv) > 1 else QUESTIONS
    process = psutil.Process()
    measured: list[tuple[int, float]] = []
    with tempfile.TemporaryDirectory() as folder, page(Path(folder)) as address:
        began = time.monotonic()
        with httpx.Client(base_url=address, timeout=60) as client:
            for number in range(questions):
                if number % A_SESSION == 0:
                    session = secrets.token_hex(6)
                    come_and_go(client, session)
                ask(client, session, f"How much does TikTok pay Microsoft, says {number}?")
                if (number + 1) % 50 == 0:
                    gc.collect()
                    measured.append((number + 1, process.memory_info().rss / 1e6))
                    print(f"{number + 1:>6} questions  {measured[-1][1]:7.1f} MB", flush=True)
        seconds = time.monotonic() - began
    settled = [(asked, memory) for asked, memory in measured if asked >= WARM]
    if len(settled) > 2:
        slope = statistics.linear_regression(*zip(*settled, strict=True)).slope
        print(f"After {WARM} questions: {slope * 1000:+.1f} kB a question; {questions} took {seconds:.0f} s.")


if __name__ == "__main__":
    main()
