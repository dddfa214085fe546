"""The run file: a JSON line for each question dealt with, safe on the disk before the next question is begun."""

import errno
import heapq
import json
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from filelock import FileLock, Timeout

from rag.errors import DiskFull, InputError, RagError
from rag.records import record_fields, record_from
from rag.types import RunRecord

WINDOW = 32
"""Questions that may be answered in another order than they were asked: no line is further off its place."""

FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
"""What an OSError says where there is no room left."""

_BEGIN = b'{"row": '


def read_records(path: Path) -> Iterator[RunRecord]:
    """The records of a run file in the order of its lines, but for a last line that a crash cut short.

    Raises InputError where there is no such file, or where it is something else.
    """
    try:
        with path.open("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    yield record_from(_parsed(line, path))
    except OSError as error:
        raise InputError(f"{path} can't be read ({error.strerror}). Give a file that `rag batch` wrote.") from error


class RunFile:
    """A run file that goes on: what is in it is taken from its beginning, then lines are appended.

    One process at a time; for a second one entering raises InputError. With `empty` what was in it is dropped.
    """

    def __init__(self, path: Path, *, empty: bool = False) -> None:
        self._path = path
        self._mode: Literal["wb", "ab"] = "wb" if empty else "ab"

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            undo.enter_context(_locked(self._path))
            try:
                # Unbuffered: what a full disk didn't take must not be written again while the file is closed.
                self._lines = undo.enter_context(self._path.open(self._mode, buffering=0))
                _check_beginning(self._path)
                _drop_half_line(self._path)
            except OSError as error:
                raise _unwritable(self._path, error) from error
            self._written = read_records(self._path)
            self._next = next(self._written, None)
            self._close = undo.pop_all().close
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def take(self, rows: Collection[int]) -> dict[int, RunRecord]:
        """The next records by row, as far as they are of these rows."""
        taken: dict[int, RunRecord] = {}
        while self._next is not None and self._next.question.row in rows:
            taken[self._next.question.row] = self._next
            self._next = next(self._written, None)
        return taken

    def append(self, record: RunRecord) -> None:
        """Write a line and wait until it is on the disk. Raises DiskFull.

        Raises InputError where lines haven't been taken: they answer other questions.
        """
        self._check_that_all_is_taken()
        left = _line(record)
        try:
            while left:
                left = left[self._lines.write(left) :]
            os.fsync(self._lines)
        except OSError as error:
            raise _unwritable(self._path, error) from error

    def put_in_order(self) -> None:
        """Sort the lines by row, in one step, after the last one; holds `WINDOW` of them in memory.

        Raises DiskFull, and InputError where lines haven't been taken: they answer other questions.
        """
        self._check_that_all_is_taken()
        self._lines.close()  # Windows replaces no open file
        if not _is_in_order(self._path):
            _put_in_order(self._path)

    def _check_that_all_is_taken(self) -> None:
        if self._next is not None:
            raise InputError(
                f"{self._path} goes on with row {self._next.question.row}, which isn't the next one: these aren't the "
                "questions it was begun with. Start over with --replace, or name another file with -o."
            )


def check_run_file(path: Path, *, replace: bool = False) -> None:
    """Raise what entering a `RunFile` there would, but leave what is there: to be told before models are loaded."""
    new = not path.exists()
    with _locked(path):
        try:
            with path.open("ab"):
                pass
            if new:
                path.unlink()
            elif not replace:
                _check_beginning(path)
        except OSError as error:
            raise _unwritable(path, error) from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock beside a run file. Folders on the way to it are made."""
    lock = FileLock(f"{path}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise InputError(f"Another process is writing {path}. Wait, or name another file with -o.") from error
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        yield
    finally:
        with suppress(OSError):  # Windows removes no open file
            Path(lock.lock_file).unlink()  # while it is held: afterwards it may be another's
        lock.release()


def _is_in_order(path: Path) -> bool:
    rows = (record.question.row for record in read_records(path))
    return all(one < other for one, other in pairwise(rows))


def _put_in_order(path: Path) -> None:
    beside = path.with_name(f"{path.name}.part")
    try:
        with path.open("rb") as lines, beside.open("wb") as ordered:
            ordered.writelines(_in_order(lines))
            ordered.flush()
            os.fsync(ordered)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise _unwritable(path, error) from error


def _in_order(lines: Iterable[bytes]) -> Iterator[bytes]:
    waiting: list[tuple[int, bytes]] = []
    for line in lines:
        entry = (int(json.loads(line)["row"]), line)
        if len(waiting) < WINDOW:
            heapq.heappush(waiting, entry)
        else:
            yield heapq.heappushpop(waiting, entry)[1]
    while waiting:
        yield heapq.heappop(waiting)[1]


def _parsed(line: bytes, path: Path) -> dict[str, object]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise _foreign(path) from error
    return found if isinstance(found, dict) else {}


def _line(record: RunRecord) -> bytes:
    fields = record_fields(record)
    try:
        return json.dumps(fields, ensure_ascii=False, allow_nan=False).encode() + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair, which UTF-8 can't hold but an escape can
        return json.dumps(fields, allow_nan=False).encode() + b"\n"


def _check_beginning(path: Path) -> None:
    """Raises InputError where the file doesn't begin as a run file does."""
    with path.open("rb") as file:
        if not _BEGIN.startswith(file.read(len(_BEGIN))):
            raise _foreign(path)


def _drop_half_line(path: Path) -> None:
    """A crash may have cut the last line short."""
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - 65_536)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                file.truncate(start + newline + 1)
                return
            end = start
        file.truncate(0)


def _foreign(path: Path) -> InputError:
    return InputError(f"{path} isn't a file that `rag batch` wrote. Name another one.")


def _unwritable(path: Path, error: OSError) -> RagError:
    if error.errno in FULL:
        return DiskFull(f"No room left to write {path}. What is written stays; free some space and run it again.")
    return InputError(f"{path} can't be written ({error.strerror}). Name another file with -o.")
