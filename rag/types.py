"""The values that flow between stages, and the few methods a replaceable part must have.

Everything here is frozen: a stage takes values and returns new ones. All offsets count characters (Python's `str`
indices), start inclusive, end exclusive, and point into `Document.text` unless a docstring says otherwise.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:  # NumPy takes a tenth of a second to load, and here it only names types
    import numpy as np
    from numpy.typing import NDArray

Vectors: TypeAlias = "NDArray[np.float32]"
"""Shape (n, dimension), every row of Euclidean length 1."""

Ids: TypeAlias = "NDArray[np.int64]"
"""Shape (n,): row ids of chunks in the library."""

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (done, total) in units of the work at hand, at least once at its end."""


class Verdict(StrEnum):
    """How well the cited sentences carry an answer sentence."""

    SUPPORTED = "supported"
    PARTLY_SUPPORTED = "partly supported"
    UNSUPPORTED = "unsupported"


class Reason(StrEnum):
    """Why an answer ended as it did."""

    ANSWERED = "answered"
    READER_ABSTAINED = "the reader found no answer in the passages"
    NOTHING_FOUND = "no passage has anything to do with the question"
    UNLIKELY = "the passages probably don't state the answer"
    UNSURE = "the answer found is probably wrong"
    UNSUPPORTED = "nothing in the passages supports the answer"


@dataclass(frozen=True, slots=True)
class Document:
    id: str
    """Stable across re-indexing: derived from `source`."""
    title: str
    text: str
    source: str
    """Where the text came from: a file's path or a URL."""
    published: str | None
    """ISO 8601 date, or None where the article doesn't say."""
    author: str | None
    content_hash: str
    """sha256 (hex) of the bytes the document was made from: of the whole file where it holds several documents."""
    url: str | None = None
    """Where the article says it was published: an http or https address."""
    pages: tuple[int, ...] = ()
    """Offset at which each page begins, in order, the first 0; empty where there are no pages. See `page_of`."""
    part: str = ""
    """Which document of a file that holds several, such as "inner.md" or "3"; `source` then ends in "#" and this."""

    @property
    def file(self) -> str:
        """What the document was read from: `source` without its part."""
        return self.source.removesuffix(f"#{self.part}") if self.part else self.source


def page_of(document: Document, offset: int) -> int | None:
    """The number, counted from 1, of the page on which a character stands; None where there are no pages."""
    return bisect_right(document.pages, offset) or None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of whole sentences: `document.text[start:end]`."""

    id: str
    document_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hit:
    chunk: Chunk
    score: float
    """Comparable only between hits of one search; higher is better."""
    found_by: tuple[str, ...]
    """Names of the searches that found it, such as ("dense", "words")."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What the reader is given to read."""

    number: int
    """What the reader of an answer sees in brackets; counts from 1."""
    chunk: Chunk
    document: Document
    text: str
    """`document.text[chunk.start:chunk.end]`"""
    copies: tuple[str, ...] = ()
    """Sources of the library's other versions of the document, such as copies of the same report."""
    stale: str = ""
    """"changed" or "missing" where the document's file isn't what was indexed any more; see `rag.syncing.Staleness`."""


@dataclass(frozen=True, slots=True)
class Timeframe:
    """What a question asks of the time at which articles were published; `ANY_TIME` where it doesn't speak of time."""

    first: date | None = None
    """The earliest day, or None for no beginning."""
    last: date | None = None
    """The latest day, or None for no end."""
    newest: bool = False
    """Of articles that are about equally relevant, the newest is meant."""
    required: bool = False
    """The days are those of publication in so many words: an article known to be of other days isn't meant."""
    asked: date | None = None
    """The day on which it was asked, where the question counts from it, as "last week" does."""

    def holds(self, day: date) -> bool:
        """Whether the day is one of the days from `first` to `last`."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    @property
    def limited(self) -> bool:
        """Whether there are days that it doesn't hold."""
        return not (self.first is None and self.last is None)


ANY_TIME = Timeframe()


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange of a conversation."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt in parts, in the order in which the model reads them.

    An engine may keep what it computed for the first parts and reuse it when the next prompt begins alike.
    """

    instructions: str
    passages: tuple[str, ...]
    request: str


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop generating."""

    max_tokens: int
    stop: tuple[str, ...] = ()
    """Generation ends before the first of these; none of it is yielded."""


@dataclass(frozen=True, slots=True)
class Citation:
    """The sentence of an article that supports a claim: `passage.document.text[start:end]`."""

    passage: Passage
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.passage.document.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer: `answer.text[start:end]`."""

    text: str
    start: int
    end: int
    citations: tuple[Citation, ...]
    verdict: Verdict
    score: float
    """In [0, 1]: how probable it is that the citations carry all the sentence says; see `rag.grounding.support`."""


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds, by the wall clock."""

    standalone: float = 0.0
    """Making a follow-up question stand alone."""
    retrieval: float = 0.0
    checking: float = 0.0
    """Asking the reader whether the passages state an answer, and whether what it wrote is that answer."""
    first_token: float = 0.0
    """From the question to the first word shown; 0 where none was."""
    generation: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Models:
    """What produced an answer."""

    embedder: str
    reader: str
    engine: str


