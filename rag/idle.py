"""Work that is done only while nothing else is: it gives way at its next step.

idle = Idle(busy=lambda: len(line) > 0)
for _ in idle.run("ann", work):   # work() gives an iterator, whose steps are the work
    ...                           # every BEAT seconds until it has ended or was given up
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from rag.errors import RagError
from rag.logs import log_failure

BEAT = 0.5
"""Seconds after which who waits for the work is touched, so that one who has left is noticed."""
TICK = 0.05
"""Seconds between two looks at whether nothing else is done any more."""
PATIENCE = 60.0
"""Seconds for which work waits for that; then it is given up."""
MOST = 8
"""Clients who may have work here at once; that of others is given up at once."""

_log = logging.getLogger("citeline")

Steps: TypeAlias = Generator[object, None, None]


@dataclass(eq=False)
class _Work:
    begin: Callable[[], Steps]
    leave: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    since: float = field(default_factory=time.monotonic)

    def give_up(self) -> None:
        self.leave.set()
        self.ended.set()


class Idle:
    """Does one client's work after the other's, a step at a time, on a thread that lives as long as there is any.

    Safe to call from several threads.
    """

    def __init__(self, busy: Callable[[], bool], log_texts: bool = False) -> None:
        self._busy = busy
        self._log_texts = log_texts
        self._step = threading.Lock()
        """Held during each step, and between a look at `busy` and the step that follows it."""
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, _Work] = OrderedDict()  # by client, the one at hand included
        self._works = False
        self._closed = False

    def run(self, client: str, begin: Callable[[], Steps]) -> Generator[None, None, None]:
        """Have the work done, and yield until it has ended.

        Closing the iterator ends it, and so does newer work of the client's.

        It begins when nothing else is done, and is given up as soon as something is. Work that fails ends too: it was
        done on the chance that it would be of use.
        """
        work = _Work(begin)
        if not self._take(client, work):
            return
        try:
            while not work.ended.wait(BEAT):
                yield
        finally:
            work.leave.set()

    def drop(self, client: str) -> None:
        """End the client's work at its next step."""
        with self._lock:
            if work := self._waiting.pop(client, None):
                work.give_up()

    def settle(self) -> None:
        """Return when no step is under way. While `busy` no other begins after that."""
        with self._step:
            pass

    def close(self, patience: float) -> bool:
        """End everything; whether that was done within `patience` seconds."""
        self._closed = True
        deadline = time.monotonic() + patience
        while self._works and time.monotonic() < deadline:
            time.sleep(0.01)
        return not self._works

    def _take(self, client: str, work: _Work) -> bool:
        with self._lock:
            older = self._waiting.pop(client, None)
            if older:
                older.give_up()
            if self._closed or len(self._waiting) >= MOST:
                return False
            self._waiting[client] = work
            if not self._works:
                self._works = True
                threading.Thread(target=self._run, name="idle", daemon=True).start()
        return True

    def _run(self) -> None:
        while (following := self._next()) is not None:
            client, work = following
            self._do(work)
            self._end(client, work)

    def _next(self) -> tuple[str, _Work] | None:
        """The work to be done now; None when there is none, which ends the thread."""
        while True:
            with self._lock:
                for client, work in list(self._waiting.items()):
                    if self._closed or work.leave.is_set() or time.monotonic() - work.since > PATIENCE:
                        del self._waiting[client]
                        work.give_up()
                if not self._waiting:
                    self._works = False
                    return None
                first = next(iter(self._waiting.items()))
            if not self._busy():
                return first
            time.sleep(TICK)

    def _do(self, work: _Work) -> None:
        steps = work.begin()
        try:
            while not (work.leave.is_set() or self._closed):
                with self._step:
                    if self._busy():
                        break
                    next(steps)
        except (StopIteration, RagError):
            pass  # a question that can't be answered is told so when it is asked
        except Exception as error:
            log_failure(_log, "Work ahead of a question failed", error, self._log_texts)
        finally:
            with suppress(RagError):
                steps.close()

    def _end(self, client: str, work: _Work) -> None:
        with self._lock:
            if self._waiting.get(client) is work:
                del self._waiting[client]
            work.ended.set()
