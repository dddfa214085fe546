"""Readers whose tab said, as it was closed or loaded anew, that it goes: unlike one that has lost its connection."""

import threading
import time

from cachetools import TTLCache

REMEMBERED = 300.0
"""Seconds."""
MOST = 10_000


def reader_name(user: str | None, browser: str) -> str:
    """By which a reader's conversations are kept: the user where there is a login, else the browser; "" for neither."""
    if user:
        return f"user {user}"
    return f"browser {browser}" if browser else ""


class Departures:
    """When a reader's tab last said so. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: TTLCache[str, float] = TTLCache(MOST, REMEMBERED, time.monotonic)

    def note(self, reader: str) -> None:
        """It goes now."""
        with self._lock:
            self._noted[reader] = time.monotonic()

    def last(self, reader: str) -> float:
        """When, by `time.monotonic`; -inf where it isn't known to have gone."""
        with self._lock:
            return self._noted.get(reader, float("-inf"))
