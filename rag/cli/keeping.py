"""`rag sync · check · backup · restore`: the library in step with its folders, proved, and kept safe."""

import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from rag.cli.progress import ProgressLines
from rag.cli.reports import sync_lines
from rag.cli.shared import one_line, print_lines, require_all_read, settings_of
from rag.documents import is_address
from rag.errors import LibraryError, RagError
from rag.index import (
    Check,
    check_library,
    repair_library,
    restore_backup,
    write_backup,
)
from rag.settings import Settings
from rag.stores import Servers, folder_of, library_at, place_of
from rag.watching import changes

app = typer.Typer()

PAGES_SECONDS = 1800.0
"""Between two visits of the web pages and feeds while folders are watched."""


DUMP = "`pg_dump`, of the database alone: `rag check --repair` makes the vectors in Milvus again from it"
RESTORE = "`pg_restore`, then `rag check --repair`, which makes the vectors in Milvus again"


@app.command()
def sync(
    context: typer.Context,
    watch: Annotated[bool, typer.Option("--watch", help="Go on, whenever something changes, until Ctrl-C.")] = False,
) -> None:
    """Bring the library in step with the folders and pages indexed before: add, update, move and remove by content."""
    from rag.pipeline import sync_articles  # here and below: half a second that other commands do without

    settings = settings_of(context)
    if watch:
        with suppress(KeyboardInterrupt):
            _watch(settings)
        return
    with ProgressLines() as report:
        done = sync_articles(settings, report=report)
    print_lines(sync_lines(done))
    require_all_read(done.refused)


@app.command()
def check(
    context: typer.Context,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended, and say what can't.")] = False,
) -> None:
    """Prove the library whole: texts, chunks, vectors, words and the database itself. Exit status 1 where it isn't."""
    place = place_of(settings_of(context))
    if isinstance(place, Servers):
        _check_servers(place, repair)
        return
    if repair:
        _repair(place)
        return
    with ProgressLines() as report:
        found = check_library(place, report)
    _print_checks(found.checks)
    if found.faults:
        raise LibraryError(f"Faults: {len(found.faults)}. Run `rag check --repair` to mend what can be mended.")


def _check_servers(place: Servers, repair: bool) -> None:
    from rag.stores.checking import check_servers, repair_servers

    with ProgressLines() as report:
        checks = repair_servers(place, report) if repair else check_servers(place, report)
    _print_checks(checks)
    faults = [fault for check in checks for fault in check.faults]
    if any(fault.source for fault in faults):
        raise LibraryError(
            f"Faults: {len(faults)}. Articles are torn: run `rag index --rebuild`, or restore a backup of the database."
        )
    if faults:
        raise LibraryError(f"Faults: {len(faults)}. Run `rag check --repair` to make the vectors in Milvus again.")


def _repair(folder: Path) -> None:
    with ProgressLines() as report:
        done = repair_library(folder, report)
    print_lines(f"mended: {fault.what}" for fault in done.before.faults if fault.source is None)
    print_lines(f"dropped: {source}" for source in done.lost)
    if done.unnamed:
        print_lines([f"dropped: {done.unnamed} articles of which not even the name can be read"])
    if done.aside:
        print_lines([f"The damaged database was set aside: {done.aside}"])
    _print_checks(done.after.checks)
    if done.after.faults:
        raise LibraryError(f"Faults left: {len(done.after.faults)}. Run `rag index --rebuild` to make it again.")
    if done.lost or done.unnamed:
        raise LibraryError(
            f"{len(done.lost) + done.unnamed} articles were torn and are no longer in the library. "
            "Run `rag sync` to index them again from their files."
        )


@app.command()
def backup(context: typer.Context, file: Annotated[Path, typer.Argument(help="Written whole or not at all.")]) -> None:
    """Write the library into one file, while it is in use."""
    with ProgressLines() as report:
        made = write_backup(folder_of(settings_of(context), DUMP), file, report)
    size = file.stat().st_size / 1e6
    print_lines([f"{made.documents:,} articles in {made.chunks:,} chunks, {size:,.1f} MB: {file}"])


@app.command()
def restore(context: typer.Context, file: Annotated[Path, typer.Argument(help="What `rag backup` wrote.")]) -> None:
    """Put what a backup holds in the place of the library, while it is in use. A bad file changes nothing."""
    folder = folder_of(settings_of(context), RESTORE)
    with ProgressLines() as report:
        made = restore_backup(folder, file, report)
    print_lines([f"{made.documents:,} articles in {made.chunks:,} chunks, as of {made.made}: {folder}"])


def _watch(settings: Settings) -> None:
    """Sync now and after every change, until Ctrl-C; what was committed by then stays. Pages are visited now and then.

    What goes wrong is said once and tried again when something changes, or, where the library itself couldn't be
    written, at the next glance.
    """
    from rag.pipeline import embedder_on_demand, sync_articles

    with library_at(place_of(settings)) as library:
        roots, dimension = library.roots(), library.manifest.identity.dimension
    embedder = embedder_on_demand(settings, dimension)
    events = changes(lambda: _roots(settings, roots), settings.index, threading.Event())
    print_lines(f"Watching {root}" for root in roots)
    pending, said, visit_at = True, "", time.monotonic()
    while True:
        pages = time.monotonic() >= visit_at and any(map(is_address, _roots(settings, roots)))
        if pending or pages:
            done, complaint, pending = None, "", False
            try:
                with ProgressLines() as report:
                    done = sync_articles(settings, embedder, report, pages=pages)
                complaint = " ".join(done.refused)
            except RagError as error:
                complaint, pending = str(error), isinstance(error, LibraryError)
            if done and done.changed:
                print_lines(sync_lines(done))
            if complaint and complaint != said:
                print(f"rag: {one_line(complaint)}", file=sys.stderr)
            said = complaint
            visit_at = time.monotonic() + PAGES_SECONDS if pages and not pending else visit_at
            sys.stdout.flush()
        pending = next(events) or pending


def _roots(settings: Settings, before: Sequence[str]) -> Sequence[str]:
    try:
        with library_at(place_of(settings)) as library:
            return library.roots()
    except RagError:
        return before


def _print_checks(checks: Sequence[Check]) -> None:
    table = Table("checked", "how many", "faults", box=None, pad_edge=False)
    for one in checks:
        table.add_row(one.name, f"{one.counted:,}", str(len(one.faults)) if one.faults else "none")
    Console().print(table)
    print_lines(f"! {fault.what}" for check in checks for fault in check.faults)
