"""`rag batch · replay · explain · eval · compare · calibrate`: files of questions, and what answers say about them."""

import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.calibrating import calibrate
from rag.cli.comparison import comparison_lines
from rag.cli.progress import ProgressLines
from rag.cli.shared import print_lines, print_markdown, repeatable_settings_of, settings_of
from rag.errors import InputError, RagError
from rag.rendering import answer_text, inspection_text, plain
from rag.settings import Settings
from rag.types import Answer, RunRecord

if TYPE_CHECKING:
    from rag.evaluation.numbers import Numbers

app = typer.Typer()

RUN_FILE = ".jsonl"
LAST = "last-answers"
"""File in the library's folder that names the last run file, for `rag replay`."""

REPORTS = Path("reports")

QuestionId = Annotated[str, typer.Argument(metavar="ID", help="Of the question.")]
Written = Annotated[Path | None, typer.Argument(help="What `rag batch` wrote; its last output when not given.")]


@app.command()
def batch(
    context: typer.Context,
    questions: Annotated[
        Path, typer.Argument(help='.jsonl, .json, .csv, .tsv, .xlsx or .txt; "-" reads standard input.')
    ],
    answers: Annotated[Path, typer.Option("--output", "-o", help=".jsonl; .csv or .xlsx get one beside them.")],
    replace: Annotated[bool, typer.Option("--replace", help="Start over where the file exists.")] = False,
    mix: Annotated[bool, typer.Option("--mix", help="Go on though it was begun with other settings.")] = False,
) -> None:
    """Answer a file of questions. Stopped at any moment, the same command goes on where it was."""
    from rag.batch import (
        LibraryAsker,
        carried_names,
        check_run_file,
        read_questions,
        read_records,
        run_batch,
        write_table,
    )
    from rag.pipeline import open_pipeline

    settings = repeatable_settings_of(context)
    source = None if str(questions) == "-" else questions
    run_file = _run_file(questions, answers, replace=replace)
    rows = read_questions(source)
    first = next(rows)  # here and below: what is wrong with a file is said before a model is loaded
    total = sum(1 for _ in read_questions(source)) if source else 0
    check_run_file(run_file, replace=replace)
    with ProgressLines() as report, closing(open_pipeline(settings, report, repeatable=True)) as pipeline:
        _remember(settings, run_file)
        done = run_batch(
            LibraryAsker(pipeline),
            chain([first], rows),
            run_file,
            replace=replace,
            mix=mix,
            progress=lambda count, of: report("Answering", count, of),
            total=total,
        )
    if run_file != answers:
        write_table(read_records(run_file), answers, carried_names(read_records(run_file)))
    kept = f" ({done.kept:,} kept from before)" if done.kept else ""
    print_lines([f"{done.answered:,} answered, {done.refused:,} refused, {done.failed:,} failed{kept}: {answers}"])


@app.command()
def replay(context: typer.Context, name: QuestionId, answers: Written = None) -> None:
    """Show an answer of a file exactly as it was given, and under which conditions."""
    for record in _records_of(context, name, answers):
        _show(record)


@app.command()
def explain(context: typer.Context, name: QuestionId, answers: Written = None) -> None:
    """Show how an answer of a file came about: what was found and cut, the prompts, the times, the decision."""
    from rag.batch import LibraryAsker
    from rag.pipeline import open_pipeline

    records = _records_of(context, name, answers)
    with ProgressLines() as report:
        pipeline = open_pipeline(repeatable_settings_of(context), report)
    with closing(pipeline):
        asker = LibraryAsker(pipeline)
        for record in records:
            _show(record)
            if isinstance(record.outcome, Answer):
                documents = asker.documents(record.question)
                print()
                print(inspection_text(pipeline.inspect(record.outcome, (), documents, record.conditions)))


def _records_of(context: typer.Context, name: str, answers: Path | None) -> list[RunRecord]:
    """At least one, of the question with this id. Raises InputError where there is none."""
    from rag.batch import read_records

    run_file = _written(answers) if answers else _last(settings_of(context))
    found = [record for record in read_records(run_file) if record.question.id == name]
    if not found:
        raise InputError(f"{run_file} has no question with the id {name!r}. Its ids are in the column id.")
    return found


