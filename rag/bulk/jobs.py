"""The work on readers' files: each on a thread, which goes on whether or not anybody looks."""

import logging
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rag.bulk.orders import ID, Order, Orders
from rag.bulk.reports import Reports
from rag.bulk.tally import Tally
from rag.bulk.uploads import look_through
from rag.desk import FAREWELL, TICK, UNFORESEEN, Desk, Left, Opening
from rag.errors import InputError, RagError
from rag.logs import log_failure
from rag.rights import Readable
from rag.settings import Settings
from rag.tasks import Result, Standing, State, Upload

if TYPE_CHECKING:
    from rag.bulk.asking import AskerInLine
    from rag.pipeline import Pipeline

FOLDER = "batches"
"""In the library's folder."""
ANSWERING = "Answering"
UNREADABLE = "These answers rest on articles that you may not read. Have the file answered anew."

_log = logging.getLogger("citeline")


class Going(StrEnum):
    """How to go on with what was begun under other conditions."""

    AS_BEFORE = "as before"
    """Not at all, where conditions have changed."""
    MIXED = "mixed"
    """Keep the answers there are."""
    AFRESH = "afresh"
    """Drop them."""


class _Changed(Exception):
    """The answers there are were made under other conditions."""


class _Work:
    """An order, and what is known of the work on it while the page runs."""

    def __init__(self, order: Order, answers: Callable[[], Path | None]) -> None:
        self.order = order
        self.state = State.DONE if order.done else State.STOPPED
        self.doing = ""
        self.message = ""
        self.leave = threading.Event()
        self.tally = Tally(answers)
        self.lock = threading.Lock()
        self._began = 0.0
        self._rows_before = 0

    def begin(self) -> None:
        self.state, self.doing, self.message = State.RUNNING, "Starting", ""
        self.leave = threading.Event()
        self._began = 0.0

    def standing(self, readable: Readable) -> Standing:
        """Without answers that rest on what may not be read."""
        with self.lock:
            self.tally.advance()
            may_see = all(map(readable.reads, self.tally.sources))
            order, counts, running = self.order, self.tally.counts, self.state is State.RUNNING
            return Standing(
                id=order.id,
                name=order.name,
                made=order.made,
                strict=order.strict,
                scored=order.scored,
                state=self.state,
                doing=self.doing,
                message=self.message if may_see else UNREADABLE,
                total=order.rows,
                answered=counts[Result.ANSWERED],
                refused=counts[Result.REFUSED],
                failed=counts[Result.FAILED],
                seconds_left=self._seconds_left() if running else None,
                rows=(self.tally.newest() if running else self.tally.first()) if may_see else (),
            )

    def note(self, doing: str) -> None:
        """What is being done now; the time left is reckoned from the first answer on."""
        self.doing = doing
        if doing == ANSWERING and not self._began:
            with self.lock:
                self.tally.advance()
                self._began, self._rows_before = time.monotonic(), self.tally.rows

    def _seconds_left(self) -> float | None:
        done = self.tally.rows - self._rows_before
        if not self._began or done <= 0:
            return None
        return (time.monotonic() - self._began) / done * (self.order.rows - self.tally.rows)


