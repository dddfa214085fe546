"""Folders against the library: what is stale and why, and what became of a file that was moved.

`index_paths` does the work of bringing a library up to date; here is what is known before and after it.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from rag.documents import LOADER_VERSION, USUAL_FIELDS, FieldNames, file_hash, find_files, is_address
from rag.errors import DiskFull, DocumentError, LibraryError, RagError
from rag.index import (
    FIRST_LOADER,
    UNFINISHED,
    AnyLibrary,
    Identity,
    Listed,
    Origin,
    Outcome,
    Visit,
    file_mark,
    source_file,
)
from rag.indexing import IndexReport, Report, index_paths
from rag.stores import Place, library_at, open_writer
from rag.types import Document, Embedder

CLOCK_SECONDS = 2.0
"""How far a file system's clock may be behind or coarser than ours."""


class Staleness(StrEnum):
    """Why the documents that the library has of a file are no longer what indexing would make of it now."""

    MISSING = "missing"
    """The file is gone."""
    CHANGED = "changed"
    """The file has other content."""
    NEW = "new"
    """The file isn't in the library."""
    UNFINISHED = "incomplete"
    """Of what the file holds something was torn, and dropped by a repair."""
    AWAY = "folder can't be visited"
    """The remembered folder is gone, empty or unreadable; it may be on a disk that isn't connected."""
    UNREACHED = "page can't be had"
    """When it was last tried."""
    GONE = "page is gone"
    """The server says that there is no such page."""
    FIELDS = "fields changed"
    """Other fields than now were said to hold what of an article when the file was read."""
    EMBEDDER = "embedder changed"
    CHUNKER = "chunker changed"
    LOADER = "loader changed"


@dataclass(frozen=True, slots=True)
class Stale:
    """A file, folder or other source that is not up to date."""

    source: str
    reasons: tuple[Staleness, ...]
    """At least one."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What bringing the library up to date did."""

    added: tuple[str, ...]
    updated: tuple[str, ...]
    moved: tuple[tuple[str, str], ...]
    """(source before, source now) of the documents of files that kept their content."""
    removed: tuple[str, ...]
    unchanged: int
    refused: tuple[str, ...]
    """One sentence for each file or folder that could not be read."""
    documents: int
    """In the library now."""
    notes: tuple[str, ...] = ()
    """See `IndexReport.notes`."""

    @property
    def changed(self) -> bool:
        """Whether the library differs from before."""
        return bool(self.added or self.updated or self.moved or self.removed)


def with_moves(done: IndexReport, before: Iterable[Listed], after: Iterable[Listed]) -> SyncReport:
    """A file that was removed and one that was added with the same content are one that was moved.

    All documents of a file move together. `before` and `after` are the library's documents before and after the
    indexing.
    """
    now = {listed.source: listed for listed in after}
    then = {listed.source: listed for listed in before}
    files = _moved_files(
        [then[source] for source in done.removed if source in then],
        [now[source] for source in done.added if source in now],
        staying={listed.file for listed in then.values()} & {listed.file for listed in now.values()},
    )
    removed, moved = set(done.removed), []
    for source in done.added:
        new = now.get(source)
        if new is None or new.file not in files:
            continue
        old = f"{files[new.file]}#{new.part}" if new.part else files[new.file]
        if old in removed:
            moved.append((old, source))
    olds_moved, news_moved = {old for old, _ in moved}, {new for _, new in moved}
    return SyncReport(
        added=tuple(source for source in done.added if source not in news_moved),
        updated=done.updated,
        moved=tuple(moved),
        removed=tuple(source for source in done.removed if source not in olds_moved),
        unchanged=done.unchanged,
        refused=done.refused,
        documents=done.documents,
        notes=done.notes,
    )


