"""Fit and measure what tells supported sentences from others, against human judgements.

    python -m benchmarks.attribution FOLDER [--yes FILE [--ask]] [--meaning] [--write]

FOLDER holds claims.jsonl and documents.jsonl: claims, the passages each cites, and whether these support it. The model
is fitted to the claims of one half of the questions and measured on those of the other, then the other way round.
--meaning adds the embedder's cosine and --yes the reader's probability of a Yes, kept in FILE; with --ask the reader is
asked what isn't there yet, which takes seconds a claim. --write fits to all claims and writes
rag/grounding/support.json.

A claim is as well supported as by the least of the passages it cites; one that cites none scores 0. Only claims that
cite one passage are fitted to: of the others it isn't said which passage failed. What has several sentences gets the
mean of its sentences' measures.
"""

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rag import prompting
from rag.grounding import Grounder, split_marks
from rag.grounding.attribution import shown
from rag.grounding.support import CHEAP, MEANING, READER, meanings, measures, model_name
from rag.metrics import interval
from rag.sentences import sentence_spans
from rag.settings import load_settings
from rag.types import Chunk, Document, Passage, Prompt

MODELS_FILE = Path(__file__).parent.parent / "rag" / "grounding" / "support.json"

FALSE_ACCEPTS = "false accepts at 75 % kept"
KEPT = 0.75
"""Share of the supported claims that a cautious gate has to let pass."""
RESAMPLES = 500

Measured: TypeAlias = Mapping[str, float]
Answers: TypeAlias = dict[tuple[str, str], float]
"""(claim id, document id) → the reader's probability of a Yes."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim and one of the passages it cites."""

    claim: int
    """Its place among all claims."""
    document: str
    text: str
    passage: Passage
    sentences: tuple[str, ...]
    supports: tuple[tuple[str, ...], ...]
    """Of each sentence."""


@dataclass(frozen=True, slots=True)
class Judged:
    question: str
    supported: bool
    score: float
    accepted: bool


