"""What was done for a question before it was asked, as a value: who asks hands it in, who doesn't gets the same answer.

It saves work, and changes nothing else: what was made for another question isn't used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rag.types import Prompt, Turn


@dataclass(frozen=True, slots=True)
class Prepared:
    """How far the question of one reader has been prepared while it was typed."""

    question: str = ""
    history: tuple[Turn, ...] = ()
    standalone: str = ""
    """What the reader made of `question` after `history`; empty where it wasn't asked, or hasn't finished."""
    answerable: Mapping[Prompt, float] = field(default_factory=dict)
    """By prompt, at most one: the probability that the passages state the answer, as the reader was asked by it."""

    def standalone_for(self, question: str, history: Sequence[Turn]) -> str:
        """The question made to stand alone, where just that was prepared; else empty."""
        return self.standalone if (question, tuple(history)) == (self.question, self.history) else ""


UNPREPARED = Prepared()
