"""Files that readers send: counted while they arrive, kept in a folder of their own until used, and each its sender's.

Gradio reads the form and writes the files; an event of the page then names them by their paths. It would take any
path, so a path that isn't in the folder, or was sent by somebody else, doesn't get as far as Gradio.
"""

import asyncio
import json
import re
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from starlette.types import Message, Receive, Send

from rag.guarding.bodies import SECONDS, BodyRefused
from rag.guarding.cited import MAX_BYTES

MOST_FILES = 100
"""Sent at once."""
MOST_SENT = 5 * MAX_BYTES
"""Bytes sent at once."""
MOST_KEPT = 20 * MAX_BYTES
"""Bytes of all files that wait to be used."""
MOST_KEPT_FILES = 10 * MOST_FILES
MOST_AT_ONCE = 4
"""Requests with files that are being read at the same time."""
LONGEST = 900.0
"""Seconds in which all files of a request must have arrived."""
FORGOTTEN = 3600.0
"""Seconds after which a file that nothing was done with is removed."""

_BOUNDARY = re.compile(r"multipart/form-data;\s*boundary=\"?([A-Za-z0-9'()+_,./:=?-]{1,70})\"?", re.IGNORECASE)


class Uploads:
    """The files sent and not yet used, with who sent them. Usable from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folder: Path | None = None
        self._senders: dict[str, set[str | None]] = {}  # by path
        self._arriving = 0

    @property
    def folder(self) -> Path:
        """Readable by nobody else on this machine; made when first asked for, and gone after `close`."""
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="citeline-uploads-")).resolve()
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            return self._folder

    @contextmanager
    def arriving(self) -> Iterator[None]:
        """Around the reading of a request. Raises BodyRefused where too much arrives at once or waits to be used."""
        folder = self.folder
        with self._lock:
            if self._arriving >= MOST_AT_ONCE:
                raise BodyRefused(503, "Too many files arrive at the same time. Try again in a minute.")
            self._arriving += 1
        try:
            self._sweep(time.time() - FORGOTTEN)
            sizes = [path.stat().st_size for path in _files(folder)]
            if len(sizes) > MOST_KEPT_FILES or sum(sizes) > MOST_KEPT:
                raise BodyRefused(507, "Too many files wait to be used. Try again in an hour.")
            yield
        finally:
            with self._lock:
                self._arriving -= 1
                if not self._arriving:  # what lies outside of Gradio's folders did not arrive whole
                    for path in folder.glob("*"):
                        if path.is_file():
                            path.unlink(missing_ok=True)

    def note(self, sender: str | None, paths: list[str]) -> None:
        """These have arrived from `sender`, which is None where there is no login."""
        with self._lock:
            for path in paths:
                self._senders.setdefault(path, set()).add(sender)

    def belongs(self, path: str, sender: str | None) -> bool:
        """Whether `sender` has sent the file that the path names."""
        with self._lock:
            return sender in self._senders.get(path, ())

    def discard(self, path: str, sender: str | None) -> None:
        """Remove a file that `sender` has sent and that was used, unless another has sent the same."""
        with self._lock:
            senders = self._senders.get(path, set())
            if sender not in senders:
                return
            senders.remove(sender)
            if not senders:
                self._remove(Path(path))

    def close(self) -> None:
        """Remove everything."""
        with self._lock:
            self._senders.clear()
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder = None

    def _sweep(self, before: float) -> None:
        for path in _files(self.folder):
            with suppress(FileNotFoundError):
                if path.stat().st_ctime < before:
                    with self._lock:
                        self._remove(path)

    def _remove(self, path: Path) -> None:
        self._senders.pop(str(path), None)
        path.unlink(missing_ok=True)
        with suppress(OSError):  # another file of the same content lies there
            path.parent.rmdir()


class Reading:
    """One request with files: counts what it sends, and takes down what became of it."""

    def __init__(self, content_type: str, length: str | None, seconds: float = LONGEST) -> None:
        """Raises BodyRefused for what is no form, or says that it is too long."""
        found = _BOUNDARY.fullmatch(content_type.strip())
        if found is None:
            raise BodyRefused(415, "Send files as multipart/form-data.")
        if length is not None and (not length.isdecimal() or int(length) > MOST_SENT):
            raise _too_long()
        self._boundary = b"--" + found[1].encode()
        self._tail = b""
        self._bytes = 0
        self._parts = 0
        self._until = time.monotonic() + seconds
        self._status = 0
        self._answer = bytearray()
        self.refused: BodyRefused | None = None

    def counted(self, receive: Receive) -> Receive:
        """A `receive` that raises BodyRefused where it becomes too much or takes too long."""

        async def count() -> Message:
            try:
                async with asyncio.timeout(min(SECONDS, self._until - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                self.refused = BodyRefused(408, "The files took too long to arrive.")
                raise self.refused from None
            self._count(message.get("body", b""))
            if self.refused:
                raise self.refused
            return message

        return count

    def answering(self, send: Send) -> Send:
        """A `send` that keeps what Gradio answers, and says nothing after a refusal: the gate does."""

        async def note(message: Message) -> None:
            if self.refused:
                return
            self._status = message.get("status", self._status)
            self._answer += message.get("body", b"")
            await send(message)

        return note

    def paths(self) -> list[str]:
        """Of the files that arrived."""
        return [str(path) for path in json.loads(self._answer)] if self._status == 200 else []

    def _count(self, body: bytes) -> None:
        self._bytes += len(body)
        seen = self._tail + body
        self._parts += seen.count(self._boundary)
        self._tail = seen[-(len(self._boundary) - 1) :]
        if self._bytes > MOST_SENT:
            self.refused = _too_long()
        elif self._parts > MOST_FILES + 1:  # one boundary ends the form
            self.refused = BodyRefused(413, f"Send at most {MOST_FILES} files at once.")


def files_named(content: object) -> Iterator[object]:
    """What an event names as files, wherever in its JSON: Gradio takes each `path` in an object for one."""
    waiting: list[Any] = [content]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.values())
            if "path" in item:
                yield item["path"]
        elif isinstance(item, list):
            waiting.extend(item)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*/*") if path.is_file()]


def _too_long() -> BodyRefused:
    return BodyRefused(413, f"Send at most {MOST_SENT // 1_000_000:,} MB at once.")
