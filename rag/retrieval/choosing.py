"""Chunks in their order → those of them that the reader gets, and what became of the others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rag.inspecting import Fate
from rag.types import Chunk, Document

FIRST_EXCESS = 400
"""Tokens by which the first passage may exceed the budget: a small budget still gets one, a run of emoji does not."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much the reader is given."""

    passages: int
    tokens: int
    count_tokens: Callable[[str], int]
    """Of the reader."""


def choose(
    ranked: Sequence[Chunk], documents: Mapping[str, Document], budget: Budget
) -> tuple[list[Chunk], dict[str, Fate]]:
    """The best chunks within the budget, those that touch joined into one, in the order of their best part.

    And what became of each, by its id.
    """
    chosen: list[Chunk] = []
    cost: dict[str, int] = {}
    fates: dict[str, Fate] = {}
    for chunk in ranked:
        text = documents[chunk.document_id].text
        touching = [other for other in chosen if touch(other, chunk, text)]
        if len(chosen) - len(touching) >= budget.passages:
            fates[chunk.id] = Fate.NO_PLACE
            continue
        joined = join([chunk, *touching])
        spent = sum(cost[other.id] for other in chosen if other not in touching)
        tokens = budget.count_tokens(text[joined.start : joined.end])
        limit = budget.tokens if chosen else budget.tokens + FIRST_EXCESS
        if spent + tokens > limit:
            fates[chunk.id] = Fate.OVER_BUDGET
            continue
        if any(text_of(chunk, documents) in text_of(other, documents) for other in chosen if other not in touching):
            fates[chunk.id] = Fate.SAME_WORDS  # in another article they tell the reader nothing new
            continue
        fates[chunk.id] = Fate.GIVEN
        place = chosen.index(touching[0]) if touching else len(chosen)
        chosen = [other for other in chosen if other not in touching]
        chosen.insert(min(place, len(chosen)), joined)
        cost[joined.id] = tokens
    return chosen, fates


def touch(one: Chunk, other: Chunk, text: str) -> bool:
    """Whether two chunks of the same text overlap or have only whitespace between them."""
    if one.document_id != other.document_id:
        return False
    return not text[min(one.end, other.end) : max(one.start, other.start)].strip()


def join(chunks: Sequence[Chunk]) -> Chunk:
    """The smallest chunk that covers all of `chunks`, which are of one document."""
    start, end = min(chunk.start for chunk in chunks), max(chunk.end for chunk in chunks)
    return Chunk(f"{chunks[0].document_id}:{start}-{end}", chunks[0].document_id, start, end)


def text_of(chunk: Chunk, documents: Mapping[str, Document]) -> str:
    """What it says; `documents` are given by id."""
    return documents[chunk.document_id].text[chunk.start : chunk.end]
