"""Who is logged in: random tokens in cookies, of which only hashes are kept, in memory."""

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from rag.guarding.users import Users

LASTS = 12 * 3600.0
"""Seconds after the last request for which a login lasts."""
MOST = 1_000
"""Logins at once; the one unused for longest makes room."""


class Logins:
    """The open logins of one running page."""

    def __init__(self, users: Users, clock: Callable[[], float] = time.monotonic) -> None:
        self._users = users
        self._clock = clock
        self._lock = threading.Lock()
        self._open: OrderedDict[str, tuple[str, float]] = OrderedDict()  # hash of token → user, last used

    def begin(self, name: str, password: str) -> str | None:
        """A new token for the cookie, or None when name and password don't go together.

        Takes some tenths of a second.
        """
        if not self._users.admits(name, password):
            return None
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._open[_hash(token)] = (name, self._clock())
            while len(self._open) > MOST:
                self._open.popitem(last=False)
        return token

    def user(self, token: str | None) -> str | None:
        """Whose token it is; None once it has ended or its user was removed."""
        if not token:
            return None
        key, now = _hash(token), self._clock()
        with self._lock:
            name, used = self._open.get(key, ("", 0.0))
            if not name:
                return None
            if now - used > LASTS or name not in self._users:
                del self._open[key]
                return None
            self._open[key] = (name, now)
            self._open.move_to_end(key)
        return name

    def holder(self, token: str | None) -> str | None:
        """Whose token for programs it is, from `rag user token NAME`."""
        return self._users.holder(token) if token else None

    def end(self, token: str | None) -> None:
        """Log out; nothing happens to a token that isn't one."""
        with self._lock:
            self._open.pop(_hash(token or ""), None)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