def sync_folders(
    folder: Place,
    identity: Identity,
    embedder: Embedder,
    report: Report | None = None,
    *,
    names: FieldNames = USUAL_FIELDS,
    pages: bool = True,
    command: str = "rag index",
) -> SyncReport:
    """Make the library in `folder` hold what is in the folders it remembers: add, update, move and remove by content.

    So with the pages and feeds it remembers, unless `pages` is false. `names` and `command` as for `index_paths`.

    What was embedded before isn't embedded again, be it in a file that was moved or in the unchanged part of one that
    was edited. Raises as `index_paths` does.
    """
    with library_at(folder, identity) as library:
        before = library.documents()
        done = index_paths((), folder, identity, embedder, names=names, pages=pages, command=command, report=report)
        after = library.documents()
    note_marks(folder, identity)
    return with_moves(done, before, after)


def stale_sources(library: AnyLibrary, documents: Iterable[Document]) -> Mapping[str, Staleness]:
    """Source → MISSING or CHANGED, for those of `documents` whose file is no longer what was indexed.

    A file whose size and times are as they were isn't read. What can't be told, such as whether a web page changed,
    isn't stale. Never raises, whatever state the disk and the library are in.
    """
    wanted = list(documents)
    try:
        origins = library.origins({document.id for document in wanted})
    except (RagError, ValueError):
        origins = {}
    found = {}
    for document in wanted:
        origin = origins.get(document.id)
        reason = _state_of(document.file, {document.content_hash}, origin.mark if origin else None)
        if reason is not None:
            found[document.source] = reason
    return found


def stale_files(library: AnyLibrary, wanted: Mapping[str, object], names: FieldNames | None = None) -> list[Stale]:
    """Everything about the library that the next `rag sync` or `rag index --rebuild` would change, by source.

    A file is named once, however many documents it holds. `wanted` are those fields of `Identity` that are known of
    the settings in force, by name, and `names` what they say of records. Raises as `snapshot` does.
    """
    with library.snapshot() as now:
        listed, roots, origins, made = now.documents(), now.roots(), now.origins(), now.manifest.identity
        visits = now.visits()
    everywhere = _identity_changes(made, wanted)
    files, away = _visited(roots)
    reasons: dict[str, list[Staleness]] = {root: [Staleness.AWAY] for root in away}
    known = _by_file(listed)
    for file, documents in known.items():
        made_by = [origins.get(document.id, Origin(FIRST_LOADER, None)) for document in documents]
        hashes = {document.content_hash for document in documents}
        on_disk = None if _is_below(file, away) else _state_of(file, hashes, made_by[0].mark)
        found = [on_disk] if on_disk else []
        if on_disk is not Staleness.MISSING:
            found += _visit_changes(visits.get(file), names)
            found += _loader_changes({origin.loader for origin in made_by})
            found += everywhere
        if found:
            reasons[file] = found
    for file in map(str, files):
        if file not in known and (new := _state_of_new(file, visits.get(file), names)):
            reasons[file] = new
    return [Stale(source, tuple(reasons[source])) for source in sorted(reasons)]


def _visit_changes(visit: Visit | None, names: FieldNames | None) -> list[Staleness]:
    if visit is None:
        return []
    states = {Outcome.UNREACHED: [Staleness.UNREACHED], Outcome.GONE: [Staleness.GONE]}
    renamed = names is not None and visit.fields not in (None, names.mapping)
    return states.get(visit.outcome, []) + ([Staleness.FIELDS] if renamed else [])


def _state_of_new(file: str, visit: Visit | None, names: FieldNames | None) -> list[Staleness]:
    """Of a file that the library has nothing of: it is new, unless it was taken out, or found to hold no articles."""
    if visit is not None and visit.outcome is Outcome.REMOVED:
        return []
    if visit is None or visit.outcome is not Outcome.QUESTIONS or _state_of(file, {visit.content_hash}, None):
        return [Staleness.NEW]
    return _visit_changes(visit, names)