class Jobs:
    """The files of all readers. A reader's are worked on one at a time; those of several take turns."""

    def __init__(self, desk: Desk, settings: Settings, reports: Reports) -> None:
        self._desk = desk
        self._settings = settings
        self._reports = reports
        self._orders = Orders(settings.index / FOLDER)
        self._works: dict[str, _Work] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
        desk.at_close(self.close)

    def close(self) -> None:
        """Wait a little for the work to end, which goes on when the page opens again."""
        self._closing.set()
        deadline = time.monotonic() + FAREWELL
        for thread in list(self._threads):
            thread.join(max(0, deadline - time.monotonic()))

    def resume(self) -> None:
        """Go on with what was being worked on when the page closed."""
        for order in self._orders.all():
            if not order.done and not order.stopped:
                with self._lock:
                    self._begin(self._work(order), Going.AS_BEFORE)

    def standings(self, reader: str | None) -> list[Standing]:
        """Of one reader's files, the newest first."""
        readable = self._desk.rights.or_nothing(reader)
        with self._lock:
            works = [self._work(order) for order in self._orders.of(reader)]
        standings = [work.standing(readable) for work in works]
        return sorted(standings, key=lambda standing: (standing.made, standing.id), reverse=True)

    def running(self, reader: str | None) -> Standing | None:
        """The one that is being worked on."""
        with self._lock:
            found = [work for work in self._works.values() if work.order.reader == reader]
            work = next((work for work in found if work.state is State.RUNNING), None)
        return work.standing(self._desk.rights.or_nothing(reader)) if work else None

    def receive(self, reader: str | None, upload: Path) -> None:
        """Look through a file and keep it until `start` or `put_back`. Raises InputError for one that can't be used."""
        look_through(upload)
        self._orders.receive(reader, upload)

    def received(self, reader: str | None) -> Upload | None:
        """The file that waits for `start`."""
        path = self._orders.received(reader)
        try:
            return look_through(path) if path else None
        except InputError:  # another tab of the reader's has just taken it
            return None

    def put_back(self, reader: str | None) -> None:
        """Forget the file that waits for `start`."""
        self._orders.put_back(reader)

    def start(self, reader: str | None, *, strict: bool, scored: bool) -> None:
        """Begin to work on the file that was received.

        Raises InputError where there is none, or while another of the reader's is worked on.
        """
        path, looked = self._orders.received(reader), self.received(reader)
        if path is None or looked is None:
            raise InputError("Choose a file of questions first.")
        with self._lock:
            self._check_idle(reader)
            rows = looked.questions + looked.bad_count
            order = self._orders.add(reader, path, rows, strict=strict, scored=scored and looked.scorable)
            self._begin(self._work(order), Going.AS_BEFORE)
        self._orders.put_back(reader)

    def go_on(self, reader: str | None, name: str, going: Going = Going.AS_BEFORE) -> None:
        """With a file that was stopped, failed or waits for a decision. Raises InputError as `start` does."""
        with self._lock:
            work = self._find(reader, name)
            if work.state in (State.RUNNING, State.DONE):
                return
            self._check_idle(reader)
            self._begin(work, going)

    def stop(self, reader: str | None, name: str) -> None:
        """After the word that is being written; what was answered stays."""
        with self._lock:
            work = self._find(reader, name)
            work.leave.set()

    def remove(self, reader: str | None, name: str) -> None:
        """With its answers. Raises InputError while it is worked on."""
        with self._lock:
            work = self._find(reader, name)
            if work.state is State.RUNNING:
                raise InputError(f"{work.order.name} is being answered. Stop it first.")
            del self._works[name]
            self._orders.remove(work.order)

    def answers(self, reader: str | None, name: str, suffix: str) -> bytes:
        """What there is of them, as `rag batch` writes it: ".jsonl", ".csv" or ".xlsx". Raises InputError."""
        from rag.batch import carried_names, read_records, write_table

        readable = self._desk.rights.or_nothing(reader)
        with self._lock:
            work = self._find(reader, name)
        order = work.order
        with work.lock:
            work.tally.advance()
            if not all(map(readable.reads, work.tally.sources)):
                raise InputError(UNREADABLE)
        run_file = self._orders.answers(order)
        if run_file is None:
            raise InputError(f"{order.name} has no answers yet.")
        path = run_file
        if suffix != run_file.suffix:
            path = self._orders.folder(order) / f"table-{threading.get_ident()}{suffix}"
            write_table(read_records(run_file), path, carried_names(read_records(run_file)))
        try:
            return path.read_bytes()
        except OSError as error:
            raise InputError(f"{order.name} has no answers yet ({error.strerror}).") from error
        finally:
            if path != run_file:
                path.unlink(missing_ok=True)

    def _check_idle(self, reader: str | None) -> None:
        busy = [
            work.order.name
            for work in self._works.values()
            if work.order.reader == reader and work.state is State.RUNNING
        ]
        if busy:
            raise InputError(f"{busy[0]} is being answered. Stop it, or wait until it is done.")

    def _find(self, reader: str | None, name: str) -> _Work:
        order = next((order for order in self._orders.of(reader) if order.id == name), None)
        if order is None or not ID.fullmatch(name):
            raise InputError("That file is no longer here. Load the page again.")
        return self._work(order)

    def _work(self, order: Order) -> _Work:
        known = self._works.get(order.id)
        if known is None:
            known = self._works[order.id] = _Work(order, partial(self._orders.answers, order))
        return known

    def _begin(self, work: _Work, going: Going) -> None:
        mixed = work.order.mixed or going is Going.MIXED
        self._keep(work, replace(work.order, stopped=False, mixed=mixed))
        work.begin()
        self._desk.open()  # which does nothing but where that hasn't been tried, or failed
        name = f"batch-{work.order.id}"
        thread = threading.Thread(target=self._run, args=(work, going is Going.AFRESH), name=name, daemon=True)
        thread.start()
        self._threads.add(thread)

    def _keep(self, work: _Work, order: Order) -> None:
        work.order = order
        self._orders.save(order)

    def _run(self, work: _Work, afresh: bool) -> None:
        state, message = State.FAILED, ""
        try:
            if work.order.scored:
                self._evaluate(work)
            else:
                self._answer(work, afresh)
            state = State.DONE
        except Left:
            state = State.STOPPED
        except _Changed as error:
            state, message = State.CHANGED, str(error)
        except RagError as error:
            message = str(error)
        except Exception as error:
            log_failure(_log, "A file of questions could not be answered", error, self._settings.log_texts)
            message = UNFORESEEN
        try:
            closing = state is State.STOPPED and not work.leave.is_set()  # then the next page goes on with it
            done = state is State.DONE
            self._keep(work, replace(work.order, done=done, stopped=not done and not closing))
        except RagError as error:
            message = str(error)
        with work.lock:
            work.tally.reset()  # the file has been put in order
        work.message, work.doing, work.state = message, "", state

    def _asker(self, work: _Work) -> Callable[["Pipeline"], "AskerInLine"]:
        from rag.bulk.asking import AskerInLine

        return lambda pipeline: AskerInLine(pipeline, self._desk, work.leave)

    def _answer(self, work: _Work, afresh: bool) -> None:
        from rag.batch import differences, read_questions, read_records, run_batch

        order = work.order
        run_file = self._orders.folder(order) / "answers.jsonl"
        asker = self._asker(work)(self._pipeline(work))
        work.note("Checking")
        now = asker.conditions()
        if run_file.exists() and not afresh and not order.mixed:
            others = (record.conditions for record in read_records(run_file) if record.conditions != now)
            if (other := next(others, None)) is not None:
                raise _Changed(differences(other, now))
        if afresh:
            with work.lock:
                run_file.unlink(missing_ok=True)
                work.tally.reset()
        work.note(ANSWERING)
        run_batch(asker, read_questions(self._orders.questions(order)), run_file, mix=order.mixed)

    def _evaluate(self, work: _Work) -> None:
        from rag.evaluation import Mode
        from rag.evaluation.running import evaluate_with
        from rag.evaluation.sets import load_set

        def report(doing: str, _done: int, _total: int) -> None:
            if work.leave.is_set():
                raise Left
            work.note(doing)

        order = work.order
        known = replace(load_set(self._orders.questions(order)), name=Path(order.name).stem)
        pipeline = self._pipeline(work)
        work.note(ANSWERING)
        evaluation = evaluate_with(
            known,
            known.golds,
            pipeline.settings,
            Mode.NORMAL,
            pipeline.library,
            pipeline.embedder,
            pipeline.engine,
            cache=self._orders.folder(order),
            command=f"rag eval {order.name}",
            report=report,
            asking=self._asker(work),
        )
        self._reports.write(evaluation, order.reader)

    def _pipeline(self, work: _Work) -> "Pipeline":
        """The page's own, with the order's settings, its reader's rights and all the time it takes.

        Raises RagError where it could not be opened, and Left.
        """
        from rag.pipeline import Pipeline

        while isinstance(opening := self._desk.state, Opening):
            work.note(opening.line)
            if work.leave.wait(TICK) or self._closing.is_set():
                raise Left
        lent = self._desk.lent(work.order.reader)
        if not isinstance(lent, Pipeline):
            raise RagError("This page answers single questions only.")
        settings = self._desk.settings.model_copy(update={"strict": work.order.strict})
        return Pipeline(settings, lent.library, lent.embedder, lent.engine)
