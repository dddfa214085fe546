"""What the scripts of peers have in common: a llama.cpp server of their own, and JSON lines in and out.

Runs in the environment of a peer, where of Citeline there is nothing but this folder. The server is that of the
xllamacpp wheel as it comes, whose caches of earlier prompts are on, with a window of `WINDOW` tokens.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypeAlias

WINDOW = 4096

Ask: TypeAlias = Callable[[str], Iterable[str]]
"""Question → pieces of the answer."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a peer is told first, as a line of JSON with these fields."""

    documents: list[dict[str, str]]
    """Each with "id", "title" and "text"."""
    embedder: str
    """Folder of the model."""
    reader: str
    """GGUF file."""
    threads: int
    passages: int
    answer_tokens: int


def serve(make: Callable[[Job], Ask], packages: Sequence[str]) -> None:
    """Read a job, reply with the versions of `packages`, then answer a question a line until the input ends.

    {"question": …} → {"answer": …, "first": seconds to the first word, "seconds": in all, "processors": seconds of
    the processors that this process took, the server's among them}.
    """
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # libraries print what they like
    ask = make(Job(**json.loads(sys.stdin.readline())))
    _say(replies, {"versions": {name: version(name) for name in packages}})
    for line in sys.stdin:
        started, busy, first, answer = time.perf_counter(), time.process_time(), 0.0, ""
        for piece in ask(json.loads(line)["question"]):
            answer += piece
            if answer.strip() and not first:
                first = time.perf_counter() - started
        seconds, busy = time.perf_counter() - started, time.process_time() - busy
        _say(replies, {"answer": answer.strip(), "first": first, "seconds": seconds, "processors": busy})


def start_reader(file: str, threads: int) -> tuple[Any, str]:
    """The server, which ends when nobody holds it any more, and its address."""
    import torch  # noqa: F401  brings the OpenMP library that the wheel expects from the system
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = file
    settings.n_ctx = WINDOW
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
    settings.verbosity = -1
    server = xllamacpp.Server(settings)
    return server, server.listening_address


def _say(replies: Any, value: dict[str, Any]) -> None:
    replies.write(json.dumps(value) + "\n")
    replies.flush()
