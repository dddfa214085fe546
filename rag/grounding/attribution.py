"""Which sentence supports which: attribution of answer sentences to passage sentences, whatever numbers were written.

A sentence is chosen by the weighted share of a claim's words and figures that stand in it. How well the chosen ones
carry the claim is then judged by more measures, joined by a model; see `rag.grounding.support`.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from rag.grounding.marks import Mark, split_marks
from rag.grounding.support import MEANING, READER, Held, coverage, held_in, joined, judged, meanings
from rag.grounding.words import Wording, wording
from rag.neutralizing import instruction_like
from rag.sentences import sentence_spans
from rag.types import Citation, Claim, Embedder, Passage, Verdict

CORRECTION_LEAD = 0.15
"""How much better another passage's sentence must cover a claim before it replaces what the reader cited."""

FURTHER_SENTENCE_GAIN = 0.2
"""How much more of a claim a second or third sentence must cover before it is cited as well."""

MOST_SENTENCES = 2
"""How many sentences are cited for one claim."""

Yes = Callable[[str, Sequence[Citation]], float]
"""The reader's probability, in [0, 1], that the cited passages state the claim."""

_BARE = re.compile(r"\W*(?:yes|no|true|false|correct|incorrect)\W*", re.IGNORECASE)
"""A sentence that says nothing without the question it answers."""
_ITEM = re.compile(r"(?:[-*•–]|\d{1,2}[.)])\s")


@dataclass(frozen=True, slots=True)
class _Sentence:
    passage: Passage
    start: int
    end: int
    held: Held
    asked: float = 0.0
    """In [0, 1]: how much of the question it covers."""

    @property
    def citation(self) -> Citation:
        return Citation(self.passage, self.start, self.end)


class Grounder:
    """Finds support in the sentences of a few passages, which are taken apart once.

    Of sentences that cover a claim equally well, such as a name alone, the one closest to `question` supports it. A
    bare "Yes" or "No" rests on what the passages say about the question, and is supported in part at most.
    """

    def __init__(self, passages: Sequence[Passage], question: str = "") -> None:
        self._question = question
        asked = wording(question)
        self._candidates = [
            replace(sentence, asked=coverage(asked, sentence.held))
            for passage in passages
            for sentence in _sentences(passage)
        ]

    def ground(self, written: str) -> tuple[str, tuple[Claim, ...]]:
        """The text without marks, and a `Claim` for each of its sentences with the sentences that support it.

        A number the reader wrote is kept where its passage supports the sentence about as well as any other does; a
        wrong one is corrected and a missing one added. Sentences that nothing supports have no citation.
        """
        text, marks = split_marks(written.strip())
        spans = sentence_spans(text)
        cited = _cited(marks, spans)
        return text, tuple(
            self._claim(text, start, end, numbers) for (start, end), numbers in zip(spans, cited, strict=True)
        )

    def support(self, claim: str, cited: Iterable[int] = ()) -> tuple[Citation, ...]:
        """The few sentences that cover most of the claim, preferably of `cited` passages, however little it is.

        Empty only where there are no passages.
        """
        return tuple(sentence.citation for sentence in _support(wording(claim), frozenset(cited), self._candidates))

    def _claim(self, text: str, start: int, end: int, cited: frozenset[int]) -> Claim:
        claim = text[start:end]
        bare = _BARE.fullmatch(claim) is not None
        said = self._question if bare else claim
        citations = self.support(said, cited)
        score, verdict = judged(said, [shown(citation) for citation in citations])
        if bare and verdict is Verdict.SUPPORTED:
            verdict = Verdict.PARTLY_SUPPORTED
        return Claim(claim, start, end, citations if verdict is not Verdict.UNSUPPORTED else (), verdict, score)


def verified(claims: Sequence[Claim], embedder: Embedder | None = None, yes: Yes | None = None) -> tuple[Claim, ...]:
    """Claims of a finished answer, judged anew by what takes longer: one call of the embedder for all, one question to
    the reader for each. Those without citations stay as they are."""
    cited = [claim for claim in claims if claim.citations]
    supports = [[shown(citation) for citation in claim.citations] for claim in cited]
    extras: list[dict[str, float]] = [{} for _ in cited]
    if embedder is not None and cited:
        near = meanings([claim.text for claim in cited], supports, embedder)
        extras = [{MEANING: cosine} for cosine in near]
    if yes is not None:
        answers = [yes(claim.text, claim.citations) for claim in cited]
        extras = [{**extra, READER: answer} for extra, answer in zip(extras, answers, strict=True)]
    anew = iter(zip(supports, extras, strict=True))
    return tuple(_judged_anew(claim, *next(anew)) if claim.citations else claim for claim in claims)


