"""How probable each of a few options is as the beginning of an answer, from what a server tells of its first token."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.errors import EngineError

CERTAIN = 0.9
"""What the option gets that the model began with, where the server doesn't say how probable it was: neither 1, which
nothing could outweigh, nor so little that it would count as doubt."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of the likeliest first tokens."""

    text: str
    logprob: float
    token: int | None
    """Its number in the vocabulary; None where the server doesn't say."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a model begins its answer."""

    text: str
    candidates: tuple[Candidate, ...]
    """The likeliest first; empty where the server gives no probabilities."""


def option_odds(beginning: Beginning, options: Sequence[str], tokens: Sequence[int | None]) -> tuple[float, ...]:
    """A probability for each option; they sum to 1.

    `tokens` are the options' first tokens, None where they aren't known: then what an option begins with counts. An
    option that isn't among the candidates gets the least likely one's odds, which are more than its own.
    """
    if not beginning.candidates:
        return _by_text(beginning.text, options)
    least = min(candidate.logprob for candidate in beginning.candidates)
    found = [_odds(beginning.candidates, option, options, token) for option, token in zip(options, tokens, strict=True)]
    if not any(found):
        return (1 / len(options),) * len(options)
    odds = [value or math.exp(least) for value in found]
    return tuple(value / sum(odds) for value in odds)


def check_distinct(options: Sequence[str], tokens: Sequence[int | None]) -> None:
    """Raises EngineError when two options begin with the same token, or the same word where tokens aren't known."""
    known = [token for token in tokens if token is not None]
    firsts = known if len(known) == len(options) else [_first_word(option) for option in options]
    if len(set(firsts)) < len(options):
        raise EngineError(f"Options must begin with different tokens: {', '.join(map(repr, options))}.")


def _odds(candidates: Sequence[Candidate], option: str, options: Sequence[str], token: int | None) -> float:
    if token is not None and candidates[0].token is not None:
        return sum(math.exp(candidate.logprob) for candidate in candidates if candidate.token == token)
    others = [other for other in options if other != option]
    return sum(
        math.exp(candidate.logprob)
        for candidate in candidates
        if (text := candidate.text.strip())
        and option.startswith(text)
        and not any(other.startswith(text) for other in others)
    )


def _by_text(text: str, options: Sequence[str]) -> tuple[float, ...]:
    said = text.strip()
    meant = [bool(said) and (option.startswith(said) or said.startswith(option)) for option in options]
    if sum(meant) != 1 or len(options) == 1:
        return (1 / len(options),) * len(options)
    return tuple(CERTAIN if chosen else (1 - CERTAIN) / (len(options) - 1) for chosen in meant)


def _first_word(option: str) -> str:
    found = re.match(r"\W*\w+", option)
    return found[0] if found else option
