"""The number formats an embedder computes in, and which of them is the fastest on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

NATIVE_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")
"""PyTorch's names for the instructions of x86 and ARM processors that multiply bfloat16."""

NATIVE_INT8 = ("avx512_vnni", "avx_vnni", "amx_int8")
"""PyTorch's names for the instructions of x86 processors that multiply bytes without overflowing on the way."""

TIMINGS = 6
WORTH_IT = 1.2
"""How many times as fast as float32 another format must be to be chosen."""


class Precision(StrEnum):
    """Number format of the weights while they compute. Vectors are float32 whatever it is.

    Vectors of one text computed in float32 and bfloat16 have an inner product above 0.999, in int8 and either of them
    about 0.995, which changes less than one in ten of the ten nearest passages of a question, and nDCG@10 by less than
    0.5 %. All may share a library, and its identity doesn't tell them apart: moved to a machine with another processor
    it stays usable.
    """

    AUTO = "auto"
    """BFLOAT16 on a CPU that is faster with it, else FLOAT32."""
    FASTEST = "fastest"
    """INT8 where the model can be computed so and this CPU is faster with it, else as AUTO: for much text."""
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    INT8 = "int8"
    """Of passages only; questions and word pieces are computed as by AUTO."""


def fastest_float(device: str) -> Precision:
    """BFLOAT16 where the CPU multiplies it in hardware and is the faster for it, by a timing of some 0.1 s.

    The instructions alone promise nothing: with them bfloat16 embeds at 3 times the speed of float32 on an AMD Zen 4,
    and at 0.7 times on an Intel Xeon whose AMX units are switched off.
    """
    import torch

    if device != "cpu" or not has_any(NATIVE_BFLOAT16):
        return Precision.FLOAT32
    pays = is_faster(lambda: _layer(torch.bfloat16), lambda: _layer(torch.float32), TIMINGS)
    return Precision.BFLOAT16 if pays else Precision.FLOAT32


def has_any(instructions: tuple[str, ...]) -> bool:
    """Whether this CPU has one of the instructions, in PyTorch's names."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in instructions)


def is_faster(candidate: Callable[[], object], usual: Callable[[], object], timings: int) -> bool:
    """Whether `candidate` is by `WORTH_IT` faster than `usual`, each at its best of some `timings` on one core.

    What counts is the time this thread has run, which other programs don't lengthen as they do that on the clock.
    """
    with one_thread():
        rounds = [(_seconds(usual), _seconds(candidate)) for _ in range(timings)]
    slow, quick = (min(seconds) for seconds in zip(*rounds, strict=True))
    return bool(slow > WORTH_IT * quick)


@contextmanager
def one_thread() -> Iterator[None]:
    """What PyTorch computes for this thread stays in it."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _layer(dtype: torch.dtype) -> None:
    """The widest layer of MiniLM, where most of the time goes, for 4 passages of 128 word pieces."""
    import torch

    inputs, weights = torch.ones(512, 384, dtype=dtype), torch.ones(1536, 384, dtype=dtype)
    torch.nn.functional.linear(inputs, weights)


def _seconds(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began
