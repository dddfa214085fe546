"""Runs `rag` as its users do, and reads what it printed."""

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.with_words import PAUSED

ROOT = Path(__file__).parents[2]
RAG = (sys.executable, "-c", "from rag.cli import main; main()")
RAG_WITH_WORDS = (sys.executable, "-m", "tests.cli.with_words")

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1


@dataclass(frozen=True, slots=True)
class Run:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line that says what went wrong."""
        assert "Traceback" not in self.err
        (line,) = [line for line in self.err.splitlines() if line.startswith("rag: ")]
        assert self.err.endswith(f"{line}\n")
        return line.removeprefix("rag: ")

    @property
    def done(self) -> str:
        """What a command printed that nothing was wrong with."""
        assert "Traceback" not in self.err
        assert "rag: " not in self.err
        assert self.status == 0, self.err
        return self.out


def environment(settings: Mapping[str, str | Path]) -> dict[str, str]:
    """This process's, with these settings and no others, for a child that imports from this repository.

    Its output is buffered as users have it.
    """
    others = {
        name: value for name, value in os.environ.items() if not name.startswith("RAG_") and name != "PYTHONUNBUFFERED"
    }
    return {**others, "PYTHONPATH": str(ROOT), **{name: str(value) for name, value in settings.items()}}


def run(
    command: tuple[str, ...],
    *arguments: str | Path,
    settings: Mapping[str, str | Path],
    stdin: bytes = b"",
    before: Callable[[], object] | None = None,
    **options: Any,
) -> Run:
    """`before` is called in the child, before it becomes `rag`."""
    ended = subprocess.run(
        [*command, *map(str, arguments)],
        input=stdin,
        stdout=options.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        env=environment(settings),
        preexec_fn=before,
        check=False,
        **options,
    )
    return Run(ended.returncode, (ended.stdout or b"").decode(), ended.stderr.decode())


def start(
    command: tuple[str, ...], *arguments: str | Path, settings: Mapping[str, str | Path], **options: Any
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        stdout=options.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        text=True,
        env=environment(settings),
        **options,
    )


def until_paused(command: "subprocess.Popen[str]") -> None:
    """Wait for it to say that it pauses; see `tests.cli.with_words`."""
    assert command.stderr
    while command.stderr.readline() != f"{PAUSED}\n":
        assert command.poll() is None


def powerless() -> None:
    """`before` of a process that permissions bind, as they don't bind root otherwise."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)
