"""Where questions wait for the pipeline: the page's queue.

Opens the pipeline in the background and hands it one question at a time, each on a thread of its own; readers who ask
at the same time take turns.
"""

import logging
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias

from rag.ahead import UNPREPARED, Prepared
from rag.errors import RagError
from rag.idle import Idle
from rag.inspecting import Inspection
from rag.line import Line
from rag.logs import log_failure
from rag.rights import Readable, Rights
from rag.settings import Settings
from rag.types import Answer, Document, Embedder, Event, Hit, Turn

UNFORESEEN = "Citeline didn’t foresee this error. The terminal it was started from shows what happened."

TICK = 0.15
"""Seconds of silence after which a page is touched, so that Stop and a closed tab are noticed."""
FAREWELL = 5.0
"""Seconds that a running answer gets to end when the page closes."""

MOST_PREPARED = 8
"""Clients for whom what was prepared is kept; a question takes it out."""

_log = logging.getLogger("citeline")

Report: TypeAlias = Callable[[str, int, int], None]
"""(what is being done, done, total; a total of 0 means that it isn't known)"""


class Answers(Protocol):
    """What the page needs of a pipeline; `rag.pipeline` documents it."""

    def stream_answer(
        self,
        question: str,
        history: Sequence[Turn] = (),
        documents: frozenset[str] | None = None,
        strict: bool | None = None,
        prepared: Prepared = UNPREPARED,
    ) -> Iterator[Event]: ...

    def prepare(
        self, question: str, history: Sequence[Turn] = (), documents: frozenset[str] | None = None
    ) -> Generator[Prepared, None, None]: ...

    def inspect(self, answer: Answer, history: Sequence[Turn] = ()) -> Inspection: ...

    def suggest(self, answer: Answer) -> tuple[str, ...]: ...

    def openers(self) -> tuple[str, ...]: ...

    def search(
        self, question: str, most: int, documents: frozenset[str] | None = None
    ) -> Sequence[tuple[Hit, Document]]: ...

    def documents_by_id(self, ids: Iterable[str]) -> dict[str, Document]: ...

    def seen_with(self, readable: Callable[[], Readable]) -> "Answers":
        """The same, of a library that holds only what may be read."""
        ...

    def close(self) -> None: ...


OpenPipeline: TypeAlias = Callable[[Settings, Report], Answers]


def open_pipeline(settings: Settings, report: Report) -> Answers:
    """The pipeline that the settings ask for."""
    from rag.pipeline import open_pipeline  # subtle: this loads torch, and the page should show before that is done

    return open_pipeline(settings, report, in_time=True)


@dataclass(frozen=True, slots=True)
class Opening:
    """The pipeline is being opened; `percent` is None where nobody knows how much there is to do."""

    line: str = "Starting …"
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The pipeline could not be opened."""

    message: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing of the answer yet, because of what `doing` says."""

    doing: str


class Left(Exception):
    """Whoever waited in line has left it, or the page closes."""


@dataclass(frozen=True, slots=True)
class Slot:
    """The time in which one client has the pipeline to itself."""

    number: int
    """Counts those of all clients: where it follows that of the client's last slot, nobody came between."""
    over: Callable[[], bool]
    """Whether to stop working: the client left, or the page closes."""
    readers_wait: Callable[[], bool]


Received: TypeAlias = queue.SimpleQueue[Event | Exception | None]
"""What the thread of an answer hands over; None at the end."""


