"""Coverage-guided fuzzing of what reads foreign text: every loader, the chunker, citation marks, what is shown.

    pip install atheris                                  # Linux, Python 3.11 or later
    python -m benchmarks.fuzzing --minutes 2             # two minutes for each target
    python -m benchmarks.fuzzing --minutes 10 pdf marks  # for these
    python -m benchmarks.fuzzing --keep FOLDER           # go on from the inputs found before

Each target runs in a process of its own, begins with the small files of `tests.documents.corpus`, and is told by
atheris which inputs reach new code of `rag` and of the Python libraries beneath it. A finding is an exception that
isn't the one a caller expects, a promise that doesn't hold, or an input that takes longer than PATIENCE. It is counted
once, however many inputs lead to it, and doesn't end the run. Ends with 1 where there is one.
"""

import argparse
import importlib
import json
import re
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 60
"""Seconds that one input may take on a busy machine."""
LONGEST = 8192
"""Bytes of an input."""
MEMORY = 3000
"""Megabytes."""

_STEP = re.compile(r"^#(\d+)\s.*?\bcov: (\d+)", re.MULTILINE)
_ITSELF = Path(__file__).with_suffix(".py")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one target."""

    target: str
    seconds: float
    cases: int
    covered: int
    """Places of the code that some input reached, by libFuzzer's count."""
    findings: tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        _fuzz(given.targets[0], given.inside, given.minutes * 60)
    from benchmarks.fuzzed import TARGETS

    if unknown := set(given.targets) - TARGETS.keys():
        parser.error(f"There is no target {', '.join(sorted(unknown))}. Targets: {', '.join(TARGETS)}.")
    with tempfile.TemporaryDirectory() as folder:
        results = []
        for name in given.targets or TARGETS:
            results.append(_run(name, (given.keep or Path(folder)) / name, given.minutes * 60))
            print(_line(results[-1]), flush=True)
    cases, minutes = sum(one.cases for one in results), sum(one.seconds for one in results) / 60
    found = sum(len(one.findings) for one in results)
    print(f"{cases:,} cases on {len(results)} targets in {minutes:.1f} minutes, {found} findings")
    sys.exit(1 if found else 0)


def _line(result: Result) -> str:
    line = f"{result.target}: {result.cases:,} cases in {result.seconds / 60:.1f} minutes, {result.covered:,} places"
    return "\n  ".join([line, *result.findings])


def _run(target: str, place: Path, seconds: float) -> Result:
    """Fuzz until the time is up; a process that an input has killed is followed by another."""
    from benchmarks.fuzzed import TARGETS

    inputs = place / "inputs"
    inputs.mkdir(parents=True, exist_ok=True)
    for at, seed in enumerate(TARGETS[target].seeds()):
        (inputs / f"seed-{at}").write_bytes(seed)
    begun, cases, covered = time.monotonic(), 0, 0
    killed: set[str] = set()
    while (left := seconds - (time.monotonic() - begun)) > 1:
        command = [sys.executable, "-m", "benchmarks.fuzzing", target, "--inside", str(place)]
        done = subprocess.run([*command, "--minutes", str(left / 60)], capture_output=True, check=False)
        said = done.stderr.decode("utf-8", "replace")
        steps = _STEP.findall(said)
        cases += int(steps[-1][0]) if steps else 0
        covered = max([covered, *(int(places) for _, places in steps)])
        if done.returncode == 0:
            break
        if not steps:
            raise SystemExit(f"{target} doesn't begin:\n{said[-3000:]}")
        summary = re.findall(r"^(?:SUMMARY|==\d+==\s*ERROR): (.+)", said, re.MULTILINE)
        killed.add(summary[-1] if summary else f"ended with {done.returncode}")
    noted = place / "findings.jsonl"
    lines = noted.read_text(encoding="utf-8").splitlines() if noted.exists() else []
    findings = [f"{one['error']} at {one['where']}, by {one['file']}" for one in map(json.loads, lines)]
    return Result(target, time.monotonic() - begun, cases, covered, (*findings, *sorted(killed)))


def _fuzz(target: str, place: Path, seconds: float) -> None:
    """In the process of one target. Doesn't return."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["rag", "docx", "pptx", "openpyxl", "trafilatura", "email", "zipfile"]):
        from benchmarks.fuzzed import TARGETS

        one = TARGETS[target]
        for module in one.modules:
            importlib.import_module(module)
    known: set[str] = set()

    def tried(data: bytes) -> None:
        try:
            one.tried(data)
        except Exception as error:  # each is noted, and the search goes on
            where = _where(error)
            if where not in known:
                known.add(where)
                _note(place, data, f"{type(error).__name__}: {str(error)[:200]!r}", where)

    limits = [f"-max_total_time={max(1, round(seconds))}", f"-timeout={PATIENCE}", f"-rss_limit_mb={MEMORY}"]
    options = [*limits, f"-max_len={LONGEST}", f"-artifact_prefix={place}/", "-report_slow_units=1000"]
    atheris.Setup([str(_ITSELF), *options, str(place / "inputs")], tried)
    atheris.Fuzz()


def _where(error: BaseException) -> str:
    """The last place in `rag` or the targets, and the very last."""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    own = [frame for frame in frames if "/rag/" in frame.filename or frame.filename.endswith("fuzzed.py")]
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in [*own[-1:], *frames[-1:]]]
    return f"{type(error).__name__} {' <- '.join(dict.fromkeys(reversed(places)))}"


def _note(place: Path, data: bytes, error: str, where: str) -> None:
    noted = place / "findings.jsonl"
    file = place / f"finding-{len(noted.read_text(encoding='utf-8').splitlines()) if noted.exists() else 0}"
    file.write_bytes(data)
    with noted.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({"error": error, "where": where, "file": str(file)}) + "\n")


if __name__ == "__main__":
    main()
