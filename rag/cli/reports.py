"""What the commands print."""

import json
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rag import model_files
from rag.engines import remembered_choice
from rag.errors import RagError
from rag.indexing import IndexReport
from rag.model_files import ModelStatus
from rag.records import answer_fields
from rag.rendering import plain
from rag.settings import EngineChoice, Settings
from rag.stores import Place, open_library, place_of
from rag.syncing import SyncReport
from rag.types import Answer


def index_lines(report: IndexReport) -> Iterator[str]:
    """One line for each article that changed or could not be read, whole or in part, then the sums."""
    yield from _changes(report, ())
    yield (
        f"{len(report.added)} added, {len(report.updated)} updated, {len(report.removed)} removed, "
        f"{report.unchanged} unchanged, {len(report.refused)} refused: {report.documents} articles in the library."
    )


def sync_lines(report: SyncReport) -> Iterator[str]:
    """As `index_lines`, with the files that moved."""
    yield from _changes(report, report.moved)
    yield (
        f"{len(report.added)} added, {len(report.updated)} updated, {len(report.moved)} moved, "
        f"{len(report.removed)} removed, {report.unchanged} unchanged, {len(report.refused)} refused: "
        f"{report.documents} articles in the library."
    )


def _changes(report: IndexReport | SyncReport, moved: Iterable[tuple[str, str]]) -> Iterator[str]:
    for sign, sources in (("+", report.added), ("~", report.updated), ("-", report.removed)):
        for source in sources:
            yield f"{sign} {source}"
    for old, new in moved:
        yield f"> {old} → {new}"
    for problem in report.refused:
        yield f"! {problem}"
    for note in report.notes:
        yield f"? {note}"


def answer_json(answer: Answer) -> str:
    """All of an answer but its articles' texts."""
    return json.dumps(answer_fields(answer), ensure_ascii=False, indent=1)


def status_lines(settings: Settings) -> Iterator[str]:
    """The library, the models and the engine of these settings."""
    yield from _library_lines(place_of(settings))
    for role, name in (("Embedder", settings.embedder), ("Reader", settings.reader)):
        model = model_files.status(name, settings.models)
        yield f"{role}: {name} ({model.licence}), {_state(model)}: {model.path}"
        if model.note:
            yield f"  {model.note}"
    yield f"Engine: {_engine(settings)}"


PIPED_WIDTH = 10_000
"""Columns of a table that isn't printed to a terminal: more than any path has, so that no cell is folded."""


def models_table(models: Sequence[ModelStatus]) -> None:
    """Print a table of models, one line each when it isn't printed to a terminal."""
    console = Console() if Console().is_terminal else Console(width=PIPED_WIDTH)
    table = Table("model", "role", "size", "licence", "state", "path", box=None, pad_edge=False)
    for model in models:
        size = f"{model.size / 1e6:,.0f} MB" if model.size else ""
        cells = (model.name, model.role, size, model.licence, _state(model), str(model.path))
        table.add_row(*(Text(plain(cell), overflow="fold") for cell in cells))
    console.print(table)
    for model in models:
        if model.note:
            print(plain(f"{model.name}: {model.note}"))


def _library_lines(folder: Place) -> Iterator[str]:
    try:
        with open_library(folder) as library:
            count, manifest, roots = library.count(), library.manifest, library.roots()
    except RagError as error:
        yield f"Library: {error}"
        return
    identity = manifest.identity
    yield f"Library: {count.documents} articles in {count.chunks} chunks, generation {manifest.generation}: {folder}"
    yield f"  made with {identity.embedder}, {identity.chunk_tokens} word pieces a chunk"
    for root in roots:
        yield f"  from {root}"


def _state(model: ModelStatus) -> str:
    if not model.present:
        return "not here"
    return "verified" if model.verified else "not verified"


def _engine(settings: Settings) -> str:
    if settings.engine is not EngineChoice.AUTO:
        return f"{settings.engine}, as set"
    model = model_files.status(settings.reader, settings.models)
    if not model.present:
        return "auto; decided when the reader is first loaded"
    if model.path.is_dir():
        return EngineChoice.TRANSFORMERS
    choice = remembered_choice(model.path, settings.threads)
    if choice is None:
        return "auto; measured when the reader is first loaded"
    other = "" if choice.transformers_seconds is None else f", transformers {choice.transformers_seconds} s"
    return f"{choice.engine} (auto: a typical answer takes llama_cpp {choice.llama_cpp_seconds} s{other})"
