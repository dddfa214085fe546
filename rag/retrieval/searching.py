"""Question → chunks in the order in which they are considered for the reader."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeAlias

from rag import dating
from rag.copies import Copies
from rag.reranking import CLOSELY_READ, Ranked, rerank, weigh
from rag.types import ANY_TIME, Catalogue, Document, Embedder, Hit, Timeframe, Vectors

Among: TypeAlias = frozenset[str] | None
"""Ids of the only documents to be searched; None for all."""

RANK_OFFSET = 60
"""The constant k of reciprocal rank fusion, as in the paper: first places don't outweigh agreement."""

OF_THEIR_DOCUMENTS = 2000
"""Chunks of the documents found that are asked for their scores, so that nearly every candidate has both."""

OF_A_PART = 2
"""Chunks read closely for each part of a question that has several."""

OF_THE_DAYS = 2
"""Chunks read closely for the days of publication that a question speaks of."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is found by meaning and by words, each best first."""

    vector: Vectors
    """The question's."""
    dense: list[Hit]
    words: list[Hit]
    copies: list[Hit]
    """What either found and left out, for another version of its article says the same."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What both searches found, best first, and each one's scores of it by chunk id."""

    hits: list[Hit]
    cosines: dict[str, float]
    words: dict[str, float]


@dataclass(frozen=True, slots=True)
class Read:
    """Chunks in the order in which they are considered."""

    ranked: list[Ranked]
    documents: dict[str, Document]
    weighed: Weighed
    of_parts: list[tuple[str, list[Hit]]]
    """Each part of the question with its best chunks."""


@dataclass(frozen=True, slots=True)
class Searches:
    """Searches of one state of a library."""

    embedder: Embedder
    catalogue: Catalogue
    candidates: int
    documents: Among
    copies: Copies
    timeframe: Timeframe = ANY_TIME
    days: Mapping[str, date | None] = field(default_factory=dict)
    """When the documents were published, by id; empty where it makes no difference."""

    def in_time(self, question: str, found: Found, when: date | Timeframe) -> "Searches":
        """These searches with regard to what the question says about time; `found` is what they find without.

        `when` is the day on which it is asked, or what it is known to say.
        """
        days = {name: dating.day_of(published) for name, published in self.catalogue.dates().items()}
        names = documents_ranked([*found.dense, *found.words])
        if isinstance(when, Timeframe):
            frame = when
        else:
            frame = dating.timeframe(question, when, [day for name in names if (day := days.get(name))])
        documents = self.documents
        if frame.required:
            meant = frozenset(name for name, day in days.items() if day is None or frame.holds(day))
            documents = meant if documents is None else meant & documents
        copies = Copies(self.catalogue, self._preferred(names, days, frame, documents))
        return replace(self, documents=documents, copies=copies, timeframe=frame, days=days)

    def _preferred(
        self, names: Sequence[str], days: Mapping[str, date | None], frame: Timeframe, among: Among
    ) -> dict[str, str]:
        """Id of each version of the documents with these `names` → that of the one to be read for its date."""
        preferred: dict[str, str] = {}
        for name in names:
            family = [name, *self.copies.versions_of(name)]
            allowed = [one for one in family if among is None or one in among]
            if len(family) > 1 and allowed and name not in preferred:
                best = allowed[dating.order([0.0] * len(allowed), [days.get(one) for one in allowed], frame)[0]]
                preferred |= dict.fromkeys(family, best)
        return preferred

    def left_out(self, found: Found) -> list[Hit]:
        """What was found, but is of documents that these don't search."""
        if self.documents is None:
            return []
        return [hit for hit in (*found.dense, *found.words) if hit.chunk.document_id not in self.documents]

    def is_preferred(self, document_id: str) -> bool:
        """Whether the document is of the days that are meant."""
        day = self.days.get(document_id)
        return self.timeframe.limited and day is not None and self.timeframe.holds(day)

    def find(self, question: str) -> Found:
        vector = self.embedder.embed_query(question)
        dense, dense_copies = self.copies.searched(
            lambda k: self.catalogue.nearest(vector, k, self.documents), self.candidates
        )
        words, word_copies = self.copies.searched(
            lambda k: self.catalogue.matching(question, k, self.documents), self.candidates
        )
        return Found(vector, dense, words, [*dense_copies, *word_copies])

    def of_the_days(self, question: str) -> list[Hit]:
        """The best chunks of documents published on the days that are preferred."""
        if not self.timeframe.limited or self.timeframe.required:
            return []
        inside = frozenset(name for name in self.days if self.is_preferred(name))
        searches = replace(self, documents=inside if self.documents is None else inside & self.documents)
        return searches.weighed(question, searches.find(question)).hits[:OF_THE_DAYS]

    def weighed(self, question: str, found: Found) -> Weighed:
        """What both searches found, by what both say of it."""
        hits = fuse(found.dense, found.words)
        if not hits:
            return Weighed([], {}, {})
        among = frozenset(hit.chunk.document_id for hit in hits)
        nearest = self.catalogue.nearest(found.vector, OF_THEIR_DOCUMENTS, among)
        matches = self.catalogue.matching(question, OF_THEIR_DOCUMENTS, among)
        cosines = {hit.chunk.id: hit.score for hit in [*nearest, *found.dense]}
        words = {hit.chunk.id: hit.score for hit in [*matches, *found.words]}
        return Weighed(weigh(hits, cosines, words), cosines, words)

    def read_closely(self, question: str, found: Found, parts: Sequence[str]) -> Read:
        """Chunks best first, the best of each part among the first."""
        weighed = self.weighed(question, found)
        hits = weighed.hits
        if not hits:
            return Read([], {}, weighed, [])
        of_parts = [(part, self.weighed(part, self.find(part)).hits[:OF_A_PART]) for part in parts]
        scores = {hit.chunk.id: hit.score for hit in hits}
        added = {
            hit.chunk.id: replace(hit, score=scores.get(hit.chunk.id, hits[-1].score))
            for best in [*(best for _, best in of_parts), self.of_the_days(question)]
            for hit in best
        }
        others = [hit for hit in hits if hit.chunk.id not in added]
        closely = max(1, CLOSELY_READ - len(added))
        read = [*others[:closely], *added.values(), *others[closely:]]
        by_id = self.catalogue.documents_by_id({hit.chunk.document_id for hit in read})
        ranked = self.in_order(rerank(question, read, by_id, self.embedder))
        wanted = {best[0].chunk.id for _, best in of_parts if best}
        first = [one for at, one in enumerate(ranked) if at == 0 or one.hit.chunk.id in wanted]
        return Read([*first, *(one for one in ranked if one not in first)], by_id, weighed, of_parts)

    def in_order(self, ranked: list[Ranked]) -> list[Ranked]:
        """With regard to the days on which the documents were published."""
        if self.timeframe == ANY_TIME:
            return ranked
        days = [self.days.get(one.hit.chunk.document_id) for one in ranked]
        return [ranked[at] for at in dating.order([one.hit.score for one in ranked], days, self.timeframe)]


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
