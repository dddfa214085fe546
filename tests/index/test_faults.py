"""Whatever stops indexing, and whatever the disk forgets: the library is the old one or the new, and is whole."""

import errno
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import NoReturn

import pytest

from rag.errors import DiskFull, LibraryUnwritable
from rag.index import check_library, open_library, open_writer
from tests.index.boundaries import At, Step, all_steps, prepare, steps, work
from tests.index.shelf import IDENTITY, put, state

ROOT = Path(__file__).parents[2]
KILLED_AT_RANDOM = 50


@pytest.fixture(scope="module", params=["small", "large"])
def start(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("start") / "place", large=request.param == "large")


@pytest.fixture(scope="module")
def done(start: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The steps of the work."""
    return all_steps(copied(start, tmp_path_factory.mktemp("done") / "place"))


def copied(place: Path, to: Path) -> Path:
    """With the library; the articles stay where they are, for their paths are what documents are known by."""
    shutil.copytree(place / "index", to / "index")
    (to / "news").symlink_to(place / "news")
    return to


def described(place: Path) -> tuple[tuple[str, ...], str]:
    """(texts of all documents, sorted; what is found), the same for the same articles whatever their numbers."""
    found = state(place / "index")
    texts = tuple(sorted(document.text for document in found["documents"].values()))
    return texts, repr([sorted(map(repr, hits)) for hits in found["nearest"] + found["matching"]])


@pytest.fixture(scope="module")
def old(start: Path) -> object:
    return described(start)


@pytest.fixture(scope="module")
def new(start: Path, tmp_path_factory: pytest.TempPathFactory) -> object:
    place = copied(start, tmp_path_factory.mktemp("new") / "place")
    work(place)
    return described(place)


def is_new(place: Path, old: object, new: object) -> bool:
    """Which of the two states the library is in; that it is in one of them, and whole."""
    found = described(place)
    assert found in (old, new)
    assert check_library(place / "index").faults == ()
    return found == new


def can_be_finished(place: Path, new: object) -> bool:
    """Whether the next run does what is left to do, and tidies up."""
    work(place)
    vectors = list((place / "index").glob("vectors-*"))
    return described(place) == new and not check_library(place / "index").faults and len(vectors) == 1


def test_the_steps_of_the_work_are_seen(done: list[str]) -> None:
    assert {"BEGIN IMMEDIATE", "COMMIT", "fsync", "replace", "unlink", "write"} <= set(done)
    assert any(step.startswith("INSERT INTO documents") for step in done)
    assert len(done) > 40


def kill(places: list[Path], moments: list[str]) -> list[str]:
    given = [f"{place}@{moment}" for place, moment in zip(places, moments, strict=True)]
    command = [sys.executable, "-m", "tests.index.mortal_indexer", *given]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return ended.stdout.splitlines()


def test_killed_before_any_step_the_library_is_old_or_new(
    start: Path, done: list[str], tmp_path: Path, old: object, new: object
) -> None:
    places = [copied(start, tmp_path / str(number)) for number in range(len(done))]
    assert kill(places, [str(number) for number in range(len(done))]) == ["killed"] * len(done)
    news = [is_new(place, old, new) for place in places]
    commit = done.index("COMMIT")
    assert news == [number > commit for number in range(len(done))]
    for place in places[::5] + places[commit - 3 :]:
        assert can_be_finished(place, new)


def test_killed_at_fifty_random_moments_the_library_is_old_or_new(
    start: Path, tmp_path: Path, old: object, new: object
) -> None:
    trial = copied(start, tmp_path / "trial")
    before = time.perf_counter()
    work(trial)
    longest = 1.5 * (time.perf_counter() - before) * 1000
    places = [copied(start, tmp_path / str(number)) for number in range(KILLED_AT_RANDOM)]
    moments = [f"t{random.uniform(0, longest):.2f}" for _ in places]
    assert set(kill(places, moments)) <= {"killed", "ended 0"}
    for place in places:
        is_new(place, old, new)
    for place in places[::5]:
        assert can_be_finished(place, new)


def full(step: str) -> NoReturn:
    raise _of(step, sqlite3.SQLITE_FULL, errno.ENOSPC)


def broken(step: str) -> NoReturn:
    raise _of(step, sqlite3.SQLITE_IOERR, errno.EIO)


def interrupted(_step: str) -> NoReturn:
    raise KeyboardInterrupt


def _of(step: str, code: int, number: int) -> Exception:
    """What SQLite raises in a statement, and the system elsewhere."""
    if not step.split()[0].isupper():
        return OSError(number, os.strerror(number))
    error = sqlite3.OperationalError("the disk is full or broken")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("fault", "raised"), [(full, DiskFull), (broken, LibraryUnwritable), (interrupted, KeyboardInterrupt)]
)
def test_after_a_fault_before_any_step_the_library_is_old_or_new_and_nothing_lies_about(
    fault: Step,
    raised: type[BaseException],
    start: Path,
    done: list[str],
    tmp_path: Path,
    old: object,
    new: object,
) -> None:
    commit = done.index("COMMIT")
    for number in range(len(done)):
        place = copied(start, tmp_path / str(number))
        # After the commit only tidying up is left: what can't be removed now is removed the next time.
        with steps(At(number, fault)), pytest.raises(raised) if number <= commit else suppress(raised):
            work(place)
        assert described(place) == (new if number > commit else old)
        assert check_library(place / "index").faults == ()
        assert not list((place / "index").glob("*.part"))


class Disk:
    """A disk that keeps for sure only what was synced, and the copies of it that a power cut before any step leaves.

    Of a file that wasn't synced an arbitrary part is kept and the rest is rubbish; a rename in a folder that wasn't
    synced may not have happened. SQLite syncs its log by itself when it commits: how long it was then is known.
    """

    def __init__(self, folder: Path, copies: Path) -> None:
        self.folder = folder
        self.copies = copies
        self.made: list[tuple[Path, bool]] = []
        self.committed = False
        self._synced: set[int] = set()
        self._renamed: dict[Path, bytes | None] = {}
        self._log = 0
        self._sync, self._replace = os.fsync, Path.replace

    def fsync(self, handle: int) -> None:
        self._sync(handle)
        self._synced.add(os.fstat(handle).st_ino)
        if os.fstat(handle).st_ino == self.folder.stat().st_ino:
            self._renamed.clear()

    def replace(self, path: Path, target: Path) -> Path:
        self._renamed[target] = target.read_bytes() if target.exists() else None
        return self._replace(path, target)

    def cut(self, name: str) -> None:
        if name == "COMMIT":
            self.committed = False
        for undo in (False, True):
            copy = self.copies / str(len(self.made))
            shutil.copytree(self.folder, copy / "index")
            self._forget(copy / "index", undo)
            self.made.append((copy, self.committed))

    def after_commit(self) -> None:
        self.committed = True
        self._log = self._log_of(self.folder).stat().st_size

    def _forget(self, copy: Path, undo: bool) -> None:
        for path in self.folder.glob("vectors-*"):
            if path.stat().st_ino not in self._synced:
                whole = path.read_bytes()
                kept = random.randrange(len(whole) + 1)
                (copy / path.name).write_bytes(whole[:kept] + bytes(len(whole) - kept))
        for target, before in self._renamed.items() if undo else ():
            part = copy / f"{target.name}.part"
            os.rename(copy / target.name, part)  # noqa: PTH104  Path.replace is a step
            if before is not None:
                (copy / target.name).write_bytes(before)
        log = self._log_of(copy)
        if log.exists() and (size := log.stat().st_size) > self._log:
            kept = random.randrange(self._log, size)
            log.write_bytes(log.read_bytes()[:kept] + os.urandom(random.choice((0, size - kept))))

    @staticmethod
    def _log_of(folder: Path) -> Path:
        return folder / "library.sqlite-wal"


def test_after_a_power_cut_before_any_step_the_library_is_old_or_new(
    start: Path, tmp_path: Path, old: object, new: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = copied(start, tmp_path / "place")
    disk = Disk(place / "index", tmp_path / "copies")
    monkeypatch.setattr("os.fsync", disk.fsync)
    monkeypatch.setattr(Path, "replace", lambda path, target: disk.replace(path, target))
    seen: list[str] = []

    def before(name: str) -> None:
        if seen and seen[-1] == "COMMIT":
            disk.after_commit()
        disk.cut(name)
        seen.append(name)

    # A reader keeps the log from being moved into the database when the writer ends.
    with open_library(place / "index", IDENTITY) as library, library.snapshot() as now, steps(before):
        now.count()
        work(place)
    monkeypatch.undo()
    assert any(committed for _, committed in disk.made)
    for copy, committed in disk.made:
        (copy / "news").symlink_to(start / "news")
        assert is_new(copy, old, new) == committed


def test_a_log_that_was_cut_short_leaves_the_state_of_an_earlier_commit(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    with open_writer(folder, IDENTITY) as writer:
        put(writer, "first", "The first stone.")
        writer.commit()
    with open_library(folder, IDENTITY) as library, library.snapshot() as now:
        now.count()
        with open_writer(folder, IDENTITY) as writer:
            for number in range(4):
                put(writer, f"stone{number}", f"Stone {number} of many.")
                writer.commit()
        size = (folder / "library.sqlite-wal").stat().st_size
        seen = set()
        for kept in [*sorted(random.sample(range(size), 25)), size]:
            copy = tmp_path / str(kept)
            shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*-shm"))
            os.truncate(copy / "library.sqlite-wal", kept)
            found = state(copy)
            seen.add(found["generation"])
            assert found["count"].documents == found["generation"]
            assert all(len(hits) == found["generation"] for hits in found["nearest"])
            assert check_library(copy).faults == ()
    assert max(seen) == 5
    assert len(seen) > 2


def test_a_log_of_rubbish_is_as_good_as_none(start: Path, tmp_path: Path, old: object, new: object) -> None:
    place = copied(start, tmp_path / "place")
    for rubbish in (b"", b"\0" * 5000, os.urandom(50_000)):
        (place / "index" / "library.sqlite-wal").write_bytes(rubbish)
        (place / "index" / "library.sqlite-shm").write_bytes(rubbish)
        with closing(sqlite3.connect(place / "index" / "library.sqlite")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert described(place) == old
    assert is_new(place, old, new) is False
