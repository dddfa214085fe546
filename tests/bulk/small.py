"""A page on a small library, with a bag of words for an embedder and a reader that always says the same."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.index import Identity, open_library
from rag.indexing import index_paths
from rag.pipeline import Pipeline
from rag.settings import Settings, load_settings
from rag.types import Limits, Prompt
from tests.calibrated import write_calibration
from tests.fakes import ReusingEngine, WordEmbedder
from tests.page import served

HARBOUR = "The harbour of Varel opened in 1912. It cost 3 million marks."
BAKERY = "Ada Nyberg founded the bakery in 1950."
COST = "What did the harbour of Varel cost?"
REPLY = "It cost 3 million marks [1]. Purple elephants juggle volcanoes."
KEPT = "It cost 3 million marks."
"""What is left of the reply where sentences that nothing supports are left out."""


class GatedReader(ReusingEngine):
    """Writes each answer once `let` has let it; everything where nothing else is said."""

    def __init__(self) -> None:
        super().__init__(REPLY, 0.7)
        self.held = False
        self.at = threading.Event()
        self._allowed = threading.Semaphore(0)

    def hold(self) -> None:
        """From now on answers wait."""
        self.held = True

    def let(self, answers: int) -> None:
        """So many more."""
        for _ in range(answers):
            self._allowed.release()

    def stream(self, prompt: Prompt, limits: Limits) -> Iterator[str]:
        self.at.set()
        while self.held and not self._allowed.acquire(timeout=0.01):
            yield ""
        yield from super().stream(prompt, limits)


class Shelf:
    """A library of two articles, and pipelines on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.articles = folder / "articles"
        self.articles.mkdir()
        self.add("harbour.txt", HARBOUR)
        self.add("bakery.txt", BAKERY)
        self.reader = GatedReader()

    def add(self, name: str, text: str) -> None:
        (self.articles / name).write_text(text, encoding="utf-8")
        embedder = WordEmbedder()
        identity = Identity(embedder.name, embedder.revision, embedder.dimension, 160, 1)
        index_paths([self.articles], self.folder / "index", identity, embedder)

    def settings(self, **more: object) -> Settings:
        (self.folder / "reader.gguf").write_bytes(b"GGUF")
        return load_settings(
            index=self.folder / "index",
            models=self.folder / "models",
            reader=str(self.folder / "reader.gguf"),
            calibration=write_calibration(self.folder),
            offline=True,
            **more,
        )

    def pipeline(self, **more: object) -> Pipeline:
        settings = self.settings(**more)
        return Pipeline(settings, open_library(settings.index), WordEmbedder(), self.reader)

    @contextmanager
    def page(self) -> Iterator[str]:
        """The page's address."""
        settings = self.settings()
        with served(self.pipeline(), **settings.model_dump(exclude={"port"}, exclude_unset=True)) as address:
            yield address


def questions(folder: Path, count: int, name: str = "questions.csv") -> Path:
    """About the harbour's cost; row 2 is empty, and a column is carried."""
    path = folder / name
    lines = [f'{COST[:-1]} (variant {at})?,"topic {at}"' for at in range(1, count + 1)]
    path.write_text("\n".join(["question,topic", lines[0], ",nothing", *lines[1:]]), encoding="utf-8")
    return path
