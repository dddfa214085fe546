"""`rag migrate`: the library copied to another place, and proved to be the same there."""

from pathlib import Path
from typing import Annotated

import typer

from rag.cli.progress import ProgressLines
from rag.cli.shared import print_lines, settings_of
from rag.errors import InputError
from rag.migrating import NEAREST, migrate_library
from rag.settings import Settings
from rag.stores import Place, Servers, place_of

app = typer.Typer()


@app.command()
def migrate(
    context: typer.Context,
    to: Annotated[
        str,
        typer.Option(
            "--to", help='A folder, or the URL of a PostgreSQL database; "database" takes that of the settings.'
        ),
    ],
    vectors: Annotated[
        str, typer.Option("--vectors", help="With a database: address of Milvus; that of the settings when not given.")
    ] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Give up what is there.")] = False,
) -> None:
    """Copy the library to another place, all of it or nothing, and prove that nothing was changed."""
    settings = settings_of(context)
    target = _target(settings, to, vectors)
    source = _source(settings, target)
    with ProgressLines() as report:
        done = migrate_library(source, target, report, replace=replace)
    print_lines(
        [
            f"{done.documents:,} articles in {done.chunks:,} chunks: {target}",
            "Proved equal: every article, chunk, vector and visit; "
            f"the {NEAREST} chunks nearest to each of {done.searches} samples.",
            _how_to_use(target),
        ]
    )


def _target(settings: Settings, to: str, vectors: str) -> Place:
    database = settings.database.get_secret_value() if to == "database" else to
    if to == "database" and not database:
        raise InputError("No database is set. Set RAG_DATABASE, or give its URL with --to.")
    if "://" not in database:
        return Path(to)
    return Servers(database, vectors or settings.store_uri, settings.store_token.get_secret_value())


def _source(settings: Settings, target: Place) -> Place:
    """The library in use; with a database named for the target alone, the one in the folder."""
    if isinstance(target, Servers) and settings.store == "local":
        return settings.index
    return place_of(settings)


def _how_to_use(target: Place) -> str:
    if isinstance(target, Path):
        return f"To use it: RAG_STORE=local RAG_INDEX={target}"
    return f"To use it: RAG_STORE=milvus RAG_STORE_URI={target.vectors} and RAG_DATABASE=…, the URL given here."
