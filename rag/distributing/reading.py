"""Files handed out to a cluster, and what came of them taken in: a `FileReader`."""

import json
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from rag.distributing.connecting import Connection
from rag.distributing.working import Conductor, Task
from rag.documents import FieldNames, Fields, HoldsQuestions, Loaded, file_bytes
from rag.errors import ClusterError, DocumentError
from rag.types import Chunk, Document
from rag.visiting import FileRead, FileReader, Prepared, Stopped

WINDOW_BYTES, WINDOW_FILES = 200_000_000, 100_000
"""Handed out at a time; the workers start anew with each window."""
TABLE_BYTES, TABLE_FILES = 1_000_000, 16
"""Handed to a worker at a time."""
ALONE_TRIES = 2
"""Of a file whose worker died among others."""


def reader_on(connection: Connection, task: Task, *, shared: bool = False) -> FileReader:
    """Files are sent along as bytes, or where they are `shared` read by the workers under the same path.

    It raises Stopped for Ctrl-C, and ClusterError where the cluster is lost or its workers are of another kind.
    """

    def read(files: Iterable[Path], names: FieldNames) -> Iterator[FileRead]:
        asked = replace(task, names=names)
        with _stopping() as stop:
            for window in _windows(files, shared):
                yield from (row for row in window if isinstance(row, FileRead))
                yield from _read_window([row for row in window if isinstance(row, tuple)], connection, asked, stop)

    return read


_Row = tuple[Path, bytes | None]


def _windows(files: Iterable[Path], shared: bool) -> Iterator[list[_Row | FileRead]]:
    window: list[_Row | FileRead] = []
    size = 0
    for file in files:
        try:
            data = None if shared else file_bytes(file)
            window.append((file, data))
            size += len(data or b"")
        except DocumentError as error:
            window.append(FileRead(file, error))
        if size >= WINDOW_BYTES or len(window) >= WINDOW_FILES:
            yield window
            window, size = [], 0
    if window:
        yield window


def _read_window(rows: list[_Row], connection: Connection, task: Task, stop: "_Stop") -> Iterator[FileRead]:
    """First several files to a table; then those whose worker died with them, each alone."""
    waiting = {str(file): (file, data) for file, data in rows}
    for most, tries in ((TABLE_FILES, 1), (1, ALONE_TRIES)):
        for row in _results(list(waiting.values()), most, tries, connection, task, stop):
            if waiting.pop(row["file"], None):
                yield _file_read(row)
    for file, _ in waiting.values():
        error = DocumentError(
            f"{file} ended the worker that read it, {1 + ALONE_TRIES} times. Give workers more memory, or leave it out."
        )
        yield FileRead(file, error)


def _results(
    rows: list[_Row], most: int, tries: int, connection: Connection, task: Task, stop: "_Stop"
) -> Iterator[dict[str, Any]]:
    if not rows:
        return
    import ray

    try:
        conductor = ray.remote(Conductor).options(num_cpus=0).remote()
        workers = min(connection.workers, len(rows))
        with stop.allowed():
            ray.get(conductor.begin.remote(_tables(rows, most), task, workers, connection.cards, tries))
        while True:
            with stop.allowed():
                table = ray.get(conductor.next.remote())
            if table is None:
                break
            yield from table.to_pylist()
        ray.kill(conductor)
    except (ray.exceptions.RayError, ConnectionError) as error:
        if "No module named 'rag" in str(error):
            raise ClusterError(
                f"The machines of {connection.address} lack Citeline. Install the same version there."
            ) from error
        last = (str(error).strip().splitlines() or ["no reason given"])[-1]
        raise ClusterError(
            f"The cluster {connection.address} failed: {last}. What was committed stays; run the same command again."
        ) from error


def _tables(rows: list[_Row], most: int) -> list[Any]:
    import pyarrow as pa

    groups: list[list[_Row]] = []
    size = TABLE_BYTES
    for row in rows:
        if size >= TABLE_BYTES or len(groups[-1]) >= most:
            groups.append([])
            size = 0
        groups[-1].append(row)
        size += len(row[1] or b"")
    return [
        pa.table(
            {
                "file": pa.array([str(file) for file, _ in group], pa.string()),
                "data": pa.array([data for _, data in group], pa.large_binary()),
            }
        )
        for group in groups
    ]


def _file_read(row: dict[str, Any]) -> FileRead:
    file, result = Path(row["file"]), json.loads(row["result"])
    if "stop" in result:
        raise ClusterError(result["stop"])
    if "questions" in result:
        return FileRead(file, HoldsQuestions(result["questions"]))
    if "refused" in result:
        return FileRead(file, DocumentError(result["refused"]))
    loaded = result["loaded"]
    documents = tuple(Document(**{**fields, "pages": tuple(fields["pages"])}) for fields in loaded["documents"])
    fields = loaded["fields"]
    read = Loaded(
        documents,
        tuple(loaded["notes"]),
        Fields(tuple(fields["named"]), tuple(fields["seen"])) if fields else None,
        frozenset(loaded["summaries"]),
    )
    count = len(list(chain.from_iterable(result["chunks"])))
    vectors = np.frombuffer(row["vectors"], dtype="<f4").reshape(count, -1) if count else np.empty((0, 1), "<f4")
    prepared, at = [], 0
    for document, chunks, title in zip(documents, result["chunks"], result["titles"], strict=True):
        made = tuple(Chunk(name, document.id, start, end) for name, start, end in chunks)
        texts = tuple(f"{title}\n{document.text[chunk.start : chunk.end]}" for chunk in made)
        prepared.append(Prepared(made, texts, vectors[at : at + len(made)].astype(np.float32)))
        at += len(made)
    return FileRead(file, read, tuple(prepared))


class _Stop:
    """Ctrl-C, put off while the library is being written to; the second one is not."""

    def __init__(self) -> None:
        self._asked = self._allowed = False

    def __call__(self, *_: object) -> None:
        if self._allowed:
            raise Stopped
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Here it may come."""
        if self._asked:
            raise Stopped
        self._allowed = True
        try:
            yield
        finally:
            self._allowed = False


@contextmanager
def _stopping() -> Iterator[_Stop]:
    stop = _Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
