"""A conversation as values: each exchange is a question and its outcome so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from rag.types import Answer, Passage


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer that is on its way."""

    doing: str
    """What happens before the first word, such as "Searching the articles"."""
    passages: tuple[Passage, ...] = ()
    text: str = ""
    """As the model writes it, with its marks."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """An answer that the reader of the page stopped."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error instead of an answer."""

    message: str
    passages: tuple[Passage, ...] = ()


Outcome: TypeAlias = Draft | Stopped | Trouble | Answer


@dataclass(frozen=True, slots=True)
class Exchange:
    """`number` counts from 1 within the conversation."""

    number: int
    question: str
    outcome: Outcome

    @property
    def scope(self) -> str:
        """What tells its marks and sources from those of other exchanges."""
        return str(self.number)


class Vote(StrEnum):
    """What a reader thinks of an answer."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Feedback:
    """A reader's vote on an exchange."""

    vote: Vote
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A saved conversation, whole."""

    id: str
    """Empty where it is a shared copy, which has no other name than its token."""
    title: str
    began: datetime
    """As `changed`, in UTC."""
    changed: datetime
    exchanges: tuple[Exchange, ...]
    """By number."""
    feedback: Mapping[int, Feedback] = field(default_factory=dict)
    """By the number of the exchange."""
    token: str | None = None
    """Opens its shared copy; None where it isn't shared."""
