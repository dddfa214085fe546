"""Which engine answers soonest on this machine: measured once, remembered next to the models."""

import contextlib
import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rag.engines.conversion import parameter_count
from rag.types import Engine, Limits, Prompt

PROMPT_TOKENS, ANSWER_TOKENS = 600, 40
"""A typical question: four passages in front of it, one or two sentences of answer."""

TOKENS_PER_STEP = 2.5
"""What prompt lookup accepts in a step of an answer that quotes its sources, on the cautious side."""

ROOM_TO_SPARE = 2_000_000_000
"""Bytes of memory that are left to everything else."""

NO_CUDA = "no CUDA"

RECORD = "with speeds"
"""What a note holds: another of it, another measurement."""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """The engine expected to answer sooner, and the seconds a typical answer takes each."""

    engine: str
    llama_cpp_seconds: float
    transformers_seconds: float | None
    """None where transformers was out of the question: too little memory for dense weights."""
    graphics: str = NO_CUDA
    """The CUDA device there was."""
    measured: str = ""
    """When, as an ISO 8601 time in UTC."""
    reading: float = 0.0
    """Seconds for a token of the prompt in this engine; 0 where that wasn't measured."""
    writing: float = 0.0
    """Seconds for a token of the answer; 0 where that wasn't measured."""
    others: float = 0.0
    """Share of the processors that other programs took meanwhile, in [0, 1]."""
    memory: int = 0
    """Bytes of memory that were free; 0 where that wasn't measured."""


def remembered(file: Path, key: str) -> EngineChoice | None:
    """What was chosen before for the same model, processor and versions."""
    try:
        record = json.loads(file.read_text())
        return EngineChoice(**record["choice"]) if record["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):  # a lost or damaged note is measured again
        return None


def remember(file: Path, key: str, choice: EngineChoice) -> None:
    """Write the choice down; where that can't be done it is measured again next time."""
    unfinished = file.with_suffix(".partial")
    try:
        unfinished.write_text(json.dumps({"key": key, "choice": asdict(choice)}, indent=1) + "\n")
        unfinished.replace(file)
    except OSError:
        with contextlib.suppress(OSError):  # a read-only disk refuses even to remove what isn't there
            unfinished.unlink()


def situation(gguf_file: Path, threads: int) -> str:
    """What the choice depends on besides `graphics`, as one line: another of it, another measurement."""
    packages = [f"{name} {_version(name)}" for name in ("torch", "transformers", "xllamacpp", "llama-cpp-python")]
    size = gguf_file.stat().st_size
    return "; ".join([RECORD, gguf_file.name, f"{size} bytes", _processor(), f"{threads} threads", *packages])


def choose_engine(llama_cpp: Engine, gguf_file: Path) -> EngineChoice:
    """Time a short run of `llama_cpp` and two matrix products, and compare what a typical answer would take.

    Takes about five seconds. A CUDA device always wins: PyTorch uses it, the portable llama.cpp wheel can't.
    """
    import psutil  # here and below: what only a measurement needs, and `rag status` does without

    began, busy, own = time.perf_counter(), *_processor_seconds()
    free = psutil.virtual_memory().available
    llama = _llama_cpp_pace(llama_cpp)
    parameters = parameter_count(gguf_file)
    device = graphics()
    fits = free >= 2 * parameters + ROOM_TO_SPARE
    dense = _transformers_pace(parameters) if fits and device == NO_CUDA else None
    busy_after, own_after = _processor_seconds()
    cores = psutil.cpu_count() or 1
    others = (busy_after - busy - (own_after - own)) / ((time.perf_counter() - began) * cores)
    faster = dense is not None and dense.seconds < llama.seconds
    chosen = dense if dense and faster else llama
    if device != NO_CUDA:
        chosen = Pace(0.0, 0.0)
    return EngineChoice(
        engine="transformers" if faster or device != NO_CUDA else "llama_cpp",
        llama_cpp_seconds=round(llama.seconds, 1),
        transformers_seconds=round(dense.seconds, 1) if dense else None,
        graphics=device,
        measured=datetime.now(UTC).isoformat(timespec="seconds"),
        reading=round(chosen.reading, 6),
        writing=round(chosen.writing, 6),
        others=round(min(max(others, 0.0), 1.0), 2),
        memory=free,
    )


def graphics() -> str:
    """The name of the CUDA device that PyTorch would use, or `NO_CUDA`.

    Loads PyTorch, which takes seconds, unless it was built without CUDA.
    """
    if sys.platform == "darwin" or _version("torch").endswith("+cpu"):
        return NO_CUDA
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else NO_CUDA


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds a token."""

    reading: float
    writing: float

    @property
    def seconds(self) -> float:
        """What a typical answer takes."""
        return PROMPT_TOKENS * self.reading + ANSWER_TOKENS * self.writing


def _llama_cpp_pace(engine: Engine) -> Pace:
    prompt = Prompt("Count aloud.", (" ".join(f"item {number}" for number in range(100)),), "Go on counting.")
    tokens = engine.count_tokens(" ".join(prompt.passages))
    started = time.perf_counter()
    times = [time.perf_counter() for piece in engine.stream(prompt, Limits(17)) if piece]
    times = times or [time.perf_counter()]  # a model that has nothing to say
    return Pace((times[0] - started) / tokens, (times[-1] - times[0]) / max(len(times) - 1, 1))


def _transformers_pace(parameters: int) -> Pace:
    """Reading a prompt is bound by arithmetic, writing an answer by how fast all weights stream from memory."""
    import torch

    width, rows = 4096, 128
    square = torch.randn(width, width, dtype=torch.bfloat16)
    batch = torch.randn(rows, width, dtype=torch.bfloat16)
    operations_per_second = 2 * rows * width**2 / _best_seconds(lambda: batch @ square)
    weights = torch.randn(16 * width, width, dtype=torch.bfloat16)  # 512 MiB, more than any cache holds
    few = torch.randn(8, width, dtype=torch.bfloat16)
    bytes_per_second = weights.nbytes / _best_seconds(lambda: few @ weights.T)
    return Pace(2 * parameters / operations_per_second, 2 * parameters / bytes_per_second / TOKENS_PER_STEP)


def _processor_seconds() -> tuple[float, float]:
    """(of all programs, of this one and those it started), so far."""
    import psutil

    idle = ("idle", "iowait", "steal", "guest", "guest_nice")  # the guests' are among the others' already
    total = sum(spent for name, spent in psutil.cpu_times()._asdict().items() if name not in idle)
    here = psutil.Process()
    own = 0.0
    for process in (here, *here.children(recursive=True)):
        with contextlib.suppress(psutil.Error):  # it has ended
            own += sum(process.cpu_times()[:2])
    return total, own


def _best_seconds(work: Callable[[], object], tries: int = 4) -> float:
    seconds = []
    for _ in range(tries):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    described = {line.split(":")[0].strip(): line.split(":", 1)[1].strip() for line in lines if ":" in line}
    return described.get("model name", platform.machine())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
