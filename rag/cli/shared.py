"""What all commands use: exit statuses, the settings in force, lines of output."""

import re
from collections.abc import Iterable

import typer
from rich.console import Console
from rich.markdown import Markdown

from rag.rendering import plain
from rag.settings import Settings, load_settings

FAILED, WRONG_USE, ABSTAINED = 1, 2, 3


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


def print_markdown(text: str) -> None:
    """As headings and tables in a terminal, and elsewhere as it is, to be pasted."""
    console = Console()
    if console.is_terminal:
        console.print(Markdown(plain(text)))
    else:
        print(plain(text).rstrip())


def one_line(text: str) -> str:
    """`plain`, and the line ends that file names may hold made spaces."""
    return re.sub(r"\s*\n\s*", " ", plain(text).rstrip())
