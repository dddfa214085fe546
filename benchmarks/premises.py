"""Fit and measure how far a question's words alone tell whether a passage answers it.

    python -m benchmarks.premises FOLDER... [--write]

Each FOLDER holds questions.jsonl and documents.jsonl. A question is compared with the passage that answers it, the one
it was written against (`near_document`), or else the best of its `candidates`. The model is fitted to the questions
with even numbers, counted from 0, and measured on the others. --write puts it into rag/grounding/premises.json.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rag.grounding import word_share
from rag.grounding.premises import joined_by, premises
from rag.metrics import auc
from rag.sentences import sentence_spans

MODEL_FILE = Path(__file__).parent.parent / "rag" / "grounding" / "premises.json"
REFUSED_BELOW = (0.15, 0.25, 0.4)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and what there is to answer it from."""

    number: int
    answerable: bool
    passages: tuple[Mapping[str, float], ...]
    """The measures of each."""

    @property
    def best(self) -> Mapping[str, float]:
        return max(self.passages, key=lambda measured: measured["words"])


def main() -> None:
    """Read the sets, print a table for each, and write the model where asked to."""
    parser = argparse.ArgumentParser(description="Fit rag/grounding/premises.json.")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    sets = {folder.name: list(read(folder)) for folder in given.folders}
    model = fitted([one for asked in sets.values() for one in asked if one.number % 2 == 0])
    print(json.dumps(model))
    for name, asked in sets.items():
        for half, odd in (("fitted", 0), ("set aside", 1)):
            print(f"{name}, {half}: {told([one for one in asked if one.number % 2 == odd], model)}")
    if given.write:
        command = shlex.join(["python", "-m", "benchmarks.premises", *sys.argv[1:]])
        MODEL_FILE.write_text(json.dumps({"command": command, "model": model}, indent=2) + "\n", encoding="utf-8")


def read(folder: Path) -> Iterator[Asked]:
    """The questions of a set."""
    documents = {line["id"]: line for line in _lines(folder / "documents.jsonl")}
    for number, line in enumerate(_lines(folder / "questions.jsonl")):
        names = line.get("candidates") or [line.get("near_document") or line["evidence"][0]["document"]]
        found = [documents[name] for name in names if name in documents]
        yield Asked(number, line["answerable"], tuple(_measured(line["question"], one) for one in found))


def _measured(question: str, document: Mapping[str, str]) -> Mapping[str, float]:
    """By the sentence that holds most of the question's words, in place of one that an answer cites."""
    title, text = document["title"], document["text"]
    sentences = [f"{title}\n{text[start:end]}" for start, end in sentence_spans(text)]
    best = max(sentences, key=lambda sentence: word_share(question, [sentence]), default=title)
    return premises(question, [best], [f"{title}\n{text}"])


def fitted(asked: Sequence[Asked]) -> dict[str, float]:
    """Weights of a logistic regression, and its intercept."""
    from sklearn.linear_model import LogisticRegression

    names = list(asked[0].best)
    values = np.array([[one.best[name] for name in names] for one in asked])
    model = LogisticRegression(max_iter=1000).fit(values, [one.answerable for one in asked])
    weights = dict(zip(names, model.coef_[0].tolist(), strict=True))
    return {name: round(value, 3) for name, value in {**weights, "intercept": float(model.intercept_[0])}.items()}


def told(asked: Sequence[Asked], model: Mapping[str, float]) -> str:
    """How well the model tells them apart, and what refusing below a threshold would come to."""
    found = [(max(joined_by(model, one) for one in each.passages), each.answerable) for each in asked]
    yes, no = [p for p, answerable in found if answerable], [p for p, answerable in found if not answerable]
    told_apart = f"AUC {auc(yes, no):.3f}" if yes and no else "all answerable"
    shares = [f"{below}: {_below(no, below)} rightly, {_below(yes, below)} wrongly" for below in REFUSED_BELOW]
    return f"{len(asked)} questions, {told_apart}; refused below {'; '.join(shares)}"


def _below(found: Sequence[float], threshold: float) -> str:
    return f"{100 * sum(p < threshold for p in found) / len(found):.1f} %" if found else "none"


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
