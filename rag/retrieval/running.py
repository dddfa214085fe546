"""Question → passages, by all the steps in their order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from rag import dating
from rag.copies import Copies
from rag.decomposing import parts
from rag.grounding import superseded
from rag.inspecting import Fate
from rag.retrieval.choosing import Budget, choose, text_of
from rag.retrieval.searching import Among, Found, Read, Searches, fuse
from rag.types import ANY_TIME, Catalogue, Chunk, Embedder, Hit, Passage, Timeframe

DENSE, WORDS, FUSED, RERANKED = "dense", "words", "fused", "reranked"
"""Names of the two searches, of both fused, and of what close reading makes of that."""

When: TypeAlias = date | Timeframe | None
"""The day on which a question is asked, or what it says about time where that is known, or neither."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What the reader is given, and how near it is to the question."""

    passages: tuple[Passage, ...]
    similarity: float
    """In [-1, 1]: the relevance of the most relevant sentence, see `reranking.Sentence`; 0 without passages."""
    timeframe: Timeframe = ANY_TIME
    """What the question says about time."""


@dataclass(frozen=True, slots=True)
class Run:
    """Every step of one retrieval."""

    searches: Searches
    found: Found
    read: Read
    chunks: list[Chunk]
    fates: Mapping[str, Fate]
    """Of what was read, by chunk id."""
    of_other_times: list[Hit]
    """What was found, but is known to be of another time than the question asks for."""

    @property
    def retrieved(self) -> Retrieved:
        passages = _passages(self.searches, self.read, self.chunks)
        relevances = [sentence.relevance for one in self.read.ranked for sentence in one.sentences]
        similarity = max(relevances, default=0.0) if passages else 0.0
        return Retrieved(passages, similarity, self.searches.timeframe)


def retrieve(
    question: str,
    embedder: Embedder,
    catalogue: Catalogue,
    budget: Budget,
    candidates: int = 40,
    documents: Among = None,
    today: date | None = None,
) -> Retrieved:
    """Search by meaning and by words, rank, join neighbours, and take the best that fit the budget.

    `candidates` chunks come from each search; only of the documents with these ids where given. Of a question with
    several parts each brings its best chunk, and of an article with several versions one is read. Where the newest is
    asked for, what a newer article has replaced is left out. Passages are numbered
    from 1, best first. Empty where neither search finds anything. `today` is the day on which it is asked; without it,
    what the question says about time makes no difference.
    """
    return run(question, embedder, catalogue, budget, candidates, documents, today).retrieved


def run(
    question: str,
    embedder: Embedder,
    catalogue: Catalogue,
    budget: Budget,
    candidates: int,
    documents: Among,
    when: When,
) -> Run:
    """What `retrieve` does, with all that it goes by."""
    searches = Searches(embedder, catalogue, candidates, documents, Copies(catalogue))
    found = searches.find(question)
    of_other_times: list[Hit] = []
    if when is not None and _speaks_of_time(question, when):
        searches = searches.in_time(question, found, when)
        of_other_times = searches.left_out(found)
        found = searches.find(question)
    read = searches.read_closely(question, found, parts(question))
    chunks, fates = choose([one.hit.chunk for one in read.ranked], read.documents, budget)
    if searches.timeframe.newest:
        old = superseded(question, _passages(searches, read, chunks))
        outdated = [chunk for number, chunk in enumerate(chunks, start=1) if number in old]
        chunks = [chunk for chunk in chunks if chunk not in outdated]
        fates |= {
            one.hit.chunk.id: Fate.OUT_OF_DATE
            for one in read.ranked
            if any(_covers(chunk, one.hit.chunk) for chunk in outdated)
        }
    return Run(searches, found, read, chunks, fates, of_other_times)


def _passages(searches: Searches, read: Read, chunks: Sequence[Chunk]) -> tuple[Passage, ...]:
    return tuple(
        Passage(
            number,
            chunk,
            read.documents[chunk.document_id],
            text_of(chunk, read.documents),
            tuple(searches.copies.versions_of(chunk.document_id).values()),
        )
        for number, chunk in enumerate(chunks, start=1)
    )


def _covers(whole: Chunk, part: Chunk) -> bool:
    return whole.document_id == part.document_id and whole.start <= part.start and part.end <= whole.end


def _speaks_of_time(question: str, when: date | Timeframe) -> bool:
    return when != ANY_TIME if isinstance(when, Timeframe) else dating.mentions_time(question)


def rankings(
    question: str, embedder: Embedder, catalogue: Catalogue, candidates: int = 40, documents: Among = None
) -> dict[str, list[Hit]]:
    """What each search finds, at most `candidates` chunks of it, both fused, and these reranked; best first."""
    searches = Searches(embedder, catalogue, candidates, documents, Copies(catalogue))
    found = searches.find(question)
    read = searches.read_closely(question, found, ())
    return {
        DENSE: found.dense,
        WORDS: found.words,
        FUSED: fuse(found.dense, found.words),
        RERANKED: [one.hit for one in read.ranked],
    }
