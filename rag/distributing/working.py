"""What runs on the cluster: workers that read, chunk and embed, and the conductor of Ray Data that feeds them."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.chunking import chunk_document, fit_title, with_title
from rag.documents import FieldNames, HoldsQuestions, Loaded, load, load_bytes
from rag.embedding import Precision, SentenceTransformerEmbedder
from rag.errors import DocumentError, RagError
from rag.index import Identity
from rag.model_files import ensure, weights_revision
from rag.settings import load_settings
from rag.types import Embedder

PREPARING = ("documents", "sentences", "chunking", "embedding", "distributing")
"""The modules whose code makes a difference to what a worker makes of a file."""


@dataclass(frozen=True, slots=True)
class EmbedderThere:
    """Makes the embedder of a worker, whose files lie where its machine's own settings (`RAG_MODELS`) say."""

    name: str
    models: Path | None = None
    """Where they lie instead."""

    def __call__(self) -> Embedder:
        settings = load_settings()
        folder = ensure(self.name, self.models or settings.models, offline=settings.offline, report=_silent)
        return SentenceTransformerEmbedder(folder, self.name, weights_revision(folder), Precision.FASTEST)


@dataclass(frozen=True, slots=True)
class Task:
    """What every worker does."""

    identity: Identity
    """Of the library: a worker that would make other vectors or chunks refuses to work."""
    make_embedder: Callable[[], Embedder]
    names: FieldNames
    code: str
    """`code_here` of who asks."""


def code_here() -> str:
    """12 hex digits that stand for the code that prepares articles on this machine."""
    package = Path(__file__).parent.parent
    files = sorted(
        file
        for name in PREPARING
        for file in [package / f"{name}.py", *(package / name).rglob("*.py")]
        if file.is_file()
    )
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


class Worker:
    """Holds the embedder. Ray Data makes one in each process and calls it with tables of files."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._embedder: Embedder | None = None
        self._complaint = ""
        try:
            self._embedder = task.make_embedder()
            self._complaint = _difference(task, self._embedder)
        except RagError as error:
            self._complaint = f"A worker can't load the embedder: {error}"

    def __call__(self, batch: Any) -> Any:
        """Columns file and data (null: the worker reads the file) → file, result as JSON, vectors as bytes."""
        import pyarrow as pa

        rows = [self._row(Path(row["file"]), row["data"]) for row in batch.to_pylist()]
        types = (("file", pa.string()), ("result", pa.large_binary()), ("vectors", pa.large_binary()))
        return pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in types})

    def _row(self, file: Path, data: bytes | None) -> dict[str, object]:
        result, vectors = self._prepared(file, data)
        return {"file": str(file), "result": json.dumps(result).encode("ascii"), "vectors": vectors}

    def _prepared(self, file: Path, data: bytes | None) -> tuple[dict[str, object], bytes]:
        names, identity, embedder = self._task.names, self._task.identity, self._embedder
        if embedder is None or self._complaint:
            return {"stop": self._complaint}, b""
        try:
            loaded = load(file, names) if data is None else load_bytes(data, file.name, file.as_posix(), names)
        except HoldsQuestions as error:
            return {"questions": str(error)}, b""
        except DocumentError as error:
            return {"refused": str(error)}, b""
        chunks, titles, texts = [], [], []
        for document in loaded.documents:
            made = chunk_document(document, embedder.count_tokens, identity.chunk_tokens, identity.chunk_overlap)
            title = fit_title(document.title, embedder.count_tokens, identity.chunk_tokens)
            chunks.append([(chunk.id, chunk.start, chunk.end) for chunk in made])
            titles.append(title)
            texts += [with_title(title, document.text[chunk.start : chunk.end]) for chunk in made]
        vectors = embedder.embed_passages(texts)
        return {"loaded": _fields(loaded), "chunks": chunks, "titles": titles}, vectors.astype("<f4").tobytes()


class Conductor:
    """Runs Ray Data inside the cluster, because it can't run in a client of `ray://`; hands out what comes of it."""

    def __init__(self) -> None:
        self._tables: Iterator[Any] = iter(())

    def begin(self, tables: Sequence[Any], task: Task, workers: int, cards: int, tries: int) -> None:
        """Each table goes to a worker; one whose worker dies each of `tries` times is left out."""
        import ray

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.max_errored_blocks = -1
        mapped = ray.data.from_arrow(list(tables)).map_batches(
            Worker,
            fn_constructor_args=(task,),
            batch_size=None,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(
                min_size=1, max_size=workers, initial_size=workers, max_tasks_in_flight_per_actor=1
            ),
            num_cpus=0 if cards else 1,
            num_gpus=1 if cards else 0,
            max_restarts=-1,
            max_task_retries=tries - 1,
        )
        self._tables = iter(mapped.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0))

    def next(self) -> Any:
        """The next table of results, None after the last."""
        return next(self._tables, None)


def _difference(task: Task, embedder: Embedder) -> str:
    wanted = (task.identity.embedder, task.identity.revision, task.identity.dimension)
    has = (embedder.name, embedder.revision, embedder.dimension)
    if has != wanted:
        return (
            f"A worker has the embedder {has[0]} ({has[1]}, {has[2]} numbers), but the library is made "
            f"with {wanted[0]} ({wanted[1]}, {wanted[2]} numbers). "
            f"Run `rag models fetch {wanted[0]}` on the machines of the cluster."
        )
    if code_here() != task.code:
        return "A worker has another version of Citeline. Install the same one on all machines of the cluster."
    return ""


def _fields(loaded: Loaded) -> dict[str, object]:
    return {
        "documents": [asdict(document) for document in loaded.documents],
        "notes": loaded.notes,
        "fields": asdict(loaded.fields) if loaded.fields else None,
        "summaries": sorted(loaded.summaries),
    }


def _silent(what: str, done: int, total: int) -> None:
    """Report to nobody."""
