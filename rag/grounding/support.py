"""How well sentences of articles carry a sentence of an answer: measures, and a model that joins them to a probability.

The model is logistic regression, fitted to human judgements and kept with all its numbers in support.json. There are
several, one for each set of measures that may be at hand; `SupportModel.measures` says which it needs.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from math import exp

from rag.grounding.figures import Figure, figures, held
from rag.grounding.offices import misplaced_office
from rag.grounding.roles import said_of_another
from rag.grounding.words import FIGURE_WEIGHT, Wording, content_words, polarity, wording, words
from rag.types import Embedder, Verdict

CHEAP = ("words", "pairs", "figures")
"""Measures that need nothing but the texts."""
MEANING, READER = "meaning", "reader"
"""Measures that have to be handed in: the cosine of claim and support, and the reader's probability of a Yes."""

SUPPORTED_FROM, PARTLY_FROM = 0.7, 0.4
"""The least share of its words that must be there of a claim that is supported, and of one that is so in part."""


@dataclass(frozen=True, slots=True)
class Held:
    """What sentences say together."""

    words: frozenset[str]
    figures: frozenset[Figure]


@dataclass(frozen=True, slots=True)
class SupportModel:
    """The probability that a claim is supported: the logistic function of a weighted sum of measures."""

    weights: Mapping[str, float]
    intercept: float
    supported_from: float
    """The probability that three in four of the supported claims reach, and few others."""

    def probability(self, measures: Mapping[str, float]) -> float:
        total = self.intercept + sum(weight * measures[name] for name, weight in self.weights.items())
        return 1 / (1 + exp(-total))


@cache
def support_model(name: str) -> SupportModel:
    """One of those in support.json, such as "cheap"."""
    kept = json.loads((files("rag.grounding") / "support.json").read_text(encoding="utf-8"))["models"][name]
    return SupportModel(**kept)


def held_in(text: str) -> Held:
    """What one text says."""
    return Held(frozenset(words(text)), figures(text))


def joined(parts: Sequence[Held]) -> Held:
    """What several say together."""
    return Held(
        frozenset[str]().union(*(part.words for part in parts)),
        frozenset[Figure]().union(*(part.figures for part in parts)),
    )


def coverage(claim: Wording, support: Held) -> float:
    """Weighted share, in [0, 1], of the claim's words and figures that stand in the support; 0 where it has none."""
    found = sum(weight for word, weight in claim.weights.items() if word in support.words)
    found += FIGURE_WEIGHT * sum(held(figure, support.figures) for figure in claim.figures)
    return found / claim.weight if claim.weight else 0.0


def measures(claim: str, support: Sequence[str]) -> dict[str, float]:
    """The `CHEAP` ones, all in [0, 1].

    "words" is `coverage`, "pairs" the share of content words that follow one another there as they do in the claim,
    "figures" the share of the claim's figures that are there. The last two are 1 where there is nothing to find.
    """
    said, there = wording(claim), joined([held_in(text) for text in support])
    pairs_there = {pair for text in support for pair in pairwise(content_words(text))}
    return {
        "words": coverage(said, there),
        "pairs": _share([pair in pairs_there for pair in pairwise(said.order)]),
        "figures": _share([held(figure, there.figures) for figure in said.figures]),
    }


def meanings(claims: Sequence[str], supports: Sequence[Sequence[str]], embedder: Embedder) -> list[float]:
    """Cosine, in [-1, 1], of each claim with the nearest of the sentences that support it, 0 where there are none.

    One call of the embedder for all of them.
    """
    texts = list(dict.fromkeys([*claims, *(text for support in supports for text in support)]))
    vectors = dict(zip(texts, embedder.embed_passages(texts), strict=True))
    return [
        max((float(vectors[claim] @ vectors[text]) for text in support), default=0.0)
        for claim, support in zip(claims, supports, strict=True)
    ]


def judged(claim: str, support: Sequence[str], extra: Mapping[str, float] | None = None) -> tuple[float, Verdict]:
    """The probability, to three digits, that these sentences carry the claim, and what to make of it.

    `extra` are the measures besides `CHEAP`. However probable, a claim is at most partly supported where too few of its
    words are there, where one of its figures or names is missing, or where a "not" or another's name stands in the way.
    One that says nothing but that somebody holds an office is unsupported where another holds it.
    """
    if not support or not wording(claim).weight:
        return 0.0, Verdict.UNSUPPORTED
    misplaced = misplaced_office(claim, support)
    if misplaced and misplaced.stated:
        return 0.0, Verdict.UNSUPPORTED
    found = {**measures(claim, support), **(extra or {})}
    model = support_model(model_name(extra or {}))
    score = round(model.probability(found), 3)
    if found["words"] < PARTLY_FROM:
        return score, Verdict.UNSUPPORTED
    likely = score >= model.supported_from and found["words"] >= SUPPORTED_FROM
    if likely and named_in(claim, support) == 1 and not misplaced and not contradicted(claim, support):
        return score, Verdict.SUPPORTED
    return score, Verdict.PARTLY_SUPPORTED


def model_name(extra: Collection[str]) -> str:
    """Of the model that uses these measures besides `CHEAP`: "cheap", "meaning", "reader" or "meaning, reader"."""
    return ", ".join(sorted(extra)) or "cheap"


def contradicted(claim: str, support: Sequence[str]) -> bool:
    """Whether the words agree, but a "not" or another's name shows that they mean something else."""
    return reversed_by_negation(claim, support) or any(said_of_another(claim, text) for text in support)


def name_held(name: Sequence[str], support: Held) -> bool:
    """Whether the last or half of its words are there: "Tim Cook" may be called "Cook"."""
    return name[-1] in support.words or 2 * sum(word in support.words for word in name) >= len(name)


def reversed_by_negation(claim: str, support: Sequence[str]) -> bool:
    """Whether a word stands only behind a "not" in one and never in the other: "did not say" against "said"."""
    said, there = polarity(claim), polarity("\n".join(support))
    return bool(
        (said.negated - said.plain) & (there.plain - there.negated)
        or (said.plain - said.negated) & (there.negated - there.plain)
    )


def _share(found: Sequence[bool]) -> float:
    """1 where there is nothing to find."""
    return sum(found) / len(found) if found else 1.0


def named_in(question: str, texts: Sequence[str]) -> float:
    """Share, in [0, 1], of a question's or claim's own names and figures that stand in the texts; 1 where it has none.

    A name counts as there when its last word is, or half of them.
    """
    asked, there = wording(question), joined([held_in(text) for text in texts])
    return _share(
        [name_held(name, there) for name in asked.names] + [held(one, there.figures) for one in asked.figures]
    )


def word_share(question: str, texts: Sequence[str]) -> float:
    """Weighted share, in [0, 1], of the question's content words and figures that stand in the texts."""
    return coverage(wording(question), joined([held_in(text) for text in texts]))
