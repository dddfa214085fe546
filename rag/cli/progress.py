"""What a command shows while it works: progress on stderr, an answer that is being written on stdout."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from rag.plain_text import plain

SPEED_SECONDS = 600.0
"""The time left is estimated by the speed of the last so many seconds: an answer alone may take half a minute."""


class Draft:
    """Text in a terminal that each `show` replaces and that is gone in the end; elsewhere nothing is shown at all."""

    def __init__(self, quiet: bool, console: Console | None = None) -> None:
        console = console or Console()
        shown = console.is_terminal and not quiet
        self._live = Live(console=console, transient=True, auto_refresh=False) if shown else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, text: str) -> None:
        if self._live:
            self._live.update(Text(plain(text)), refresh=True)


class ProgressLines:
    """Call it as a `report`: (what, done, total). A new `what` begins a new bar, or in a log a line.

    A total of 0 means unknown.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TimeRemainingColumn(compact=True),
            console=self._console,
            speed_estimate_period=SPEED_SECONDS,
            transient=True,
            redirect_stdout=False,
        )
        self._task: tuple[str, TaskID] | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._bars.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._task is None or self._task[0] != what:
            self._begin(what)
        assert self._task is not None  # noqa: S101  _begin has set it  # nosec B101
        self._bars.update(self._task[1], completed=done, total=total or None)

    def _begin(self, what: str) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task[1])
        self._task = (what, self._bars.add_task(plain(what), total=None))
        if not self._console.is_terminal:
            print(plain(what), file=sys.stderr, flush=True)
