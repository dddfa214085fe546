"""One writer at a time, and who it is; and one reader at a time that restores the vector file.

`writer.lock` is locked, not merely there: the system frees it when its process dies, however it dies. `writer.json`
beside it says who holds it; it means nothing while the lock is free. Readers have a lock of their own, so that none
ever turns a writer away.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from rag.errors import LibraryBusy
from rag.index.trouble import explained

LOCK = "writer.lock"
HOLDER = "writer.json"
RESTORING = "restoring.lock"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock."""

    pid: int
    command: str
    host: str
    since: str
    """ISO 8601 with the zone's offset, to the second."""


@contextmanager
def writer_lock(folder: Path, command: str) -> Iterator[None]:
    """Hold the lock of a folder, which is made when missing, during the block.

    `command` is what others read about the holder, such as "rag index".

    Raises LibraryBusy at once where it is held, in this process or another; LibraryUnwritable where the folder can't
    be written.
    """
    lock = FileLock(folder / LOCK, blocking=False, thread_local=False)
    with explained(folder / LOCK):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:  # which is an OSError, too
            raise LibraryBusy(_whose(folder)) from None
    try:
        _sign(folder, command)
        yield
    finally:
        with suppress(OSError):
            (folder / HOLDER).unlink()
        lock.release()


@contextmanager
def restoring_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of readers that write the vector file back. Raises LibraryBusy at once where it is held."""
    lock = FileLock(folder / RESTORING, blocking=False, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise LibraryBusy(f"The vector file in {folder} is being restored.") from None
    try:
        yield
    finally:
        lock.release()


def _sign(folder: Path, command: str) -> None:
    since = datetime.now().astimezone().isoformat(timespec="seconds")
    holder = Holder(os.getpid(), command, socket.gethostname(), since)
    with suppress(OSError):  # a disk too full for a name is found out by the writing itself
        (folder / HOLDER).write_text(json.dumps(asdict(holder)), encoding="utf-8")


def _whose(folder: Path) -> str:
    try:
        holder = Holder(**json.loads((folder / HOLDER).read_text(encoding="utf-8")))
        since = datetime.fromisoformat(holder.since).astimezone()
    except (OSError, ValueError, TypeError):  # not signed yet
        return f"Another process is writing to {folder}; wait for it to end."
    place = "" if holder.host == socket.gethostname() else f" on {holder.host}"
    today = since.date() == datetime.now().astimezone().date()
    when = since.strftime("%H:%M" if today else "%Y-%m-%d %H:%M")
    return (
        f"Another `{holder.command}` (process {holder.pid}{place}, since {when}) is writing to {folder}; "
        "wait for it to end."
    )
