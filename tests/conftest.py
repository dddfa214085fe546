"""What several tests share: the real models, fetched once into the user's own models folder."""

from pathlib import Path

import pytest

from rag.model_files import ensure
from rag.settings import load_settings

pytest_plugins = ("tests.browser",)

TINY_READER = "smollm2-135m-instruct"


@pytest.fixture(scope="session")
def embedder_folder() -> Path:
    return _model("all-MiniLM-L6-v2")


@pytest.fixture(scope="session")
def tiny_reader_file() -> Path:
    return _model(TINY_READER)


@pytest.fixture(scope="session")
def reader_file() -> Path:
    """Of the default reader."""
    return _model(load_settings().reader)


def _model(name: str) -> Path:
    return ensure(name, load_settings().models)
