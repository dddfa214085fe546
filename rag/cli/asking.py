"""`rag index · ask`: articles into the library, answers out of it."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from rag.cli.progress import Draft, ProgressLines
from rag.cli.reports import answer_json, index_lines
from rag.cli.shared import ABSTAINED, print_lines, require_all_read, settings_of
from rag.documents import is_address
from rag.errors import InputError
from rag.pipeline import check_question, index_articles, open_pipeline
from rag.rendering import answer_text, inspection_text
from rag.types import Answer, Event, Finished, PassagesFound, TextPiece

app = typer.Typer()


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
    on: Annotated[
        str, typer.Option("--on", metavar="CLUSTER", help="Embed on Ray: local, ray://HOST:10001 or HOST:6379.")
    ] = "",
    shared: Annotated[
        bool, typer.Option("--shared", help="With --on: the cluster's machines see the same files under these paths.")
    ] = False,
) -> None:
    """Bring the library up to date with folders of articles and with pages: add, update and remove by content."""
    settings = settings_of(context)
    places = [path if is_address(path) else Path(path) for path in paths or []]
    with ProgressLines() as report:
        done = index_articles(settings, places, start_over=rebuild, report=report, on=on, shared=shared)
    print_lines(index_lines(done))
    require_all_read(done.refused)


@app.command()
def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help='The question; "-" reads it from standard input.')],
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON.")] = False,
    explained: Annotated[bool, typer.Option("--explain", help="Print how the answer came about, too.")] = False,
) -> None:
    """Answer a question from the library, then list the sources with the sentences that were cited."""
    if as_json and explained:
        raise InputError("--json and --explain exclude one another. Give one of them.")
    settings = settings_of(context)
    if question == "-":
        question = sys.stdin.buffer.read().decode("utf-8", "replace") if sys.stdin else ""
    question = check_question(question)
    with ProgressLines() as report:
        pipeline = open_pipeline(settings, report, in_time=True)
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
