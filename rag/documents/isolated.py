"""Files are parsed in a process of their own, so that a hostile one costs one DocumentError and never the caller.

The process is used for one file after the other. One that hangs, dies or needs too much is killed, and the next file
gets a new one. Articles come back as JSON, never as pickle, whatever has become of the process.
"""

import atexit
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import IO, Any, cast

from rag.documents import limits, worker
from rag.documents.article import Article, Fields, Found, HoldsQuestions, Note
from rag.documents.fields import FieldNames
from rag.documents.limits import Allowance
from rag.documents.worker import Request
from rag.errors import DocumentError

REUSED = 500
"""Files that one process reads before another takes its place, in case a library loses memory."""

MAX_LINE = 8 * limits.MAX_CHARACTERS
"""Bytes of an answer."""

_KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "USERPROFILE",
    "LD_LIBRARY_PATH",
)
_ARTICLE = frozenset(field.name for field in fields(Article))


@dataclass(frozen=True, slots=True)
class Bounds:
    """What reading a file may cost."""

    seconds: float = limits.SECONDS
    """Of processor time, where the system can count it, for each article; by the clock `limits.PATIENCE` times that."""
    total_seconds: float = limits.TOTAL_SECONDS
    """By the clock, for all articles."""
    memory: int = limits.MEMORY
    """Bytes."""


def read_isolated(data: bytes, name: str, source: str, names: FieldNames, bounds: Bounds | None = None) -> list[Found]:
    """All of `rag.documents.reading.read_all` in another process; called from any thread, it waits for its turn.

    Raises DocumentError also where the bounds are passed or the process dies.
    """
    with _turn:
        try:
            process = _process(bounds or Bounds())
        except OSError as error:
            raise DocumentError(f"{source} can't be read: no process could be started ({error}).") from error
        return list(process.read(data, name, source, names))


def close() -> None:
    """End the process if there is one; the next file starts another."""
    with _turn:
        _end()


