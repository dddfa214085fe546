"""Chunks found → the same chunks in a better order, and how much each of their sentences has to do with the question.

`weigh` puts together what the two searches say of a chunk; `rerank` then reads the best of them closely. To read is to
compare word piece by word piece: a question and a sentence are alike as far as every piece of the question has one like
it in the sentence, or in the title, which says what the sentence is about. A chunk is worth as much as its best
sentence, because that is where an answer stands.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rag.chunking import fit_title, with_title
from rag.sentences import sentence_spans
from rag.types import Chunk, Document, Embedder, Hit, Vectors

WORDS_SHARE = 0.4
"""What a search by words says counts for so much of a first score, what one by meaning says for the rest."""

CLOSELY_READ = 12
"""Chunks compared piece by piece: about 0.4 s of one core."""

SENTENCE_WEIGHT = 3.0
"""How many times as much as a difference of first scores a difference between best sentences counts."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """`document.text[start:end]`"""

    start: int
    end: int
    relevance: float
    """In [-1, 1]: how like the question it and the title are. Comparable for one question."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A hit in its new place."""

    hit: Hit
    sentences: tuple[Sentence, ...]
    """Of the chunk, in order; empty where it wasn't read closely."""


def weigh(hits: Sequence[Hit], cosines: Mapping[str, float], words: Mapping[str, float]) -> list[Hit]:
    """The hits by 0.6 * cosine + 0.4 * BM25 / the highest BM25, best first, with that as their score.

    Both are by chunk id and should be known of every chunk, whichever search found it: a guess costs more than the
    mixing gains. A chunk without BM25 holds no word of the question and has 0; one without cosine gets the lowest.
    This is the convex combination of Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval",
    TOIS 2023. Of cosines {a: 0.5, b: 0.3} and BM25 {b: 4} a has 0.3 and b, with 0.18 + 0.4, comes first.
    """
    highest = max(words.values(), default=0.0)
    lowest = min(cosines.values(), default=0.0)

    def score(chunk: Chunk) -> float:
        by_words = words.get(chunk.id, 0.0) / highest if highest > 0 else 0.0
        return (1 - WORDS_SHARE) * cosines.get(chunk.id, lowest) + WORDS_SHARE * by_words

    return sorted((replace(hit, score=score(hit.chunk)) for hit in hits), key=lambda hit: -hit.score)


def rerank(question: str, hits: Sequence[Hit], documents: Mapping[str, Document], embedder: Embedder) -> list[Ranked]:
    """The first 12 of `hits`, which have the scores of `weigh`, read closely and put in order; the rest follow.

    Adds to a hit's score three times the relevance of its best sentence, and to those of the rest the least so added.
    `documents` has the hits' documents by id.
    """
    head, rest = hits[:CLOSELY_READ], hits[CLOSELY_READ:]
    if not head:
        return []
    titles = [
        fit_title(documents[hit.chunk.document_id].title, embedder.count_tokens, embedder.max_tokens) for hit in head
    ]
    texts = [_text(hit.chunk, documents) for hit in head]
    [(asked, _), *read] = embedder.embed_tokens([question, *map(with_title, titles, texts)])
    ranked = [
        Ranked(hit, tuple(_sentences(asked, hit.chunk, len(title), text, *pieces)))
        for hit, title, text, pieces in zip(head, titles, texts, read, strict=True)
    ]
    gains = [SENTENCE_WEIGHT * max((sentence.relevance for sentence in one.sentences), default=0.0) for one in ranked]
    moved = [replace(one, hit=_raised(one.hit, gain)) for one, gain in zip(ranked, gains, strict=True)]
    least = min(gains)
    return [
        *sorted(moved, key=lambda one: -one.hit.score),
        *(Ranked(_raised(hit, least), ()) for hit in rest),
    ]


def _sentences(
    asked: Vectors, chunk: Chunk, title: int, text: str, pieces: Vectors, places: Sequence[tuple[int, int]]
) -> Iterator[Sentence]:
    """Those of a chunk whose `text` was embedded behind a title of `title` characters and a line's end."""
    in_title = _within(places, 0, title)
    for start, end in sentence_spans(text):
        own = _within(places, title + 1 + start, title + 1 + end)
        yield Sentence(chunk.start + start, chunk.start + end, _likeness(asked, pieces[in_title + own]) if own else 0.0)


def _likeness(asked: Vectors, pieces: Vectors) -> float:
    """Mean over the rows of `asked` of the highest cosine with a row of `pieces`; 0 where either has none.

    MaxSim of Khattab and Zaharia, "ColBERT: Efficient and Effective Passage Search via Contextualized Late Interaction
    over BERT", SIGIR 2020, with the vectors of an embedder that wasn't trained for it.
    """
    if not len(asked) or not len(pieces):
        return 0.0
    return float((asked @ pieces.T).max(axis=1).mean())


def _within(places: Sequence[tuple[int, int]], start: int, end: int) -> list[int]:
    """Rows of the word pieces that begin in the span."""
    return [row for row, (begin, _) in enumerate(places) if start <= begin < end]


def _raised(hit: Hit, gain: float) -> Hit:
    return replace(hit, score=hit.score + gain)


def _text(chunk: Chunk, documents: Mapping[str, Document]) -> str:
    return documents[chunk.document_id].text[chunk.start : chunk.end]