@app.command("eval")
def evaluate_set(
    context: typer.Context,
    questions: Annotated[Path, typer.Argument(metavar="SET", help="A folder of a question set, or a .jsonl file.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Ask a fixed sample of so many.")] = None,
    closed_book: Annotated[bool, typer.Option("--closed-book", help="Give nothing to read.")] = False,
    oracle: Annotated[bool, typer.Option("--oracle", help="Search only the documents that hold the answer.")] = False,
    retrieval_only: Annotated[bool, typer.Option("--retrieval-only", help="Ask no reader.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder; reports/NAME when not given.")] = None,
) -> None:
    """Score answers, citations and refusals over a question set, and write a report."""
    from rag.evaluation import Mode, evaluate, report_html, report_json, report_markdown

    wanted = {Mode.CLOSED_BOOK: closed_book, Mode.ORACLE: oracle, Mode.RETRIEVAL: retrieval_only}
    modes = [mode for mode, chosen in wanted.items() if chosen]
    if len(modes) > 1:
        raise InputError("--closed-book, --oracle and --retrieval-only exclude one another. Give one of them.")
    mode = modes[0] if modes else Mode.NORMAL
    if output:  # that it can't be written is said before hours of work
        with _writing(output):
            output.mkdir(parents=True, exist_ok=True)
    with ProgressLines() as report:
        command = shlex.join(["rag", *sys.argv[1:]])
        evaluation = evaluate(questions, repeatable_settings_of(context), mode, limit, command=command, report=report)
    suffix = "" if evaluation.mode is Mode.NORMAL else f"-{evaluation.mode.replace(' ', '-')}"
    folder = output or REPORTS / f"{evaluation.name}{suffix}"
    markdown = report_markdown(evaluation)
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.html").write_text(report_html(evaluation), encoding="utf-8")
        (folder / "report.json").write_text(report_json(evaluation), encoding="utf-8")
        (folder / "report.md").write_text(markdown, encoding="utf-8")
    print_markdown(markdown)
    print_lines([f"Report: {folder / 'report.html'}"])


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(help="A report.json, or the folder that holds one.")],
    after: Annotated[Path, typer.Argument(help="Another one, of the same questions.")],
    must_not_drop: Annotated[
        list[str] | None, typer.Option(metavar="SCORE", help="Exit status 1 where it got significantly worse.")
    ] = None,
) -> None:
    """Tell whether a change made answers better: a verdict per score, from the same questions in both reports."""
    from rag.evaluation import compare as compare_reports

    found = compare_reports(_report(before), _report(after))
    worse = found.worse(must_not_drop or [])
    print_markdown("\n".join(comparison_lines(found)))
    if worse:
        raise RagError(f"Significantly worse: {', '.join(worse)}.")


app.command()(calibrate)


def _run_file(questions: Path, answers: Path, *, replace: bool) -> Path:
    """Where the records go: the output itself, or a file beside a table. Raises InputError for an unfit output."""
    from rag.batch import TABLE_SUFFIXES

    if answers.suffix.lower() not in (RUN_FILE, *TABLE_SUFFIXES):
        raise InputError(f"{answers} can't be written: accepted are {', '.join((RUN_FILE, *TABLE_SUFFIXES))}.")
    if answers.is_dir():
        raise InputError(f"{answers} is a folder. Name a file with -o.")
    run_file = _written(answers)
    for path in (answers, run_file):
        if questions.exists() and path.exists() and questions.samefile(path):
            raise InputError(f"{path} holds the questions. Name another file with -o.")
    if answers.exists() and not run_file.exists() and not replace:
        raise InputError(
            f"{answers} exists without {run_file.name}, from which a run would go on. "
            "Write over it with --replace, or name another file with -o."
        )
    return run_file


def _written(answers: Path) -> Path:
    return answers if answers.suffix.lower() == RUN_FILE else answers.with_name(f"{answers.name}.run{RUN_FILE}")


def _remember(settings: Settings, run_file: Path) -> None:
    with suppress(OSError):  # a library that can't be written to still answers
        (settings.index / LAST).write_bytes(os.fsencode(run_file.resolve()))


def _last(settings: Settings) -> Path:
    try:
        return Path(os.fsdecode((settings.index / LAST).read_bytes()))
    except OSError as error:
        raise InputError(
            "No batch has been run with this library yet. Name the file: `rag replay ID ANSWERS`."
        ) from error


def _show(record: RunRecord) -> None:
    outcome, made = record.outcome, record.conditions
    print(plain(record.question.text))
    print()
    print(answer_text(outcome) if isinstance(outcome, Answer) else plain(outcome.message))
    print()
    settings = ", ".join(f"{name} {value}" for name, value in made.settings.items())
    print_lines([f"Made with {settings}; engine {made.models.engine}, library {made.library}."])
    if isinstance(outcome, Answer):
        print_lines([f"Confidence {outcome.confidence:.2f}, {outcome.timings.total:.1f} s."])


def _report(path: Path) -> "Numbers":
    from rag.evaluation import read_report

    file = path / "report.json" if path.is_dir() else path
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} can't be read. Give the folder or the report.json that `rag eval` wrote.") from error
    try:
        return read_report(text)
    except InputError as error:
        raise InputError(f"{file}: {error}") from error


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{folder} can't be written ({error.strerror}). Name another folder with -o.") from error
