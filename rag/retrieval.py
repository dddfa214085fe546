"""Question → the passages the reader gets to read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from rag.decomposing import parts
from rag.inspecting import Candidate, Explained, Fate, Place
from rag.reranking import CLOSELY_READ, Ranked, rerank, weigh
from rag.types import Catalogue, Chunk, Document, Embedder, Hit, Passage, Vectors

DENSE, WORDS, FUSED, RERANKED = "dense", "words", "fused", "reranked"
"""Names of the two searches, of both fused, and of what close reading makes of that."""

Among: TypeAlias = frozenset[str] | None
"""Ids of the only documents to be searched; None for all."""

RANK_OFFSET = 60
"""The constant k of reciprocal rank fusion, as in the paper: first places don't outweigh agreement."""

FIRST_EXCESS = 400
"""Tokens by which the first passage may exceed the budget: a small budget still gets one, a run of emoji does not."""

OF_THEIR_DOCUMENTS = 2000
"""Chunks of the documents found that are asked for their scores, so that nearly every candidate has both."""

OF_A_PART = 2
"""Chunks read closely for each part of a question that has several."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much the reader is given."""

    passages: int
    tokens: int
    count_tokens: Callable[[str], int]
    """Of the reader."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What the reader is given, and how near it is to the question."""

    passages: tuple[Passage, ...]
    similarity: float
    """In [-1, 1]: the relevance of the most relevant sentence, see `reranking.Sentence`; 0 without passages."""


def retrieve(
    question: str,
    embedder: Embedder,
    catalogue: Catalogue,
    budget: Budget,
    candidates: int = 40,
    documents: frozenset[str] | None = None,
) -> Retrieved:
    """Search by meaning and by words, rank, join neighbours, and take the best that fit the budget.

    `candidates` chunks come from each search; only of the documents with these ids where given. Of a question with
    several parts each brings its best chunk. Passages are numbered from 1, best first. Empty where neither search finds
    anything.
    """
    return _run(question, embedder, catalogue, budget, candidates, documents).retrieved


def explain(
    question: str, embedder: Embedder, catalogue: Catalogue, budget: Budget, candidates: int, documents: Among = None
) -> Explained:
    """`retrieve`, with what became of each chunk that was found on the way."""
    return _explained(_run(question, embedder, catalogue, budget, candidates, documents))


def rankings(
    question: str,
    embedder: Embedder,
    catalogue: Catalogue,
    candidates: int = 40,
    documents: frozenset[str] | None = None,
) -> dict[str, list[Hit]]:
    """What each search finds, at most `candidates` chunks of it, both fused, and these reranked; best first."""
    searches = _Searches(embedder, catalogue, candidates, documents)
    found = searches.find(question)
    read = searches.read_closely(question, found, ())
    return {
        DENSE: found.dense,
        WORDS: found.words,
        FUSED: fuse(found.dense, found.words),
        RERANKED: [one.hit for one in read.ranked],
    }


def documents_ranked(hits: Sequence[Hit]) -> list[str]:
    """Ids of the documents that hits, best first, are of: each once, in the place of its best chunk."""
    return list(dict.fromkeys(hit.chunk.document_id for hit in hits))


@dataclass(frozen=True, slots=True)
class _Found:
    """What is found by meaning and by words, each best first."""

    vector: Vectors
    """The question's."""
    dense: list[Hit]
    words: list[Hit]


@dataclass(frozen=True, slots=True)
class _Weighed:
    """What both searches found, best first, and each one's scores of it by chunk id."""

    hits: list[Hit]
    cosines: dict[str, float]
    words: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Read:
    """Chunks in the order in which they are considered."""

    ranked: list[Ranked]
    documents: dict[str, Document]
    weighed: _Weighed
    of_parts: list[tuple[str, list[Hit]]]
    """Each part of the question with its best chunks."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Every step of one retrieval."""

    found: _Found
    read: _Read
    chunks: list[Chunk]
    fates: dict[str, Fate]
    """Of the candidates, by chunk id."""

    @property
    def retrieved(self) -> Retrieved:
        by_id = self.read.documents
        passages = tuple(
            Passage(number, chunk, by_id[chunk.document_id], _text(chunk, by_id))
            for number, chunk in enumerate(self.chunks, start=1)
        )
        relevances = [sentence.relevance for one in self.read.ranked for sentence in one.sentences]
        return Retrieved(passages, max(relevances, default=0.0) if passages else 0.0)


