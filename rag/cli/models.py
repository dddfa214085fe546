"""`rag models list · fetch · verify · remove`."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rag import model_files
from rag.cli.progress import ProgressLines
from rag.cli.shared import PIPED_WIDTH, print_lines, settings_of
from rag.cli.status import model_state
from rag.errors import ModelDamaged
from rag.model_files import ModelStatus
from rag.plain_text import plain

app = typer.Typer(help="The model files: where they are, whether they are the published ones.", no_args_is_help=True)


@app.command("list")
def list_models(context: typer.Context) -> None:
    """Every known model: role, size, licence, where it is, whether it was verified."""
    models_table(model_files.statuses(settings_of(context).models))


@app.command()
def fetch(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Those of the settings when none is given.")] = None,
) -> None:
    """Download models, from wherever their published bytes can be had."""
    settings = settings_of(context)
    for name in names or [settings.embedder, settings.reader]:
        with ProgressLines() as report:
            path = model_files.ensure(name, settings.models, offline=settings.offline, report=report)
        print_lines([f"{name}: {path}"])


@app.command()
def verify(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="All that are here when none is given.")] = None,
) -> None:
    """Hash the files again and compare with what was published."""
    settings = settings_of(context)
    here = [known.name for known in model_files.statuses(settings.models) if known.present]
    found = []
    for name in names or here:
        with ProgressLines() as report:
            found.append(model_files.verify(name, settings.models, report))
    models_table(found)
    if bad := [model.name for model in found if not model.verified]:
        raise ModelDamaged(f"Not the published files: {', '.join(bad)}. The lines after the table say what to do.")


@app.command()
def remove(context: typer.Context, names: Annotated[list[str], typer.Argument()]) -> None:
    """Delete downloaded models."""
    settings = settings_of(context)
    for name in names:
        freed = model_files.remove(name, settings.models)
        print_lines([f"{name}: {freed / 1e6:,.0f} MB freed"])


def models_table(models: Sequence[ModelStatus]) -> None:
    """Print a table of models, one line each when it isn't printed to a terminal."""
    console = Console() if Console().is_terminal else Console(width=PIPED_WIDTH)
    table = Table("model", "role", "size", "licence", "state", "path", box=None, pad_edge=False)
    for model in models:
        size = f"{model.size / 1e6:,.0f} MB" if model.size else ""
        cells = (model.name, model.role, size, model.licence, model_state(model), str(model.path))
        table.add_row(*(Text(plain(cell), overflow="fold") for cell in cells))
    console.print(table)
    for model in models:
        if model.note:
            print(plain(f"{model.name}: {model.note}"))
