"""Changes to the library, one at a time, each on a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.desk import UNFORESEEN
from rag.errors import LibraryBusy, RagError
from rag.holdings import Became, Result, Work
from rag.logs import log_failure
from rag.shelf.outcomes import in_words

Report = Callable[[str, int, int], None]
Task = Callable[[Report], Sequence[Result]]

SHOWN = 100
"""Results that are kept, at most."""
POLITE = 30.0
"""Seconds that indexing waits for answers to end, at most, before it goes on beside them."""
FAREWELL = 5.0
"""Seconds that a change gets to end when the page closes."""

_log = logging.getLogger("citeline")


class Cancelled(Exception):
    """Somebody pressed Cancel, or the page closes."""


class Changes:
    """At most one change is under way; it can be looked at and cancelled by everyone."""

    def __init__(self, answering: Callable[[], bool], log_texts: bool) -> None:
        """While `answering`, a change holds its breath: readers who asked come first."""
        self.work: Work | None = None
        self.own_of: tuple[str | None, ...] = ()
        """Who began it, where it names only what they named or may read; else nobody."""
        self._answering = answering
        self._log_texts = log_texts
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._began = 0.0

    def begin(self, doing: str, by: str | None, task: Task, after: Callable[[], None], *, of_own: bool = False) -> None:
        """Start `task`, then `after`, whatever becomes of it; `of_own` is what names nothing that `by` may not know.

        Raises LibraryBusy while another is under way.
        """
        with self._lock:
            if self.work and self.work.running:
                raise LibraryBusy(
                    f"The library is being changed already: {self.work.doing}, begun {self.work.begun}. "
                    "Try again when that has ended."
                )
            self._stop.clear()
            self._began = time.monotonic()
            self.own_of, whose = (by,) if of_own else (), f" by {by}" if by else ""
            self.work = Work(doing, f"at {time.strftime('%H:%M')}{whose}")
            self._thread = threading.Thread(target=self._run, args=(task, after), name="change-library", daemon=True)
            self._thread.start()

    def cancel(self) -> None:
        """End what is under way as soon as it can be ended; what was committed by then stays."""
        with self._lock:
            if self.work and self.work.running:
                self._stop.set()
                self.work = replace(self.work, cancelling=True)

    def dismiss(self) -> None:
        """Show what is over no longer."""
        with self._lock:
            if self.work and not self.work.running:
                self.work = None

    def close(self) -> None:
        """Cancel, and wait for the end a little."""
        self.cancel()
        if self._thread:
            self._thread.join(FAREWELL)

    def _run(self, task: Task, after: Callable[[], None]) -> None:
        results: Sequence[Result] = ()
        summary = failure = ""
        try:
            results = task(self._report)
            summary = in_words(results)
        except Cancelled:
            summary = "Cancelled. What was done by then stays."
        except RagError as error:
            failure = str(error)
        except Exception as error:
            log_failure(_log, "The library could not be changed", error, self._log_texts)
            failure = UNFORESEEN
        try:
            after()
        except Exception as error:
            log_failure(_log, "The library could not be looked at", error, self._log_texts)
        telling = sorted(results, key=lambda result: result.became is not Became.REFUSED)
        with self._lock:
            if self.work:
                more = max(0, len(results) - SHOWN)
                self.work = replace(
                    self.work,
                    running=False,
                    results=tuple(telling[:SHOWN]),
                    more=more,
                    summary=summary,
                    failure=failure,
                )

    def _report(self, _what: str, done: int, total: int) -> None:
        waited = time.monotonic()
        while self._answering() and not self._stop.is_set() and time.monotonic() - waited < POLITE:
            time.sleep(0.05)
        if self._stop.is_set():
            raise Cancelled
        spent = time.monotonic() - self._began
        left = spent * (total - done) / done if 0 < done < total and spent > 1 else None
        with self._lock:
            if self.work and total > 0:
                self.work = replace(self.work, percent=min(100, 100 * done // total), seconds_left=left)
