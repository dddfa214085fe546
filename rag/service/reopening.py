"""A pipeline that needs servers and could not be opened is opened again, later each time: they may be back by then."""

import logging
import threading

from rag.desk import Desk, Failed
from rag.settings import EngineChoice, Settings, Store

GLANCE = 0.5
"""Seconds between two looks at whether it could not be opened."""
PAUSES = (5.0, 60.0)
"""Seconds until it is tried again: the first time, and at most."""

_log = logging.getLogger("citeline")


class Reopening:
    """Watches a desk from `begin` to `close`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._closed = threading.Event()

    def begin(self) -> None:
        """Watch on a thread of its own, where what is needed lies on servers; what is wrong here stays wrong."""
        if not _needs_servers(self._desk.settings):
            return
        threading.Thread(target=self._watch, name="reopening", daemon=True).start()

    def close(self) -> None:
        """Stop watching."""
        self._closed.set()

    def _watch(self) -> None:
        pause, most = PAUSES
        while not self._closed.wait(GLANCE):
            if self._desk.pipeline is not None:
                pause = PAUSES[0]
            elif isinstance(failed := self._desk.state, Failed):
                _log.warning("Citeline could not be opened and tries again in %g s: %s", pause, failed.message)
                if self._closed.wait(pause):
                    return
                self._desk.open()
                pause = min(most, 2 * pause)


def _needs_servers(settings: Settings) -> bool:
    return settings.engine is EngineChoice.OPENAI_COMPATIBLE or settings.store is not Store.LOCAL
