"""The process in which llama.cpp's server runs: this file as a script, started by `rag.engines.llama_process`.

A process of its own, because the wheel holds Python's global lock while it loads a model, which takes seconds in which
the page could answer nobody. It imports nothing of Citeline, so that loading begins at once.

On its standard input there is a line of JSON (see `Order`). On its standard output there is a line of JSON once the
server listens, or can't: {"failed": ""} or {"failed": "why"}. It ends when its standard input is closed, be it because
the process that started it is gone.
"""

import contextlib
import ctypes
import json
import os
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be served, and where."""

    model_file: str
    socket: str
    """Path of the Unix socket to listen on."""
    key: str
    """What every request has to show."""
    context_tokens: int
    batch: int
    """Tokens read at once."""
    threads: int
    kept_prompts_mib: int


def main() -> None:
    """Serve what the standard input says until that is closed."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    # What llama.cpp prints must not end up in the answer.
    with open(os.devnull, "r+b", buffering=0) as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), sys.stdout.fileno())
        os.dup2(nothing.fileno(), sys.stderr.fileno())
    order = Order(**json.loads(sys.stdin.readline()))
    try:
        server = _server(order)
        failed = ""
    except Exception as error:  # whatever it is, it is for whoever waits
        server, failed = None, str(error) or type(error).__name__
    with contextlib.suppress(BrokenPipeError):  # whoever asked is gone
        answers.write(json.dumps({"failed": failed}) + "\n")
        answers.flush()
    while server and sys.stdin.read(1):
        pass
    with contextlib.suppress(OSError):  # where the process that started this one could tidy up, it has
        Path(order.socket).unlink()
        Path(order.socket).parent.rmdir()
    os._exit(0)  # at once: to end the server in good order would wait for an answer that nobody hears


def _server(order: Order) -> Any:
    bring_openmp()
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = order.model_file
    settings.n_ctx = order.context_tokens
    settings.n_parallel = 1
    settings.n_batch = settings.n_ubatch = order.batch
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = order.threads
    # Weights are repacked for the CPU while loading; a mapped file would stay in memory next to the copy.
    settings.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE
    settings.cache_ram_mib = order.kept_prompts_mib
    settings.hostnames = [order.socket]
    settings.api_keys = [order.key]
    settings.ui = False
    settings.endpoint_slots = False
    settings.verbosity = -1
    return xllamacpp.Server(settings)


def bring_openmp() -> None:
    """Load the OpenMP library that the wheel expects from the system: PyTorch's, without the seconds PyTorch takes."""
    torch = find_spec("torch")
    beside = Path(torch.origin).parent / "lib" if torch and torch.origin else Path()
    for library in sorted(beside.glob("libgomp*.so*")):
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)


if __name__ == "__main__":
    main()
