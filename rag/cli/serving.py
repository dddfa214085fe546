"""`rag serve`: the page."""

import typer

from rag.cli.shared import settings_of

app = typer.Typer()


@app.command()
def serve(context: typer.Context) -> None:
    """Open the chat page."""
    import app as page

    page.run(settings_of(context))
