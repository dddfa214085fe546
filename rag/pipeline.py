"""The order of the stages, and the only place that knows it.

`Pipeline` answers and `open_pipeline` builds one; `index_articles` brings the library up to date.
"""

import hashlib
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from rag import prompting
from rag.documents import find_files
from rag.embedding import SentenceTransformerEmbedder
from rag.engines import open_engine, share_processor_politely
from rag.errors import LibraryEmpty, ModelError, QuestionError
from rag.grounding import Grounder, cited_pieces, is_abstention
from rag.index import Identity, Library, open_library
from rag.indexing import IndexReport, index_paths
from rag.model_files import ensure, status
from rag.retrieval import Budget, retrieve
from rag.settings import Settings
from rag.types import (
    Answer,
    Claim,
    Conditions,
    Embedder,
    Engine,
    Event,
    Finished,
    Limits,
    Models,
    Passage,
    PassagesFound,
    Progress,
    Reason,
    TextPiece,
    Timings,
    Turn,
    Vectors,
    Verdict,
)

Report = Callable[[str, int, int], None]
"""(what is being done, done, total; a total of 0 means that it isn't known)"""

ANSWER_SETTINGS = (
    "embedder", "reader", "chunk_tokens", "chunk_overlap", "candidates", "passages", "passage_tokens", "answer_tokens",
    "min_answerable",
)  # fmt: skip
"""The settings that make a difference to answers. So do engines, a little: `Conditions.models` names the one in use."""

ANSWERING = (
    "chunking", "documents", "embedding", "engines", "grounding", "index", "indexing", "pipeline", "prompting",
    "retrieval", "sentences",
)  # fmt: skip
"""The modules whose code makes a difference to answers."""

QUESTION_CHARACTERS = 2000
"""The longest question accepted."""

QUESTION_TOKENS = 2000
"""The longest question in the reader's tokens: 450 of them hold QUESTION_CHARACTERS of English, but not of emoji."""

REQUEST_TOKENS = 2600
"""Room in the reader's window for instructions, question and conversation."""

TITLE_TOKENS = 64
"""Room in the reader's window for the number and title of a passage."""

REWRITE = Limits(max_tokens=80, stop=("\n",))


class Pipeline:
    """Answers questions from one library with one embedder and one engine. Questions are answered one at a time."""

    def __init__(self, settings: Settings, library: Library, embedder: Embedder, engine: Engine) -> None:
        self.settings = settings
        self.library = library
        self.embedder = embedder
        self.engine = engine

    def answer(self, question: str, history: Sequence[Turn] = (), documents: frozenset[str] | None = None) -> Answer:
        """`stream_answer`, waited for."""
        for event in self.stream_answer(question, history, documents):
            if isinstance(event, Finished):
                return event.answer
        raise RuntimeError("stream_answer ended without Finished")

    def stream_answer(
        self, question: str, history: Sequence[Turn] = (), documents: frozenset[str] | None = None
    ) -> Generator[Event, None, None]:
        """Yield `PassagesFound`, then the answer's `TextPiece`s, then `Finished`.

        `documents` limits the search to the documents with these ids. Pieces may be empty: they come while the reader
        is still reading, so that whoever closes the iterator stops the work at once. Raises QuestionError for a
        question that is empty or too long, and whatever RagError the library or the engine meets.
        """
        question = check_question(question)
        if (tokens := self.engine.count_tokens(question)) > QUESTION_TOKENS:
            raise QuestionError(
                f"The reader takes {QUESTION_TOKENS:,} tokens, the question has {tokens:,}. Shorten it."
            )
        watch = _Stopwatch()
        standalone = question
        if history and prompting.leans_on_history(question):
            written = yield from _overheard(self.engine.stream(prompting.standalone_prompt(question, history), REWRITE))
            standalone = prompting.standalone_question(written, question)
        watch.note("standalone")
        passages = self.find_passages(standalone, documents)
        watch.note("retrieval")
        yield PassagesFound(passages)

        def finished(text: str, claims: tuple[Claim, ...], reason: Reason, confidence: float) -> Finished:
            abstained = reason is not Reason.ANSWERED
            models = Models(self.embedder.name, self.engine.model, self.engine.name)
            return Finished(
                Answer(
                    question=question,
                    standalone_question=standalone,
                    text=prompting.ABSTENTION if abstained else text,
                    claims=() if abstained else claims,
                    passages=passages,
                    abstained=abstained,
                    reason=reason,
                    confidence=confidence,
                    timings=watch.timings(),
                    models=models,
                )
            )

        if not passages:
            yield finished("", (), Reason.NOTHING_FOUND, 0.0)
            return
        check = prompting.check_prompt(standalone, passages)
        # Reading is what takes long, and while it warms up an engine can be stopped; `choose` can't be.
        yield from _stoppable(self.engine.warm(check))
        confidence = self.engine.choose(check, prompting.YES_NO)[0]
        watch.note("checking")
        if confidence < self.settings.min_answerable:
            yield finished("", (), Reason.UNLIKELY, confidence)
            return
        grounder = Grounder(passages)
        pieces = self.engine.stream(prompting.answer_prompt(standalone, passages), Limits(self.settings.answer_tokens))
        written = yield from _as_text(cited_pieces(pieces, grounder), watch)
        watch.note("generation")
        text, claims = grounder.ground(written)
        if is_abstention(text):
            yield finished("", (), Reason.READER_ABSTAINED, confidence)
        elif all(claim.verdict is Verdict.UNSUPPORTED for claim in claims):
            yield finished("", (), Reason.UNSUPPORTED, confidence)
        else:
            yield finished(text, claims, Reason.ANSWERED, confidence)

    def recall(self, question: str) -> Answer:
        """What the reader says from memory, with nothing to read: shows how much of a score is memory."""
        question = check_question(question)
        watch = _Stopwatch()
        pieces = self.engine.stream(prompting.recall_prompt(question), Limits(self.settings.answer_tokens))
        text = "".join(pieces).strip()
        watch.note("generation")
        abstained = is_abstention(text)
        return Answer(
            question=question,
            standalone_question=question,
            text=prompting.ABSTENTION if abstained else text,
            claims=(),
            passages=(),
            abstained=abstained,
            reason=Reason.READER_ABSTAINED if abstained else Reason.ANSWERED,
            confidence=0.0,
            timings=watch.timings(),
            models=Models(self.embedder.name, self.engine.model, self.engine.name),
        )

    def find_passages(self, question: str, documents: frozenset[str] | None = None) -> tuple[Passage, ...]:
        """What the reader would be given to read, from the newest state of the library."""
        budget = Budget(self.settings.passages, self.settings.passage_tokens, self.engine.count_tokens)
        with self.library.snapshot() as catalogue:
            return retrieve(question, self.embedder, catalogue, budget, self.settings.candidates, documents)

    def read_ahead(self, question: str, passages: Sequence[Passage]) -> Iterator[None]:
        """Have the engine read what it would to answer from `passages`; iterating does the work, a batch at a time."""
        if passages:
            yield from self.engine.warm(prompting.check_prompt(check_question(question), passages))

    def conditions(self) -> Conditions:
        """What answers depend on now, the content of the library included. Reads the reader's weights: seconds."""
        settings = self.settings.model_dump(mode="json", include=set(ANSWER_SETTINGS))
        revisions = {
            "embedder": self.embedder.revision,
            "reader": _reader_revision(self.settings),
            "code": code_revision(),
        }
        models = Models(self.embedder.name, self.engine.model, self.engine.name)
        return Conditions(settings, models, revisions, library_fingerprint(self.library))

    def close(self) -> None:
        """Free models and library. Safe to call twice."""
        self.engine.close()
        self.library.close()


