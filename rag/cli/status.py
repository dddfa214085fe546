"""`rag status`: the library, what is stale in it, the models and the engine."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from rag import model_files
from rag.cli.shared import print_lines, settings_of
from rag.documents import FieldNames
from rag.engines import remembered_choice
from rag.errors import ModelError, RagError
from rag.index import open_library
from rag.model_files import ModelStatus, weights_revision
from rag.settings import EngineChoice, Settings
from rag.syncing import Stale, Staleness, stale_files

app = typer.Typer()

NAMED = 20
"""Stale articles of a kind that `rag status` names; `--json` names all."""

WHOLE_LIBRARY = (Staleness.EMBEDDER, Staleness.CHUNKER)
NOT_HAD = (Staleness.GONE, Staleness.UNREACHED)


@app.command()
def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print the library's state as JSON.")] = False,
) -> None:
    """Show the library, every stale file with its reason, the models and the engine in use."""
    settings = settings_of(context)
    if as_json:
        sys.stdout.buffer.write(f"{library_json(settings)}\n".encode("utf-8", "replace"))
        return
    print_lines([*status_lines(settings), *stale_lines(settings)])


def status_lines(settings: Settings) -> Iterator[str]:
    """The library, the models and the engine of these settings."""
    yield from _library_lines(settings.index)
    for role, name in (("Embedder", settings.embedder), ("Reader", settings.reader)):
        model = model_files.status(name, settings.models)
        yield f"{role}: {name} ({model.licence}), {model_state(model)}: {model.path}"
        if model.note:
            yield f"  {model.note}"
    yield f"Engine: {_engine(settings)}"


def stale_lines(settings: Settings) -> Iterator[str]:
    """What is stale, by its reasons; nothing where there is no library to speak of."""
    try:
        found = _stale(settings)
    except RagError:  # which the lines about the library say already
        return
    if not found:
        yield "Stale: nothing"
        return
    yield f"Stale: {len(found)}. {_remedy(found)}"
    groups: dict[str, list[str]] = {}
    for stale in found:
        groups.setdefault(", ".join(stale.reasons), []).append(stale.source)
    for reasons, sources in groups.items():
        for source in sources[:NAMED]:
            yield f"  {reasons}: {source}"
        if len(sources) > NAMED:
            yield f"  {reasons}: {len(sources) - NAMED} others, which `rag status --json` names"


def library_json(settings: Settings) -> str:
    """The library's state and what is stale in it."""
    state: dict[str, Any] = {"folder": str(settings.index), "error": None, "stale": []}
    try:
        with open_library(settings.index) as library, library.snapshot() as now:
            count, made = now.count(), now.manifest.identity
            state |= {
                "documents": count.documents,
                "chunks": count.chunks,
                "generation": now.manifest.generation,
                "embedder": made.embedder,
                "chunk_tokens": made.chunk_tokens,
                "chunk_overlap": made.chunk_overlap,
                "roots": now.roots(),
            }
        state["stale"] = [{"source": stale.source, "reasons": list(stale.reasons)} for stale in _stale(settings)]
    except RagError as error:
        state["error"] = str(error)
    return json.dumps(state, ensure_ascii=False, indent=1)


def _stale(settings: Settings) -> list[Stale]:
    wanted: dict[str, object] = {
        "embedder": settings.embedder,
        "chunk_tokens": settings.chunk_tokens,
        "chunk_overlap": settings.chunk_overlap,
    }
    embedder = model_files.status(settings.embedder, settings.models)
    if embedder.present:
        with suppress(ModelError):
            wanted["revision"] = weights_revision(embedder.path)
    with open_library(settings.index) as library:
        return stale_files(library, wanted, FieldNames.of(settings.fields))


def _remedy(found: Sequence[Stale]) -> str:
    if any(reason in WHOLE_LIBRARY for stale in found for reason in stale.reasons):
        return "Run `rag index --rebuild`; the library as it is answers meanwhile."
    if all(reason in NOT_HAD for stale in found for reason in stale.reasons):
        return "What was indexed stays. Run `rag sync` to try again; `rag index --rebuild` with the others forgets it."
    return "Run `rag sync`."


def _library_lines(folder: Path) -> Iterator[str]:
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


def model_state(model: ModelStatus) -> str:
    """Whether it is here, in two words."""
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
    when = f", measured {choice.measured[:10]}" if choice.measured else ""
    return f"{choice.engine} (auto{when}: a typical answer takes llama_cpp {choice.llama_cpp_seconds} s{other})"
