"""How much to read for an answer in the time that was asked for, by what was measured when the engine was chosen.

Only questions that somebody waits for are paced: those of the page and of `rag ask`. Batches and evaluations read what
the settings say, so that their answers don't depend on how busy a machine was while it was measured.
"""

from dataclasses import dataclass

from rag.engines import EngineChoice
from rag.settings import Settings

ANSWER_TOKENS = 40
"""Of a typical answer: one or two sentences. Most take fewer tokens than `answer_tokens` lets them, so that lowering it
would make no answer sooner, but break off the long ones."""

OTHER_TOKENS = 200
"""Read besides the passages: instructions, titles, the question, and what checks the answer."""

LEAST_PASSAGES, LEAST_TOKENS = 3, 300
"""Fewer lose the sentence with the answer too often: 300 tokens hold it in 99.3 % of xquad-en's questions and 91.7 % of
squad2's, 400 in 99.8 and 94.6 %."""

STEP = 50
"""Passage tokens are a multiple of it, so that a measurement that is off by a little changes nothing."""

PASSAGE = 100
"""Tokens of a passage, for which the reader is given one more."""

BUSY = 0.2
"""Share of the processors from which other programs make a measurement say more about them."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the reader is given to read, at most."""

    passages: int
    tokens: int
    """Of all passages together."""


def load_of(settings: Settings) -> Load:
    """What the settings say, whatever it takes."""
    return Load(settings.passages, settings.passage_tokens)


def seconds(load: Load, measured: EngineChoice) -> float:
    """What a typical answer takes.

    >>> seconds(Load(4, 400), EngineChoice("llama_cpp", 5.0, None, reading=0.005, writing=0.05))
    5.0
    """
    return (OTHER_TOKENS + load.tokens) * measured.reading + ANSWER_TOKENS * measured.writing


def is_reliable(measured: EngineChoice | None) -> bool:
    """Whether speeds were measured, and on a machine that had little else to do."""
    return bool(measured and measured.reading and measured.writing and measured.others < BUSY)


def paced(settings: Settings, measured: EngineChoice | None) -> Settings:
    """The settings with as many passages as a typical answer in `target_seconds` leaves time for.

    Never more than there were, never fewer than answers need, and nothing that the user has set.
    """
    if measured is None or not settings.target_seconds or not is_reliable(measured):
        return settings
    asked = load_of(settings)
    to_read = settings.target_seconds - ANSWER_TOKENS * measured.writing
    tokens = int(to_read / measured.reading - OTHER_TOKENS) // STEP * STEP
    tokens = min(asked.tokens, max(LEAST_TOKENS, tokens))
    passages = min(asked.passages, max(LEAST_PASSAGES, -(-tokens // PASSAGE)))
    chosen = {"passage_tokens": tokens, "passages": passages}
    return settings.model_copy(
        update={name: value for name, value in chosen.items() if name not in settings.model_fields_set}
    )
