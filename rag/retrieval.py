"""Question → the passages the reader gets to read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rag.types import Catalogue, Chunk, Document, Embedder, Hit, Passage

DENSE, WORDS, FUSED = "dense", "words", "fused"
"""Names of the two searches, and of what is made of them."""

RANK_OFFSET = 60
"""The constant k of reciprocal rank fusion, as in the paper: first places don't outweigh agreement."""

FIRST_EXCESS = 400
"""Tokens by which the first passage may exceed the budget: a small budget still gets one, a run of emoji does not."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much the reader is given."""

    passages: int
    tokens: int
    count_tokens: Callable[[str], int]
    """Of the reader."""


def retrieve(
    question: str,
    embedder: Embedder,
    catalogue: Catalogue,
    budget: Budget,
    candidates: int = 40,
    documents: frozenset[str] | None = None,
) -> tuple[Passage, ...]:
    """Search by meaning and by words, fuse, join neighbours, and take the best that fit the budget.

    `candidates` chunks come from each search; only of the documents with these ids where given. Passages are numbered
    from 1, best first. Empty where neither search finds anything.
    """
    hits = rankings(question, embedder, catalogue, candidates, documents)[FUSED]
    by_id = catalogue.documents_by_id({hit.chunk.document_id for hit in hits})
    chunks = _choose([hit.chunk for hit in hits], by_id, budget)
    return tuple(
        Passage(number, chunk, by_id[chunk.document_id], by_id[chunk.document_id].text[chunk.start : chunk.end])
        for number, chunk in enumerate(chunks, start=1)
    )


def rankings(
    question: str,
    embedder: Embedder,
    catalogue: Catalogue,
    candidates: int = 40,
    documents: frozenset[str] | None = None,
) -> dict[str, list[Hit]]:
    """What each search finds, at most `candidates` chunks of it, and both fused; best first, under their names."""
    dense = catalogue.nearest(embedder.embed_query(question), candidates, documents)
    words = catalogue.matching(question, candidates, documents)
    return {DENSE: dense, WORDS: words, FUSED: fuse(dense, words)}


def documents_ranked(hits: Sequence[Hit]) -> list[str]:
    """Ids of the documents that hits, best first, are of: each once, in the place of its best chunk."""
    return list(dict.fromkeys(hit.chunk.document_id for hit in hits))


def fuse(*rankings: Sequence[Hit]) -> list[Hit]:
    """Reciprocal rank fusion: a chunk scores the sum of 1 / (60 + its rank) over the rankings that hold it.

    Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods",
    SIGIR 2009. Of [a, b] and [b], b gets 1/62 + 1/61 and comes before a with 1/61.
    """
    fused: dict[str, Hit] = {}
    for ranking in rankings:
        for rank, hit in enumerate(ranking, start=1):
            score = 1 / (RANK_OFFSET + rank)
            known = fused.get(hit.chunk.id)
            fused[hit.chunk.id] = (
                replace(known, score=known.score + score, found_by=known.found_by + hit.found_by)
                if known
                else replace(hit, score=score)
            )
    return sorted(fused.values(), key=lambda hit: -hit.score)


def _choose(ranked: Sequence[Chunk], documents: dict[str, Document], budget: Budget) -> list[Chunk]:
    """The best chunks within the budget, those that touch joined into one, in the order of their best part."""
    chosen: list[Chunk] = []
    cost: dict[str, int] = {}
    for chunk in ranked:
        text = documents[chunk.document_id].text
        touching = [other for other in chosen if touch(other, chunk, text)]
        joined = join([chunk, *touching])
        spent = sum(cost[other.id] for other in chosen if other not in touching)
        tokens = budget.count_tokens(text[joined.start : joined.end])
        limit = budget.tokens if chosen else budget.tokens + FIRST_EXCESS
        if spent + tokens > limit or len(chosen) - len(touching) >= budget.passages:
            continue
        if any(_text(chunk, documents) in _text(other, documents) for other in chosen if other not in touching):
            continue  # the same words in another article tell the reader nothing new
        place = chosen.index(touching[0]) if touching else len(chosen)
        chosen = [other for other in chosen if other not in touching]
        chosen.insert(min(place, len(chosen)), joined)
        cost[joined.id] = tokens
    return chosen


def touch(one: Chunk, other: Chunk, text: str) -> bool:
    """Whether two chunks of the same text overlap or have only whitespace between them."""
    if one.document_id != other.document_id:
        return False
    return not text[min(one.end, other.end) : max(one.start, other.start)].strip()


def join(chunks: Sequence[Chunk]) -> Chunk:
    """The smallest chunk that covers all of `chunks`, which are of one document."""
    start, end = min(chunk.start for chunk in chunks), max(chunk.end for chunk in chunks)
    return Chunk(f"{chunks[0].document_id}:{start}-{end}", chunks[0].document_id, start, end)


def _text(chunk: Chunk, documents: dict[str, Document]) -> str:
    return documents[chunk.document_id].text[chunk.start : chunk.end]
