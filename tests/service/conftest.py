"""A page with two articles whose reader gives one reply for ever."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from rag.index import Identity, open_library
from rag.indexing import index_paths
from rag.page.serving import serving
from rag.pipeline import Pipeline
from rag.settings import Settings, load_settings
from rag.types import Limits, Prompt
from tests.browser import free_port
from tests.fakes import ScriptedEngine, WordEmbedder

BILL = "TikTok is large. TikTok pays Microsoft US$20 million a month. It began in March."
SENTENCE = "TikTok pays Microsoft US$20 million a month."
ASIDE = "Zebras are striped."
FANTASY = "Unicorns juggle purple teapots nightly."


class Replying(ScriptedEngine):
    """Gives one reply for ever, the second sentence of which nothing supports."""

    def stream(self, prompt: Prompt, limits: Limits) -> Iterator[str]:
        self.replies = [f"{SENTENCE} [1] {FANTASY}"]
        yield from super().stream(prompt, limits)

    def choose(self, prompt: Prompt, options: Any) -> tuple[float, ...]:
        self.choices = [(0.9, 0.1)]
        return super().choose(prompt, options)


@pytest.fixture(scope="package", autouse=True)
def _swept() -> Iterator[None]:
    """Gradio forgets to close event loops; Python, here and there, dies of being told so while it reads code."""
    yield
    gc.collect()


@pytest.fixture(scope="package")
def library(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a library with two articles."""
    folder = tmp_path_factory.mktemp("service")
    for name, text in (("bill.txt", BILL), ("zebras.txt", ASIDE)):
        (folder / name).write_text(text, encoding="utf-8")
    paths = [folder / "bill.txt", folder / "zebras.txt"]
    index_paths(paths, folder / "index", _identity(), WordEmbedder())
    return load_settings(index=folder / "index", max_wrong=1.0, questions_per_minute=10_000)


def replying(settings: Settings, _report: object) -> Pipeline:
    """A pipeline of a library made by `library`."""
    return Pipeline(settings, open_library(settings.index, _identity()), WordEmbedder(), Replying())


@pytest.fixture(scope="package")
def address(library: Settings) -> Iterator[str]:
    with serving(library.model_copy(update={"port": free_port()}), replying) as at:
        yield at


def _identity() -> Identity:
    embedder = WordEmbedder()
    return Identity(embedder.name, embedder.revision, embedder.dimension, 160, 1)
