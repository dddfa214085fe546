"""Settings → a `Pipeline` and its parts, or a library brought up to date."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from rag.distributing import EmbedderThere, Task, code_here, connected, reader_on
from rag.documents import FieldNames
from rag.embedding import Precision, SentenceTransformerEmbedder
from rag.engines import (
    FallbackEngine,
    LlamaProcess,
    Remote,
    begin_engine,
    open_engine,
    open_remote,
    remembered_choice,
    share_processor_politely,
)
from rag.errors import LibraryEmpty
from rag.index import Identity
from rag.indexing import IndexReport, index_paths
from rag.late import functions_late
from rag.model_files import ensure, status, weights_revision
from rag.pacing import paced
from rag.pipeline.answering import Pipeline
from rag.rebuilding import rebuild_library
from rag.settings import EngineChoice, Settings
from rag.stores import library_at, open_library, place_of
from rag.syncing import SyncReport, note_marks, sync_folders
from rag.types import Embedder, Engine, Progress, Vectors
from rag.visiting import FileReader, check_places, read_here

Report = Callable[[str, int, int], None]
"""(what is being done, done, total; a total of 0 means that it isn't known)"""

REQUEST_TOKENS = 2600
"""Room in the reader's window for instructions, question and conversation."""

UNCALLED = "sklearn.metrics"
"""What sentence-transformers imports for a distance that nothing here asks for: with scipy.stats and pandas behind it
a fifth of the time until a question can be answered, and some 100 MB."""

TITLE_TOKENS = 64
"""Room in the reader's window for the number and title of a passage."""


def open_pipeline(
    settings: Settings, report: Report | None = None, *, repeatable: bool = False, in_time: bool = False
) -> Pipeline:
    """Load library and models, fetching what isn't here yet. Raises the RagError of whatever is missing or broken.

    `repeatable` is for `Pipeline.forget`, see `open_engine`. With `in_time` the reader is given no more to read than
    `target_seconds` leaves time for; then the settings of the pipeline say how much that is.

    The library comes first: who has not indexed anything, or did so with other settings, learns it before a gigabyte
    is loaded.
    """
    place = place_of(settings)
    open_library(place, _made_with(settings)).close()
    begun = _begin_reader(settings, report or _silent, repeatable)
    try:
        embedder = open_embedder(settings, report)
        library = open_library(place, library_identity(settings, embedder))
    except BaseException:
        if begun:
            begun.close()
        raise
    try:
        engine = open_reader(settings, report, repeatable=repeatable, begun=begun)
        return Pipeline(_paced(settings) if in_time else settings, library, embedder, engine)
    except BaseException:
        library.close()
        raise


def index_articles(
    settings: Settings,
    paths: Sequence[Path | str] = (),
    *,
    start_over: bool = False,
    report: Report | None = None,
    on: str = "",
    shared: bool = False,
) -> IndexReport:
    """`index_paths`, or with `start_over` `rebuild_library`, with the library and the embedder of the settings.

    Files are read, chunked and embedded `on` a Ray cluster where one is named, see `rag.distributing`.
    The model is loaded by the first article that has to be embedded: where none has, all is done in a second.
    """
    report = report or _silent
    check_places(paths)  # a wrong path is said before a model is fetched for it
    try:
        dimension = None if start_over else _made_with(settings).dimension
    except LibraryEmpty:
        if not paths:
            raise
        dimension = None
    embedder = embedder_on_demand(settings, dimension, report)
    identity = library_identity(settings, embedder)
    names, place = FieldNames.of(settings.fields), place_of(settings)
    with _reader(settings, identity, names, on, shared) as read:
        if start_over:
            done = rebuild_library(paths, place, identity, embedder, report, names, read)
        else:
            done = index_paths(paths, place, identity, embedder, names=names, report=report, read=read)
    note_marks(place, identity)
    return done


@contextmanager
def _reader(settings: Settings, identity: Identity, names: FieldNames, on: str, shared: bool) -> Iterator[FileReader]:
    if not on:
        yield read_here
        return
    there = EmbedderThere(settings.embedder, settings.models.resolve() if on == "local" else None)
    with connected(on) as connection:
        yield reader_on(connection, Task(identity, there, names, code_here()), shared=shared or on == "local")


def sync_articles(
    settings: Settings, embedder: Embedder | None = None, report: Report | None = None, *, pages: bool = True
) -> SyncReport:
    """`sync_folders` with the library of the settings, and with their embedder where none is given.

    Raises LibraryEmpty where nothing was ever indexed, and LibraryMismatch, which says what to do, where the library
    was made with other settings.
    """
    dimension = _made_with(settings).dimension
    embedder = embedder or embedder_on_demand(settings, dimension, report)
    identity, names = library_identity(settings, embedder), FieldNames.of(settings.fields)
    return sync_folders(place_of(settings), identity, embedder, report, names=names, pages=pages)


def embedder_on_demand(
    settings: Settings, dimension: int | None = None, report: Report | None = None
) -> "EmbedderOnDemand":
    """The embedder of the settings, whose files are fetched now when they aren't here yet, to be loaded when needed.

    It is for indexing: passages are embedded in the precision that is fastest here.
    `dimension` is None where only the model itself can tell.
    """
    report = report or _silent
    folder = ensure(settings.embedder, settings.models, offline=settings.offline, report=report)
    revision = weights_revision(folder)
    return EmbedderOnDemand(
        settings.embedder,
        revision,
        dimension,
        lambda: _load_embedder(folder, settings.embedder, revision, report, Precision.FASTEST),
    )


def open_embedder(
    settings: Settings, report: Report | None = None, precision: Precision = Precision.AUTO
) -> SentenceTransformerEmbedder:
    """The embedder of the settings, fetched when it isn't here yet.

    Without a `precision` passages are embedded as questions are, which is what grounding was calibrated with.
    """
    report = report or _silent
    folder = ensure(settings.embedder, settings.models, offline=settings.offline, report=report)
    return _load_embedder(folder, settings.embedder, weights_revision(folder), report, precision)


def open_reader(
    settings: Settings,
    report: Report | None = None,
    *,
    repeatable: bool = False,
    begun: LlamaProcess | None = None,
) -> Engine:
    """The reader of the settings in the engine of the settings, fetched when it isn't here yet.

    A reader on a server takes the one here along where that is to step in. `begun` is one that loads already.
    """
    report = report or _silent
    if settings.engine is EngineChoice.OPENAI_COMPATIBLE:
        return _open_remote_reader(settings, report, repeatable)
    return _open_local_reader(settings, report, repeatable, begun)


def _begin_reader(settings: Settings, report: Report, repeatable: bool) -> LlamaProcess | None:
    """The reader, loading beside the embedder, where it is here and can."""
    remote = settings.engine is EngineChoice.OPENAI_COMPATIBLE
    if remote or not status(settings.reader, settings.models).present:
        return None
    share_processor_politely()
    path = ensure(settings.reader, settings.models, offline=settings.offline, report=report)
    return begin_engine(settings.engine, path, _window(settings), settings.threads, repeatable)


def _paced(settings: Settings) -> Settings:
    """Settings for questions that somebody waits for."""
    if settings.engine is not EngineChoice.AUTO:
        return settings
    reader = status(settings.reader, settings.models).path
    return paced(settings, remembered_choice(reader, settings.threads) if reader.is_file() else None)


def _open_local_reader(
    settings: Settings, report: Report, repeatable: bool, begun: LlamaProcess | None = None
) -> Engine:
    share_processor_politely()
    path = ensure(settings.reader, settings.models, offline=settings.offline, report=report)
    report(f"Loading {settings.reader}", 0, 1)
    engine = open_engine(
        settings.engine, path, settings.reader, _window(settings), settings.threads, report, repeatable, begun
    )
    report(f"Loading {settings.reader}", 1, 1)
    return engine


def _window(settings: Settings) -> int:
    """Tokens that the longest prompt and answer may take together."""
    return settings.passage_tokens + settings.passages * TITLE_TOKENS + settings.answer_tokens + REQUEST_TOKENS


def _open_remote_reader(settings: Settings, report: Report, repeatable: bool) -> Engine:
    remote = Remote(
        settings.server,
        settings.server_model,
        settings.server_context,
        settings.server_timeout,
        settings.server_plain_http,
    )
    report(f"Reaching {settings.server}", 0, 1)
    if not settings.fallback:
        return open_remote(remote)
    ensure(settings.reader, settings.models, offline=settings.offline, report=report)  # later may be too late
    here = settings.model_copy(update={"engine": EngineChoice.AUTO})
    return FallbackEngine(
        lambda: open_remote(remote), lambda report: _open_local_reader(here, report, repeatable), report
    )


def library_identity(settings: Settings, embedder: Embedder) -> Identity:
    """What a library made with these settings depends on."""
    return Identity(embedder.name, embedder.revision, embedder.dimension, settings.chunk_tokens, settings.chunk_overlap)


class EmbedderOnDemand:
    """Implements `rag.types.Embedder`; the model is loaded by the first call that can't do without."""

    def __init__(self, name: str, revision: str, dimension: int | None, load: Callable[[], Embedder]) -> None:
        """`dimension` is None where only the model itself can tell."""
        self.name = name
        self.revision = revision
        self._dimension = dimension
        self._load = load

    @cached_property
    def _model(self) -> Embedder:
        return self._load()

    @property
    def dimension(self) -> int:
        """See `Embedder.dimension`."""
        return self._dimension or self._model.dimension

    @property
    def max_tokens(self) -> int:
        """See `Embedder.max_tokens`."""
        return self._model.max_tokens

    def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """See `Embedder.embed_passages`."""
        return self._model.embed_passages(texts, progress)

    def embed_query(self, text: str) -> Vectors:
        """See `Embedder.embed_query`."""
        return self._model.embed_query(text)

    def embed_tokens(self, texts: Sequence[str]) -> list[tuple[Vectors, list[tuple[int, int]]]]:
        """See `Embedder.embed_tokens`."""
        return self._model.embed_tokens(texts)

    def count_tokens(self, text: str) -> int:
        """See `Embedder.count_tokens`."""
        return self._model.count_tokens(text)


def _made_with(settings: Settings) -> Identity:
    """What the library there is depends on; its dimension is that of the embedder, for another's is refused.

    Raises LibraryEmpty where there is none, and LibraryMismatch where the settings alone show that it is another's.
    """
    place = place_of(settings)
    with library_at(place) as library:
        made = library.manifest.identity
    wanted = replace(
        made, embedder=settings.embedder, chunk_tokens=settings.chunk_tokens, chunk_overlap=settings.chunk_overlap
    )
    with library_at(place, wanted) as library:
        return library.manifest.identity


def _load_embedder(
    folder: Path, name: str, revision: str, report: Report, precision: Precision
) -> SentenceTransformerEmbedder:
    share_processor_politely()
    report(f"Loading {name}", 0, 1)
    with functions_late(UNCALLED):
        embedder = SentenceTransformerEmbedder(folder, name, revision, precision)
    report(f"Loading {name}", 1, 1)
    return embedder


def _silent(what: str, done: int, total: int) -> None:
    """Report to nobody."""
