"""One retrieval → what became of each chunk that was found on the way."""

from collections.abc import Iterator, Mapping, Sequence

from rag.inspecting import Candidate, Explained, Fate, Place
from rag.reranking import Ranked
from rag.retrieval.choosing import Budget
from rag.retrieval.running import DENSE, WORDS, Run, run
from rag.retrieval.searching import Among
from rag.types import ANY_TIME, Catalogue, Chunk, Document, Embedder, Hit, Passage, Timeframe


def explain(
    question: str,
    embedder: Embedder,
    catalogue: Catalogue,
    budget: Budget,
    candidates: int,
    documents: Among = None,
    timeframe: Timeframe = ANY_TIME,
) -> Explained:
    """`retrieve`, with what became of each chunk that was found on the way.

    `timeframe` is what the question was taken to say about time, see `Retrieved.timeframe`: on another day it may say
    something else.
    """
    made = run(question, embedder, catalogue, budget, candidates, documents, timeframe)
    retrieved = made.retrieved
    return Explained(
        parts=tuple(part for part, _ in made.read.of_parts),
        candidates=(*_considered(made, retrieved.passages), *_left_out(made, catalogue)),
        passages=retrieved.passages,
        similarity=retrieved.similarity,
        timeframe=retrieved.timeframe,
    )


def _considered(made: Run, passages: Sequence[Passage]) -> Iterator[Candidate]:
    read = made.read
    dense, words, mixed = (_ranks(hits) for hits in (made.found.dense, made.found.words, read.weighed.hits))
    best_of = {best[0].chunk.id: part for part, best in reversed(read.of_parts) if best}
    mixed_scores = {hit.chunk.id: hit.score for hit in read.weighed.hits}
    lowest = min(mixed_scores.values(), default=0.0)

    def candidate(rank: int, one: Ranked) -> Candidate:
        chunk = one.hit.chunk
        best = max(one.sentences, key=lambda sentence: sentence.relevance, default=None)
        fate = made.fates[chunk.id]
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
            preferred=made.searches.is_preferred(chunk.document_id),
            fate=fate,
            passage=_holder(chunk, passages) if fate is Fate.GIVEN else None,
        )

    return (candidate(rank, one) for rank, one in enumerate(read.ranked, start=1))


def _left_out(made: Run, catalogue: Catalogue) -> Iterator[Candidate]:
    """What was found, but not considered."""
    left_out = [(made.found.copies, Fate.COPY), (made.of_other_times, Fate.OTHER_TIME)]
    known = catalogue.documents_by_id({hit.chunk.document_id for hits, _ in left_out for hit in hits})
    for hits, fate in left_out:
        scores = {name: {hit.chunk.id: hit.score for hit in hits if name in hit.found_by} for name in (DENSE, WORDS)}
        for chunk in dict.fromkeys(hit.chunk for hit in hits):
            yield _uncounted(chunk, known[chunk.document_id], scores, fate)


def _uncounted(chunk: Chunk, document: Document, scores: Mapping[str, dict[str, float]], fate: Fate) -> Candidate:
    return Candidate(
        chunk=chunk,
        document=document,
        dense=_place(chunk, scores[DENSE], {}),
        words=_place(chunk, scores[WORDS], {}),
        mixed=None,
        reranked=None,
        best=None,
        relevance=None,
        best_of="",
        preferred=False,
        fate=fate,
        passage=None,
    )


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
