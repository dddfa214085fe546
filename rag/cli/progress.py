"""Progress of long work on stderr: a bar in a terminal, a line per step in a log."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn


class ProgressLines:
    """Call it as a `report`: (what, done, total). A new `what` begins a new bar; a total of 0 means unknown."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TimeRemainingColumn(compact=True),
            console=self._console,
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
        self._bars.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._task is None or self._task[0] != what:
            self._begin(what)
        assert self._task is not None  # noqa: S101  _begin has set it
        self._bars.update(self._task[1], completed=done, total=total or None)

    def _begin(self, what: str) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task[1])
        self._task = (what, self._bars.add_task(what, total=None))
        if not self._console.is_terminal:
            print(what, file=sys.stderr, flush=True)