@dataclass(frozen=True, slots=True)
class Fitted:
    weights: dict[str, float]
    intercept: float

    def score(self, measured: Measured) -> float:
        total = self.intercept + sum(weight * measured[name] for name, weight in self.weights.items())
        return float(1 / (1 + np.exp(-total)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--yes", type=Path)
    parser.add_argument("--ask", action="store_true")
    parser.add_argument("--meaning", action="store_true")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    claims = _lines(given.folder / "claims.jsonl")
    pairs = _pairs(claims, {line["id"]: line for line in _lines(given.folder / "documents.jsonl")})
    known = [_cheap(pair) for pair in pairs]
    if given.meaning:
        known = [{**cheap, MEANING: near} for cheap, near in zip(known, _meanings(pairs), strict=True)]
    sets: list[tuple[str, ...]] = [("words",), CHEAP, *([(*CHEAP, MEANING)] if given.meaning else [])]
    for names in sets:
        _report(names, claims, pairs, known)
    if given.yes:
        answers = _answers(given.yes, claims, pairs, ask=given.ask)
        keys = [(claims[pair.claim]["id"], pair.document) for pair in pairs]
        known = [{**row, READER: answers[key]} if key in answers else row for row, key in zip(known, keys, strict=True)]
        unknown = {pair.claim for pair, row in zip(pairs, known, strict=True) if READER not in row}
        asked = [at for at, claim in enumerate(claims) if at not in unknown and claim["references"]]
        print(f"Of the {len(asked)} claims about which the reader was asked:")
        sets = [*sets, (*CHEAP, READER), *([(*CHEAP, MEANING, READER)] if given.meaning else [])]
        for names in [*sets[:2], (READER,), *sets[2:]]:
            _report(names, *_only(asked, claims, pairs, known))
    if given.write:
        command = "python -m benchmarks.attribution " + " ".join(sys.argv[1:])
        models = {model_name(set(names) - set(CHEAP)): _model(names, claims, pairs, known) for names in sets[1:]}
        MODELS_FILE.write_text(json.dumps({"command": command, "models": models}, indent=2) + "\n", encoding="utf-8")


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _pairs(claims: Sequence[dict[str, Any]], documents: Mapping[str, dict[str, Any]]) -> list[Pair]:
    return [
        _pair(at, split_marks(claim["claim"])[0], documents[one])
        for at, claim in enumerate(claims)
        for one in claim["references"]
    ]


def _pair(at: int, text: str, line: Mapping[str, Any]) -> Pair:
    content = re.sub(r"^\[\d+\]\s*", "", line["text"])  # its number in the prompt that the claim answers
    document = Document(line["id"], line["title"], content, "", None, None, "")
    passage = Passage(1, Chunk(line["id"], line["id"], 0, len(content)), document, content)
    sentences = tuple(text[start:end] for start, end in sentence_spans(text)) or (text,)
    grounder = Grounder([passage])
    supports = tuple(tuple(shown(one) for one in grounder.support(sentence)) for sentence in sentences)
    return Pair(at, line["id"], text, passage, sentences, supports)


def _cheap(pair: Pair) -> dict[str, float]:
    rows = [measures(sentence, support) for sentence, support in zip(pair.sentences, pair.supports, strict=True)]
    return {name: float(np.mean([row[name] for row in rows])) for name in CHEAP}


def _meanings(pairs: Sequence[Pair]) -> list[float]:
    from rag.pipeline import open_embedder

    found = iter(
        meanings(
            [sentence for pair in pairs for sentence in pair.sentences],
            [support for pair in pairs for support in pair.supports],
            open_embedder(load_settings()),
        )
    )
    return [float(np.mean([next(found) for _ in pair.sentences])) for pair in pairs]


def _answers(file: Path, claims: Sequence[dict[str, Any]], pairs: Sequence[Pair], *, ask: bool) -> Answers:
    lines = _lines(file) if file.exists() else []
    answers = {(line["id"], line["document"]): line["yes"] for line in lines}
    if not ask:
        return answers
    from rag.pipeline import open_reader

    engine = open_reader(load_settings())
    with file.open("a", encoding="utf-8") as kept:
        for pair in pairs:
            key = (claims[pair.claim]["id"], pair.document)
            if key not in answers:
                answers[key] = engine.choose(yes_prompt(pair.text, pair.passage), prompting.YES_NO)[0]
                line = {"id": key[0], "document": key[1], "yes": answers[key]}
                kept.write(json.dumps(line) + "\n")
                kept.flush()
    engine.close()
    return answers


def yes_prompt(claim: str, passage: Passage) -> Prompt:
    """Begins as the prompts of `rag.prompting` do, so that a reader that has just answered needn't read all again."""
    begun = prompting.check_prompt("", [passage])
    return Prompt(
        begun.instructions,
        begun.passages,
        f'Does passage [{passage.number}] state this: "{claim}"? Reply Yes or No.',
    )


def _only(
    wanted: Sequence[int], claims: Sequence[dict[str, Any]], pairs: Sequence[Pair], known: Sequence[Measured]
) -> tuple[list[dict[str, Any]], list[Pair], list[Measured]]:
    places = {old: new for new, old in enumerate(wanted)}
    kept = [(pair, row) for pair, row in zip(pairs, known, strict=True) if pair.claim in places]
    moved = [
        Pair(places[pair.claim], pair.document, pair.text, pair.passage, pair.sentences, pair.supports)
        for pair, _ in kept
    ]
    return [claims[at] for at in wanted], moved, [row for _, row in kept]


def _half(question: str) -> int:
    return hashlib.sha256(question.encode()).digest()[0] % 2


def _report(
    names: Sequence[str], claims: Sequence[dict[str, Any]], pairs: Sequence[Pair], known: Sequence[Measured]
) -> None:
    judged = [one for half in (0, 1) for one in _judged(names, half, claims, pairs, known)]
    by_question: dict[str, list[Judged]] = {}
    for one in judged:
        by_question.setdefault(one.question, []).append(one)
    cells = []
    for name, measure in MEASURES.items():
        found = interval(_over(measure), list(by_question.values()), resamples=RESAMPLES)
        cells.append(f"{name} {found.value:.3f} ({found.low:.3f}-{found.high:.3f})")
    print(f"{', '.join(names)}: {'; '.join(cells)}", flush=True)


def _over(measure: Callable[[Sequence[Judged]], float]) -> Callable[[Sequence[list[Judged]]], float]:
    return lambda drawn: measure([one for group in drawn for one in group])


def _judged(
    names: Sequence[str],
    half: int,
    claims: Sequence[dict[str, Any]],
    pairs: Sequence[Pair],
    known: Sequence[Measured],
) -> Iterator[Judged]:
    """The claims of one half, by what was fitted to the other."""
    other = {at for at, claim in enumerate(claims) if _half(claim["question"]) != half}
    fitted = _fitted(names, claims, pairs, known, other)
    scores = _scores(fitted, claims, pairs, known)
    threshold = _best_threshold([(bool(claims[at]["supported"]), scores[at]) for at in sorted(other)])
    for at, claim in enumerate(claims):
        if at not in other:
            yield Judged(claim["question"], bool(claim["supported"]), scores[at], scores[at] >= threshold)


def _fitted(
    names: Sequence[str],
    claims: Sequence[dict[str, Any]],
    pairs: Sequence[Pair],
    known: Sequence[Measured],
    among: set[int],
) -> Fitted:
    from sklearn.linear_model import LogisticRegression

    kept = [
        (row, bool(claims[pair.claim]["supported"]))
        for pair, row in zip(pairs, known, strict=True)
        if pair.claim in among and len(claims[pair.claim]["references"]) == 1 and set(names) <= row.keys()
    ]
    rows = [[row[name] for name in names] for row, _ in kept]
    model = LogisticRegression(class_weight="balanced", max_iter=1000).fit(rows, [label for _, label in kept])
    weights = dict(zip(names, (round(float(one), 3) for one in model.coef_[0]), strict=True))
    return Fitted(weights, round(float(model.intercept_[0]), 3))


def _scores(
    fitted: Fitted, claims: Sequence[dict[str, Any]], pairs: Sequence[Pair], known: Sequence[Measured]
) -> list[float]:
    scores: list[list[float]] = [[] for _ in claims]
    for pair, row in zip(pairs, known, strict=True):
        scores[pair.claim].append(fitted.score(row) if fitted.weights.keys() <= row.keys() else 0.0)
    return [min(own, default=0.0) for own in scores]


def _best_threshold(judged: Sequence[tuple[bool, float]]) -> float:
    """That of the best balanced accuracy, taken over its neighbours too: one claim more or less shouldn't decide."""
    thresholds = np.linspace(0.05, 0.95, 91)
    supported = np.array([score for label, score in judged if label])
    others = np.array([score for label, score in judged if not label])
    accuracy = [((supported >= at).mean() + (others < at).mean()) / 2 for at in thresholds]
    smooth = np.convolve(np.pad(accuracy, 3, mode="edge"), np.ones(7) / 7, mode="valid")
    return float(thresholds[smooth.argmax()])


def _balanced_accuracy(judged: Sequence[Judged]) -> float:
    supported, others = _parted(judged)
    right = np.mean([one.accepted for one in supported]), np.mean([not one.accepted for one in others])
    return float(sum(right) / 2)


def _auc(judged: Sequence[Judged]) -> float:
    from sklearn.metrics import roc_auc_score

    _parted(judged)
    return float(roc_auc_score([one.supported for one in judged], [one.score for one in judged]))


def _false_accepts(judged: Sequence[Judged]) -> float:
    """Share of the other claims that score as high as the best three quarters of the supported."""
    supported, others = _parted(judged)
    threshold = _quantile([one.score for one in supported], 1 - KEPT)
    return float(np.mean([one.score >= threshold for one in others]))


def _parted(judged: Sequence[Judged]) -> tuple[list[Judged], list[Judged]]:
    """Supported claims and others. Raises ValueError where there are none of a kind."""
    supported = [one for one in judged if one.supported]
    others = [one for one in judged if not one.supported]
    if not supported or not others:
        raise ValueError("There are claims of one kind only.")
    return supported, others


MEASURES: Mapping[str, Callable[[Sequence[Judged]], float]] = {
    "balanced accuracy": _balanced_accuracy,
    "AUC": _auc,
    FALSE_ACCEPTS: _false_accepts,
}


def _quantile(scores: Sequence[float] | NDArray[np.float64], share: float) -> float:
    return float(np.quantile(scores, share))


def _model(
    names: Sequence[str], claims: Sequence[dict[str, Any]], pairs: Sequence[Pair], known: Sequence[Measured]
) -> dict[str, Any]:
    """Fitted to all claims whose measures are known; the thresholds are those of claims that cite one passage."""
    whole = {pair.claim for pair, row in zip(pairs, known, strict=True) if set(names) <= row.keys()}
    fitted = _fitted(names, claims, pairs, known, whole)
    scores = _scores(fitted, claims, pairs, known)
    single = [at for at in sorted(whole) if len(claims[at]["references"]) == 1]
    supported = [scores[at] for at in single if claims[at]["supported"]]
    return {
        "weights": fitted.weights,
        "intercept": fitted.intercept,
        "supported_from": round(_quantile(supported, 1 - KEPT), 2),
    }


if __name__ == "__main__":
    main()
