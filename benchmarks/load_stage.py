"""What a load test plays on: marked articles in a library, users with tokens, and servers that can be killed."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.load_reader import serve_scripted
from rag.guarding import Users
from rag.pipeline import index_articles
from rag.settings import Settings, load_settings
from tests.browser import free_port

READER = Path("smollm2-135m-instruct") / "SmolLM2-135M-Instruct.Q4_1.gguf"
BATCH = 64
SYLLABLES = ("bar", "del", "fin", "gor", "hul", "kam", "lin", "mor", "nez", "pod", "rus", "tav", "vik", "zor")
PATIENCE = 300.0
"""Seconds for a server to become ready."""


@dataclass(frozen=True, slots=True)
class Marked:
    """An article, and a question that it alone answers."""

    mark: str
    """A name that no other article has."""
    keeper: str
    file: str

    @property
    def text(self) -> str:
        return (
            f"# The lighthouse {self.mark}\n\nThe keeper of the lighthouse {self.mark} is {self.keeper}. "
            f"The lighthouse {self.mark} shows a white light over the northern sea."
        )

    @property
    def question(self) -> str:
        return f"Who is the keeper of the lighthouse {self.mark}?"


def marked(count: int) -> list[Marked]:
    """So many articles; at most 14 ** 3."""
    n = len(SYLLABLES)
    names = [SYLLABLES[i * 5 % n] + SYLLABLES[i // n * 3 % n] + SYLLABLES[(i * 3 + i // n) % n] for i in range(count)]
    return [
        Marked(f"{name}{number}".capitalize(), f"{name[::-1]}{number}".capitalize(), f"{number}.md")
        for number, name in enumerate(names)
    ]


def settings_in(folder: Path, readers: int, **more: Any) -> Settings:
    """Settings for short answers to so many readers, each of whom has a token."""
    return load_settings(
        index=folder / "index",
        users=folder / "users.json",
        port=free_port(),
        login="always",
        api=True,
        offline=True,
        engine="openai_compatible",
        server=f"http://127.0.0.1:{free_port()}",
        passages=1,
        passage_tokens=100,
        candidates=3,
        answer_tokens=16,
        max_wrong=1.0,
        waiting=2 * readers,
        questions_per_minute=10_000,
        **more,
    )


def furnish(folder: Path, settings: Settings, articles: list[Marked], readers: int) -> list[str]:
    """Index the articles, and give so many users a token each."""
    news = folder / "news"
    news.mkdir()
    for article in articles:
        (news / article.file).write_text(article.text, encoding="utf-8")
    index_articles(settings, [news])
    users, names = Users(settings.users), [f"reader{number}" for number in range(readers)]
    users.add(names[0], "one password for all")
    known = json.loads(settings.users.read_text())  # hashing a password takes long, as it should
    settings.users.write_text(json.dumps(dict.fromkeys(names, known[names[0]])))
    return [users.give_token(name) for name in names]


class Process:
    """A program that can be killed and started again."""

    def __init__(self, command: list[str], ready: str, environment: dict[str, str], log: Path) -> None:
        self.ready = ready
        self._command, self._log = command, log
        self._environment = {**os.environ, **environment}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, wait: bool = True) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)
        until = time.monotonic() + PATIENCE
        while wait and not is_well(self.ready):
            if self.process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{self._command} did not become ready:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.2)

    def end(self, how: int = signal.SIGTERM) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                print(f"did not end within {PATIENCE:g} s: {self._command}")

    def children(self) -> list[psutil.Process]:
        """Those that multiprocessing started, in their order."""
        assert self.process
        found = psutil.Process(self.process.pid).children()
        return [child for child in found if any("spawn_main" in part for part in child.cmdline())]

    def memory(self) -> dict[str, float]:
        """MB that the process and each of its workers has for itself, with its share of what it shares (PSS)."""
        assert self.process
        parts = [("page", psutil.Process(self.process.pid))]
        parts += [(f"worker {number}", child) for number, child in enumerate(self.children())]
        return {name: process.memory_full_info().pss / 1e6 for name, process in parts}


def is_well(address: str) -> bool:
    """Whether it answers with 200."""
    try:
        return httpx.get(address, timeout=8).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


@contextmanager
def servers(folder: Path, settings: Settings, workers: int, real: bool) -> Iterator[tuple[Process, Process]]:
    """`rag serve` and the model server, ready; where that isn't `real` it is `benchmarks.load_reader`'s."""
    variables = {
        f"RAG_{name.upper()}": str(value)
        for name, value in settings.model_dump(exclude_defaults=True).items()
        if value is not None and name not in ("database", "store_token")
    }
    if url := settings.database.get_secret_value():
        variables["RAG_DATABASE"] = url
    file = str(settings.models / READER) if real else ""
    model = Process(
        [sys.executable, "-m", "benchmarks.load_stage", file, settings.server],
        f"{settings.server}/health",
        {},
        folder / "model.log",
    )
    citeline = Process(
        [sys.executable, "-c", "from rag.cli import main; main()", "serve", "--workers", str(workers)],
        f"http://127.0.0.1:{settings.port}/readyz",
        variables,
        folder / "citeline.log",
    )
    try:
        model.start()
        citeline.start()
        yield citeline, model
    finally:
        citeline.end()
        model.end(signal.SIGKILL)


def serve_model(file: str, address: str) -> None:
    """Run llama.cpp's server of the wheel until it is killed."""
    import torch  # noqa: F401  as in rag.engines: brings the OpenMP library that xllamacpp needs
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = file
    settings.n_ctx, settings.n_parallel = 8192, 4
    settings.n_batch = settings.n_ubatch = BATCH
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
    settings.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE
    url = httpx.URL(address)
    settings.hostnames, settings.port = [url.host], url.port
    settings.ui, settings.verbosity = False, -1
    server = xllamacpp.Server(settings)
    assert server.listening_address
    threading.Event().wait()


if __name__ == "__main__":
    (serve_model if sys.argv[1] else serve_scripted)(*sys.argv[1:])