class _Process:
    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.idle_since = time.monotonic()
        self.files = 0
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        given = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if Path(path).is_absolute()]
        paths = [str(Path(__file__).parents[2]), *given]
        self._child = subprocess.Popen(  # noqa: S603  # nosec B603
            # -P: what lies in the folder we happen to be in is never imported.
            [sys.executable, "-P", "-m", worker.__name__, str(bounds.memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={
                **environment,
                "PYTHONPATH": os.pathsep.join(paths),
                "PYTHONDONTWRITEBYTECODE": "1",
                "OPENBLAS_NUM_THREADS": "1",  # each would take address space
                "MALLOC_ARENA_MAX": "2",
            },
            start_new_session=True,  # Ctrl-C in the terminal is for the caller, who then kills this process
        )
        self._to, self._back = cast(IO[bytes], self._child.stdin), cast(IO[bytes], self._child.stdout)

    def fit(self, bounds: Bounds) -> bool:
        """Whether the process may get another file."""
        fresh = time.monotonic() - self.idle_since < worker.IDLE_SECONDS / 2
        return fresh and self.bounds == bounds and self.files < REUSED and self._child.poll() is None

    def read(self, data: bytes, name: str, source: str, names: FieldNames) -> Iterator[Found]:
        """See `read_isolated`. The process is killed unless the file is read to its end."""
        self.files += 1
        finished = False
        articles = Allowance(limits.MAX_ARTICLES, "articles", source)
        characters = Allowance(limits.MAX_CHARACTERS, "characters of text", source)
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        request = Request(len(data), name, source, asdict(names), self.bounds.seconds)
        exchange = threading.Thread(target=self._exchange, args=(request, data, lines), daemon=True)
        exchange.start()
        try:
            for answer in self._answers(lines, source):
                found = _outcome(answer, source, self.bounds.memory)
                if found is None:
                    finished = True
                    break
                if isinstance(found, Article):
                    articles.take()
                    characters.take(len(found.text))
                yield found
        except _Refused as refused:
            finished = True
            raise refused.error from None
        finally:
            if not finished:
                _end()
            exchange.join()
            self.idle_since = time.monotonic()

    def kill(self) -> None:
        """At once. Safe to call twice."""
        with suppress(OSError):
            self._child.kill()
        self._child.wait()
        for pipe in (self._to, self._back):
            with suppress(OSError):
                pipe.close()

    def _exchange(self, request: Request, data: bytes, lines: "queue.SimpleQueue[bytes]") -> None:
        """Write a request and pass on the lines of its answer; an empty one where the process died."""
        to, back = self._to, self._back
        try:
            to.write(json.dumps(asdict(request)).encode("ascii") + b"\n")
            to.write(data)
            to.flush()
            while line := back.readline(MAX_LINE):
                lines.put(line)
                if not line.startswith((b'{"article"', b'{"note"', b'{"fields"')):
                    return
        except (OSError, ValueError):  # the pipe is broken, or was closed to end this
            pass
        lines.put(b"")

    def _answers(self, lines: "queue.SimpleQueue[bytes]", source: str) -> Iterator[Any]:
        begun, each = time.monotonic(), limits.PATIENCE * self.bounds.seconds
        while True:
            left = begun + self.bounds.total_seconds - time.monotonic()
            try:
                line = lines.get(timeout=max(min(each, left), 0.001))
            except queue.Empty:
                raise _too_slow(source, each if left > each else self.bounds.total_seconds) from None
            if not line:
                raise self._died(source)
            try:
                yield json.loads(line)
            except ValueError as error:
                raise _unreadable(source) from error

    def _died(self, source: str) -> DocumentError:
        with suppress(subprocess.TimeoutExpired):
            if self._child.wait(timeout=1) == -getattr(signal, "SIGXCPU", 0):
                return _too_slow(source, self.bounds.seconds)
        return _unreadable(source)


class _Refused(Exception):
    """The process read the file to its end, and `error` is why it can't be used."""

    def __init__(self, error: DocumentError) -> None:
        super().__init__(str(error))
        self.error = error


_turn = threading.Lock()
_running: list[_Process] = []
"""The one process there is, or none."""


def _process(bounds: Bounds) -> _Process:
    if _running and not _running[0].fit(bounds):
        _end()
    if not _running:
        _running.append(_Process(bounds))
    return _running[0]


def _end() -> None:
    while _running:
        _running.pop().kill()


atexit.register(_end)


def _outcome(answer: Any, source: str, memory: int) -> Found | None:
    """What a line of the answer says; None at the end of the file. Raises DocumentError, or _Refused for a tidy one."""
    try:
        if "done" in answer:
            return None
        if "note" in answer:
            return Note(str(answer["note"]))
        if "article" in answer:
            return _article(answer["article"])
        if "fields" in answer:
            return Fields(*(tuple(map(str, answer["fields"][name])) for name in ("named", "seen")))
        if "refused" in answer:
            raise _Refused(DocumentError(str(answer["refused"])))
        if "questions" in answer:
            raise _Refused(HoldsQuestions(str(answer["questions"])))
        failed = answer["failed"]
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(source) from error
    if failed == worker.OUT_OF_MEMORY:
        raise DocumentError(
            f"{source} needed more than {memory / 1e9:g} GB of memory to read. Split it, or leave it out."
        )
    if failed == worker.TOO_DEEP:
        raise DocumentError(f"{source} is nested too deeply to be read. Save it in a simpler form.")
    raise _unreadable(source)


def _article(found: dict[str, Any]) -> Article:
    """Raises KeyError, TypeError or ValueError for anything else than an article."""
    texts = {name: found[name] for name in _ARTICLE - {"pages", "whole"}}
    if not all(text is None or isinstance(text, str) for text in texts.values()):
        raise TypeError("an article consists of texts")
    if not isinstance(texts["text"], str) or not isinstance(texts["part"], str):
        raise TypeError("an article has a text and a part")
    return Article(**texts, pages=tuple(int(page) for page in found["pages"]), whole=bool(found["whole"]))


def _too_slow(source: str, seconds: float) -> DocumentError:
    return DocumentError(f"{source} took longer than {seconds:g} s to read. Split it, or leave it out.")


def _unreadable(source: str) -> DocumentError:
    return DocumentError(f"{source} is damaged in a way that its reader can't cope with. Save it once more.")
