"""`rag serve`: the page and its API."""

from typing import Annotated, Any

import typer

from rag.cli.shared import settings_of

app = typer.Typer()


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to listen on; as --set host=….")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; as --set port=….")] = None,
    workers: Annotated[
        int, typer.Option(min=0, max=64, help="Processes that answer /v1/chat/completions beside the page's own.")
    ] = 0,
) -> None:
    """Open the chat page, with its API for programs and chat clients, until Ctrl-C or SIGTERM."""
    from rag.page.running import run

    given: dict[str, Any] = {"host": host, "port": port}
    context.obj |= {name: value for name, value in given.items() if value is not None}
    run(settings_of(context), workers)
