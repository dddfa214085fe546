"""`rag index · ask · models · status · serve`: reads arguments, calls the package, prints.

Exit status: 0 done or answered, 1 failure, 2 wrong use, 3 the articles don't say, 130 stopped with Ctrl-C.
"""

import dataclasses
import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from rag import model_files
from rag.cli.progress import ProgressLines
from rag.cli.reports import index_lines, models_table, status_lines
from rag.errors import InputError, RagError
from rag.rendering import answer_text, plain
from rag.settings import Settings, load_settings
from rag.types import Answer, Event, Finished, PassagesFound, TextPiece

FAILED, WRONG_USE, ABSTAINED, INTERRUPTED = 1, 2, 3, 130

app = typer.Typer(
    help="Ask a folder of articles a question; get a short answer, every sentence cited.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
models_app = typer.Typer(
    help="The model files: where they are, whether they are the published ones.", no_args_is_help=True
)
app.add_typer(models_app, name="models")


def main() -> None:
    """The entry point of the `rag` command: errors meant for users become one line on stderr and an exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        app()
    except InputError as error:
        _fail(error, WRONG_USE)
    except RagError as error:
        _fail(error, FAILED)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(FAILED) from None


def _fail(error: RagError, status: int) -> None:
    print(f"rag: {plain(str(error))}", file=sys.stderr)
    raise SystemExit(status) from error


@app.callback()
def _options(
    context: typer.Context,
    setting: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting, as in --set engine=llama_cpp.")
    ] = None,
) -> None:
    pairs = [_pair(text) for text in setting or []]
    context.obj = dict(pairs)


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise InputError(f"--set {text} says no value. Write it as --set NAME=VALUE, such as --set passages=6.")
    return name.strip(), value.strip()


def _settings(context: typer.Context) -> Settings:
    return load_settings(**context.obj)


@app.command()
def index(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Folders and files; those indexed before when none is given.")
    ] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make the library anew; the old one answers until that is done.")
    ] = False,
) -> None:
    """Bring the library up to date with folders of articles: add, update and remove by content."""
    from rag.indexing import index_paths  # here and below: PyTorch and its kin take seconds to import
    from rag.pipeline import library_identity, open_embedder

    settings = _settings(context)
    if paths:
        from rag.documents import find_files

        find_files(paths)  # a wrong path is said before a model is loaded for it
    with ProgressLines() as report:
        embedder = open_embedder(settings, report)
        done = index_paths(
            paths or [],
            settings.index,
            library_identity(settings, embedder),
            embedder,
            start_over=rebuild,
            report=report,
        )
    for line in index_lines(done):
        print(plain(line))
    if done.refused:
        raise SystemExit(WRONG_USE)


@app.command()
def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help='The question; "-" reads it from standard input.')],
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON.")] = False,
) -> None:
    """Answer a question from the library, then list the sources with the sentences that were cited."""
    from rag.pipeline import check_question, open_pipeline

    settings = _settings(context)
    question = check_question(sys.stdin.read() if question == "-" else question)
    with ProgressLines() as report:
        pipeline = open_pipeline(settings, report)
    try:
        answer = _shown(pipeline.stream_answer(question), quiet=as_json)
    finally:
        pipeline.close()
    if as_json:
        print(json.dumps(dataclasses.asdict(answer), ensure_ascii=False, indent=1))
    if answer.abstained:
        raise SystemExit(ABSTAINED)


def _shown(events: Iterator[Event], quiet: bool) -> Answer:
    """Print an answer while it is written; at its end only what hasn't been said yet."""
    streamed = ""
    for event in events:
        match event:
            case TextPiece(text) if not quiet:
                streamed += plain(text)
                print(plain(text), end="", flush=True)
            case PassagesFound() | TextPiece():
                pass
            case Finished(answer):
                if not quiet:
                    _print_end(answer, streamed)
                return answer
    raise RuntimeError("the answer's events ended without Finished")


def _print_end(answer: Answer, streamed: str) -> None:
    body, separator, sources = answer_text(answer).partition("\n\n")
    if not sys.stdout.isatty() and streamed:
        print()
    elif streamed:
        print("\r", end="")
    print(body + separator + sources)


@app.command()
def status(context: typer.Context) -> None:
    """Show the library, the models and the engine in use."""
    for line in status_lines(_settings(context)):
        print(plain(line))


@app.command()
def serve(context: typer.Context) -> None:
    """Open the chat page."""
    import app as page

    page.run(_settings(context))


@models_app.command("list")
def list_models(context: typer.Context) -> None:
    """Every known model: role, size, licence, where it is, whether it was verified."""
    models_table(model_files.statuses(_settings(context).models))


@models_app.command()
def fetch(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Those of the settings when none is given.")] = None,
) -> None:
    """Download models, from wherever their published bytes can be had."""
    settings = _settings(context)
    for name in names or [settings.embedder, settings.reader]:
        with ProgressLines() as report:
            path = model_files.ensure(name, settings.models, offline=settings.offline, report=report)
        print(plain(f"{name}: {path}"))


@models_app.command()
def verify(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="All that are here when none is given.")] = None,
) -> None:
    """Hash the files again and compare with what was published."""
    settings = _settings(context)
    here = [known.name for known in model_files.statuses(settings.models) if known.present]
    found = []
    for name in names or here:
        with ProgressLines() as report:
            found.append(model_files.verify(name, settings.models, report))
    models_table(found)
    if any(not model.verified for model in found):
        raise SystemExit(FAILED)


@models_app.command()
def remove(context: typer.Context, names: Annotated[list[str], typer.Argument()]) -> None:
    """Delete downloaded models."""
    settings = _settings(context)
    for name in names:
        freed = model_files.remove(name, settings.models)
        print(plain(f"{name}: {freed / 1e6:,.0f} MB freed"))
