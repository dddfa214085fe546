import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.watching import changes

SOON_MS = 200


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    stop = threading.Event()
    yield stop
    stop.set()


def changed_within(events: Iterator[bool], glances: int = 25) -> bool:
    return any(next(events) for _ in range(glances))


def test_the_first_signal_comes_when_it_listens(tmp_path: Path, stop: threading.Event) -> None:
    events = changes(lambda: [str(tmp_path)], tmp_path / "index", stop, SOON_MS)
    assert next(events) is True
    assert next(events) is False


def test_files_made_changed_and_removed_at_any_depth_are_signalled(tmp_path: Path, stop: threading.Event) -> None:
    (tmp_path / "may").mkdir()
    events = changes(lambda: [str(tmp_path)], tmp_path / "index", stop, SOON_MS)
    next(events)
    file = tmp_path / "may" / "tea.txt"
    for change in (lambda: file.write_text("Tea."), lambda: file.write_text("Salt."), file.unlink):
        change()
        assert changed_within(events)


def test_the_library_and_hidden_files_do_not_count(tmp_path: Path, stop: threading.Event) -> None:
    (tmp_path / "index").mkdir()
    events = changes(lambda: [str(tmp_path)], tmp_path / "index", stop, SOON_MS)
    next(events)
    (tmp_path / "index" / "library.sqlite").write_bytes(b"x")
    (tmp_path / ".swap").write_bytes(b"x")
    assert not changed_within(events, 6)


def test_a_file_named_by_itself_and_a_folder_that_comes_back_are_signalled(
    tmp_path: Path, stop: threading.Event
) -> None:
    file, away = tmp_path / "tea.txt", tmp_path / "away"
    file.write_text("Tea.")
    roots = [str(file), str(away), "https://example.org/feed"]
    events = changes(lambda: roots, tmp_path / "index", stop, SOON_MS)
    next(events)
    file.write_text("Salt, not tea.")
    assert changed_within(events)
    away.mkdir()
    assert changed_within(events)
    (away / "iron.txt").write_text("Iron.")
    assert changed_within(events)
    shutil.rmtree(away)
    assert changed_within(events)


def test_it_ends_when_it_is_told_to(tmp_path: Path, stop: threading.Event) -> None:
    events = changes(lambda: [str(tmp_path)], tmp_path / "index", stop, SOON_MS)
    next(events)
    stop.set()
    assert list(events) in ([], [False])
