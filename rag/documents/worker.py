"""The process in which files are parsed: `python -m rag.documents.worker`, started by `rag.documents.isolated`.

On its standard input there is, for each file, a line of JSON (see `Request`) and then as many bytes as it says. On its
standard output there is a line of JSON for each article or note of the file, and a last one that says how it ended:
{"article": {…}} · {"note": "…"} · {"fields": {…}} · {"done": true} · {"refused": "…"} · {"questions": "…"} ·
{"failed": "memory"}.
"""

import contextlib
import gc
import json
import os
import queue
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import BinaryIO

from rag.documents.article import Article, Found, HoldsQuestions, Note
from rag.documents.fields import FieldNames
from rag.errors import DocumentError

IDLE_SECONDS = 120.0
"""After so long without a file the process ends."""

OUT_OF_MEMORY = "memory"
TOO_DEEP = "depth"

_PARENT_GONE = 3


@dataclass(frozen=True, slots=True)
class Request:
    """A file to be read."""

    size: int
    """How many bytes follow."""
    name: str
    source: str
    names: dict[str, tuple[str, ...]]
    """The fields of `FieldNames`."""
    seconds: float
    """Of processor time that one article may take, where the system can count it."""


def main(memory: int) -> None:
    """Answer requests until the standard input is closed. `memory` is in bytes of address space."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What a library prints must not end up between the answers.
    with open(os.devnull, "r+b", buffering=0) as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), sys.stdout.fileno())
        os.dup2(nothing.fileno(), sys.stderr.fileno())
    _limit_memory(memory)
    requests: queue.SimpleQueue[tuple[Request, bytes] | None] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(sys.stdin.buffer, requests), daemon=True).start()
    while True:
        try:
            received = requests.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            return
        if received is None:
            return
        for line in _answers(*received):
            answers.write(json.dumps(line).encode("ascii") + b"\n")
            answers.flush()
        del received
        gc.collect()


def _receive(stream: BinaryIO, requests: "queue.SimpleQueue[tuple[Request, bytes] | None]") -> None:
    """Hand on what comes. Where the parent is gone nobody waits for an answer, so the process ends at once."""
    with contextlib.suppress(OSError, ValueError, MemoryError):
        while line := stream.readline():
            request = Request(**json.loads(line))
            requests.put((request, stream.read(request.size)))  # nosec B113 - a queue
    os._exit(_PARENT_GONE)


def _answers(request: Request, data: bytes) -> Iterator[dict[str, object]]:
    from rag.documents.reading import read_all

    try:
        names = FieldNames(**{part: tuple(given) for part, given in request.names.items()})
        _limit_processor(request.seconds)
        for one in read_all(data, request.name, request.source, names):
            yield _line(one)
            _limit_processor(request.seconds)
        yield {"done": True}
    except HoldsQuestions as error:
        yield {"questions": str(error)}
    except DocumentError as error:
        yield {"refused": str(error)}
    except ImportError as error:
        yield {
            "refused": f"{request.source} needs the package {error.name} to be read. Run `pip install {error.name}`."
        }
    except MemoryError:
        yield {"failed": OUT_OF_MEMORY}
    except RecursionError:
        yield {"failed": TOO_DEEP}
    except Exception as error:  # a mistake of a library in a file that only looks like one
        yield {"failed": type(error).__name__}


def _line(found: Found) -> dict[str, object]:
    if isinstance(found, Note):
        return {"note": found.text}
    return {"article" if isinstance(found, Article) else "fields": asdict(found)}


def _limit_memory(memory: int) -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_processor(seconds: float) -> None:
    """From now on; the limit is lifted anew for each article."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        allowed = int(used.ru_utime + used.ru_stime + seconds) + 1
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (allowed, hard))


if __name__ == "__main__":
    main(int(sys.argv[1]))
