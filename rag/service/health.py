"""Whether the server is alive and ready, for what watches over servers: told to anybody, and nothing besides."""

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from rag.desk import Desk, Opening
from rag.errors import RagError
from rag.service.stopping import Stopping


def alive() -> JSONResponse:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def readiness(
    desk: Desk, stopping: Stopping, helpers: Callable[[], Awaitable[bool]] | None = None
) -> JSONResponse:
    """Whether questions are answered, and else in one word why not. `helpers` tells whether other processes help."""
    why = await run_in_threadpool(_hindrance, desk, stopping)
    if not why and helpers and not await helpers():
        why = "workers"
    return JSONResponse({"status": why or "ready"}, 503 if why else 200, {"Cache-Control": "no-store"})


def _hindrance(desk: Desk, stopping: Stopping) -> str:
    if stopping.begun:
        return "stopping"
    if isinstance(desk.state, Opening):
        return "starting"
    if desk.pipeline is None:
        return "failed"
    library, reader = (getattr(desk.pipeline, name, None) for name in ("library", "engine"))
    try:
        if library and hasattr(library, "reach"):  # it is on servers
            library.reach()
        elif library:
            _ = library.generation  # reads its manifest
    except RagError:
        return "library"
    if reader and hasattr(reader, "reachable") and not reader.reachable():  # it is on a server
        return "reader"
    return ""
