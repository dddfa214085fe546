"""Articles → the library, brought up to date by content hash: whole folders of them, or documents from elsewhere."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from rag.chunking import chunk_document, fit_title, with_title
from rag.documents import LOADER_VERSION, USUAL_FIELDS, FieldNames, file_hash, find_files, load
from rag.errors import DocumentError
from rag.index import Identity, Listed, Writer, embed_new, open_writer
from rag.types import Chunk, Document, Embedder, Progress

Report = Callable[[str, int, int], None]
"""(what is being done, done, total)"""

GROUP_CHUNKS = 64
"""Chunks embedded together: enough to batch well, few enough that Ctrl-C is noticed soon."""

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
    paths: Sequence[Path],
    folder: Path,
    identity: Identity,
    embedder: Embedder,
    *,
    start_over: bool = False,
    names: FieldNames = USUAL_FIELDS,
    report: Report | None = None,
) -> IndexReport:
    """Make the library in `folder` hold the articles in `paths` as they are now.

    Without `paths` the folders indexed before are visited again; one that can't be visited keeps its articles.
    Documents of the folders visited whose file is gone are removed; what came from elsewhere stays. All documents of a
    file change together. `start_over` empties the library first, lets it have another identity, and forgets all
    folders but `paths` if there are any. `names` says which fields of JSON records hold what.
    Work is committed as it goes, so that an interrupted run loses at most a minute and the next goes on from there;
    with `start_over` the old library answers until all is done.

    Raises DocumentError when there is nothing to index, and with `start_over` also when a folder can't be visited or no
    file be read; and the RagErrors of `open_writer`.
    """
    named = _visit(paths) if paths else None
    with open_writer(folder, identity, start_over=start_over, loader=LOADER_VERSION) as writer:
        visit = named or _visit_again(writer.roots())
        if start_over and visit.refused:
            raise DocumentError(visit.refused[0])
        _remember(writer, visit.roots, forget_others=start_over and named is not None)
        known: dict[str, list[Listed]] = {}
        for document in writer.documents():
            known.setdefault(document.file, []).append(document)
        gone = [document for file in _gone(known, visit) for document in known[file]]
        for document in gone:
            writer.remove(document.id)
        files = _Files(visit.files, known, writer.outdated(), names, report)
        added, updated = _store(writer, files.changed(), embedder, identity, files.work, all_at_once=start_over)
        if start_over and not added:
            raise DocumentError(f"Nothing could be read, so the library stays as it was. {files.refused[0]}")
        writer.commit()
        files.work.finished()
        return IndexReport(
            added=tuple(added),
            updated=tuple(updated),
            removed=tuple(sorted([*(document.source for document in gone), *files.dropped])),
            unchanged=files.unchanged,
            refused=(*visit.refused, *files.refused),
            documents=len(writer.documents()),
            notes=tuple(files.notes),
        )


def index_documents(
    documents: Iterable[Document],
    folder: Path,
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
        work = _Work(total, report)

        def changed() -> Iterator[_Change]:
            for document in documents:
                seen.add(document.id)
                known = before.get(document.id)
                if known and known.content_hash == document.content_hash:
                    work.passed(1)
                    continue
                work.waits(1)
                yield _Change(document)

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


@dataclass(frozen=True, slots=True)
class _Visit:
    """The folders and files looked into, and what was found there."""

    roots: tuple[Path, ...]
    files: tuple[Path, ...]
    refused: tuple[str, ...]
    """One sentence for each folder that could not be looked into."""


def _visit(paths: Sequence[Path]) -> _Visit:
    files = tuple(find_files(paths))
    roots = tuple(path.resolve() for path in paths)
    for root in roots:
        if not _is_unicode(str(root)):
            raise DocumentError(f"The name {str(root)!a} is not valid Unicode. Rename the folder.")
    return _Visit(roots, files, ())


def _visit_again(remembered: Sequence[str]) -> _Visit:
    """What can be visited. A folder that is gone or empty may be on a disk that isn't connected at the moment."""
    if not remembered:
        raise DocumentError("No folder has been indexed yet, so say which: `rag index FOLDER`.")
    files: set[Path] = set()
    refused: dict[Path, DocumentError] = {}
    for root in map(Path, remembered):
        try:
            files.update(find_files([root]))
        except DocumentError as error:
            refused[root] = error
    roots = [root for root in map(Path, remembered) if root not in refused]
    if not roots:
        raise next(iter(refused.values()))
    away = {root: error for root, error in refused.items() if not any(map(root.is_relative_to, roots))}
    stays = "What was indexed from it stays; `rag index --rebuild FOLDER` with the other folders forgets it."
    return _Visit(tuple(roots), tuple(sorted(files)), tuple(f"{error} {stays}" for error in away.values()))


def _remember(writer: Writer, roots: Sequence[Path], *, forget_others: bool) -> None:
    if forget_others:
        for other in writer.roots():
            writer.forget_root(other)
    for root in roots:
        writer.remember_root(root)


@dataclass(frozen=True, slots=True)
class _Change:
    """A document to be put into the library."""

    document: Document
    outdated: tuple[str, ...] = ()
    """Ids of documents that its file no longer has: they go when the first of the new ones comes."""


