"""Answers under way: each goes on whether or not a tab shows it, and is saved as it grows.

So a page that is loaded anew, or loses its connection for a moment, finds the answer further on, or finished. One that
nobody has watched for a while is stopped, sooner where others wait: whoever asked has left.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial

from rag import rendering
from rag.conversations import Conversations, Place
from rag.desk import TICK, UNFORESEEN, Desk, Waiting
from rag.errors import RagError
from rag.exchanges import Draft, Exchange
from rag.logs import log_failure
from rag.types import Turn

ABANDONED, ABANDONED_WHILE_OTHERS_WAIT = 60.0, 30.0
"""Seconds for which an answer goes on that no tab watches: who has lost the connection for ten seconds, and is slow
besides, is back sooner. The second where other questions wait."""
LEFT, LEFT_WHILE_OTHERS_WAIT = 12.0, 5.0
"""The same where the tab said that it goes; a page that is loaded anew is back sooner."""
NOTICED = 15.0
"""Seconds, at most, after which it is noticed that such a tab doesn't watch any more."""
SAVED_EVERY = 2.0
"""Seconds between two savings of an answer that is being written, at least."""
BEGINNING = "Searching the articles"

_log = logging.getLogger("citeline")


class Running:
    """An answer under way. Safe to use from several threads."""

    def __init__(self, exchange: Exchange, place: Place | None, unsaved: str, left: Callable[[], float]) -> None:
        """`left` says when, by `time.monotonic`, a tab of who asked last said that it goes."""
        self.leave = threading.Event()
        self.kept = False
        """Whether it goes on unwatched: who asked is still there, and looks at something else."""
        self.conversation = place.conversation if place else ""
        """Its id; empty where it can't be saved."""
        self.unsaved = unsaved
        """Why it isn't saved; empty where it is."""
        self.exchange = exchange
        """As things stand."""
        self._place = place
        self._left = left
        self._changed = threading.Condition()
        self._watchers = 0
        self._came = self._watched = time.monotonic()

    @property
    def is_going_on(self) -> bool:
        """Whether more will come."""
        return isinstance(self.exchange.outcome, Draft)

    def drawings(self) -> Iterator[Exchange]:
        """The exchange as it stands, again at least every `TICK` seconds, and last when nothing more will come."""
        with self._changed:
            self._watchers += 1
            self._came = time.monotonic()
        try:
            while isinstance((shown := self.exchange).outcome, Draft):
                yield shown
                with self._changed:
                    self._changed.wait_for(lambda seen=shown: self.exchange is not seen, TICK)  # type: ignore[misc]
            yield shown
        finally:
            with self._changed:
                self._watchers -= 1
                self._watched = time.monotonic()

    def stop(self) -> None:
        """Let the answer end as it is."""
        self.leave.set()

    def _move(self, exchange: Exchange) -> None:
        with self._changed:
            self.exchange = exchange
            self._changed.notify_all()

    def _is_abandoned(self, others_wait: bool) -> bool:
        with self._changed:
            if self.kept or self._watchers:
                return False
            since, left = self._watched, self._left()
            if left > max(self._came, since - NOTICED):
                since, patience = max(since, left), LEFT_WHILE_OTHERS_WAIT if others_wait else LEFT
            else:
                patience = ABANDONED_WHILE_OTHERS_WAIT if others_wait else ABANDONED
            return time.monotonic() - since > patience


class Talks:
    """Asks the desk, and keeps what comes of it in `saved`."""

    def __init__(
        self,
        desk: Desk,
        saved: Conversations,
        log_texts: bool = False,
        left: Callable[[str], float] = lambda _: float("-inf"),
    ) -> None:
        """`left` says when, by `time.monotonic`, a tab of this owner last said that it goes."""
        self.saved = saved
        self._left = left
        self._desk = desk
        self._log_texts = log_texts
        self._lock = threading.Lock()
        self._running: dict[tuple[str, str], Running] = {}

    def ask(
        self,
        owner: str,
        client: str,
        question: str,
        earlier: Sequence[Exchange] = (),
        conversation: str = "",
        replacing: int | None = None,
        documents: frozenset[str] | None = None,
        reader: str | None = None,
    ) -> Running:
        """Begin to answer, as part of a conversation of the owner's or of a new one.

        `earlier` are the exchanges before it; with `replacing` it takes the place of the exchange of that number and
        of all that follow it. `client` is who takes turns with others; `documents` are the ids of the
        only articles to be searched, of those that the `reader` may read.
        """
        draft = Draft(BEGINNING)
        place, unsaved = None, ""
        try:
            place = self.saved.ask(owner, question, draft, conversation or None, replacing)
        except RagError as error:
            unsaved = str(error)
        running = Running(Exchange(len(earlier) + 1, question, draft), place, unsaved, partial(self._left, owner))
        if place:
            with self._lock:
                before = self._running.get((owner, place.conversation))
                self._running[owner, place.conversation] = running
            if before:
                before.stop()
        history = rendering.turns(earlier)
        given = (running, owner, client, history, documents, reader)
        threading.Thread(target=self._answer, args=given, name="talk", daemon=True).start()
        return running

    def running(self, owner: str, conversation: str) -> Running | None:
        """The answer under way in a conversation."""
        with self._lock:
            return self._running.get((owner, conversation))

    def _answer(
        self,
        running: Running,
        owner: str,
        client: str,
        history: Sequence[Turn],
        documents: frozenset[str] | None,
        reader: str | None,
    ) -> None:
        exchange, saved = running.exchange, time.monotonic()
        try:
            question, leave = exchange.question, running.leave
            with closing(self._desk.ask(question, history, leave, client, documents, reader=reader)) as events:
                for event in events:
                    if isinstance(event, Waiting):
                        exchange = rendering.delayed(exchange, event.doing)
                    elif event is not None:
                        exchange = rendering.advanced(exchange, event)
                    if not isinstance(exchange.outcome, Draft):
                        break
                    running._move(exchange)
                    if time.monotonic() - saved > SAVED_EVERY:
                        self._save(running, exchange)
                        saved = time.monotonic()
                    if running._is_abandoned(self._desk.others_wait):
                        running.stop()
        except RagError as error:
            exchange = rendering.failed(exchange, str(error))
        except Exception as error:
            log_failure(_log, "A question could not be answered", error, self._log_texts)
            exchange = rendering.failed(exchange, UNFORESEEN)
        finally:
            exchange = rendering.stopped(exchange)
            self._save(running, exchange)
            with self._lock:
                if self._running.get((owner, running.conversation)) is running:
                    del self._running[owner, running.conversation]
            running._move(exchange)

    def _save(self, running: Running, exchange: Exchange) -> None:
        if place := running._place:
            with suppress(RagError):  # a disk that is full now may have room when the answer is finished
                self.saved.record(place, exchange.outcome)
