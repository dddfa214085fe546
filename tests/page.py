"""The page with a pipeline that follows a script."""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from playwright.sync_api import Page

from rag import desk
from rag.ahead import UNPREPARED, Prepared
from rag.errors import RagError
from rag.inspecting import Inspection
from rag.page.serving import serving
from rag.rights import Readable
from rag.settings import Settings, load_settings
from rag.types import (
    Answer,
    Chunk,
    Citation,
    Claim,
    Document,
    Event,
    Finished,
    Hit,
    Models,
    Passage,
    PassagesFound,
    Reason,
    TextPiece,
    Timings,
    Turn,
    Verdict,
)
from tests.browser import free_port

ARTICLE = "TikTok is large. TikTok pays Microsoft US$20 million a month. It began in March."
SENTENCE = "TikTok pays Microsoft US$20 million a month."


def passage(number: int, text: str = ARTICLE, title: str = "The bill", source: str = "seeds/bill.txt") -> Passage:
    document = Document(f"d{number}", title, text, source, None, None, "0")
    return Passage(number, Chunk(f"c{number}", document.id, 0, len(text)), document, text)


def answer(question: str, text: str, *passages: Passage, cited: str = SENTENCE) -> Answer:
    """One sentence that cites the sentence `cited` of the first passage."""
    start = passages[0].document.text.index(cited)
    citation = Citation(passages[0], start, start + len(cited))
    claim = Claim(text, 0, len(text), (citation,), Verdict.PARTLY_SUPPORTED, 0.7)
    timings = Timings(retrieval=0.05, first_token=0.9, total=3.1)
    models = Models("minilm", "tiny-reader", "scripted")
    return Answer(question, question, text, (claim,), passages, False, Reason.ANSWERED, 0.9, timings, models)


def refusal(question: str, *passages: Passage) -> Answer:
    models = Models("minilm", "tiny-reader", "scripted")
    return Answer(question, question, "", (), passages, True, Reason.UNLIKELY, 0.1, Timings(total=0.4), models)


Step: TypeAlias = Event | Exception | threading.Event
"""An event to yield, an error to raise, or a gate before which to yield empty pieces, as a reading model does."""


class ScriptedPipeline:
    """Plays its scripts, one a question."""

    def __init__(self, *scripts: Sequence[Step]) -> None:
        self.scripts = list(scripts)
        self.asked: list[tuple[str, tuple[Turn, ...]]] = []
        self.asked_of: list[frozenset[str] | None] = []
        self.given: list[Prepared] = []
        self.typed: list[tuple[str, tuple[Turn, ...], frozenset[str] | None]] = []
        self.typed_ended: list[str] = []
        self.work = 1
        self.left_early = threading.Event()
        self.closed = False
        self.suggestions: tuple[str, ...] = ()
        self.beginnings: tuple[str, ...] = ("how much does TikTok pay Microsoft?", "What began in March?")

    def stream_answer(
        self,
        question: str,
        history: Sequence[Turn] = (),
        documents: frozenset[str] | None = None,
        strict: bool | None = None,  # noqa: ARG002
        prepared: Prepared = UNPREPARED,
    ) -> Generator[Event, None, None]:
        self.asked.append((question, tuple(history)))
        self.asked_of.append(documents)
        self.given.append(prepared)
        try:
            for step in self.scripts.pop(0):
                if isinstance(step, Exception):
                    raise step
                if not isinstance(step, threading.Event):
                    yield step
                    continue
                while not step.wait(0.02):
                    yield TextPiece("")
        except GeneratorExit:
            self.left_early.set()
            raise

    def prepare(
        self, question: str, history: Sequence[Turn] = (), documents: frozenset[str] | None = None
    ) -> Generator[Prepared, None, None]:
        """Notes what was typed, and does `work` steps of it; -1 stands for endless ones."""
        self.typed.append((question, tuple(history), documents))
        prepared, step = Prepared(question, tuple(history)), 0
        try:
            while step != self.work:
                step += 1
                time.sleep(0.005)
                yield prepared
        finally:
            self.typed_ended.append(question)

    def inspect(self, answer: Answer, history: Sequence[Turn] = ()) -> Inspection:  # noqa: ARG002
        raise RagError("A script has no passages to search.")

    def suggest(self, answer: Answer) -> tuple[str, ...]:  # noqa: ARG002
        return self.suggestions

    def openers(self) -> tuple[str, ...]:
        return self.beginnings

    def search(
        self,
        question: str,  # noqa: ARG002
        most: int,  # noqa: ARG002
        documents: frozenset[str] | None = None,  # noqa: ARG002
    ) -> Sequence[tuple[Hit, Document]]:
        return []

    def documents_by_id(self, ids: Iterable[str]) -> dict[str, Document]:  # noqa: ARG002
        return {}

    def seen_with(self, readable: Callable[[], Readable]) -> "ScriptedPipeline":  # noqa: ARG002
        """A script has no articles that anybody might not read."""
        return self

    def close(self) -> None:
        self.closed = True


@contextmanager
def served(
    pipeline: desk.Answers, opener: Callable[[Settings, desk.Report], desk.Answers] | None = None, **settings: object
) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        given = load_settings(**{"port": free_port(), "conversations": Path(folder), **settings})
        with serving(given, opener or (lambda _settings, _report: pipeline)) as address:
            yield address


def usual(question: str = "how much?") -> list[Step]:
    first, second = passage(1), passage(2, "Nothing of note.", "An aside")
    text = "It pays US$20 million a month."
    return [
        PassagesFound((first, second)),
        TextPiece("It pays US$20 million "),
        TextPiece("a month. [1]"),
        Finished(answer(question, text, first, second)),
    ]


def ask(tab: Page, question: str) -> None:
    tab.fill("#box textarea", question)
    tab.press("#box textarea", "Enter")