class Desk:
    """Opens the pipeline in the background and hands it one question at a time; the others wait in line.

    An answer runs on a thread of its own: drawing the page doesn't slow it down, and a page can be left while the
    model is busy with something that can't be interrupted.
    """

    def __init__(self, settings: Settings, opener: OpenPipeline) -> None:
        self.state: Opening | Failed | Answers = Failed("The library was not opened yet.")
        self.settings = settings
        self.rights = Rights(settings.rights)
        self._opener = opener
        self._line = Line(settings.waiting)
        self._closing = threading.Event()
        self._before_close: list[Callable[[], None]] = []
        self._slots = 0
        self._lent: set[object] = set()  # tickets of slots
        self._idle = Idle(lambda: bool(self._line) or self.pipeline is None, settings.log_texts)
        self._prepared: OrderedDict[str, Prepared] = OrderedDict()  # by client, the newest last

    @property
    def answering(self) -> bool:
        """Whether a reader's question is being answered, or waits; who uses a `slot` has time."""
        return self._readers() > 0

    @property
    def others_wait(self) -> bool:
        """Whether readers' questions wait behind the one that is being answered."""
        return self._readers() > 1

    @property
    def embedder(self) -> Embedder | None:
        """The pipeline's, which may be used beside it; None where there is none, or none yet."""
        return getattr(self.state, "embedder", None)

    def at_close(self, end: Callable[[], None]) -> None:
        """Call `end` before the pipeline is freed."""
        self._before_close.append(end)

    def open(self) -> None:
        """Begin to open the pipeline, unless that is under way or done."""
        if not isinstance(self.state, Failed):
            return
        self.state = Opening()
        threading.Thread(target=self._open, name="open-pipeline", daemon=True).start()

    @property
    def pipeline(self) -> Answers | None:
        """For what needs no turn of the reader's; None while it isn't open."""
        return None if isinstance(self.state, Opening | Failed) else self.state

    def lent(self, reader: str | None = None) -> Answers:
        """The pipeline as `reader` may use it, beside the line: to search and to look up documents.

        It goes by the rights of each moment. Without a name it is what everybody may read. Raises RagError while the
        pipeline is being opened and when it could not be, and while nobody knows what may be read.
        """
        if isinstance(state := self.state, Opening):
            raise RagError(f"Citeline is still starting: {state.line} Try again in a moment.")
        if isinstance(state, Failed):
            raise RagError(state.message)
        if not self.rights.limited:
            return state
        self.rights.of(reader)
        return state.seen_with(partial(self.rights.of, reader))

    def ask(
        self,
        question: str,
        history: Sequence[Turn],
        leave: threading.Event,
        client: str = "",
        documents: frozenset[str] | None = None,
        strict: bool | None = None,
        reader: str | None = None,
    ) -> Generator[Event | Waiting | None, None, None]:
        """The pipeline's events, before them what the question waits for, and None every `TICK` seconds of silence.

        Questions of several clients are answered in turns, each from what its `reader` may read; see `lent`. Ends soon
        after `leave` is set; that, or closing the generator, closes the pipeline's. Raises what the pipeline raises,
        and RagError when it could not be opened or too many questions wait.
        """
        from rag.pipeline import check_question  # as late as the pipeline itself

        while isinstance(opening := self.state, Opening):
            if leave.wait(TICK):
                return
            yield Waiting(f"This question waits. {opening.line}")
        pipeline = self.lent(reader)
        check_question(question)
        ticket, events = self._line.join(client), Received()
        self._idle.drop(client)

        def start() -> Iterator[Event]:
            prepared = self._prepared.pop(client, UNPREPARED)
            return pipeline.stream_answer(question, history, documents, strict, prepared)

        work = partial(self._answer, start, events, leave, ticket)
        worker = threading.Thread(target=work, name="answer", daemon=True)
        try:
            while not self._line.take(ticket) and not leave.wait(TICK):
                ahead = self._line.ahead(ticket)
                yield Waiting(f"This question waits for {'another' if ahead == 1 else f'{ahead} others'}.")
            if leave.is_set():
                return
            self._slots += 1
            worker.start()
            yield Waiting("Searching the articles")
            yield from _received(events, leave)
        finally:
            leave.set()
            if worker.ident is None:  # it never started, so it won't leave the line
                self._line.leave(ticket)

    def prepare(
        self,
        question: str,
        history: Sequence[Turn],
        client: str = "",
        documents: frozenset[str] | None = None,
        reader: str | None = None,
    ) -> Generator[None, None, None]:
        """Do ahead what `ask` would with the same arguments, while nobody asks; yields until that has ended.

        Any question that joins the line ends it at its next step, as does closing the iterator or preparing another
        question of the client's. Once the pipeline is free it is begun, so it may be called before that is open.
        """
        return self._idle.run(client, partial(self._prepare, question, history, client, documents, reader))

    def forget(self, client: str) -> None:
        """Whatever is, or was, prepared for the client."""
        self._idle.drop(client)
        self._prepared.pop(client, None)

    @contextmanager
    def slot(self, client: str, leave: threading.Event) -> Iterator[Slot]:
        """Wait in line like a question, for work with the pipeline that is done inside the block.

        Keep it as short as an answer, since readers wait meanwhile. A full line is waited for too. Raises Left when
        `leave` is set or the page closes before it is the client's turn.
        """

        def over() -> bool:
            return leave.is_set() or self._closing.is_set()

        ticket = None
        while ticket is None and not over():
            try:
                ticket = self._line.join(client)
                self._lent.add(ticket)
            except RagError:
                leave.wait(TICK)
        try:
            while ticket and not self._line.take(ticket) and not over():
                leave.wait(TICK)
            if over():
                raise Left
            self._idle.settle()
            self._slots += 1
            yield Slot(self._slots, over, lambda: self.answering)
        finally:
            if ticket:
                self._line.leave(ticket)
                self._lent.discard(ticket)

    def close(self) -> None:
        """Stop what is running, then free the pipeline."""
        self._closing.set()
        for end in self._before_close:
            end()
        deadline = time.monotonic() + FAREWELL
        while self._line and time.monotonic() < deadline:
            time.sleep(0.02)
        at_rest = self._idle.close(FAREWELL) and not self._line
        if not isinstance(self.state, Opening | Failed) and at_rest:  # subtle: freeing a model in use crashes
            self.state.close()

    def _prepare(
        self,
        question: str,
        history: Sequence[Turn],
        client: str,
        documents: frozenset[str] | None,
        reader: str | None,
    ) -> Generator[None, None, None]:
        self._slots += 1  # who counts on what the engine keeps shall know that it was used meanwhile
        with closing(self.lent(reader).prepare(question, history, documents)) as steps:
            for prepared in steps:
                self._prepared[client] = prepared
                self._prepared.move_to_end(client)
                while len(self._prepared) > MOST_PREPARED:
                    self._prepared.popitem(last=False)
                yield

    def _readers(self) -> int:
        return len(self._line) - len(self._lent)

    def _open(self) -> None:
        try:
            self.state = self._opener(self.settings, self._report)
        except RagError as error:
            self.state = Failed(str(error))
        except Exception as error:
            log_failure(_log, "The pipeline could not be opened", error, self.settings.log_texts)
            self.state = Failed(UNFORESEEN)

    def _report(self, doing: str, done: int, total: int) -> None:
        percent = min(100, 100 * done // total) if total > 0 else None
        self.state = Opening(f"{doing} …" if percent is None else f"{doing} … {percent} %", percent)

    def _answer(
        self, start: Callable[[], Iterator[Event]], events: Received, leave: threading.Event, ticket: object
    ) -> None:
        try:
            stream = start()
            for event in stream:
                if leave.is_set() or self._closing.is_set():
                    break
                events.put(event)
            if isinstance(stream, Generator):
                stream.close()
            events.put(None)
        except Exception as error:
            events.put(error)
        finally:
            self._line.leave(ticket)


def _received(events: Received, leave: threading.Event) -> Iterator[Event | None]:
    while not leave.is_set():
        try:
            event = events.get(timeout=TICK)
        except queue.Empty:
            yield None
            continue
        if event is None:
            return
        if isinstance(event, Exception):
            raise event
        yield event