def check_question(question: str) -> str:
    """The question without surrounding whitespace, in characters that UTF-8 can hold.

    Raises QuestionError when it is empty or too long.
    """
    question = question.encode("utf-8", "replace").decode("utf-8").strip()
    if not question:
        raise QuestionError("The question is empty. Ask something, such as: how much does TikTok pay Microsoft?")
    if len(question) > QUESTION_CHARACTERS:
        raise QuestionError(
            f"The question has {len(question):,} characters; at most {QUESTION_CHARACTERS:,} are accepted. Shorten it."
        )
    return question


def open_pipeline(settings: Settings, report: Report | None = None, *, repeatable: bool = False) -> Pipeline:
    """Load library and models, fetching what isn't here yet. Raises the RagError of whatever is missing or broken.

    `repeatable` is for `Pipeline.forget`, see `open_engine`.

    The library comes first: who has not indexed anything, or did so with other settings, learns it before a gigabyte
    is loaded.
    """
    open_library(settings.index, _made_with(settings)).close()
    embedder = open_embedder(settings, report)
    library = open_library(settings.index, library_identity(settings, embedder))
    try:
        return Pipeline(settings, library, embedder, open_reader(settings, report, repeatable=repeatable))
    except BaseException:
        library.close()
        raise


def index_articles(
    settings: Settings, paths: Sequence[Path] = (), *, start_over: bool = False, report: Report | None = None
) -> IndexReport:
    """`index_paths` with the library and the embedder of the settings.

    The model is loaded by the first article that has to be embedded: where none has, all is done in a second.
    """
    report = report or _silent
    if paths:
        find_files(paths)  # a wrong path is said before a model is fetched for it
    try:
        dimension = None if start_over else _made_with(settings).dimension
    except LibraryEmpty:
        if not paths:
            raise
        dimension = None
    folder = ensure(settings.embedder, settings.models, offline=settings.offline, report=report)
    revision = weights_revision(folder)
    embedder = EmbedderOnDemand(
        settings.embedder, revision, dimension, lambda: _load_embedder(folder, settings.embedder, revision, report)
    )
    identity = library_identity(settings, embedder)
    return index_paths(paths, settings.index, identity, embedder, start_over=start_over, report=report)


