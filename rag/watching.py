"""Folders and files → a signal whenever something in them may have changed."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

QUIET_MS = 800
"""Changes that come closer together than this are one: a file is written in several goes."""

LONGEST_MS = 10_000
"""A signal comes after so long though changes go on."""

GLANCE_MS = 1_000
"""Between two looks at what notifications don't tell: single files, folders that were away and are back."""

Look: TypeAlias = tuple[frozenset[str], frozenset[tuple[str, int, int]]]
"""The folders among the roots that are there, and the files with their sizes and times."""


def changes(
    roots: Callable[[], Sequence[str]], ignored: Path, stop: threading.Event, glance_ms: int = GLANCE_MS
) -> Iterator[bool]:
    """Yield True when something in `roots` may have changed, and False every now and then when nothing did.

    The first is True, too: it comes when this listens, and nobody knows what changed before.
    `roots` are asked for again after every yield: folders, at any depth, and files; what isn't there is passed over
    until it is, and URLs are no concern of this. Hidden files and what lies in the folder `ignored` don't count. Ends
    once `stop` is set.
    """
    ignored = ignored.resolve()

    def counts(_change: object, path: str) -> bool:
        return not Path(path).name.startswith(".") and not Path(path).is_relative_to(ignored)

    while not stop.is_set():
        before, unsure = _look(roots()), True
        for found in _listen(before[0], counts, stop, glance_ms):
            yield unsure or found
            unsure = False
            if _look(roots()) != before:
                break


def _listen(
    folders: Iterable[str], counts: Callable[[object, str], bool], stop: threading.Event, glance_ms: int
) -> Iterator[bool]:
    """Whether something changed, at least every `glance_ms`."""
    from watchfiles import watch

    if not folders:
        while not stop.wait(glance_ms / 1000):
            yield False
        return
    with suppress(FileNotFoundError):  # a folder has gone since it was looked for
        for found in watch(
            *folders,
            watch_filter=counts,
            debounce=LONGEST_MS,
            step=QUIET_MS,
            stop_event=stop,
            rust_timeout=glance_ms,
            yield_on_timeout=True,
            ignore_permission_denied=True,
        ):
            yield bool(found)


def _look(roots: Sequence[str]) -> Look:
    paths = [Path(root) for root in roots if "://" not in root]
    folders = frozenset(str(path) for path in paths if path.is_dir())
    files = set()
    for path in paths:
        with suppress(OSError):
            if path.is_file():
                found = path.stat()
                files.add((str(path), found.st_size, found.st_mtime_ns))
    return folders, frozenset(files)
