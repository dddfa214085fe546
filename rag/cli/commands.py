"""`rag index · ask · models · status · serve`, and those of `bulk`, `keeping`, `conversations` and `user`.

They read arguments, call the package and print.

Exit status: 0 done or answered, 1 failure, 2 wrong use, 3 the articles don't say, 130 stopped with Ctrl-C.
"""

import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from rag import model_files
from rag.cli import INTERRUPTED
from rag.cli.bulk import bulk_app
from rag.cli.conversations import conversations_app
from rag.cli.keeping import keeping_app, library_json, stale_lines
from rag.cli.migrating import migrating_app
from rag.cli.progress import Draft, ProgressLines
from rag.cli.reports import answer_json, index_lines, models_table, status_lines
from rag.cli.shared import ABSTAINED, FAILED, WRONG_USE, one_line, print_lines, settings_of
from rag.cli.user import user_app
from rag.documents import is_address
from rag.errors import DocumentError, InputError, ModelDamaged, RagError
from rag.rendering import answer_text, inspection_text
from rag.types import Answer, Event, Finished, PassagesFound, TextPiece

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
app.add_typer(user_app, name="user")
app.add_typer(conversations_app, name="conversations")
app.add_typer(bulk_app)
app.add_typer(keeping_app)
app.add_typer(migrating_app)


def run() -> None:
    """Run the command line of this process: what goes wrong becomes one line on stderr and an exit status.

    Raises SystemExit, or KeyboardInterrupt where Ctrl-C ended it.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without curly quotes still shows the answer
    try:
        with _flushed():
            app(prog_name="rag")
    except InputError as error:
        _fail(str(error), WRONG_USE)
    except RagError as error:
        _fail(str(error), FAILED)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # which is what Typer makes of Ctrl-C
            raise KeyboardInterrupt from None
        raise
    except BrokenPipeError:  # the reader of our output, such as `head`, has seen enough
        _drop_output()
        raise SystemExit(FAILED) from None
    except OSError as error:  # such as a full disk that our output is redirected to
        _drop_output()
        _fail(str(error), FAILED)


@contextmanager
def _flushed() -> Iterator[None]:
    """Have what can't be printed fail here: at the exit of the interpreter it would be too late to say so."""
    try:
        yield
    finally:
        if sys.stdout:
            sys.stdout.flush()


def _drop_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, status: int) -> None:
    print(f"rag: {one_line(message)}", file=sys.stderr)
    raise SystemExit(status) from None


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


@app.command()
def index(
    context: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(help="Folders, files, and addresses of web pages and feeds; those indexed before when none."),
    ] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make the library anew; the old one answers until that is done.")
    ] = False,
) -> None:
    """Bring the library up to date with folders of articles and with pages: add, update and remove by content."""
    from rag.pipeline import index_articles  # here and below: half a second that other commands do without

    settings = settings_of(context)
    places = [path if is_address(path) else Path(path) for path in paths or []]
    with ProgressLines() as report:
        done = index_articles(settings, places, start_over=rebuild, report=report)
    print_lines(index_lines(done))
    if done.refused:
        raise DocumentError(f"{len(done.refused)} could not be read; the lines that begin with ! say which and why.")


@app.command()
def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help='The question; "-" reads it from standard input.')],
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON.")] = False,
    explained: Annotated[bool, typer.Option("--explain", help="Print how the answer came about, too.")] = False,
) -> None:
    """Answer a question from the library, then list the sources with the sentences that were cited."""
    from rag.pipeline import check_question, open_pipeline

    if as_json and explained:
        raise InputError("--json and --explain exclude one another. Give one of them.")
    settings = settings_of(context)
    if question == "-":
        question = sys.stdin.buffer.read().decode("utf-8", "replace") if sys.stdin else ""
    question = check_question(question)
    with ProgressLines() as report:
        pipeline = open_pipeline(settings, report)
    try:
        with Draft(quiet=as_json) as draft, closing(pipeline.stream_answer(question)) as events:
            answer = _finished(events, draft)
        explanation = inspection_text(pipeline.inspect(answer)) if explained else ""
    finally:
        pipeline.close()
    if as_json:
        sys.stdout.buffer.write(f"{answer_json(answer)}\n".encode("utf-8", "replace"))
    else:
        print(answer_text(answer))
        if explanation:
            print(f"\n{explanation}")
    if answer.abstained:
        raise SystemExit(ABSTAINED)


def _finished(events: Iterator[Event], draft: Draft) -> Answer:
    """The answer, shown as a draft while it is written: until its end nobody knows whether anything supports it."""
    written = ""
    for event in events:
        match event:
            case PassagesFound():
                draft.show("Reading the passages …")
            case TextPiece(text):
                written += text
                if written:
                    draft.show(written)
            case Finished(answer):
                return answer
    raise RuntimeError("the answer's events ended without Finished")


@app.command()
def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print the library's state as JSON.")] = False,
) -> None:
    """Show the library, every stale file with its reason, the models and the engine in use."""
    settings = settings_of(context)
    if as_json:
        sys.stdout.buffer.write(f"{library_json(settings)}\n".encode("utf-8", "replace"))
        return
    print_lines([*status_lines(settings), *stale_lines(settings)])


@app.command()
def serve(context: typer.Context) -> None:
    """Open the chat page."""
    import app as page

    page.run(settings_of(context))


@models_app.command("list")
def list_models(context: typer.Context) -> None:
    """Every known model: role, size, licence, where it is, whether it was verified."""
    models_table(model_files.statuses(settings_of(context).models))


@models_app.command()
def fetch(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Those of the settings when none is given.")] = None,
) -> None:
    """Download models, from wherever their published bytes can be had."""
    settings = settings_of(context)
    for name in names or [settings.embedder, settings.reader]:
        with ProgressLines() as report:
            path = model_files.ensure(name, settings.models, offline=settings.offline, report=report)
        print_lines([f"{name}: {path}"])


@models_app.command()
def verify(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="All that are here when none is given.")] = None,
) -> None:
    """Hash the files again and compare with what was published."""
    settings = settings_of(context)
    here = [known.name for known in model_files.statuses(settings.models) if known.present]
    found = []
    for name in names or here:
        with ProgressLines() as report:
            found.append(model_files.verify(name, settings.models, report))
    models_table(found)
    if bad := [model.name for model in found if not model.verified]:
        raise ModelDamaged(f"Not the published files: {', '.join(bad)}. The lines after the table say what to do.")


@models_app.command()
def remove(context: typer.Context, names: Annotated[list[str], typer.Argument()]) -> None:
    """Delete downloaded models."""
    settings = settings_of(context)
    for name in names:
        freed = model_files.remove(name, settings.models)
        print_lines([f"{name}: {freed / 1e6:,.0f} MB freed"])
