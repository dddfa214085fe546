"""A library made anew beside the old one, which answers meanwhile and is replaced by one commit in the end."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from rag.documents import USUAL_FIELDS, FieldNames, is_address, page_address
from rag.errors import DocumentError, LibraryEmpty, LibraryError
from rag.index import Identity, take_library, writer_lock
from rag.indexing import IndexReport, Report, index_paths
from rag.stores import Place, Servers, library_at
from rag.types import Document, Embedder
from rag.visiting import FileReader, check_places, read_here

REBUILDING = "rebuilding"
"""Folder in that of the library, with what was embedded so far."""


def rebuild_library(
    paths: Sequence[Path | str],
    folder: Place,
    identity: Identity,
    embedder: Embedder,
    report: Report | None = None,
    names: FieldNames = USUAL_FIELDS,
    read: FileReader = read_here,
) -> IndexReport:
    """Make the library in `folder` anew from `paths`, or from the places it remembers, with `identity`.

    What an interrupted run with the same paths and identity committed is not embedded again. Files that can't be read
    are left out, and places other than `paths` forgotten. Of web addresses that are not, what the library holds and the
    web no longer does is taken over. On servers nothing is kept of an interrupted run.

    Raises DocumentError where there is nothing to index, a folder can't be visited or no file be read, LibraryBusy,
    LibraryUnwritable and DiskFull; then the old library stays as it is.
    """
    check_places(paths)  # a wrong path is said before a folder is made
    if isinstance(folder, Servers):
        return _rebuild_servers(paths, folder, identity, embedder, report, names, read)
    with writer_lock(folder, "rag index --rebuild"):
        named = [page_address(path) if isinstance(path, str) else path.resolve() for path in paths]
        paths = named or [root if is_address(root) else Path(root) for root in _roots(folder)]
        if not paths:
            raise DocumentError("No folder has been indexed yet, so say which: `rag index --rebuild FOLDER`.")
        aside = folder / REBUILDING
        if not _goes_on(aside, identity, paths):
            shutil.rmtree(aside, ignore_errors=True)
        try:
            kept = _documents_of([path for path in paths if isinstance(path, str)], folder)
            done = index_paths(paths, aside, identity, embedder, names=names, kept=kept, report=report, read=read)
        except DocumentError as error:
            raise DocumentError(
                f"{error} The library stays as it was. To forget this folder, name the others: "
                "`rag index --rebuild FOLDER`."
            ) from error
        if not done.documents:
            why = done.refused[0] if done.refused else ""
            raise DocumentError(f"Nothing could be read, so the library stays as it was. {why}".rstrip())
        take_library(folder, aside)
        shutil.rmtree(aside, ignore_errors=True)
        return done


def _rebuild_servers(
    paths: Sequence[Path | str],
    place: Servers,
    identity: Identity,
    embedder: Embedder,
    report: Report | None,
    names: FieldNames,
    read: FileReader,
) -> IndexReport:
    """In one transaction beside the old library, which PostgreSQL shows to readers until the commit."""
    kept = _documents_of(
        [root for root in [*paths, *_roots(place)] if isinstance(root, str) and is_address(root)], place
    )
    return index_paths(
        paths, place, identity, embedder, start_over=True, names=names, kept=kept, command="rag index --rebuild",
        report=report, read=read,
    )  # fmt: skip


def _roots(folder: Place) -> list[str]:
    try:
        with library_at(folder) as library:
            return library.roots()
    except LibraryEmpty:
        return []


def _documents_of(addresses: Sequence[str], folder: Place) -> list[Document]:
    """None where the library can't be read."""
    if not addresses:
        return []
    try:
        with library_at(folder) as library, library.snapshot() as now:
            ids = [listed.id for listed in now.documents() if listed.file in addresses]
            return list(now.documents_by_id(ids).values())
    except LibraryError:
        return []


def _goes_on(aside: Path, identity: Identity, paths: Sequence[Path | str]) -> bool:
    """Whether what lies there is the beginning of the same work."""
    try:
        with library_at(aside, identity) as begun:
            return set(begun.roots()) <= {str(path) for path in paths}
    except LibraryError:
        return False
