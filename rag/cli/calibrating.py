"""`rag calibrate`: confidence fitted to questions whose answers are known, and the curve of what that is worth."""

import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.progress import ProgressLines
from rag.cli.shared import print_lines, print_markdown, repeatable_settings_of
from rag.errors import CalibrationError, InputError
from rag.rendering.records import markdown_words
from rag.settings import Settings
from rag.types import Answer, Failure

if TYPE_CHECKING:
    from rag.calibration import Calibration
    from rag.evaluation.results import Judged

AT_MOST_WRONG = (0.05, 0.1, 0.2)

COLOURS = {
    "var(--ink-soft)": "#454b4d",
    "var(--line)": "#e4e1d9",
    "var(--line-strong)": "#b9b4a8",
    "var(--accent)": "#0f6a5b",
    "var(--trouble)": "#a1402f",
}
"""Of a report's page in the light, for a drawing that has no page around it."""


def calibrate(
    context: typer.Context,
    questions: Annotated[
        list[Path], typer.Argument(metavar="QUESTIONS...", help="Question sets as `rag eval` takes them.")
    ],
    limit: Annotated[int | None, typer.Option(min=1, help="Ask a fixed sample of so many of each.")] = None,
    recorded: Annotated[
        list[Path] | None,
        typer.Option(help="Files of answers made before, by any version: none is asked, their signals are made anew."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="calibration.json in the library's folder when not given.")
    ] = None,
) -> None:
    """Fit confidence to questions whose answers are known, and draw the curve of risk and coverage."""
    from rag.calibration import FILE, cross_validated, fit, save
    from rag.evaluation import evaluate
    from rag.evaluation.plots import risk_coverage_plot

    settings = repeatable_settings_of(context)
    file = output or settings.index / FILE
    sets = list(dict.fromkeys(questions))
    _check_questions(sets, limit)
    _make_room(file)
    command = shlex.join(["rag", *sys.argv[1:]])
    if recorded:
        names, reader, judged = _judged_before(sets, limit, recorded)
    else:
        with ProgressLines() as report:
            asking = _refusing_nothing(settings)
            runs = [evaluate(path, asking, limit=limit, command=command, report=report) for path in sets]
        judged = [one for run in runs for one in run.questions]
        names = ", ".join(dict.fromkeys(run.name for run in runs))
        reader = runs[0].conditions.models.reader
    answered = [(one.outcome, one.right) for one in judged if _counts(one) and isinstance(one.outcome, Answer)]
    signals, right = [answer.signals for answer, _ in answered], [bool(is_right) for _, is_right in answered]
    print_markdown(f"## Calibration on {markdown_words(names)}\n\n{_what_came(judged)}")
    fitted = fit(signals, right, f"{command}: answers of {reader} to questions of {names}")
    sure = cross_validated(signals, right)
    print_markdown("\n".join(_worth(fitted, sure, right, asked=sum(one.right is not None for one in judged))))
    plot = risk_coverage_plot(_with_confidence(judged, sure))
    picture = file.with_suffix(".svg")
    with _writing(file):
        save(fitted, file)
        picture.write_text(_by_itself(plot.svg), encoding="utf-8")
    print_lines(
        [
            f"Calibration: {file}",
            f"Curve: {picture}",
            f"To use it, put this line into rag.toml: calibration = {json.dumps(str(file), ensure_ascii=False)}",
        ]
    )


def _check_questions(sets: Sequence[Path], limit: int | None) -> None:
    """Say before hours of work that it would be for nothing."""
    from rag.calibration import MIN_ANSWERS
    from rag.evaluation.sets import load_set, sample

    count = 0
    for path in sets:
        found = load_set(path)
        if found.retrieval_only:
            raise InputError(f"{path} says nothing about answers. Give a set with answers, or with answerable: false.")
        golds = sample(found.golds, limit) if limit is not None else found.golds
        count += sum(bool(gold.answers) or not gold.answerable for _, gold in golds)
    if count < MIN_ANSWERS:
        raise CalibrationError(
            f"Of {count} questions it is known what a right answer is; a calibration needs {MIN_ANSWERS} at least. "
            f"Give {MIN_ANSWERS - count} more, with answers or with answerable: false."
        )


def _make_room(file: Path) -> None:
    if file.suffix.lower() != ".json":
        raise InputError(f"{file} can't be the calibration: its name must end in .json. Name another file with -o.")
    if file.is_dir():
        raise InputError(f"{file} is a folder. Name a file with -o.")
    with _writing(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)


def _refusing_nothing(settings: Settings) -> Settings:
    """All that the reader writes counts; answers kept from before hold, whichever calibration is in use now."""
    return settings.model_copy(update={"max_wrong": 1.0, "calibration": None})


