"""What goes wrong in a load test on purpose, and what is watched meanwhile."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.load_stage import Process

GLANCE = 0.5
SAMPLED = 10
"""Every so many glances memory is measured, which costs milliseconds for each process."""
AWAY = 15.0
"""Seconds for which a server is away."""
RECOVERING = 60.0
"""Seconds after a server's return in which a failure may still be its: what was under way is tried again, then fails."""


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
            Trouble("a worker was killed", 0.2, kill_worker, _nothing, away=0.0),
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

    with postgres() as server:
        from benchmarks.load_milvus import milvus

        with milvus(Path(server.folder)) as vectors:
            settings = {"store": "milvus", "database": server.url, "store_uri": vectors.address}
            yield Stores(settings, {"PostgreSQL": server, "Milvus": vectors})
