"""What is known of a question beforehand, and what an evaluation found out, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rag.types import Answer, Conditions, Failure, Question


class Mode(StrEnum):
    """What the reader is given to read."""

    NORMAL = "normal"
    CLOSED_BOOK = "closed book"
    """Nothing: shows how much of a score is memory."""
    ORACLE = "oracle"
    """The documents that hold the answer: shows what is left to retrieval."""
    RETRIEVAL = "retrieval only"
    """No reader at all."""


class Stage(StrEnum):
    """Where a wrong answer went wrong."""

    FAILED = "failed with an error"
    NOT_IN_LIBRARY = "not in the library"
    NOT_RETRIEVED = "not retrieved"
    CUT = "retrieved but cut from the prompt"
    REFUSED_WRONGLY = "refused wrongly"
    READ_WRONGLY = "read wrongly"
    CITED_WRONGLY = "cited wrongly"
    SHOULD_HAVE_REFUSED = "should have refused"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a set says that an answer stands."""

    document: str
    """As the set calls it: the id of a line of `documents.jsonl`, or a file's name."""
    text: str
    """The sentence or excerpt; empty where the set names the document only."""
    start: int | None
    """Offset of `text` in the document, where the set says so."""


@dataclass(frozen=True, slots=True)
class Gold:
    """What a set knows about the answer to one question."""

    answers: tuple[str, ...]
    """Accepted short forms; empty where the set has none, or the question can't be answered."""
    answerable: bool
    evidence: tuple[Evidence, ...]
    relevance: Mapping[str, int]
    """Document id → grade above 0, from `qrels.tsv` or else 1 for each document of the evidence."""
    wrong_answers: tuple[str, ...]
    """What false documents of the library say."""
    must_not_contain: tuple[str, ...]
    """What only an answer that obeys an instruction in a document would hold."""


@dataclass(frozen=True, slots=True)
class Score:
    """One number about a whole set."""

    group: str
    """What it is about: retrieval, answers, refusing, citations, robustness or cost."""
    name: str
    value: float
    low: float
    high: float
    """`low` to `high` is the 95 % bootstrap interval."""
    count: int
    """Questions it was computed over."""
    higher_is_better: bool
    is_share: bool
    """In [0, 1], to be shown in per cent; others are shown as numbers (seconds, tokens)."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One question, what became of it, and how that was judged."""

    question: Question
    gold: Gold
    outcome: Answer | Failure | None
    """None where no reader was asked."""
    right: bool | None
    """None where it can't be told: a question that should be answered but has no accepted answers, or no reader."""
    measures: Mapping[str, float]
    """By name of the score that is their mean over those questions that have it; shares as 0 or 1 or between."""
    stage: Stage | None
    """What a wrong outcome is put down to; None where it isn't wrong."""

    @property
    def answerable(self) -> bool:
        return self.gold.answerable

    @property
    def confidence(self) -> float | None:
        """Of the answer; None where there is none."""
        return self.outcome.confidence if isinstance(self.outcome, Answer) else None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One run of a question set."""

    name: str
    """Of the set: its folder's or file's name."""
    mode: Mode
    made: str
    """ISO 8601, UTC, to the second."""
    command: str
    """What makes it again."""
    conditions: Conditions
    scores: tuple[Score, ...]
    questions: tuple[Judged, ...]
