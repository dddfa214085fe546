"""The end of a server: no new question is taken any more, those that were taken are answered."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

GLANCE = 0.05
"""Seconds between two looks at whether all is answered."""
SETTLING = 1.0
"""Seconds in which the page's last events reach its tabs."""


class Stopping:
    """Whether the server is about to end, and what it still has to answer. Usable from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answering = 0
        self._begun = False
        self._hurry = False

    @property
    def begun(self) -> bool:
        """Whether new questions are turned away."""
        return self._begun

    @contextmanager
    def answering(self) -> Iterator[bool]:
        """Around an answer to a program: whether its question is taken."""
        with self._lock:
            taken = not self._begun
            self._answering += taken
        try:
            yield taken
        finally:
            with self._lock:
                self._answering -= taken

    def begin(self) -> None:
        """From now on take no new question; called once more, don't wait for answers either.

        Without a lock, for it is called where a signal interrupts anything.
        """
        self._begun, self._hurry = True, self._begun

    def finish(self, seconds: float, busy: Callable[[], bool]) -> bool:
        """Wait until all is answered, `busy` being whether readers of the page wait too; at most so many seconds.

        Whether all was answered.
        """
        deadline, read = time.monotonic() + seconds, busy()
        while self._programs_wait() or busy():
            if self._hurry or time.monotonic() > deadline:
                return False
            time.sleep(GLANCE)
        if read:
            time.sleep(min(SETTLING, max(0.0, deadline - time.monotonic())))
        return True

    def _programs_wait(self) -> bool:
        with self._lock:
            return self._answering > 0
