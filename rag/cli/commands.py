"""The command line: which commands there are, what goes wrong with them, and the exit status.

The modules of this package read arguments, call the other packages and print; `late` says which command is in which.

Exit status: 0 done or answered, 1 failure, 2 wrong use, 3 the articles don't say, 130 stopped with Ctrl-C.
"""

import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from rag.cli import INTERRUPTED
from rag.cli.late import LateGroup
from rag.errors import InputError, RagError

FAILED, WRONG_USE = 1, 2

app = typer.Typer(
    cls=LateGroup,
    help="Ask a folder of articles a question; get a short answer, every sentence cited.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


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
    from rag.cli.shared import one_line  # late, as all that `rag --help` does without

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
