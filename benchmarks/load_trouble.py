"""What goes wrong in a load test on purpose, and what is watched meanwhile."""

import asyncio
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.load_stage import PATIENCE, Process
from tests.browser import free_port

GLANCE = 0.5
SAMPLED = 10
"""Every so many glances memory is measured, which costs milliseconds for each process."""
AWAY = 15.0
"""Seconds for which a server is away."""
RECOVERING = 60.0
"""Seconds after a server's return in which a failure may still be its: what was under way is tried again first."""
KILLED = "a worker was killed"


@dataclass(slots=True)
class Watched:
    """Memory over time and changes of readiness; times in seconds since the test began."""

    memory: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """By process: (time, MB)."""
    ready: list[tuple[float, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Disturbed:
    """Something that was away from `at` to `back`."""

    what: str
    at: float
    back: float


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something to kill, at a share of the test's time, and how it comes back."""

    what: str
    share: float
    kill: Callable[[], None]
    mend: Callable[[], None]
    away: float = AWAY


async def watch(watched: Watched, citeline: Process, now: Callable[[], float]) -> None:
    """Until it is cancelled."""
    async with httpx.AsyncClient(timeout=10) as client:
        glances = 0
        while True:
            status = await _status(client, citeline.ready)
            if not watched.ready or watched.ready[-1][1] != status:
                watched.ready.append((now(), status))
            if glances % SAMPLED == 0:
                for name, memory in (await asyncio.to_thread(citeline.memory)).items():
                    watched.memory.setdefault(name, []).append((now(), memory))
            glances += 1
            await asyncio.sleep(GLANCE)


async def disturb(troubles: list[Trouble], now: Callable[[], float], seconds: float) -> list[Disturbed]:
    """Play all of them, each at its time."""
    disturbed = []
    for trouble in troubles:
        await asyncio.sleep(max(0.0, trouble.share * seconds - now()))
        at = now()
        await asyncio.to_thread(trouble.kill)
        await asyncio.sleep(trouble.away)
        await asyncio.to_thread(trouble.mend)
        disturbed.append(Disturbed(trouble.what, at, now()))
    return disturbed


async def _status(client: httpx.AsyncClient, address: str) -> str:
    try:
        return str((await client.get(address)).json()["status"])
    except (httpx.HTTPError, ValueError) as error:
        return type(error).__name__


def _nothing() -> None:
    """It comes back by itself."""


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the library lies, and the servers that hold it."""

    settings: dict[str, Any]
    servers: dict[str, Any]
    """What can be stopped and started, by name."""

    def troubles(self, citeline: Process, model: Process) -> list[Trouble]:
        """A worker, the model server and the stores' servers, one after another."""

        def kill_worker() -> None:
            citeline.children()[0].kill()

        troubles = [
            Trouble(KILLED, 0.2, kill_worker, _nothing, away=0.0),
            Trouble("the model server was killed", 0.4, lambda: model.end(signal.SIGKILL), model.start),
        ]
        for number, (name, server) in enumerate(self.servers.items()):
            troubles.append(Trouble(f"{name} was stopped", 0.6 + 0.2 * number, server.stop, server.start))
        return troubles


@contextmanager
def stores(on_servers: bool) -> Iterator[Stores]:
    """A folder, or with `on_servers` PostgreSQL and Milvus Lite's server."""
    if not on_servers:
        yield Stores({}, {})
        return
    from tests.stores.servers import postgres

    with postgres() as server, tempfile.TemporaryDirectory(prefix="citeline-milvus-") as folder:
        vectors = Milvus(Path(folder))
        vectors.start()
        try:
            settings = {"store": "milvus", "database": server.url, "store_uri": vectors.address}
            yield Stores(settings, {"PostgreSQL": server, "Milvus": vectors})
        finally:
            vectors.stop()


class Milvus:
    """Milvus Lite's own server, which several processes may use; it can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._port = port
        self._command = [sys.executable, "-m", "milvus_lite", "server", "--data-dir", str(folder / "data")]
        self._command += ["--host", "127.0.0.1", "--port", str(port)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
                return
            time.sleep(GLANCE)
        raise SystemExit("Milvus Lite's server did not start.")

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