@dataclass(frozen=True, slots=True)
class Answer:
    question: str
    standalone_question: str
    """The question as it was searched for; equals `question` unless it leaned on earlier turns."""
    text: str
    """The sentences without citation marks; `claims` says what supports each."""
    claims: tuple[Claim, ...]
    """In reading order; empty when `abstained`."""
    passages: tuple[Passage, ...]
    abstained: bool
    reason: Reason
    confidence: float
    """In [0, 1]: how probable it is that the answer is right, by the calibration in use.

    Of an answer refused before it was written it is how probable it could have become at most.
    """
    timings: Timings
    models: Models
    signals: Mapping[str, float] = field(default_factory=dict)
    """What the confidence was made of, by name; see `rag.pipeline.signals`."""
    timeframe: Timeframe = ANY_TIME
    """Which articles were preferred, or alone were searched, for what the question says about time."""


@dataclass(frozen=True, slots=True)
class PassagesFound:
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class TextPiece:
    """The next piece of the answer as it is written; a citation mark such as `[2]` always comes whole."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    answer: Answer


Event: TypeAlias = PassagesFound | TextPiece | Finished


@dataclass(frozen=True, slots=True)
class Question:
    """One row of a question file."""

    row: int
    """Counts from 1; lines without a question count too."""
    id: str
    text: str
    documents: tuple[str, ...]
    """Ids, paths or file names of the only articles to be searched; empty for all of them."""
    carried: Mapping[str, object]
    """The row's other columns, as they came."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a question has no answer: a message of the kind that `RagError`s hold."""

    message: str


@dataclass(frozen=True, slots=True)
class Conditions:
    """What an answer depends on besides its question: two answers made under equal conditions are equal."""

    settings: Mapping[str, str | bool | int | float]
    """Those that make a difference to answers, by name."""
    models: Models
    revisions: Mapping[str, str]
    """What identifies the weights of "embedder" and "reader", and the "code" of Citeline."""
    library: str
    """What identifies the library's content, whatever folder it lies in."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What became of one question of a file."""

    question: Question
    outcome: Answer | Failure
    conditions: Conditions


class Embedder(Protocol):
    """Turns text into unit vectors whose inner product is similarity."""

    @property
    def name(self) -> str: ...

    @property
    def revision(self) -> str:
        """Identifies the weights: embedders with equal name and revision give vectors that can be compared."""
        ...

    @property
    def dimension(self) -> int: ...

    @property
    def max_tokens(self) -> int:
        """Word pieces read of a text, special tokens included; the rest is ignored."""
        ...

    def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors: ...

    def embed_query(self, text: str) -> Vectors:
        """Shape (1, dimension)."""
        ...

    def embed_tokens(self, texts: Sequence[str]) -> list[tuple[Vectors, list[tuple[int, int]]]]:
        """Of each text: a unit row for every word piece, read in its context, and where the pieces stand in the text.

        Special tokens and what is beyond `max_tokens` are left out.
        """
        ...

    def count_tokens(self, text: str) -> int:
        """Word pieces of `text`, special tokens included."""
        ...


class Engine(Protocol):
    """A language model. One call at a time: callers on other threads wait."""

    @property
    def name(self) -> str:
        """Of the engine, such as "llama_cpp"."""
        ...

    @property
    def model(self) -> str: ...

    @property
    def context_tokens(self) -> int:
        """The longest prompt and answer together."""
        ...

    def stream(self, prompt: Prompt, limits: Limits) -> Iterator[str]:
        """Yield pieces of the answer, chosen greedily. Closing the iterator stops the work at once.

        Empty pieces come while the prompt is still being read, so that the caller gets a chance to stop. Raises
        EngineError when the prompt doesn't fit.
        """
        ...

    def choose(self, prompt: Prompt, options: Sequence[str]) -> tuple[float, ...]:
        """Probability of each option as the beginning of the answer, by its first token; they sum to 1.

        Raises EngineError when two options begin with the same token.
        """
        ...

    def warm(self, prompt: Prompt) -> Iterator[None]:
        """Process the parts known so far, so that a prompt that begins alike starts sooner.

        Works while it is iterated, a batch of tokens at a time; closing the iterator stops it.
        """
        ...

    def forget(self) -> None:
        """Compute the next prompt from its beginning.

        What was reused was computed in batches of other sizes, which moves probabilities a little; after this an
        answer is the same whatever was asked before.
        """
        ...

    def count_tokens(self, text: str) -> int: ...

    def close(self) -> None:
        """Free the model's memory. Safe to call twice."""
        ...


class VectorStore(Protocol):
    """Vectors under integer ids, searched by inner product."""

    def add(self, ids: Ids, vectors: Vectors) -> None: ...

    def remove(self, ids: Ids) -> None:
        """Ids that aren't there are ignored."""
        ...

    def search(self, query: Vectors, k: int, among: "Ids | None" = None) -> list[tuple[int, float]]:
        """The `k` ids most similar to the one row of `query`, best first; only ids in `among` where given."""
        ...

    def __len__(self) -> int: ...


class Version(Protocol):
    """A document of which there are others like it."""

    @property
    def id(self) -> str: ...

    @property
    def source(self) -> str: ...


class Catalogue(Protocol):
    """What retrieval needs of a library."""

    def nearest(self, query: Vectors, k: int, documents: frozenset[str] | None = None) -> list[Hit]:
        """Chunks by similarity of meaning, best first; only of the documents with these ids where given."""
        ...

    def matching(self, question: str, k: int, documents: frozenset[str] | None = None) -> list[Hit]:
        """Chunks by BM25 of the question's words, best first."""
        ...

    def documents_by_id(self, ids: Iterable[str]) -> dict[str, Document]: ...

    def duplicates_of(self, document_id: str) -> Sequence[Version]:
        """The other documents that are versions of this one, such as copies of the same report."""
        ...

    def dates(self) -> Mapping[str, str | None]:
        """`Document.published` of every document, by id."""
        ...
