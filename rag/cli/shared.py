"""What all commands use: exit statuses, the settings in force, lines of output."""

import re
from collections.abc import Collection, Iterable

import typer

from rag.errors import DocumentError
from rag.plain_text import plain
from rag.settings import Settings, load_settings

ABSTAINED = 3

PIPED_WIDTH = 10_000
"""Columns of a table that isn't printed to a terminal: more than any path has, so that no cell is folded."""


def settings_of(context: typer.Context) -> Settings:
    """With what `--set` says."""
    return load_settings(**context.obj)


def repeatable_settings_of(context: typer.Context) -> Settings:
    """`settings_of`, and answers hold only what is supported unless a setting says otherwise: nobody sees the marks."""
    settings = settings_of(context)
    return settings.model_copy(update={"strict": True}) if settings.strict is None else settings


def print_lines(lines: Iterable[str]) -> None:
    """Each as one line, whatever it holds."""
    for line in lines:
        print(one_line(line))


def require_all_read(refused: Collection[object]) -> None:
    """Raises DocumentError where something was refused; which and why has been printed."""
    if refused:
        raise DocumentError(f"{len(refused)} could not be read; the lines that begin with ! say which and why.")


def print_markdown(text: str) -> None:
    """As headings and tables in a terminal, and elsewhere as it is, to be pasted."""
    from rich.console import Console  # late: both together take a tenth of a second
    from rich.markdown import Markdown

    console = Console()
    if console.is_terminal:
        console.print(Markdown(plain(text)))
    else:
        print(plain(text).rstrip())


def one_line(text: str) -> str:
    """`plain`, and the line ends that file names may hold made spaces."""
    return re.sub(r"\s*\n\s*", " ", plain(text).rstrip())
