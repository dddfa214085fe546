"""A folder of three articles, where its library will be, and a pace at which each article counts."""

from pathlib import Path

import pytest

from rag import indexing
from tests.indexing.folders import NEWS, write


@pytest.fixture
def news(tmp_path: Path) -> Path:
    return write(tmp_path / "news", NEWS)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each article is embedded by itself."""
    monkeypatch.setattr(indexing, "GROUP_CHUNKS", 1)
