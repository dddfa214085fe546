"""Folders of articles, the library made of them, and what can be asked of it. An article is one chunk."""

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rag.index import open_library
from rag.indexing import IndexReport, index_paths
from rag.types import Progress, Vectors
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY, worded

NEWS = {
    "apples.txt": "Apples are ripe in autumn.",
    "bread.md": "# Bread\n\nBread is dear.",
    "coal.txt": "Coal is black.",
}


class AttentiveEmbedder(WordEmbedder):
    """Calls `then` with the number of the call, counted from 1, before it embeds; `then` may raise."""

    def __init__(self, then: Callable[[int], object] = lambda _: None) -> None:
        self.calls = 0
        self._then = then

    def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        self.calls += 1
        self._then(self.calls)
        return super().embed_passages(texts, progress)


def interrupted_at(number: int) -> AttentiveEmbedder:
    """Stops like Ctrl-C in the call with this number."""

    def interrupt(call: int) -> None:
        if call == number:
            raise KeyboardInterrupt

    return AttentiveEmbedder(interrupt)


def write(folder: Path, articles: dict[str, str]) -> Path:
    for name, text in articles.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def zip_of(path: Path, articles: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as package:
        for name, text in articles.items():
            package.writestr(name, text)
    return path


def index(
    library: Path, *paths: Path | str, embedder: WordEmbedder | None = None, start_over: bool = False
) -> IndexReport:
    return index_paths(paths, library, IDENTITY, embedder or WordEmbedder(), start_over=start_over)


def names(sources: Sequence[str]) -> list[str]:
    return [Path(source).name for source in sources]


def parts(sources: Sequence[str]) -> list[str]:
    return [source.partition("#")[2] for source in sources]


def texts(library: Path) -> list[str]:
    with open_library(library) as now:
        ids = [listed.id for listed in now.documents()]
        return sorted(document.text for document in now.documents_by_id(ids).values())


def roots(library: Path) -> list[str]:
    with open_library(library) as now:
        return now.roots()


def finds(library: Path, words: str) -> bool:
    with open_library(library) as now:
        return bool(worded(now, words))
