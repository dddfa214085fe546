"""Question → the passages the reader gets to read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rag.decomposing import parts
from rag.reranking import CLOSELY_READ, Ranked, rerank, weigh
from rag.types import Catalogue, Chunk, Document, Embedder, Hit, Passage, Vectors

DENSE, WORDS, FUSED, RERANKED = "dense", "words", "fused", "reranked"
"""Names of the two searches, of both fused, and of what close reading makes of that."""

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
    searches = _Searches(embedder, catalogue, candidates, documents)
    ranked, by_id = searches.read_closely(question, searches.find(question), parts(question))
    chunks = _choose([one.hit.chunk for one in ranked], by_id, budget)
    passages = tuple(
        Passage(number, chunk, by_id[chunk.document_id], by_id[chunk.document_id].text[chunk.start : chunk.end])
        for number, chunk in enumerate(chunks, start=1)
    )
    relevances = [sentence.relevance for one in ranked for sentence in one.sentences]
    return Retrieved(passages, max(relevances, default=0.0) if passages else 0.0)


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
    ranked, _ = searches.read_closely(question, found, ())
    return {
        DENSE: found.dense,
        WORDS: found.words,
        FUSED: fuse(found.dense, found.words),
        RERANKED: [one.hit for one in ranked],
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

    def weighed(self, question: str, found: _Found) -> list[Hit]:
        """What both searches found, by what both say of it."""
        hits = fuse(found.dense, found.words)
        if not hits:
            return []
        among = frozenset(hit.chunk.document_id for hit in hits)
        cosines = self.catalogue.nearest(found.vector, OF_THEIR_DOCUMENTS, among)
        matches = self.catalogue.matching(question, OF_THEIR_DOCUMENTS, among)
        return weigh(
            hits,
            {hit.chunk.id: hit.score for hit in [*cosines, *found.dense]},
            {hit.chunk.id: hit.score for hit in [*matches, *found.words]},
        )

    def read_closely(
        self, question: str, found: _Found, parts: Sequence[str]
    ) -> tuple[list[Ranked], dict[str, Document]]:
        """Chunks best first, the best of each part among the first, and their documents by id."""
        hits = self.weighed(question, found)
        if not hits:
            return [], {}
        of_parts = [self.weighed(part, self.find(part))[:OF_A_PART] for part in parts]
        scores = {hit.chunk.id: hit.score for hit in hits}
        added = {
            hit.chunk.id: replace(hit, score=scores.get(hit.chunk.id, hits[-1].score))
            for best in of_parts
            for hit in best
        }
        others = [hit for hit in hits if hit.chunk.id not in added]
        closely = max(1, CLOSELY_READ - len(added))
        read = [*others[:closely], *added.values(), *others[closely:]]
        by_id = self.catalogue.documents_by_id({hit.chunk.document_id for hit in read})
        ranked = rerank(question, read, by_id, self.embedder)
        wanted = {best[0].chunk.id for best in of_parts if best}
        first = [one for at, one in enumerate(ranked) if at == 0 or one.hit.chunk.id in wanted]
        return [*first, *(one for one in ranked if one not in first)], by_id


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
