"""Which sentence supports which: attribution of answer sentences to passage sentences by the words they share.

The measure is the share of a claim's content words that stand in the supporting sentence. It was the stronger of two
cheap measures on 130 human-labelled claims (AUC 0.87, against 0.81 for asking the reader). Numbers and names weigh
more than other words, because a sentence with another number or name says something else.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.grounding.marks import Mark, split_marks
from rag.sentences import sentence_spans
from rag.types import Citation, Claim, Passage, Verdict

SUPPORTED_FROM, PARTLY_FROM = 0.7, 0.4
"""Scores from which a claim counts as supported, and as partly supported."""

CORRECTION_LEAD = 0.15
"""How much better another passage's sentence must score before it replaces what the reader cited."""

SECOND_SENTENCE_GAIN = 0.2
"""How much a second sentence must add before it is cited as well."""

NUMBER_WEIGHT, NAME_WEIGHT = 3.0, 2.0

_ORDINAL = re.compile(r"^\s*\d{1,2}[.)]\s+")
"""The number of a list's item, which says nothing about the articles."""
_ITEM = re.compile(r"(?:[-*•–]|\d{1,2}[.)])\s")
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)?")
_STOP_WORDS = frozenset(
    "a about after also an and are as at be because been before being but by can could did do does for from had has "
    "have he her his how i if in into is it its may more most not of on or other our she should so some such than that "
    "the their them then there these they this those to was we were what when where which while who will with would "
    "you according article articles passage passages says said".split()
)


@dataclass(frozen=True, slots=True)
class _Sentence:
    passage: Passage
    start: int
    end: int
    words: frozenset[str]


class Grounder:
    """Finds support in the sentences of a few passages, which are taken apart once."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._candidates = [sentence for passage in passages for sentence in _sentences(passage)]

    def ground(self, written: str) -> tuple[str, tuple[Claim, ...]]:
        """The text without marks, and a `Claim` for each of its sentences with the sentences that support it.

        A number the reader wrote is kept where its passage supports the sentence about as well as any other does; a
        wrong one is corrected and a missing one added. Sentences that nothing supports have no citation.
        """
        text, marks = split_marks(written.strip())
        spans = sentence_spans(text)
        cited = _cited(marks, spans)
        return text, tuple(
            _claim(text, start, end, numbers, self._candidates)
            for (start, end), numbers in zip(spans, cited, strict=True)
        )


def verdict_on(claim: str, sentences: Sequence[str]) -> Verdict:
    """How well these sentences together carry the claim, by the measure that attribution uses."""
    weights = _weights(claim)
    held = frozenset[str]().union(*(_words(sentence) for sentence in sentences))
    return _verdict(_held_share(weights, held), weights, held)


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


def _claim(text: str, start: int, end: int, cited: frozenset[int], candidates: Sequence[_Sentence]) -> Claim:
    weights = _weights(text[start:end])
    support = _support(weights, cited, candidates)
    score = _coverage(weights, support)
    verdict = _verdict(score, weights, _held(support))
    if verdict == Verdict.UNSUPPORTED:
        support = []
    citations = tuple(Citation(sentence.passage, sentence.start, sentence.end) for sentence in support)
    return Claim(text[start:end], start, end, citations, verdict, round(score, 3))


def _support(weights: dict[str, float], cited: frozenset[int], candidates: Sequence[_Sentence]) -> list[_Sentence]:
    """The best sentence, preferring what was cited, and a second one where it adds enough."""
    best = _best(weights, [], candidates)
    own = _best(weights, [], [sentence for sentence in candidates if sentence.passage.number in cited])
    if best is None:
        return []
    keeps = own is not None and _coverage(weights, [own]) >= _coverage(weights, [best]) - CORRECTION_LEAD
    first = own if own is not None and keeps else best
    second = _best(weights, [first], candidates)
    if second is None:
        return [first]
    gain = _coverage(weights, [first, second]) - _coverage(weights, [first])
    added = weights.keys() & second.words - first.words
    if gain < SECOND_SENTENCE_GAIN or all(word[0].isdigit() for word in added):
        return [first]  # "it costs 5 euros" isn't made of "it costs 4 euros" and "it has 5 seats"
    return [first, second]


def _best(weights: dict[str, float], chosen: list[_Sentence], candidates: Sequence[_Sentence]) -> _Sentence | None:
    rest = [sentence for sentence in candidates if sentence not in chosen]
    # Of equals the shortest: it says the least besides.
    return max(rest, key=lambda sentence: (_coverage(weights, [*chosen, sentence]), -len(sentence.words)), default=None)


def _coverage(weights: dict[str, float], support: Sequence[_Sentence]) -> float:
    return _held_share(weights, _held(support))


def _held(support: Sequence[_Sentence]) -> frozenset[str]:
    return frozenset[str]().union(*(sentence.words for sentence in support))


def _held_share(weights: dict[str, float], held: frozenset[str]) -> float:
    """Weighted share, in [0, 1], of the claim's words that stand in the supporting sentences or their titles."""
    total = sum(weights.values())
    return sum(weight for word, weight in weights.items() if word in held) / total if total else 0.0


def _verdict(score: float, weights: dict[str, float], held: frozenset[str]) -> Verdict:
    if score < PARTLY_FROM:
        return Verdict.UNSUPPORTED
    numbers = {word for word in weights if word[0].isdigit()}
    if score < SUPPORTED_FROM or not numbers <= held:
        return Verdict.PARTLY_SUPPORTED
    return Verdict.SUPPORTED


def _sentences(passage: Passage) -> list[_Sentence]:
    """A sentence's words include those of the title: "the company" there is the one the article is about."""
    title = frozenset(_words(passage.document.title))
    offset = passage.chunk.start
    spans = sentence_spans(passage.text)
    return [
        _Sentence(passage, offset + start, offset + end, title.union(_words(passage.text[start:end])))
        for start, end in [*spans, *_lists(passage.text, spans)]
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


def _weights(claim: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for at, found in enumerate(_WORD.finditer(_ORDINAL.sub("", claim))):
        word = _normal(found[0])
        if word in _STOP_WORDS or found[0].casefold() in _STOP_WORDS:
            continue
        if word[0].isdigit():
            weights[word] = NUMBER_WEIGHT
        elif found[0][0].isupper() and at > 0:
            weights[word] = NAME_WEIGHT
        else:
            weights.setdefault(word, 1.0)
    return weights


def _words(text: str) -> list[str]:
    return [_normal(word) for word in _WORD.findall(text)]


def _normal(word: str) -> str:
    """Lower case, without thousands separators, possessive and the plainest endings: "Payments'" -> "payment"."""
    if word[0].isdigit():
        return word.replace(",", "")
    word = re.sub(r"['’](?:s)?$", "", word.casefold().replace("’", "'"))
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word
