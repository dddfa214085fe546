"""Who asks the questions of a file while readers ask theirs."""

import threading
from collections import deque
from collections.abc import Iterator

from rag.batch import LibraryAsker
from rag.desk import Desk, Left, Slot
from rag.pipeline import Pipeline
from rag.types import Answer, Conditions, Finished, Passage, Question

CLIENT = "files of questions"
"""In the line all files count as one client: a reader waits for one answer of theirs at most."""


class AskerInLine(LibraryAsker):
    """A `LibraryAsker` that waits in the page's line before each answer, and leaves as soon as `leave` is set.

    While nobody else asks, answers are what `rag batch` makes of them. After somebody's question the engine begins
    afresh, as it does where nothing can be reused, so that answers differ in the last digits of their probabilities
    at most.
    """

    def __init__(self, pipeline: Pipeline, desk: Desk, leave: threading.Event) -> None:
        super().__init__(pipeline)
        self._desk = desk
        self._leave = leave
        self._conditions: Conditions | None = None
        self._behind: list[tuple[Question, tuple[Passage, ...]]] = []
        self._last = -1  # number of the slot that left the engine as the next question needs it

    def conditions(self) -> Conditions:
        """As they were when it was first asked; that takes seconds."""
        self._conditions = self._conditions or super().conditions()
        return self._conditions

    def passages(self, question: Question) -> tuple[Passage, ...]:
        """See `Asker.passages`. Raises Left."""
        if self._leave.is_set():
            raise Left
        return super().passages(question)

    def forget(self) -> None:
        """Before the next answer, that is: until then the engine may be at work for somebody else."""
        self._behind.clear()
        self._last = -1

    def read_ahead(self, question: Question, passages: tuple[Passage, ...]) -> Iterator[None]:
        """Before the next answer, see `forget`."""
        self._behind.append((question, passages))
        return iter(())

    def answer(self, question: Question) -> Answer:
        """See `Asker.answer`. Raises Left."""
        documents = self.documents(question)
        with self._desk.slot(CLIENT, self._leave) as slot:
            if slot.number != self._last + 1:
                self.pipeline.forget()
                self._catch_up(slot)
            self._last = -1
            self.pipeline.embedder.forget()
            for event in self.pipeline.stream_answer(question.text, (), documents):
                if slot.over():
                    raise Left
                if isinstance(event, Finished):
                    self._last = slot.number
                    return event.answer
        raise RuntimeError("stream_answer ended without Finished")

    def _catch_up(self, slot: Slot) -> None:
        """Read what was answered before an interruption, unless a reader waits."""
        for question, passages in self._behind:
            if slot.readers_wait():
                self.pipeline.forget()
                break
            deque(super().read_ahead(question, passages), maxlen=0)
        self._behind.clear()
