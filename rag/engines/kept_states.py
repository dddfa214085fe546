"""What was read for earlier prompts, kept in memory for when a conversation is returned to.

Between two questions of a reader about the same passages, the model reads other things: the prompt that makes the
second question stand alone, the comparison of two articles, what another reader asks. With the states of earlier
prompts kept, the passages needn't be read again after that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.engines.chat import common_beginning

KEPT_MIB = 256
"""Memory for the states of earlier prompts: about 9,000 tokens of the default reader at 28 KiB each."""

WORTH_KEEPING = 128
"""Tokens. What would save less reading than a batch is not kept, such as one question after the same passages."""


class State(Protocol):
    """A model's cache at one moment; later steps of the model leave it alone."""

    @property
    def bytes(self) -> int: ...

    def restore(self, length: int) -> None:
        """Have the model hold the first `length` tokens of it, and nothing else."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """The state of a model that has read just these tokens."""

    tokens: tuple[int, ...]
    state: State


class KeptStates:
    """Keeps states up to a limit in bytes; the one that hasn't been used for longest goes first."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._kept: list[Kept] = []  # the latest used last

    @property
    def bytes(self) -> int:
        """Of all states together."""
        return sum(kept.state.bytes for kept in self._kept)

    def keep(self, tokens: Sequence[int], state: State) -> None:
        """Keep a state, unless one is kept already that has nearly all of it; it replaces those that it nearly has.

        "Nearly" means up to `WORTH_KEEPING` tokens at the end.
        """
        new = Kept(tuple(tokens), state)
        self._kept = [kept for kept in self._kept if not _nearly_has(new, kept)]
        holder = next((kept for kept in self._kept if _nearly_has(kept, new)), None)
        if holder:
            self._use(holder)
            return
        if state.bytes > self.most_bytes:
            return
        self._kept.append(new)
        while self.bytes > self.most_bytes:
            del self._kept[0]

    def closest(self, tokens: Sequence[int], more_than: int) -> tuple[State, int] | None:
        """The state that has most of the beginning of `tokens`, and how many of them; None where none has `more_than`.

        It counts as used.
        """
        best = max(self._kept, key=lambda kept: common_beginning(kept.tokens, tokens), default=None)
        shared = common_beginning(best.tokens, tokens) if best else 0
        if best is None or shared <= more_than:
            return None
        self._use(best)
        return best.state, shared

    def clear(self) -> None:
        self._kept.clear()

    def _use(self, kept: Kept) -> None:
        self._kept.remove(kept)
        self._kept.append(kept)


def _nearly_has(holder: Kept, other: Kept) -> bool:
    return len(other.tokens) - common_beginning(holder.tokens, other.tokens) < WORTH_KEEPING
