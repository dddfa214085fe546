"""How an answer came about, as values: what was found and cut, what the reader was asked, how the decision fell.

`rag.retrieval.explain` and `Pipeline.inspect` make them, `rag.rendering` shows them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.types import ANY_TIME, Answer, Chunk, Document, Passage, Prompt, Timeframe

NOTABLE = 0.001
"""Seconds: a stage that took less was none."""


class Fate(StrEnum):
    """What became of a chunk that was found."""

    GIVEN = "given to the reader"
    NO_PLACE = "all places were taken"
    OVER_BUDGET = "too long for the tokens left"
    SAME_WORDS = "says what a better one says, word for word"
    COPY = "another version of its article says the same"
    OTHER_TIME = "its article is of another time than is asked for"
    OUT_OF_DATE = "a newer article says otherwise"


class Purpose(StrEnum):
    """What the reader is asked for."""

    STANDALONE = "make the question stand alone"
    CHECK = "do the passages state the answer?"
    ANSWER = "write the answer"
    VERIFY = "is what was written the answer?"
    RECALL = "answer from memory"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step of retrieval put a chunk."""

    score: float
    """Comparable only within the step; higher is better."""
    rank: int | None
    """From 1; None where the step didn't find the chunk by itself, and its score was looked up, or left it out."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk on its way through retrieval."""

    chunk: Chunk
    document: Document
    dense: Place | None
    """By similarity of meaning: the cosine. None where it is unknown."""
    words: Place | None
    """By BM25; None where the chunk holds no word of the question."""
    mixed: Place | None
    """By both; see `rag.reranking.weigh`. Its rank is None where only a part of the question found the chunk.

    None where the chunk was left out before: `COPY` or `OTHER_TIME`.
    """
    reranked: Place | None
    """After close reading, in the order in which chunks are considered for the reader; None as for `mixed`."""
    best: tuple[int, int] | None
    """Its sentence most like the question, as offsets into the document; None where it wasn't read closely."""
    relevance: float | None
    """Of that sentence, in [-1, 1]."""
    best_of: str
    """The part of the question for which it is the best chunk and so comes first; empty for none."""
    preferred: bool
    """Its article is of the days that the question speaks of, which may put it before what has a better score."""
    fate: Fate
    passage: int | None
    """Number of the passage that holds it; None unless `GIVEN`."""

    @property
    def text(self) -> str:
        return self.document.text[self.chunk.start : self.chunk.end]

    @property
    def best_sentence(self) -> str:
        return self.document.text[slice(*self.best)] if self.best else ""


@dataclass(frozen=True, slots=True)
class Explained:
    """What retrieval found, and how."""

    parts: tuple[str, ...]
    """What was searched for besides the whole question."""
    candidates: tuple[Candidate, ...]
    """In the order in which they were considered for the reader; after them those that were left out before."""
    passages: tuple[Passage, ...]
    similarity: float
    """See `rag.retrieval.Retrieved`."""
    timeframe: Timeframe = ANY_TIME
    """What was preferred, or alone was searched, for its date."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One prompt the reader got. Tokens are the reader's, without those of its chat template."""

    purpose: Purpose
    prompt: Prompt
    instruction_tokens: int
    passage_tokens: tuple[int, ...]
    """Of each of the prompt's passages, in order."""
    request_tokens: int

    @property
    def tokens(self) -> int:
        return self.instruction_tokens + sum(self.passage_tokens) + self.request_tokens


@dataclass(frozen=True, slots=True)
class Stage:
    """Part of the time an answer took."""

    name: str
    seconds: float
    share: float
    """Of all, in [0, 1]; all shares sum to 1 where it took any time."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A signal and what it adds to the confidence."""

    name: str
    """See `rag.pipeline.signals`."""
    value: float
    weight: float
    """Log-odds for a rise from 0 to 1; 0 where the calibration doesn't use the signal."""
    gain: float
    """How much lower, in [0, 1], the confidence would be were the value 0."""
    assumed: bool
    """The value wasn't known yet, and is the best it could have become."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What giving or refusing the answer went by, as the settings are now."""

    signals: tuple[Weighed, ...]
    """Empty where none were taken."""
    intercept: float
    """Log-odds of an answer whose signals are all 0."""
    confidence: float
    """By these signals and the calibration in use; the answer's own may have been made with another."""
    threshold: float
    """The confidence from which on answers are given."""
    max_wrong: float
    """Share of the answers given that may be wrong, by the settings."""
    risk: float
    """Share that was wrong from the threshold on, among the questions the calibration was fitted on."""
    questions: int
    """How many these were."""
    strict: bool
    """Whether sentences that nothing supports are left out."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """How an answer came about, worked out again from what it keeps."""

    answer: Answer
    found: Explained
    """By the library as it is now; see `changes`."""
    most_passages: int
    """The settings that cut candidates: how many passages, and how many tokens of them."""
    most_tokens: int
    prompts: tuple[Asked, ...]
    """In the order the reader got them, with the passages the answer was made from."""
    answer_tokens: int
    """Of the text shown; 0 where the answer was refused."""
    stages: tuple[Stage, ...]
    decision: Decision
    changes: tuple[str, ...]
    """What is no longer as it was when the answer was made, each a sentence; empty where nothing is known to be."""


def shares(seconds: Sequence[tuple[str, float]]) -> tuple[Stage, ...]:
    """Stages of which each took so long; those that took less than a thousandth of a second are left out.

    >>> shares([("search", 1.0), ("checking", 0.0), ("writing", 3.0)])
    (Stage(name='search', seconds=1.0, share=0.25), Stage(name='writing', seconds=3.0, share=0.75))
    """
    notable = [(name, spent) for name, spent in seconds if spent >= NOTABLE]
    total = sum(spent for _, spent in notable)
    return tuple(Stage(name, spent, spent / total) for name, spent in notable)
