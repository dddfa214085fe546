"""How much of the text that matters was retrieved, and how much besides."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end`, the latter exclusive, of a document. Raises ValueError where they are no range."""

    document: str
    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"Characters {self.start} to {self.end} are no range.")


@dataclass(frozen=True, slots=True)
class ExcerptMeasures:
    """Shares, each in [0, 1]."""

    recall: float
    """Of the gold text, what was retrieved."""
    precision: float
    """Of the retrieved text, what is gold."""
    iou: float
    """Of all that is gold or retrieved, what is both."""


def excerpt_measures(retrieved: Sequence[Span], gold: Sequence[Span]) -> ExcerptMeasures:
    """Recall, precision and intersection over union of two sets of characters.

    Smith and Troynikov, "Evaluating Chunking Strategies for Retrieval", Chroma technical report, 2024. The report
    speaks of tokens; its published code counts characters, as is done here. Text that several passages hold counts once
    here, but as often as it was retrieved in the report's precision and IoU; where no passages overlap both agree.

    Nothing retrieved gives 0 for all three. Raises ValueError where `gold` holds no characters.
    """
    wanted, got, either = _characters(gold), _characters(retrieved), _characters([*gold, *retrieved])
    if not wanted:
        raise ValueError("The gold excerpts hold no characters.")
    both = wanted + got - either
    return ExcerptMeasures(both / wanted, both / got if got else 0.0, both / either)


def _characters(spans: Sequence[Span]) -> int:
    """How many characters the spans cover; one that several spans share counts once."""
    covered = 0
    document, reached = "", 0
    for span in sorted(spans, key=lambda span: (span.document, span.start)):
        if span.document != document:
            document, reached = span.document, 0
        covered += max(0, span.end - max(span.start, reached))
        reached = max(reached, span.end)
    return covered
