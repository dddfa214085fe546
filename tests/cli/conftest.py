"""`rag` in this process without models, and the settings and articles of commands that run in their own."""

import io
import os
import sys
from pathlib import Path
from typing import Protocol

import pytest

import rag.pipeline.opening
from rag.cli import main
from rag.index import Identity
from rag.indexing import index_paths
from tests.calibrated import write_calibration
from tests.cli.commands import Run
from tests.cli.with_words import INSTEAD
from tests.fakes import WordEmbedder

HARBOUR = "The harbour of Varel opened in 1912. It cost 3 million marks."
BAKERY = "Ada Nyberg founded the bakery in 1950."


class Rag(Protocol):
    def __call__(self, *arguments: str | Path, stdin: bytes = b"") -> Run: ...


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str | Path]:
    """Variables that name a library in the making, an embedder and a reader without anything in them, no network."""
    embedder = tmp_path / "embedder"
    embedder.mkdir()
    (embedder / "model.safetensors").write_bytes(b"abc")
    reader = tmp_path / "reader.gguf"
    reader.write_bytes(b"GGUF")
    return {
        "RAG_INDEX": tmp_path / "index",
        "RAG_MODELS": tmp_path / "models",
        "RAG_EMBEDDER": embedder,
        "RAG_READER": reader,
        "RAG_ENGINE": "llama_cpp",
        "RAG_CALIBRATION": write_calibration(tmp_path),
        "RAG_OFFLINE": "1",
        "RAG_USERS": tmp_path / "users.json",
    }


@pytest.fixture
def rag_(
    settings: dict[str, str | Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Rag:
    """The command in this process, run in `tmp_path`."""
    for name in [name for name in os.environ if name.startswith("RAG_")]:
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(tmp_path)
    for name, fake in INSTEAD.items():
        monkeypatch.setattr(rag.pipeline.opening, name, fake)

    def called(*arguments: str | Path, stdin: bytes = b"") -> Run:
        monkeypatch.setattr(sys, "argv", ["rag", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code is None or isinstance(end.value.code, int)
        return Run(end.value.code or 0, *capfd.readouterr())

    return called


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "harbour.txt").write_text(HARBOUR, encoding="utf-8")
    (folder / "bakery.txt").write_text(BAKERY, encoding="utf-8")
    return folder


@pytest.fixture
def small_library(articles: Path, settings: dict[str, str | Path]) -> dict[str, str | Path]:
    """The settings, and a library of `articles`."""
    embedder = str(settings["RAG_EMBEDDER"])
    identity = Identity(embedder, rag.pipeline.weights_revision(Path(embedder)), WordEmbedder.dimension, 160, 1)
    index_paths([articles], Path(settings["RAG_INDEX"]), identity, WordEmbedder())
    return settings
