"""A page with a real library of a folder of articles, the embedder of words, and a reader that follows a script."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rag.index import Identity, Library
from rag.indexing import index_paths
from rag.page.serving import serving
from rag.pipeline import Pipeline, library_identity
from rag.settings import Settings, load_settings
from tests.browser import free_port
from tests.fakes import ReusingEngine, WordEmbedder

REPLY = "TikTok pays Microsoft twenty million dollars a month [1]."
BILL = "TikTok pays Microsoft twenty million dollars a month. It began in March of that year."
HARBOUR = "The harbour of Rotterdam was widened in 1895. Ships wait there for the tide."
HOSTILE = "<img src=x onerror=alert(1)> \u202egnp"


def identity_of(settings: Settings) -> Identity:
    return library_identity(settings, WordEmbedder())


def written(folder: Path, **texts: str) -> Path:
    """A folder of text files: name without suffix → text, whose first line becomes the title."""
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


def settings_for(tmp_path: Path, **more: object) -> Settings:
    return load_settings(index=tmp_path / "index", port=free_port(), embedder="words", max_wrong=1.0, **more)


def filled(settings: Settings, *paths: Path | str) -> Settings:
    index_paths(paths, settings.index, identity_of(settings), WordEmbedder())
    return settings


def open_pipeline(settings: Settings, _report: object) -> Pipeline:
    library = Library(settings.index, identity_of(settings))
    return Pipeline(settings, library, WordEmbedder(), ReusingEngine(REPLY, 0.9))


@contextmanager
def shown(settings: Settings) -> Iterator[str]:
    with serving(settings, open_pipeline) as address:
        yield address


def sources(settings: Settings) -> list[str]:
    with Library(settings.index) as library:
        return sorted(Path(listed.source).name for listed in library.documents())


def titles(rows: Sequence[str]) -> list[str]:
    return [row.split("\n")[0] for row in rows]
