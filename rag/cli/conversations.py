"""`rag conversations list · show · export · delete`: what was asked in the page, by whomever."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rag.cli.shared import PIPED_WIDTH, one_line, print_lines, print_markdown, settings_of
from rag.conversations import EVERYONE, Conversations, Listed
from rag.exporting import Format, exported, format_of, write_export

app = typer.Typer(help="The conversations saved by the page, those of all its users.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="As `rag conversations list` names it.")]


@app.command("list")
def list_conversations(
    context: typer.Context,
    owner: Annotated[str | None, typer.Option("--owner", help="Only those of this user; everyone's otherwise.")] = None,
    search: Annotated[str, typer.Option("--search", help="Only those in which all these words stand.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """Every saved conversation, the one that changed last first."""
    with _saved(context) as saved:
        of = EVERYONE if owner is None else owner
        listed = saved.listed(of, limit)
        if search:
            found = {one.conversation for one in saved.search(of, search, sys.maxsize)}
            listed = tuple(one for one in saved.listed(of, sys.maxsize) if one.id in found)[:limit]
    if as_json:
        print(json.dumps([_fields(one) for one in listed], ensure_ascii=False, indent=1))
    else:
        _print_table(listed)


@app.command()
def show(context: typer.Context, conversation: Id) -> None:
    """Print a conversation as Markdown: each question, its answer, and the sources with the sentences cited."""
    with _saved(context) as saved:
        content = exported(saved.read(EVERYONE, conversation), Format.MARKDOWN)
    print_markdown(content.decode())


@app.command()
def export(
    context: typer.Context,
    conversation: Id,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="A .md, .json, .docx or .pdf file.")],
) -> None:
    """Write a conversation to a file, with numbered references."""
    format_of(output)
    with _saved(context) as saved:
        found = saved.read(EVERYONE, conversation)
    write_export(found, output)
    print_lines([f"{one_line(found.title)}, exchanges: {len(found.exchanges)}: {output}"])


@app.command()
def delete(context: typer.Context, conversations: Annotated[list[str], typer.Argument(metavar="ID...")]) -> None:
    """Delete conversations for good, with their links."""
    with _saved(context) as saved:
        for conversation in conversations:
            title = saved.read(EVERYONE, conversation).title
            saved.delete(EVERYONE, conversation)
            print_lines([f"- {title}"])


@contextmanager
def _saved(context: typer.Context) -> Iterator[Conversations]:
    with Conversations(settings_of(context).conversations_folder) as saved:
        yield saved


def _print_table(listed: tuple[Listed, ...]) -> None:
    console = Console() if Console().is_terminal else Console(width=PIPED_WIDTH)
    table = Table("id", "changed", "exchanges", "link", "title", box=None, pad_edge=False)
    for one in listed:
        cells = (one.id, _local(one.changed), str(one.count), "shared" if one.shared else "", one_line(one.title))
        table.add_row(*(Text(cell, overflow="fold") for cell in cells))
    console.print(table)


def _fields(one: Listed) -> dict[str, object]:
    changed = one.changed.isoformat()
    return {"id": one.id, "title": one.title, "changed": changed, "exchanges": one.count, "shared": one.shared}


def _local(time: datetime) -> str:
    return f"{time.astimezone():%Y-%m-%d %H:%M}"