def note_marks(folder: Place, identity: Identity) -> None:
    """Note of all files that hold what was indexed how they look, so that next time they needn't be read to tell.

    A file touched so lately that it could change without looking otherwise is left for the next time. What can't be
    noted, because another writer is at work or the disk is full, is of no consequence.
    """
    with suppress(LibraryError, DiskFull):
        with library_at(folder, identity) as library, library.snapshot() as now:
            origins, listed = now.origins(), now.documents()
        lately = (time.time() - CLOCK_SECONDS) * 1e9
        marks: dict[str, str] = {}
        for name, documents in _by_file(listed).items():
            file = source_file(name)
            mark = file_mark(file) if file else None
            if file is None or mark is None or all(origins[document.id].mark == mark for document in documents):
                continue
            hashes = {document.content_hash for document in documents}
            if max(map(int, mark.split(":")[1:])) < lately and _is_unchanged(file, mark, hashes):
                marks |= {document.id: mark for document in documents}
        if marks:
            with open_writer(folder, identity, loader=LOADER_VERSION) as writer:
                writer.note_marks(marks)
                writer.commit()


def _by_file(listed: Iterable[Listed]) -> dict[str, list[Listed]]:
    """`Listed.file` → the documents of the file."""
    files: dict[str, list[Listed]] = defaultdict(list)
    for document in listed:
        files[document.file].append(document)
    return files


def _moved_files(removed: Iterable[Listed], added: Iterable[Listed], staying: Set[str]) -> dict[str, str]:
    """File with documents among those added → the one it was before, if it moved; none of those `staying` did."""
    gone: dict[str, list[str]] = defaultdict(list)
    for file, documents in _by_file(removed).items():
        if file not in staying:
            gone[documents[0].content_hash].append(file)
    moved = {}
    for file, documents in _by_file(added).items():
        if file not in staying and (olds := gone[documents[0].content_hash]):
            moved[file] = _likeliest(olds, file)
            olds.remove(moved[file])
    return moved


def _loader_changes(loaders: Set[int]) -> list[Staleness]:
    if UNFINISHED in loaders:
        return [Staleness.UNFINISHED]
    return [] if loaders == {LOADER_VERSION} else [Staleness.LOADER]


def _identity_changes(made: Identity, wanted: Mapping[str, object]) -> list[Staleness]:
    differing = {name for name, value in wanted.items() if getattr(made, name) != value}
    embedder = [Staleness.EMBEDDER] if differing & {"embedder", "revision", "dimension"} else []
    return embedder + ([Staleness.CHUNKER] if differing & {"chunk_tokens", "chunk_overlap"} else [])


def _visited(roots: Sequence[str]) -> tuple[set[Path], list[str]]:
    """The files there are in the remembered folders, and the folders that can't be visited."""
    files: set[Path] = set()
    away = []
    for root in roots:
        if is_address(root):
            continue
        try:
            files.update(find_files([Path(root)]))
        except DocumentError:
            away.append(root)
    return files, away


def _is_below(file: str, roots: Sequence[str]) -> bool:
    return any(Path(file).is_relative_to(root) for root in roots)


def _state_of(name: str, hashes: Set[str], mark: str | None) -> Staleness | None:
    """Of a file (`Document.file`), by the content hashes of its documents, which are one unless it changed."""
    file = source_file(name)
    if file is None:
        return None
    now = file_mark(file)
    if now is None:
        return Staleness.MISSING
    return None if now == mark or _is_unchanged(file, now, hashes) else Staleness.CHANGED


def _is_unchanged(file: Path, mark: str, hashes: Set[str]) -> bool:
    try:
        return {_hash(file, mark)} == hashes
    except (DocumentError, OSError):
        return False


@lru_cache(maxsize=4096)
def _hash(file: Path, _mark: str) -> str:
    """Of a file in the state that the mark stands for."""
    return file_hash(file)


def _likeliest(olds: Sequence[str], new: str) -> str:
    """Of files with equal content, the one with the same name, or else the first."""
    return next((old for old in olds if Path(old).name == Path(new).name), olds[0])
