"""Ask every question of a set and count right answers, citations and refusals.

    python -m benchmarks.answers                              # seeds/ and seeds/questions.jsonl
    python -m benchmarks.answers --articles FOLDER --field originals

A question set is JSON lines with id, question, answers, answerable and evidence. `--field NAME` keeps the answerable
questions whose field NAME is true and all unanswerable ones; the cited file is compared with the evidence only where
the evidence names files of this folder. The library is built in a temporary folder with the current settings.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rag.indexing import index_paths
from rag.pipeline import Pipeline, library_identity, open_embedder, open_pipeline
from rag.settings import load_settings
from rag.types import Answer

Question = dict[str, Any]
SEEDS = Path(__file__).parent.parent / "seeds"


def main() -> None:
    options = _options()
    questions = [json.loads(line) for line in options.questions.read_text().splitlines()]
    if options.field:
        questions = [question for question in questions if question[options.field] or not question["answerable"]]
    questions = questions[: options.limit]
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(index=Path(folder))
        embedder = open_embedder(settings)
        index_paths([options.articles], settings.index, library_identity(settings, embedder), embedder)
        pipeline = open_pipeline(settings)
        try:
            run(pipeline, questions, {path.name for path in options.articles.iterdir()}, options.log)
        finally:
            pipeline.close()


def run(pipeline: Pipeline, questions: list[Question], files: set[str], log: Path | None) -> None:
    results = []
    for question in questions:
        started = time.perf_counter()
        answer = pipeline.answer(question["question"])
        seconds = time.perf_counter() - started
        results.append((question, answer, seconds))
        print(f"{seconds:5.1f} s  {_mark(question, answer)}  {answer.confidence:.2f}  {question['question']}")
        print(f"            {answer.text}")
        if log:
            with log.open("a") as lines:
                lines.write(json.dumps({"id": question["id"], "answer": answer.text, "p": answer.confidence}) + "\n")
    print()
    for name, value in _scores(results, files):
        print(f"{name:58} {value}")


def _scores(results: list[tuple[Question, Answer, float]], files: set[str]) -> list[tuple[str, str]]:
    answerable = [(question, answer) for question, answer, _ in results if question["answerable"]]
    unanswerable = [answer for question, answer, _ in results if not question["answerable"]]
    answered = [(question, answer) for question, answer in answerable if not answer.abstained]
    named = [(question, answer) for question, answer in answered if _gold(question) & files]
    claims = [claim for _, answer in answered for claim in answer.claims]
    return [
        ("answerable: right", _share(answerable, lambda pair: right(*pair))),
        ("answerable: refused", _share(answerable, lambda pair: pair[1].abstained)),
        ("answered: a cited sentence holds the answer", _share(answered, lambda pair: cited_right(*pair))),
        ("answered: a cited file is a gold one", _share(named, lambda pair: bool(_cited(pair[1]) & _gold(pair[0])))),
        ("answer sentences with a citation", _share(claims, lambda claim: bool(claim.citations))),
        ("unanswerable: refused", _share(unanswerable, lambda answer: answer.abstained)),
        ("AUC of the confidence, answerable against unanswerable", _auc(answerable, unanswerable)),
        ("seconds an answer, median", f"{statistics.median(seconds for _, _, seconds in results):.1f}"),
    ]


def right(question: Question, answer: Answer) -> bool:
    return not answer.abstained and _holds(answer.text, question)


def cited_right(question: Question, answer: Answer) -> bool:
    return any(_holds(citation.text, question) for claim in answer.claims for citation in claim.citations)


def _holds(text: str, question: Question) -> bool:
    return any(accepted.casefold() in text.casefold() for accepted in question["answers"])


def _gold(question: Question) -> set[str]:
    return {evidence["document"] for evidence in question["evidence"]}


def _cited(answer: Answer) -> set[str]:
    return {Path(c.passage.document.source).name for claim in answer.claims for c in claim.citations}


def _mark(question: Question, answer: Answer) -> str:
    if answer.abstained:
        return "refused, rightly" if not question["answerable"] else "REFUSED, WRONGLY"
    if not question["answerable"]:
        return "ANSWERED, WRONGLY"
    return "right" if right(question, answer) else "WRONG"


def _share(items: list[Any], holds: Callable[[Any], bool]) -> str:
    if not items:
        return "none"
    count = sum(holds(item) for item in items)
    return f"{count}/{len(items)} = {count / len(items):.0%}"


def _auc(answerable: list[tuple[Question, Answer]], unanswerable: list[Answer]) -> str:
    """Share of pairs in which the answerable question has the higher confidence; ties count half."""
    pairs = [(one.confidence, other.confidence) for _, one in answerable for other in unanswerable]
    if not pairs:
        return "none"
    return f"{sum((one > other) + (one == other) / 2 for one, other in pairs) / len(pairs):.2f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=Path, default=SEEDS)
    parser.add_argument("--questions", type=Path, default=SEEDS / "questions.jsonl")
    parser.add_argument("--field", help="keep the answerable questions in which this field is true")
    parser.add_argument("--limit", type=int, help="ask only the first so many")
    parser.add_argument("--log", type=Path, help="append one JSON line an answer")
    return parser.parse_args()


if __name__ == "__main__":
    main()
