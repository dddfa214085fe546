"""The names of all commands, each with where it is and what it does in a line: `rag --help` needs no more to load."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS = {
    "index": (
        "asking",
        "Bring the library up to date with folders of articles and with pages: add, update and remove by content.",
    ),
    "ask": ("asking", "Answer a question from the library, then list the sources with the sentences that were cited."),
    "status": ("status", "Show the library, every stale file with its reason, the models and the engine in use."),
    "serve": ("serving", "Open the chat page, with its API for programs and chat clients, until Ctrl-C or SIGTERM."),
    "models": ("models", "The model files: where they are, whether they are the published ones."),
    "user": ("user", "Who may log in on the page when others can reach it."),
    "conversations": ("conversations", "The conversations saved by the page, those of all its users."),
    "batch": (
        "bulk",
        "Answer a file of questions. Stopped at any moment, the same command goes on where it was.",
    ),
    "replay": ("bulk", "Show an answer of a file exactly as it was given, and under which conditions."),
    "explain": (
        "bulk",
        "Show how an answer of a file came about: what was found and cut, the prompts, the times, the decision.",
    ),
    "eval": ("bulk", "Score answers, citations and refusals over a question set, and write a report."),
    "compare": (
        "bulk",
        "Tell whether a change made answers better: a verdict per score, from the same questions in both reports.",
    ),
    "calibrate": (
        "bulk",
        "Fit confidence to questions whose answers are known, and draw the curve of risk and coverage.",
    ),
    "sync": (
        "keeping",
        "Bring the library in step with the folders and pages indexed before: add, update, move and remove by content.",
    ),
    "check": (
        "keeping",
        "Prove the library whole: texts, chunks, vectors, words and the database itself. Exit status 1 where it isn't.",
    ),
    "migrate": (
        "migrating",
        "Copy the library to another place, all of it or nothing, and prove that nothing was changed.",
    ),
    "backup": ("keeping", "Write the library into one file, while it is in use."),
    "restore": (
        "keeping",
        "Put what a backup holds in the place of the library, while it is in use. A bad file changes nothing.",
    ),
}
"""Name → module of this package whose `app` has the command, or is the group of this name; and its help."""

GROUPS = ("models", "user", "conversations")


class LateGroup(TyperGroup):
    """Lists `COMMANDS`, and imports the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name, help=line) for name, (_, line) in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command itself in the place of its line in the list. Raises the usage error of an unknown name."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, command(name) if name and listed else None, rest


def command(name: str) -> Any:
    """The command or group of this name, loaded."""
    module, _ = COMMANDS[name]
    group = typer.main.get_group(import_module(f"rag.cli.{module}").app)
    return group if name in GROUPS else group.commands[name]
