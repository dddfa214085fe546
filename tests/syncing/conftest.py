"""A library of the folder `news`, which each module fills in its own way."""

from pathlib import Path

import pytest

from rag.indexing import index_paths
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY
from tests.syncing.folders import CountingEmbedder


@pytest.fixture
def library(news: Path, tmp_path: Path) -> Path:
    index_paths([news], tmp_path / "index", IDENTITY, WordEmbedder())
    return tmp_path / "index"


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder()
