"""Articles → the library, brought up to date by content hash: whole folders of them, or documents from elsewhere."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeVar

from rag.browsing import Pages
from rag.chunking import chunk_document, fit_title, with_title
from rag.documents import LOADER_VERSION, USUAL_FIELDS, FieldNames
from rag.errors import DocumentError, LibraryEmpty
from rag.index import AnyWriter, Identity, Listed, embed_new
from rag.stores import Place, library_at, open_writer
from rag.types import Chunk, Document, Embedder, Progress
from rag.visiting import (
    Change,
    FileReader,
    Files,
    Held,
    Naming,
    Places,
    Stopped,
    Work,
    gone_files,
    named_places,
    read_here,
    remembered_places,
)

_InFile = TypeVar("_InFile", Document, Listed)

Report = Callable[[str, int, int], None]
"""(what is being done, done, total)"""

GROUP_CHUNKS = 64
"""Chunks embedded together: enough to batch well, few enough that Ctrl-C is noticed soon."""

GROUP_SECONDS = 15.0
"""After so long what was read is embedded though it isn't as much: pages come slowly."""

COMMIT_SECONDS = 60.0
"""Work that an interruption may lose, at most, besides the group underway."""


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What indexing did, as sources in the order of the work."""

    added: tuple[str, ...]
    updated: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int
    refused: tuple[str, ...]
    """One sentence for each file that could not be read. What the library held of it before is still there."""
    documents: int
    """In the library now."""
    notes: tuple[str, ...] = ()
    """What could not be read in files that were, such as scanned pages: one or two sentences each."""


def index_paths(
    paths: Sequence[Path | str],
    folder: Place,
    identity: Identity,
    embedder: Embedder,
    *,
    start_over: bool = False,
    names: FieldNames = USUAL_FIELDS,
    pages: bool = True,
    kept: Iterable[Document] = (),
    within: Path | None = None,
    command: str = "rag index",
    report: Report | None = None,
    read: FileReader = read_here,
) -> IndexReport:
    """Make the library in `folder` hold the articles in `paths`, of which a `str` is a web address, as they are now.

    Without `paths` what was indexed before is visited again, without `pages` no web address; what can't be visited
    keeps its articles. Documents of the folders visited whose file is gone are removed; what came from elsewhere stays.
    All documents of a file change together; the entries of a feed come one by one, and stay. `start_over` empties the
    library first, lets it have another identity, and forgets all folders but `paths` if there are any. `names` says
    which fields of records and columns of tables hold what. Of the pages in `paths`, `kept` are taken over where they
    can't be had any more. Of files in the folder `within`, that folder is remembered in their place. `command` is what
    others who want to write read about this process. `read` reads the files, and may chunk and embed what they hold.
    Work is committed as it goes, so that an interrupted run loses at most a minute and the next goes on from there;
    with `start_over` the old library answers until all is done.

    Raises DocumentError when there is nothing to index, and with `start_over` also when a place can't be visited or no
    file be read; and the RagErrors of `open_writer`.
    """
    named = named_places(paths) if paths else None
    with open_writer(folder, identity, start_over=start_over, loader=LOADER_VERSION, command=command) as writer:
        places = named or remembered_places(writer.roots(), pages=pages)
        if start_over and places.refused:
            raise DocumentError(places.refused[0])
        roots = [within if within and root.is_relative_to(within) else root for root in places.roots]
        _remember(writer, roots, forget_others=start_over and named is not None)
        held = _held(writer, names)
        gone = _forget_gone(writer, held, places)
        work, naming = Work(0, report), Naming(names, held)
        files = Files(places, held, naming, work, read)
        web = Pages(places.addresses, held, naming, work, writer.remember_root, _stored_in(folder), _by_file(kept))
        changes = chain(files.changed(), web.changed())
        added, updated = _store(writer, changes, embedder, identity, work, all_at_once=start_over)
        refused = (*places.refused, *files.refused, *web.refused, *naming.complaints())
        if start_over and web.refused:
            raise DocumentError(web.refused[0])
        if start_over and not added:
            raise DocumentError(" ".join(("Nothing could be read, so the library stays as it was.", *refused[:1])))
        for emptied in files.emptied:
            writer.remove(emptied.id)
        for visit in (*files.visits, *web.visits):
            writer.note_visit(visit)
        writer.commit()
        work.finished()
        removed = (*(document.source for document in (*gone, *files.emptied)), *files.dropped, *web.dropped)
        return IndexReport(
            added=tuple(added),
            updated=tuple(updated),
            removed=tuple(sorted(removed)),
            unchanged=files.unchanged + web.unchanged,
            refused=refused,
            documents=len(writer.documents()),
            notes=(*files.notes, *web.notes, *filter(None, [files.questions()])),
        )


def _held(writer: AnyWriter, names: FieldNames) -> Held:
    documents = _by_file(writer.documents())
    visits = writer.visits()
    renamed = {
        document.id
        for file, visit in visits.items()
        if visit.fields not in (None, names.mapping)
        for document in documents.get(file, ())
    }
    return Held(documents, visits, writer.outdated() | renamed)


def _forget_gone(writer: AnyWriter, held: Held, places: Places) -> list[Listed]:
    """Remove the documents of files that are gone, and return them."""
    files = gone_files({*held.documents, *held.visits}, places)
    gone = [document for file in files for document in held.documents.get(file, ())]
    for document in gone:
        writer.remove(document.id)
    for file in files:
        writer.forget_visit(file)
    return gone


def _by_file(documents: Iterable[_InFile]) -> dict[str, list[_InFile]]:
    files: dict[str, list[_InFile]] = {}
    for document in documents:
        files.setdefault(document.file, []).append(document)
    return files


def _stored_in(folder: Place) -> Callable[[Iterable[str]], Mapping[str, Document]]:
    """Documents of the library by id, as they were committed last."""

    def stored(ids: Iterable[str]) -> Mapping[str, Document]:
        wanted = list(ids)
        if not wanted:
            return {}
        try:
            with library_at(folder) as library:
                return library.documents_by_id(wanted)
        except LibraryEmpty:  # nothing was committed yet
            return {}

    return stored


def index_documents(
    documents: Iterable[Document],
    folder: Place,
    identity: Identity,
    embedder: Embedder,
    *,
    total: int = 0,
    command: str = "rag index",
    report: Report | None = None,
) -> IndexReport:
    """Make the library in `folder` hold exactly `documents`, each with an id and a source that no other of them has.

    They are read once, one by one, and those that the library holds by id with the same content hash are not embedded
    again. Work is committed as it goes, as by `index_paths`; what doesn't belong is removed at the end. `total` is the
    number of documents, 0 where it isn't known, and `command` what others who want to write read about this process.

    Raises the RagErrors of `open_writer`, and ValueError where a document has the source of another in the library.
    """
    with open_writer(folder, identity, loader=LOADER_VERSION, command=command) as writer:
        before = {listed.id: listed for listed in writer.documents()}
        seen: set[str] = set()
        work = Work(total, report)

        def changed() -> Iterator[Change]:
            for document in documents:
                seen.add(document.id)
                known = before.get(document.id)
                if known and known.content_hash == document.content_hash:
                    work.passed(1)
                    continue
                work.waits(1)
                yield Change(document)

        added, updated = _store(writer, changed(), embedder, identity, work, all_at_once=False)
        others = [listed for listed in before.values() if listed.id not in seen]
        for other in others:
            writer.remove(other.id)
        writer.commit()
        work.finished()
        return IndexReport(
            added=tuple(added),
            updated=tuple(updated),
            removed=tuple(other.source for other in others),
            unchanged=len(seen) - len(added) - len(updated),
            refused=(),
            documents=len(seen),
        )


def _remember(writer: AnyWriter, roots: Sequence[Path], *, forget_others: bool) -> None:
    if forget_others:
        for other in writer.roots():
            writer.forget_root(other)
    for root in roots:
        writer.remember_root(root)


def _store(
    writer: AnyWriter,
    changes: Iterable[Change],
    embedder: Embedder,
    identity: Identity,
    work: Work,
    *,
    all_at_once: bool,
) -> tuple[list[str], list[str]]:
    """Put documents into the library; sources of those that are new to it, and of the others.

    What is put in is committed now and then, unless it is to become visible `all_at_once`; the caller commits the rest.
    No commit parts the documents of a file: each has the hash of all of it, so the rest would seem to be there.
    """
    known = {listed.id for listed in writer.documents()}
    added: list[str] = []
    updated: list[str] = []
    work.passed(0)
    committed = time.monotonic()
    last: Document | None = None
    try:
        for group in _groups(changes, embedder, identity):
            first = group[0][0]
            whole = last is not None and (first.alone or last.file != first.document.file)
            if whole and not all_at_once and time.monotonic() - committed > COMMIT_SECONDS:
                writer.commit()
                committed = time.monotonic()
            _put(writer, group, embedder, identity.chunk_tokens, work.embedding)
            work.stored()
            for change, _ in group:
                last = change.document
                (updated if last.id in known else added).append(last.source)
    except Stopped:
        if not all_at_once:
            writer.commit()
        raise
    return added, updated


def _groups(
    changes: Iterable[Change], embedder: Embedder, identity: Identity
) -> Iterator[list[tuple[Change, list[Chunk]]]]:
    """Changes with the chunks of their documents, gathered until there are about `GROUP_CHUNKS` of them."""
    group: list[tuple[Change, list[Chunk]]] = []
    begun = time.monotonic()
    try:
        for change in changes:
            chunks = (
                list(change.prepared.chunks)
                if change.prepared
                else chunk_document(
                    change.document, embedder.count_tokens, identity.chunk_tokens, identity.chunk_overlap
                )
            )
            group.append((change, chunks))
            if sum(len(chunks) for _, chunks in group) >= GROUP_CHUNKS or time.monotonic() - begun > GROUP_SECONDS:
                yield group
                group, begun = [], time.monotonic()
    except Stopped:
        if group:
            yield group
        raise
    if group:
        yield group


def _put(
    writer: AnyWriter,
    group: Sequence[tuple[Change, list[Chunk]]],
    embedder: Embedder,
    chunk_tokens: int,
    progress: Progress,
) -> None:
    texts: list[str] = []
    for change, chunks in group:
        if change.prepared:
            texts += change.prepared.texts
            continue
        title = fit_title(change.document.title, embedder.count_tokens, chunk_tokens)
        texts += [with_title(title, change.document.text[chunk.start : chunk.end]) for chunk in chunks]
    done = {
        text: vector
        for change, _ in group
        if change.prepared
        for text, vector in zip(change.prepared.texts, change.prepared.vectors, strict=True)
    }
    vectors = embed_new(texts, lambda wanted: {**done, **writer.vectors_of(wanted)}, embedder, progress)
    at = 0
    for change, chunks in group:
        for outdated in change.outdated:
            writer.remove(outdated)
        these = slice(at, at + len(chunks))
        writer.put(change.document, chunks, vectors[these], texts[these])
        if change.visit:
            writer.note_visit(change.visit)
        at += len(chunks)
