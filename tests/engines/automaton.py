"""A language model small enough to be followed by hand."""

import itertools
import random
from dataclasses import dataclass, field

import numpy as np

from rag.engines.chat import ChatFrame
from rag.engines.kept_states import KEPT_MIB
from rag.engines.stepped import Logits, SteppedEngine
from rag.types import Limits, Prompt

LETTERS = "abcdefgh"
END = len(LETTERS)
"""The token that ends an answer; only a chat template can put it into a prompt, where it is written as a dot."""


@dataclass
class Automaton:
    """A `StepModel` with one token a letter, which continues with what `follows` the last two letters of its cache.

    A pair that isn't there is followed by "a", one with "" by the end. The logit of what follows is 1, of the rest 0.
    """

    follows: dict[str, str]
    can_truncate: bool = True
    breaks_off: int = 0
    """The number of the step, from 1, that is interrupted after it has put its first token into the cache."""
    ends: frozenset[int] = frozenset({END})
    cache: list[int] = field(default_factory=list)
    steps: list[tuple[str, str]] = field(default_factory=list)
    """(cache before, tokens) of every step."""
    closed: bool = False

    def step(self, tokens: list[int], last_only: bool) -> Logits:
        self.steps.append((letters(self.cache), letters(tokens)))
        if len(self.steps) == self.breaks_off:
            self.cache += tokens[:1]
            raise KeyboardInterrupt
        rows = np.zeros((len(tokens), len(LETTERS) + 1), dtype=np.float32)
        for row, token in zip(rows, tokens, strict=True):
            self.cache.append(token)
            follower = self.follows.get(letters(self.cache[-2:]), "a")
            row[LETTERS.index(follower) if follower else END] = 1
        return rows[-1:] if last_only else rows

    def truncate(self, length: int) -> None:
        assert self.can_truncate
        assert length <= len(self.cache)
        del self.cache[length:]

    def clear(self) -> None:
        self.cache.clear()

    def state(self) -> "Snapshot | None":
        return Snapshot(self, tuple(self.cache)) if self.can_truncate else None

    def tokens(self, text: str, control: bool, begins: bool) -> list[int]:  # noqa: ARG002  has no first token
        assert not self.closed
        known = f"{LETTERS}." if control else LETTERS
        return [known.index(letter) for letter in text if letter in known]

    def text(self, tokens: list[int]) -> str:
        return letters(tokens)

    def close(self) -> None:
        self.closed = True

    def greedy(self, text: str, max_tokens: int) -> str:
        """What plain decoding writes after `text`, one letter at a time."""
        written = text
        while len(written) < len(text) + max_tokens and (follower := self.follows.get(written[-2:], "a")):
            written += follower
        return written[len(text) :]


@dataclass(frozen=True)
class Snapshot:
    """What an automaton's cache was. A letter takes a KiB."""

    model: Automaton
    cache: tuple[int, ...]

    @property
    def bytes(self) -> int:
        return 1024 * len(self.cache)

    def restore(self, length: int) -> None:
        self.model.cache[:] = self.cache[:length]


def letters(tokens: list[int]) -> str:
    return "".join(f"{LETTERS}."[token] for token in tokens)


def random_table(seed: int) -> dict[str, str]:
    """What follows each pair of letters: one time in twenty nothing, and mostly what makes a loop before long."""
    chance = random.Random(seed)
    pairs = map("".join, itertools.product(LETTERS, LETTERS))
    return {pair: "" if chance.random() < 0.05 else chance.choice(LETTERS) for pair in pairs}


def engine_of(
    model: Automaton, context_tokens: int = 1000, before: str = "", kept_mib: float = KEPT_MIB
) -> SteppedEngine:
    """An engine that reads `before` in front of every prompt, control tokens included."""
    return SteppedEngine("stepped", "automaton", context_tokens, model, ChatFrame(before, "", ""), kept_mib)


def prompt(text: str) -> Prompt:
    """A prompt of exactly these letters."""
    return Prompt("", (), text)


def answer(engine: SteppedEngine, text: str, max_tokens: int = 50) -> str:
    return "".join(engine.stream(prompt(text), Limits(max_tokens)))
