"""An engine on a server, with one on this machine for the time that nobody can reach it."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from rag.engines.openai_compatible import ServerUnreachable
from rag.errors import EngineError
from rag.types import Engine, Limits, Prompt

RETURN_SECONDS = 60.0
"""How long the engine here goes on before the server is looked for again."""

TICK = 0.1
"""Seconds after which whoever waits for the engine here to load gets a chance to stop."""

_log = logging.getLogger("citeline")

Report = Callable[[str, int, int], None]
Made = TypeVar("Made")


class FallbackEngine:
    """The server's engine, or while that can't be reached the one here. Implements `rag.types.Engine`.

    `name`, `model` and `revision` are those of the engine that was used last. It changes over to the engine here in
    the middle of a question, but back only where a new one begins, which is when the pipeline warms it up.
    """

    def __init__(
        self,
        open_server: Callable[[], Engine],
        open_here: Callable[[Report], Engine],
        report: Report,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the server's engine, or the one here; `report` is told which, in this call only.

        Raises EngineError where the server answers but won't do, and whatever the engine here raises.
        """
        self._open_server = open_server
        self._open_here = open_here
        self._now = now
        self._turn = threading.Lock()
        self._server: Engine | None = None
        self._here: Engine | None = None
        self._closed = False
        self._away_since: float | None = None
        try:
            self._server = open_server()
        except ServerUnreachable as error:
            report(f"{_first_sentence(error)} The reader on this machine steps in", 0, 1)
            self._note(error)
            self._load(report)

    @property
    def name(self) -> str:
        """See `Engine.name`."""
        return self._engine.name

    @property
    def model(self) -> str:
        """See `Engine.model`."""
        return self._engine.model

    @property
    def context_tokens(self) -> int:
        """See `Engine.context_tokens`."""
        return self._engine.context_tokens

    @property
    def revision(self) -> str:
        """Of the weights on the server; empty for those here, which their file tells."""
        return str(getattr(self._engine, "revision", ""))

    def stream(self, prompt: Prompt, limits: Limits) -> Iterator[str]:
        """See `Engine.stream`. An answer that has begun is not begun again elsewhere."""
        said = False
        try:
            for piece in self._engine.stream(prompt, limits):
                said = said or bool(piece)
                yield piece
            return
        except ServerUnreachable as error:
            if said:
                raise
            self._note(error)
        for _ in _meanwhile(self._load):
            yield ""
        yield from self._engine.stream(prompt, limits)

    def choose(self, prompt: Prompt, options: Sequence[str]) -> tuple[float, ...]:
        """See `Engine.choose`."""
        return self._either(lambda engine: engine.choose(prompt, options))

    def warm(self, prompt: Prompt) -> Iterator[None]:
        """See `Engine.warm`; a question begins with it, so the server is looked for again here."""
        if self._is_away:
            yield from _meanwhile(self._return)
        try:
            yield from self._engine.warm(prompt)
            return
        except ServerUnreachable as error:
            self._note(error)
        yield from _meanwhile(self._load)
        yield from self._engine.warm(prompt)

    def forget(self) -> None:
        """See `Engine.forget`."""
        for engine in (self._server, self._here):
            if engine:
                engine.forget()

    def count_tokens(self, text: str) -> int:
        """See `Engine.count_tokens`."""
        return self._either(lambda engine: engine.count_tokens(text))

    def close(self) -> None:
        """See `Engine.close`."""
        self._closed = True
        for engine in (self._server, self._here):
            if engine:
                engine.close()

    @property
    def _is_away(self) -> bool:
        return self._away_since is not None

    @property
    def _engine(self) -> Engine:
        engine = self._here if self._is_away and self._here else self._server
        if engine is None:
            raise EngineError("The reader has been closed. Start Citeline again.")
        return engine

    def _either(self, use: Callable[[Engine], Made]) -> Made:
        try:
            return use(self._engine)
        except ServerUnreachable as error:
            self._note(error)
        self._load()
        return use(self._engine)

    def _note(self, error: ServerUnreachable) -> None:
        if self._away_since is None:
            _log.warning("%s The reader on this machine steps in.", error)
        self._away_since = self._now()

    def _load(self, report: Report = lambda *_: None) -> None:
        with self._turn:
            if self._here is None and not self._closed:
                self._here = self._open_here(report)
                if self._closed:  # meanwhile
                    self._here.close()

    def _return(self) -> None:
        """To the server, where it is time to look for it and it is there."""
        with self._turn:
            if self._away_since is None or self._now() - self._away_since < RETURN_SECONDS:
                return
            try:
                server = self._open_server()
            except EngineError:
                self._away_since = self._now()
                return
            old, self._server = self._server, server
            self._away_since = None
        if old:
            old.close()
        _log.warning("The server can be reached again: %s answers.", self.model)


def _meanwhile(work: Callable[[], None]) -> Iterator[None]:
    """Do what takes seconds on a thread of its own, so that whoever waits may stop. Raises what `work` raises."""
    pool = ThreadPoolExecutor(1, "reader")
    working = pool.submit(work)
    pool.shutdown(wait=False)  # it ends when the work does, for which nobody has to wait
    while not working.done():
        wait([working], TICK)
        yield
    working.result()


def _first_sentence(error: Exception) -> str:
    return f"{str(error).split('). ')[0]})."
