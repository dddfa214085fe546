"""Whose question is next: the clients take turns, so nobody's many questions keep another waiting."""

import threading
from collections import OrderedDict, deque

from rag.errors import LineFull

MOST_EACH = 3
"""Questions of one client in the line, at most."""


class Line:
    """Tickets wait, `at_once` at a time are served. Safe to call from several threads.

    With a1 a2 a3 of one client and b1 of another the order is a1 b1 a2 a3. Whose question is being served comes last.
    """

    def __init__(self, most: int, at_once: int = 1) -> None:
        self._most = most
        self._at_once = at_once
        self._lock = threading.Lock()
        self._served: dict[object, str] = {}  # ticket → client
        self._waiting: OrderedDict[str, deque[object]] = OrderedDict()  # by client, whose turn it is first

    def join(self, client: str) -> object:
        """A new ticket at the client's end of the line. Raises LineFull when it, or the client's share, is full."""
        ticket = object()
        with self._lock:
            if len(self._waiting.get(client, ())) >= MOST_EACH:
                raise LineFull(f"{MOST_EACH} questions of yours wait already. Ask again when one is answered.")
            if sum(map(len, self._waiting.values())) >= self._most:
                raise LineFull(f"{self._most} questions wait already, which is the most. Ask again in a minute.")
            self._waiting.setdefault(client, deque()).append(ticket)
            for served in [name for name in self._waiting if name in self._served.values()]:
                self._waiting.move_to_end(served)
        return ticket

    def take(self, ticket: object) -> bool:
        """Whether it is the ticket's turn; then it is served until `leave`, and its client's next turn is the last."""
        with self._lock:
            if ticket in self._served:
                return True
            if len(self._served) >= self._at_once or not self._waiting:
                return False
            client, tickets = next(iter(self._waiting.items()))
            if tickets[0] is not ticket:
                return False
            self._served[tickets.popleft()] = client
            if tickets:
                self._waiting.move_to_end(client)
            else:
                del self._waiting[client]
            return True

    def ahead(self, ticket: object) -> int:
        """How many are served before it as things stand, those being served included; 0 for one being served."""
        with self._lock:
            if ticket in self._served:
                return 0
            before = len(self._served)
            for place, tickets in enumerate(self._waiting.values()):
                if ticket in tickets:
                    turns = tickets.index(ticket)
                    others = enumerate(self._waiting.values())
                    return before + sum(
                        turns if other is tickets else min(len(other), turns + (at < place)) for at, other in others
                    )
            return before

    def leave(self, ticket: object) -> None:
        """The ticket is done with, or was given up. Safe to call twice."""
        with self._lock:
            if self._served.pop(ticket, None) is not None:
                return
            for client, tickets in self._waiting.items():
                if ticket in tickets:
                    tickets.remove(ticket)
                    if not tickets:
                        del self._waiting[client]
                    return

    def __len__(self) -> int:
        """The waiting and the served."""
        with self._lock:
            return sum(map(len, self._waiting.values())) + len(self._served)
