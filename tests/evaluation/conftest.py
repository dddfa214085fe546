"""The set in files, and what asks it."""

from pathlib import Path

import pytest

from rag.evaluation import (
    comparing,
    scoring,
)
from tests.evaluation.bench import Bench, write_set


@pytest.fixture
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here depends on how wide intervals are."""
    for module in (scoring, comparing):
        monkeypatch.setattr(module, "RESAMPLES", 20)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def island(tmp_path: Path) -> Path:
    return write_set(tmp_path / "island")