def _judged_before(sets: Sequence[Path], limit: int | None, files: Sequence[Path]) -> "tuple[str, str, list[Judged]]":
    """Names of the sets, the reader, and those of their questions that the files have answers to, judged anew.

    Of several answers to a question the last counts, and one that was given before one that was withheld.
    """
    from rag.batch import read_records
    from rag.evaluation.judging import is_right
    from rag.evaluation.results import Judged
    from rag.evaluation.sets import load_set, sample
    from rag.pipeline.signals import anew

    found: dict[tuple[str, str], Answer] = {}
    readers = []
    for record in (one for file in files for one in read_records(file)):
        key, outcome = (record.question.id, record.question.text), record.outcome
        if isinstance(outcome, Answer) and (key not in found or not outcome.abstained):
            claimed = not outcome.abstained and "verified" in outcome.signals
            found[key] = replace(outcome, signals=anew(outcome)) if claimed else outcome
            readers.append(record.conditions.models.reader)
    judged = []
    loaded = [load_set(path) for path in sets]
    for questions in loaded:
        golds = sample(questions.golds, limit) if limit is not None else questions.golds
        for question, gold in golds:
            answer = found.get((question.id, question.text))
            if answer is not None and (answer.abstained or "verified" in answer.signals):
                judged.append(Judged(question, gold, answer, is_right(gold, answer), {}, None))
    return ", ".join(dict.fromkeys(one.name for one in loaded)), ", ".join(dict.fromkeys(readers)), judged


def _counts(one: "Judged") -> bool:
    """Whether it was answered, and can be judged."""
    return isinstance(one.outcome, Answer) and not one.outcome.abstained and one.right is not None


def _what_came(judged: "Sequence[Judged]") -> str:
    """A line of Markdown: "- 40 questions: 31 answered (20 right, 11 wrong), 9 refused"."""
    rights = [one.right for one in judged if _counts(one)]
    others = {
        "refused": sum(isinstance(one.outcome, Answer) and one.outcome.abstained for one in judged),
        "failed": sum(isinstance(one.outcome, Failure) for one in judged),
        "without an accepted answer": sum(one.right is None for one in judged),
    }
    told = "".join(f", {count:,} {what}" for what, count in others.items() if count)
    answered = f"{len(rights):,} answered ({rights.count(True):,} right, {rights.count(False):,} wrong)"
    return f"- {len(judged):,} questions: {answered}{told}"


def _worth(fitted: "Calibration", sure: Sequence[float], right: Sequence[bool], *, asked: int) -> Iterator[str]:
    """Lines of Markdown: the weights, how well they do on questions held out, and a table of what may be chosen."""
    from rag.metrics import auc, expected_calibration_error

    pairs = list(zip(sure, right, strict=True))
    ranked = auc([p for p, is_right in pairs if is_right], [p for p, is_right in pairs if not is_right])
    brier = sum((p - is_right) ** 2 for p, is_right in pairs) / len(pairs)
    error = expected_calibration_error(sure, right)
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in zip(fitted.features, fitted.weights, strict=True))
    yield f"- Weights: {weights}; intercept {fitted.intercept:.2f}"
    yield f"- Cross-validated: AUC {ranked:.3f}, Brier score {brier:.3f}, calibration error {error:.3f}"
    yield ""
    yield "| max_wrong | confidence from | questions answered | answers wrong |"
    yield "|-:|-:|-:|-:|"
    for max_wrong in AT_MOST_WRONG:
        point = fitted.working_point(max_wrong)
        missed = " (not reached)" if point.risk > max_wrong else ""
        answered = point.coverage * len(right) / asked
        yield (
            f"| {100 * max_wrong:g} % | {fitted.threshold(max_wrong):.2f} | {100 * answered:.1f} % "
            f"| {100 * point.risk:.1f} %{missed} |"
        )


def _with_confidence(judged: "Sequence[Judged]", sure: Sequence[float]) -> "list[Judged]":
    """The same, with these confidences in the answers that count, in their order."""
    confidences = iter(sure)
    return [
        replace(one, outcome=replace(one.outcome, confidence=next(confidences)))
        if _counts(one) and isinstance(one.outcome, Answer)
        else one
        for one in judged
    ]


def _by_itself(svg: str) -> str:
    """A drawing for a report's page as a file that any viewer shows."""
    for variable, colour in COLOURS.items():
        svg = svg.replace(variable, colour)
    head, body = svg.split(">", 1)
    own = 'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif"'
    return f'{head} {own}><rect width="100%" height="100%" fill="#ffffff"/>{body}\n'


@contextmanager
def _writing(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{file} can't be written ({error.strerror}). Name another file with -o.") from error