def open_embedder(settings: Settings, report: Report | None = None) -> SentenceTransformerEmbedder:
    """The embedder of the settings, fetched when it isn't here yet."""
    report = report or _silent
    folder = ensure(settings.embedder, settings.models, offline=settings.offline, report=report)
    return _load_embedder(folder, settings.embedder, weights_revision(folder), report)


def open_reader(settings: Settings, report: Report | None = None, *, repeatable: bool = False) -> Engine:
    """The reader of the settings in the engine of the settings, fetched when it isn't here yet."""
    share_processor_politely()
    report = report or _silent
    path = ensure(settings.reader, settings.models, offline=settings.offline, report=report)
    report(f"Loading {settings.reader}", 0, 1)
    window = settings.passage_tokens + settings.passages * TITLE_TOKENS + settings.answer_tokens + REQUEST_TOKENS
    engine = open_engine(settings.engine, path, settings.reader, window, settings.threads, report, repeatable)
    report(f"Loading {settings.reader}", 1, 1)
    return engine


def library_fingerprint(library: Library) -> str:
    """12 hex digits that libraries with equal articles, titles and chunks have in common, wherever they lie."""
    with library.snapshot() as now:
        identity = now.manifest.identity
        articles = sorted((listed.content_hash, listed.title) for listed in now.documents())
    return hashlib.sha256(repr((identity, articles)).encode()).hexdigest()[:12]


def code_revision() -> str:
    """12 hex digits that stand for the code answers come from: what is known about older code says nothing about it."""
    package = Path(__file__).parent
    files = sorted(file for name in ANSWERING for file in [package / f"{name}.py", *(package / name).rglob("*.py")])
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def weights_revision(folder: Path) -> str:
    """The first 12 hex digits of the sha256 of an embedder's weights; takes 0.1 to 0.5 s.

    Weights in several files count as one, joined by their order. Raises ModelError where there are none.
    """
    files = sorted(folder.rglob("*.safetensors"))
    if not files:
        raise ModelError(
            f"{folder} holds no embedder: there are no weights (.safetensors) in it. "
            "Name a folder with a sentence-transformers model, or one that is known, in RAG_EMBEDDER."
        )
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as weights:
            hashlib.file_digest(weights, lambda: digest)
    return digest.hexdigest()[:12]


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

    def count_tokens(self, text: str) -> int:
        """See `Embedder.count_tokens`."""
        return self._model.count_tokens(text)


def _made_with(settings: Settings) -> Identity:
    """What the library there is depends on; its dimension is that of the embedder, for another's is refused.

    Raises LibraryEmpty where there is none, and LibraryMismatch where the settings alone show that it is another's.
    """
    with Library(settings.index) as library:
        made = library.manifest.identity
    wanted = replace(
        made, embedder=settings.embedder, chunk_tokens=settings.chunk_tokens, chunk_overlap=settings.chunk_overlap
    )
    with Library(settings.index, wanted) as library:
        return library.manifest.identity


def _reader_revision(settings: Settings) -> str:
    """The first 12 hex digits of the sha256 of the reader's weights, empty where they aren't on this machine."""
    path = status(settings.reader, settings.models).path
    if path.is_dir():
        return weights_revision(path)
    if not path.is_file():
        return ""
    with path.open("rb") as weights:
        return hashlib.file_digest(weights, "sha256").hexdigest()[:12]


def _load_embedder(folder: Path, name: str, revision: str, report: Report) -> SentenceTransformerEmbedder:
    share_processor_politely()
    report(f"Loading {name}", 0, 1)
    embedder = SentenceTransformerEmbedder(folder, name, revision)
    report(f"Loading {name}", 1, 1)
    return embedder


def _stoppable(work: Iterator[None]) -> Iterator[TextPiece]:
    """An empty piece after each step of `work`."""
    for _ in work:
        yield TextPiece("")


def _as_text(pieces: Generator[str, None, str], watch: "_Stopwatch") -> Generator[TextPiece, None, str]:
    """The pieces as events; what the generator returns, when it has ended."""
    seen = False
    while True:
        try:
            piece = next(pieces)
        except StopIteration as end:
            written: str = end.value
            return written
        if piece and not seen:
            watch.note_first_token()
            seen = True
        yield TextPiece(piece)


def _overheard(pieces: Iterator[str]) -> Generator[TextPiece, None, str]:
    """Collect text that isn't part of the answer; an empty piece for each of its pieces keeps it stoppable."""
    text = ""
    for piece in pieces:
        text += piece
        yield TextPiece("")
    return text


class _Stopwatch:
    """Seconds per stage: `note` closes the stage of that name."""

    def __init__(self) -> None:
        self._started = self._stage_started = time.perf_counter()
        self._timings = Timings()

    def note(self, stage: str) -> None:
        now = time.perf_counter()
        self._timings = replace(self._timings, **{stage: now - self._stage_started})
        self._stage_started = now

    def note_first_token(self) -> None:
        self._timings = replace(self._timings, first_token=time.perf_counter() - self._started)

    def timings(self) -> Timings:
        return replace(self._timings, total=time.perf_counter() - self._started)


def _silent(what: str, done: int, total: int) -> None:
    """Report to nobody."""
