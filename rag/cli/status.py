"""`rag status`: the library, what is stale in it, the models and the engine."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Annotated, Any

import typer

from rag import model_files
from rag.cli.shared import print_lines, settings_of
from rag.documents import FieldNames
from rag.engines import has_key, note_of, remembered_choice
from rag.errors import ModelError, RagError
from rag.model_files import ModelStatus, weights_revision
from rag.pacing import is_reliable, load_of, paced, seconds
from rag.settings import EngineChoice, Settings
from rag.stores import Place, open_library, place_of
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
    yield from _library_lines(place_of(settings))
    remote = settings.engine is EngineChoice.OPENAI_COMPATIBLE
    here = (("Reader", settings.reader),) if not remote or settings.fallback else ()
    for role, name in (("Embedder", settings.embedder), *here):
        model = model_files.status(name, settings.models)
        yield f"{role}: {name} ({model.licence}), {model_state(model)}: {model.path}"
        if model.note:
            yield f"  {model.note}"
    yield f"Engine: {_engine(settings)}"
    yield from _pace(settings)


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
    place = place_of(settings)
    state: dict[str, Any] = {"folder": str(place), "error": None, "stale": []}
    try:
        with open_library(place) as library, library.snapshot() as now:
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
    with open_library(place_of(settings)) as library:
        return stale_files(library, wanted, FieldNames.of(settings.fields))


def _remedy(found: Sequence[Stale]) -> str:
    if any(reason in WHOLE_LIBRARY for stale in found for reason in stale.reasons):
        return "Run `rag index --rebuild`; the library as it is answers meanwhile."
    if all(reason in NOT_HAD for stale in found for reason in stale.reasons):
        return "What was indexed stays. Run `rag sync` to try again; `rag index --rebuild` with the others forgets it."
    return "Run `rag sync`."


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


def model_state(model: ModelStatus) -> str:
    """Whether it is here, in two words."""
    if not model.present:
        return "not here"
    return "verified" if model.verified else "not verified"


def _pace(settings: Settings) -> Iterator[str]:
    """How fast this machine is, and what that leaves to be read; nothing where it wasn't measured."""
    reader = model_files.status(settings.reader, settings.models)
    if settings.engine is not EngineChoice.AUTO or not reader.present or not reader.path.is_file():
        return
    measured = remembered_choice(reader.path, settings.threads)
    if measured is None or not (measured.reading and measured.writing):
        return
    chosen = paced(settings, measured)
    load, took = load_of(chosen), seconds(load_of(chosen), measured)
    yield (
        f"  this machine reads {1 / measured.reading:.3g} tokens/s and writes {1 / measured.writing:.3g}, with "
        f"{measured.memory / 1e9:.1f} GB of memory free: {load.passages} passages of {load.tokens} tokens together "
        f"answer in about {took:.1f} s"
    )
    if not settings.target_seconds:
        yield "  target_seconds = 0: as many passages as set, whatever they take"
    elif not is_reliable(measured):
        yield (
            f"  measured while other programs took {measured.others:.0%} of the processors, so no passage is left out "
            f"for it. Remove {note_of(reader.path)} to have it measured again"
        )
    elif load != load_of(settings):
        usual = load_of(settings)
        yield (
            f"  fewer than the {usual.passages} passages of {usual.tokens} tokens that batch and eval read, for "
            f"target_seconds = {settings.target_seconds:g} on the page and in `rag ask`"
        )
    if settings.target_seconds and is_reliable(measured) and took > settings.target_seconds:
        yield f"  more than target_seconds = {settings.target_seconds:g}: with less to read, answers would be worse"


def _engine(settings: Settings) -> str:
    if settings.engine is EngineChoice.OPENAI_COMPATIBLE:
        name = settings.server_model or "the model it has"
        key = "with a key" if settings.server and has_key(settings.server) else "without a key"
        step_in = "; while it can't be reached, the reader here" if settings.fallback else ""
        return f"{settings.engine}, {name} on {settings.server or 'no server yet: set RAG_SERVER'}, {key}{step_in}"
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
