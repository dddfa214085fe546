"""`rag user add · remove · list · token`: who may log in on the page, and whose programs may."""

import getpass
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from rag.cli.shared import print_lines, settings_of
from rag.errors import InputError

if TYPE_CHECKING:
    from rag.guarding import Users

app = typer.Typer(help="Who may log in on the page when others can reach it.", no_args_is_help=True)


@app.command()
def add(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="Of the user; a known one gets a new password, and a token of theirs ends.")
    ],
) -> None:
    """Let somebody in. The password is asked for, or read from standard input when that is no terminal."""
    users = _users(context)
    users.add(name, _password())
    print_lines([f"{name} may log in."])


@app.command()
def remove(context: typer.Context, name: Annotated[str, typer.Argument()]) -> None:
    """Let somebody in no longer, from their next request on."""
    _users(context).remove(name)
    print_lines([f"{name} may not log in any more."])


@app.command()
def token(
    context: typer.Context,
    name: Annotated[str, typer.Argument()],
    end: Annotated[bool, typer.Option("--end", help="Let the user's programs in no longer.")] = False,
) -> None:
    """Show a new token for the programs of a user, this once; the one before ends."""
    users = _users(context)
    if end:
        users.end_token(name)
        print_lines([f"No program of {name} may come in any more."])
    else:
        print_lines([users.give_token(name)])


@app.command(name="list")
def list_users(context: typer.Context) -> None:
    """Who may log in."""
    print_lines(_users(context).names() or ["Nobody may log in yet. Run `rag user add NAME`."])


def _users(context: typer.Context) -> "Users":
    from rag.guarding import Users  # a quarter of a second that other commands do without

    return Users(settings_of(context).users)


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.buffer.readline().decode("utf-8", "replace").rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise InputError("The two passwords differ. Try again.")
    return password