class _Files:
    """Files, of which those whose content the library doesn't hold yet are read one by one.

    Progress counts bytes, because articles differ in length. It never shrinks, whatever happens to the files meanwhile.
    """

    def __init__(
        self,
        files: Sequence[Path],
        known: Mapping[str, Sequence[Listed]],
        outdated: Set[str],
        names: FieldNames,
        report: Report | None,
    ) -> None:
        """`known` are the documents that the library has of each file; a file with an `outdated` id is read anyway."""
        self.unchanged = 0
        self.refused: list[str] = []
        self.notes: list[str] = []
        self.dropped: list[str] = []
        """Sources of the outdated documents of all changes."""
        self._sizes = {file: _size(file) for file in files}
        self._known = known
        self._outdated = outdated
        self._names = names
        self.work = _Work(sum(self._sizes.values()), report)

    def changed(self) -> Iterator[_Change]:
        others = {str(file) for file in self._sizes}
        for file, size in self._sizes.items():
            known = self._known.get(str(file), [])
            try:
                if self._are_current(known) and {document.content_hash for document in known} == {file_hash(file)}:
                    self.unchanged += len(known)
                    self.work.passed(size)
                    continue
                loaded = load(file, self._names)
                _check_sources(loaded.documents, others - {str(file)})
            except DocumentError as error:
                self.refused.append(str(error))
                self.work.passed(size)
                continue
            self.notes += loaded.notes
            now = {document.id for document in loaded.documents}
            outdated = [document for document in known if document.id not in now]
            self.dropped += [document.source for document in outdated]
            self.work.waits(size)
            yield _Change(loaded.documents[0], tuple(document.id for document in outdated))
            yield from map(_Change, loaded.documents[1:])

    def _are_current(self, known: Sequence[Listed]) -> bool:
        return bool(known) and not any(document.id in self._outdated for document in known)


def _check_sources(documents: Iterable[Document], files: Set[str]) -> None:
    """Raises DocumentError for a file called as what is in another one would be called."""
    for document in documents:
        if document.source in files:
            raise DocumentError(f"There is a file {document.source}, so {document.file} can't be read. Rename either.")


class _Work:
    """How much of `total` is done, reported as it grows. What is being embedded counts by its share of embedded texts.

    A `total` of 0 isn't known.
    """

    def __init__(self, total: int, report: Report | None) -> None:
        self._total = total
        self._report = report or _silent
        self._done = 0
        self._waiting = 0

    def passed(self, size: int) -> None:
        """So much needs no embedding."""
        self._done += size
        self._report("Indexing", self._done, self._total)

    def waits(self, size: int) -> None:
        """So much was read and is to be embedded."""
        self._waiting += size

    def embedding(self, done: int, total: int) -> None:
        """`Progress` of the texts of all that waits."""
        self._report("Indexing", self._done + self._waiting * done // max(total, 1), self._total)

    def stored(self) -> None:
        """Nothing waits any more."""
        self._done += self._waiting
        self._waiting = 0

    def finished(self) -> None:
        self._report("Indexing", self._total or self._done, self._total)


def _store(
    writer: Writer,
    changes: Iterable[_Change],
    embedder: Embedder,
    identity: Identity,
    work: _Work,
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
    for group in _groups(changes, embedder, identity):
        whole = last is not None and last.file != group[0][0].document.file
        if whole and not all_at_once and time.monotonic() - committed > COMMIT_SECONDS:
            writer.commit()
            committed = time.monotonic()
        _put(writer, group, embedder, identity.chunk_tokens, work.embedding)
        work.stored()
        for change, _ in group:
            last = change.document
            (updated if last.id in known else added).append(last.source)
    return added, updated


def _groups(
    changes: Iterable[_Change], embedder: Embedder, identity: Identity
) -> Iterator[list[tuple[_Change, list[Chunk]]]]:
    """Changes with the chunks of their documents, gathered until there are about `GROUP_CHUNKS` of them."""
    group: list[tuple[_Change, list[Chunk]]] = []
    for change in changes:
        chunks = chunk_document(change.document, embedder.count_tokens, identity.chunk_tokens, identity.chunk_overlap)
        group.append((change, chunks))
        if sum(len(chunks) for _, chunks in group) >= GROUP_CHUNKS:
            yield group
            group = []
    if group:
        yield group


def _put(
    writer: Writer,
    group: Sequence[tuple[_Change, list[Chunk]]],
    embedder: Embedder,
    chunk_tokens: int,
    progress: Progress,
) -> None:
    texts = []
    for change, chunks in group:
        title = fit_title(change.document.title, embedder.count_tokens, chunk_tokens)
        texts += [with_title(title, change.document.text[chunk.start : chunk.end]) for chunk in chunks]
    vectors = embed_new(texts, writer.vectors_of, embedder, progress)
    at = 0
    for change, chunks in group:
        for outdated in change.outdated:
            writer.remove(outdated)
        these = slice(at, at + len(chunks))
        writer.put(change.document, chunks, vectors[these], texts[these])
        at += len(chunks)


def _gone(known: Iterable[str], visit: _Visit) -> list[str]:
    present = {str(file) for file in visit.files}
    folders = [root for root in visit.roots if root.is_dir()]
    return sorted(file for file in known if file not in present and any(map(Path(file).is_relative_to, folders)))


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # gone since the folder was listed; reading it will say so
        return 0


def _silent(what: str, done: int, total: int) -> None:
    """Report to nobody."""
