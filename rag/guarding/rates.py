"""How often each client may ask: token buckets (a bucket fills steadily, a request takes one out)."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MOST = 10_000
"""Clients remembered; the one heard of longest ago makes room."""


class Rates:
    """`per_minute` requests a client in the long run, of which up to `at_once` may come together.

    >>> rates = Rates(per_minute=60, at_once=2)
    >>> [rates.wait("ann"), rates.wait("ann"), rates.wait("ann")]  # seconds
    [0.0, 0.0, 1.0]
    """

    def __init__(self, per_minute: float, at_once: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_minute / 60
        self._at_once = at_once
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # client → tokens, as of when

    def wait(self, client: str) -> float:
        """0 when the client may go on, and one token is taken; else the seconds until there is one."""
        now = self._clock()
        with self._lock:
            tokens, since = self._buckets.pop(client, (self._at_once, now))
            tokens = min(self._at_once, tokens + (now - since) * self._per_second)
            allowed = tokens >= 1
            self._buckets[client] = (tokens - 1 if allowed else tokens, now)
            if len(self._buckets) > MOST:
                self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / self._per_second