def verdict_on(claim: str, sentences: Sequence[str]) -> Verdict:
    """How well these sentences together carry the claim, by the measures that attribution uses."""
    return judged(claim, sentences)[1]


def shown(citation: Citation) -> str:
    """A cited sentence under the title of its article: "the company" there is the one the article is about."""
    return f"{citation.passage.document.title}\n{citation.text}"


def _judged_anew(claim: Claim, support: Sequence[str], extra: dict[str, float]) -> Claim:
    score, verdict = judged(claim.text, support, extra)
    return replace(
        claim, score=score, verdict=verdict, citations=claim.citations if verdict is not Verdict.UNSUPPORTED else ()
    )


def _cited(marks: Sequence[Mark], spans: Sequence[tuple[int, int]]) -> list[frozenset[int]]:
    """The numbers written for each sentence: those in it and those after it, up to the next.

    A reader that begins its answer with a mark puts them in front: then those before a sentence are its own.
    """
    in_front = bool(marks) and marks[0].at == 0
    cited = []
    for at, (start, end) in enumerate(spans):
        if in_front:
            own = [mark for mark in marks if (spans[at - 1][1] if at else 0) <= mark.at < end]
        else:
            limit = spans[at + 1][0] if at + 1 < len(spans) else end
            own = [mark for mark in marks if start < mark.at <= limit]
        cited.append(frozenset(number for mark in own for number in mark.numbers))
    return cited


def _support(claim: Wording, cited: frozenset[int], candidates: Sequence[_Sentence]) -> list[_Sentence]:
    """The best sentence, preferring what was cited, and further ones where they add enough."""
    best = _best(claim, [], candidates)
    own = _best(claim, [], [sentence for sentence in candidates if sentence.passage.number in cited])
    if best is None:
        return []
    keeps = own is not None and _coverage(claim, [own]) >= _coverage(claim, [best]) - CORRECTION_LEAD
    chosen = [own if own is not None and keeps else best]
    while len(chosen) < MOST_SENTENCES:
        more = _best(claim, chosen, candidates)
        if more is None or not _adds(claim, chosen, more):
            break
        chosen.append(more)
    return chosen


def _adds(claim: Wording, chosen: Sequence[_Sentence], more: _Sentence) -> bool:
    """Whether another sentence is worth citing.

    Not for a figure alone: "it costs 5 euros" isn't made of "it costs 4 euros" and "it has 5 seats".
    """
    held = joined([sentence.held for sentence in chosen])
    new_words = claim.weights.keys() & more.held.words - held.words
    return bool(new_words) and _coverage(claim, [*chosen, more]) - coverage(claim, held) >= FURTHER_SENTENCE_GAIN


def _best(claim: Wording, chosen: list[_Sentence], candidates: Sequence[_Sentence]) -> _Sentence | None:
    rest = [sentence for sentence in candidates if sentence not in chosen]
    # Of equals the one closest to the question, then the shortest: it says the least besides.
    return max(
        rest,
        key=lambda sentence: (_coverage(claim, [*chosen, sentence]), sentence.asked, -len(sentence.held.words)),
        default=None,
    )


def _coverage(claim: Wording, support: Sequence[_Sentence]) -> float:
    return coverage(claim, joined([sentence.held for sentence in support]))


def _sentences(passage: Passage) -> list[_Sentence]:
    """Those of a passage that may be cited. One that gives the reader orders supports nothing."""
    offset = passage.chunk.start
    spans = sentence_spans(passage.text)
    citations = [
        Citation(passage, offset + start, offset + end) for start, end in [*spans, *_lists(passage.text, spans)]
    ]
    return [
        _Sentence(passage, one.start, one.end, held_in(shown(one)))
        for one in citations
        if not instruction_like(one.text)
    ]


def _lists(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Lists with the lines that introduce them: "It sells:\n- tea\n- salt" says no less than a sentence would."""
    found: list[tuple[int, int]] = []
    introduced: int | None = None
    for start, end in spans:
        if introduced is not None and _ITEM.match(text, start):
            if found and found[-1][0] == introduced:
                found.pop()
            found.append((introduced, end))
        else:
            introduced = start if text[end - 1] == ":" else None
    return found