@dataclass(frozen=True, slots=True)
class _Searches:
    """Searches of one state of a library."""

    embedder: Embedder
    catalogue: Catalogue
    candidates: int
    documents: frozenset[str] | None

    def find(self, question: str) -> _Found:
        vector = self.embedder.embed_query(question)
        dense = self.catalogue.nearest(vector, self.candidates, self.documents)
        return _Found(vector, dense, self.catalogue.matching(question, self.candidates, self.documents))

    def weighed(self, question: str, found: _Found) -> _Weighed:
        """What both searches found, by what both say of it."""
        hits = fuse(found.dense, found.words)
        if not hits:
            return _Weighed([], {}, {})
        among = frozenset(hit.chunk.document_id for hit in hits)
        nearest = self.catalogue.nearest(found.vector, OF_THEIR_DOCUMENTS, among)
        matches = self.catalogue.matching(question, OF_THEIR_DOCUMENTS, among)
        cosines = {hit.chunk.id: hit.score for hit in [*nearest, *found.dense]}
        words = {hit.chunk.id: hit.score for hit in [*matches, *found.words]}
        return _Weighed(weigh(hits, cosines, words), cosines, words)

    def read_closely(self, question: str, found: _Found, parts: Sequence[str]) -> _Read:
        """Chunks best first, the best of each part among the first."""
        weighed = self.weighed(question, found)
        hits = weighed.hits
        if not hits:
            return _Read([], {}, weighed, [])
        of_parts = [(part, self.weighed(part, self.find(part)).hits[:OF_A_PART]) for part in parts]
        scores = {hit.chunk.id: hit.score for hit in hits}
        added = {
            hit.chunk.id: replace(hit, score=scores.get(hit.chunk.id, hits[-1].score))
            for _, best in of_parts
            for hit in best
        }
        others = [hit for hit in hits if hit.chunk.id not in added]
        closely = max(1, CLOSELY_READ - len(added))
        read = [*others[:closely], *added.values(), *others[closely:]]
        by_id = self.catalogue.documents_by_id({hit.chunk.document_id for hit in read})
        ranked = rerank(question, read, by_id, self.embedder)
        wanted = {best[0].chunk.id for _, best in of_parts if best}
        first = [one for at, one in enumerate(ranked) if at == 0 or one.hit.chunk.id in wanted]
        return _Read([*first, *(one for one in ranked if one not in first)], by_id, weighed, of_parts)


def _run(
    question: str, embedder: Embedder, catalogue: Catalogue, budget: Budget, candidates: int, documents: Among
) -> _Run:
    searches = _Searches(embedder, catalogue, candidates, documents)
    found = searches.find(question)
    read = searches.read_closely(question, found, parts(question))
    chunks, fates = _choose([one.hit.chunk for one in read.ranked], read.documents, budget)
    return _Run(found, read, chunks, fates)


def _explained(run: _Run) -> Explained:
    retrieved, read = run.retrieved, run.read
    dense, words, mixed = (_ranks(hits) for hits in (run.found.dense, run.found.words, read.weighed.hits))
    best_of = {best[0].chunk.id: part for part, best in reversed(read.of_parts) if best}
    mixed_scores = {hit.chunk.id: hit.score for hit in read.weighed.hits}
    lowest = min(mixed_scores.values(), default=0.0)

    def candidate(rank: int, one: Ranked) -> Candidate:
        chunk = one.hit.chunk
        best = max(one.sentences, key=lambda sentence: sentence.relevance, default=None)
        fate = run.fates[chunk.id]
        return Candidate(
            chunk=chunk,
            document=read.documents[chunk.document_id],
            dense=_place(chunk, read.weighed.cosines, dense),
            words=_place(chunk, read.weighed.words, words),
            mixed=Place(mixed_scores.get(chunk.id, lowest), mixed.get(chunk.id)),
            reranked=Place(one.hit.score, rank),
            best=(best.start, best.end) if best else None,
            relevance=best.relevance if best else None,
            best_of=best_of.get(chunk.id, ""),
            fate=fate,
            passage=_holder(chunk, retrieved.passages) if fate is Fate.GIVEN else None,
        )

    candidates = tuple(candidate(rank, one) for rank, one in enumerate(read.ranked, start=1))
    return Explained(tuple(part for part, _ in read.of_parts), candidates, retrieved.passages, retrieved.similarity)


def _ranks(hits: Sequence[Hit]) -> dict[str, int]:
    return {hit.chunk.id: rank for rank, hit in enumerate(hits, start=1)}


def _place(chunk: Chunk, scores: dict[str, float], ranks: dict[str, int]) -> Place | None:
    return Place(scores[chunk.id], ranks.get(chunk.id)) if chunk.id in scores else None


def _holder(chunk: Chunk, passages: Sequence[Passage]) -> int | None:
    """Number of the passage that covers the chunk."""
    return next(
        (
            passage.number
            for passage in passages
            if passage.document.id == chunk.document_id
            and passage.chunk.start <= chunk.start
            and chunk.end <= passage.chunk.end
        ),
        None,
    )


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


def _choose(
    ranked: Sequence[Chunk], documents: dict[str, Document], budget: Budget
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
        if any(_text(chunk, documents) in _text(other, documents) for other in chosen if other not in touching):
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


def _text(chunk: Chunk, documents: dict[str, Document]) -> str:
    return documents[chunk.document_id].text[chunk.start : chunk.end]
