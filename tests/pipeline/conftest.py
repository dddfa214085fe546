"""The articles in a real library, and a pipeline over it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.index import open_library
from rag.indexing import index_paths
from rag.pipeline import (
    Pipeline,
    library_identity,
)
from rag.settings import Settings, load_settings
from tests.calibrated import write_calibration
from tests.fakes import ScriptedEngine, WordEmbedder
from tests.pipeline.scripted import BAKERY, BRIDGE, HARBOUR, Scripted


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    for name, text in (("harbour", HARBOUR), ("bakery", BAKERY), ("bridge", BRIDGE)):
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def settings(tmp_path: Path, articles: Path) -> Settings:
    made = load_settings(
        index=tmp_path / "index",
        embedder="words",
        chunk_tokens=160,
        chunk_overlap=1,
        max_wrong=0.2,
        calibration=write_calibration(tmp_path),
        passages=4,
    )
    index_paths([articles], made.index, library_identity(made, WordEmbedder()), WordEmbedder())
    return made


@pytest.fixture
def scripted(settings: Settings) -> Iterator[Scripted]:
    with open_library(settings.index, library_identity(settings, WordEmbedder())) as library:
        yield Scripted(Pipeline(settings, library, WordEmbedder(), ScriptedEngine()))
