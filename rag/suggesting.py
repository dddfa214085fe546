"""Questions worth asking next, that the library answers: made from its own sentences, tried before they are shown.

    articles → sentences → questions they answer (`rag.questioning`) → the nearest to what was asked → those that a
    search answers with the very passage they came from

No reader takes part. Asked to write such questions, a small one repeats what was asked or asks after what never
happened, and takes seconds to do so.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

import numpy as np

from rag.grounding import holders_of
from rag.questioning import question_in_title, questions
from rag.retrieval import Retrieved
from rag.sentences import sentence_spans
from rag.types import Answer, Catalogue, Chunk, Document, Embedder

MOST = 3
"""Questions suggested."""

TRIED = 6
"""Questions searched for, at most: each takes as long as finding the passages of an answer."""

DRAFTS = 60
"""Questions compared with the one asked: 5 ms each."""

NEIGHBOURS, REACH = 20, 1500
"""Chunks near the question from which questions are made, and the characters around each."""

NEAR = 0.6
"""The least `Retrieved.similarity` of a question that its passage answers: those that nothing answers stay below."""

RELATED, SAME = 0.3, 0.88
"""Cosines between questions: below the first they have nothing to do with each other, from the second on they ask the
same."""

CONTENT = 3
"""Words of content from which on a question that holds them all asks the same once more."""

_ASKING = frozenset(
    "a an and are at by can did do does for from had has have how in is it many much of on or s that the to was were "
    "what when where which who whom whose why will with would".split()
)

_OFFICE = re.compile(r"Who (?:is|was) (the .+ of .+)\?")

OPENERS, OPENING_DOCUMENTS, OPENING_CHARACTERS = 4, 24, 3000
"""Questions to begin with, articles looked at for them, and how much of each."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A question, and where its answer stands."""

    question: str
    document: Document
    start: int
    end: int
    """Of the sentence in the document; of all of it for a question that is its title."""


def suggestions(
    answer: Answer,
    chunks: Sequence[Chunk],
    documents: Mapping[str, Document],
    embedder: Embedder,
    search: Callable[[str], Retrieved],
) -> Iterator[str | None]:
    """Up to three questions related to what was asked; None after each one tried that won't do.

    They are made from the surroundings of `chunks`, whose `documents` are given by id, the first ones first; `search`
    finds what an answer to a question would be read from. Questions that ask again what was asked, or that a cited
    sentence answers, are left out.
    """
    asked_before = _content(answer.standalone_question)
    repeats = asked_before if len(asked_before) >= CONTENT else None
    drafts = [
        draft
        for draft in _drafts_around(chunks, documents, _cited(answer))
        if repeats is None or not repeats <= _content(draft.question)
    ][:DRAFTS]
    if not drafts:
        return
    asked = [answer.standalone_question, *(draft.question for draft in drafts)]
    vectors = embedder.embed_passages(asked)
    cosines = vectors @ vectors.T
    related = [at for at in np.argsort(-cosines[0]).tolist() if at and RELATED <= cosines[0, at] < SAME]
    taken: list[int] = []
    tried = 0
    for at in related:
        if len(taken) == MOST or tried == TRIED:
            return
        if any(cosines[at, other] >= SAME or _same_sentence(drafts[at - 1], drafts[other - 1]) for other in taken):
            continue
        tried += 1
        draft = drafts[at - 1]
        found = search(draft.question)
        if found.similarity < NEAR or not _answers(found, draft):
            yield None
            continue
        taken.append(at)
        yield draft.question


def openers(catalogue: Catalogue, documents: Sequence[Document], embedder: Embedder) -> tuple[str, ...]:
    """Up to four questions to begin with, each from another article; empty where the articles yield none.

    A question is taken where the sentence it came from is in the chunk nearest to it.
    """
    per_document = [[*_of_title(document), *_of_text(document, 0, OPENING_CHARACTERS)] for document in documents]
    taken: list[Draft] = []
    # Every article's first question before any article's second.
    for draft in filter(None, chain.from_iterable(zip_longest(*per_document))):
        if len(taken) == OPENERS:
            break
        if any(draft.document == one.document or draft.question == one.question for one in taken):
            continue
        nearest = catalogue.nearest(embedder.embed_query(draft.question), 1)
        if any(
            hit.chunk.document_id == draft.document.id and _covers(draft, hit.chunk.start, hit.chunk.end)
            for hit in nearest
        ):
            taken.append(draft)
    return tuple(draft.question for draft in taken)


def spread(ids: Sequence[str], count: int = OPENING_DOCUMENTS) -> list[str]:
    """At most `count` of them at even distances, the first included."""
    places = np.linspace(0, len(ids), num=min(count, len(ids)), endpoint=False, dtype=int)
    return [ids[place] for place in places.tolist()]


def near(question: str, catalogue: Catalogue, embedder: Embedder, documents: frozenset[str] | None) -> list[Chunk]:
    """Chunks whose surroundings may answer something related; only of the documents with these ids where given."""
    return [hit.chunk for hit in catalogue.nearest(embedder.embed_query(question), NEIGHBOURS, documents)]


def _drafts_around(
    chunks: Iterable[Chunk], documents: Mapping[str, Document], cited: Collection[tuple[str, str]]
) -> Iterator[Draft]:
    """Each question once, without those that a sentence answers which is `cited`."""
    asked: set[str] = set()
    for chunk in chunks:
        if chunk.document_id not in documents:
            continue
        document = documents[chunk.document_id]
        around = _of_text(document, max(0, chunk.start - REACH), chunk.end + REACH)
        for draft in chain(_of_title(document), around):
            said = (document.id, document.text[draft.start : draft.end])
            if said not in cited and draft.question not in asked:
                asked.add(draft.question)
                yield draft


def _cited(answer: Answer) -> set[tuple[str, str]]:
    return {(citation.passage.document.id, citation.text) for claim in answer.claims for citation in claim.citations}


def _content(question: str) -> frozenset[str]:
    words = re.findall(r"\w+", question.casefold())
    return frozenset(words) - _ASKING


def _of_title(document: Document) -> Iterator[Draft]:
    if question := question_in_title(document.title):
        yield Draft(question, document, 0, len(document.text))


def _of_text(document: Document, start: int, end: int) -> Iterator[Draft]:
    text = document.text[start:end]
    spans = sentence_spans(text)
    whole = spans[1 if start else 0 : None if end >= len(document.text) else -1]  # half a sentence says something else
    for first, last in whole:
        sentence = text[first:last]
        for question in (asked for asked in questions(sentence, text) if _names_one(asked, sentence)):
            yield Draft(question, document, start + first, start + last)


def _names_one(question: str, sentence: str) -> bool:
    """Whether the sentence leaves no doubt about whose office a question asks for; True of other questions."""
    office = _OFFICE.fullmatch(question)
    return office is None or len(holders_of(office[1], sentence)) == 1


def _answers(found: Retrieved, draft: Draft) -> bool:
    """Whether the first passage is where the question came from, or says the same."""
    if not found.passages:
        return False
    first = found.passages[0]
    if first.document.id == draft.document.id:
        return _covers(draft, first.chunk.start, first.chunk.end)
    return draft.document.text[draft.start : draft.end] in first.text


def _covers(draft: Draft, start: int, end: int) -> bool:
    """Whether the sentence lies in the span; of a title anything of its article does."""
    whole = (draft.start, draft.end) == (0, len(draft.document.text))
    return whole or (start <= draft.start and draft.end <= end)


def _same_sentence(one: Draft, other: Draft) -> bool:
    return (one.document.id, one.start, one.end) == (other.document.id, other.start, other.end)
