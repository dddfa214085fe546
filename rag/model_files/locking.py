"""One process at a time changes a model's folder."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

LOCKS = ".locks"


@contextlib.contextmanager
def locked(home: Path, on_busy: Callable[[], None]) -> Iterator[None]:
    """Hold the model's lock. When another process has it, call `on_busy` (which may raise), then wait."""
    locks = home.parent / LOCKS
    locks.mkdir(parents=True, exist_ok=True)
    lock = FileLock(locks / f"{home.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        on_busy()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
