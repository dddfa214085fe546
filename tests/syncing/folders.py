"""Folders of articles, and an embedder that tells what it was given."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rag.types import Progress, Vectors
from tests.fakes import WordEmbedder


class CountingEmbedder(WordEmbedder):
    """Keeps every text it embeds."""

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        self.embedded += texts
        return super().embed_passages(texts, progress)


def written(folder: Path, texts: Mapping[str, str]) -> Path:
    """A new folder of files with these texts."""
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
