"""Folders of articles → the library, brought up to date by content hash."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.chunking import chunk_document, fit_title, with_title
from rag.documents import file_hash, find_files, load
from rag.errors import DocumentError
from rag.index import Identity, Writer, open_writer
from rag.types import Chunk, Document, Embedder

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


def index_paths(
    paths: Sequence[Path],
    folder: Path,
    identity: Identity,
    embedder: Embedder,
    *,
    start_over: bool = False,
    report: Report | None = None,
) -> IndexReport:
    """Make the library in `folder` hold the articles in `paths` as they are now.

    Without `paths` the folders indexed before are visited again. Documents of these folders whose file is gone are
    removed; what came from elsewhere stays. `start_over` empties the library first and lets it have another identity.
    Work is committed as it goes, so that an interrupted run loses at most a minute and the next goes on from there;
    with `start_over` the old library answers until all is done.

    Raises DocumentError when there is nothing to index, and the RagErrors of `open_writer`.
    """
    found = find_files(paths) if paths else []
    with open_writer(folder, identity, start_over=start_over) as writer:
        roots = [path.resolve() for path in paths] or [Path(root) for root in writer.roots()]
        if not roots:
            raise DocumentError("No folder has been indexed yet, so say which: `rag index FOLDER`.")
        files = found or find_files(roots)
        known = {document.source: document for document in writer.documents()}
        for root in roots:
            writer.remember_root(root)
        gone = _gone(known, files, roots)
        for source in gone:
            writer.remove(known[source].id)
        changed = _Changed(files, {source: document.content_hash for source, document in known.items()})
        added: list[str] = []
        updated: list[str] = []
        committed = time.monotonic()
        for group in _groups(changed.documents(report or _silent), embedder, identity):
            _put(writer, group, embedder, identity.chunk_tokens)
            for document, _ in group:
                (updated if document.source in known else added).append(document.source)
            if not start_over and time.monotonic() - committed > COMMIT_SECONDS:
                writer.commit()
                committed = time.monotonic()
        writer.commit()
        return IndexReport(
            added=tuple(added),
            updated=tuple(updated),
            removed=tuple(gone),
            unchanged=changed.unchanged,
            refused=tuple(changed.refused),
            documents=len(writer.documents()),
        )


class _Changed:
    """Files whose content the library doesn't hold yet, read one by one."""

    def __init__(self, files: Sequence[Path], hashes: dict[str, str]) -> None:
        self._files = files
        self._hashes = hashes
        self.unchanged = 0
        self.refused: list[str] = []

    def documents(self, report: Report) -> Iterator[Document]:
        """Progress counts bytes, because articles differ in length."""
        total = sum(_size(file) for file in self._files)
        done = 0
        for file in self._files:
            report("Indexing", done, total)
            try:
                if self._hashes.get(str(file)) == file_hash(file):
                    self.unchanged += 1
                else:
                    yield load(file)
            except DocumentError as error:
                self.refused.append(str(error))
            done += _size(file)
        report("Indexing", total, total)


def _groups(
    documents: Iterable[Document], embedder: Embedder, identity: Identity
) -> Iterator[list[tuple[Document, list[Chunk]]]]:
    """Documents with their chunks, gathered until there are about `GROUP_CHUNKS` of them."""
    group: list[tuple[Document, list[Chunk]]] = []
    for document in documents:
        group.append(
            (document, chunk_document(document, embedder.count_tokens, identity.chunk_tokens, identity.chunk_overlap))
        )
        if sum(len(chunks) for _, chunks in group) >= GROUP_CHUNKS:
            yield group
            group = []
    if group:
        yield group


def _put(writer: Writer, group: Sequence[tuple[Document, list[Chunk]]], embedder: Embedder, chunk_tokens: int) -> None:
    texts = []
    for document, chunks in group:
        title = fit_title(document.title, embedder.count_tokens, chunk_tokens)
        texts += [with_title(title, document.text[chunk.start : chunk.end]) for chunk in chunks]
    vectors = embedder.embed_passages(texts)
    at = 0
    for document, chunks in group:
        writer.put(document, chunks, vectors[at : at + len(chunks)])
        at += len(chunks)


def _gone(known: Iterable[str], files: Sequence[Path], roots: Sequence[Path]) -> list[str]:
    present = {str(file) for file in files}
    return sorted(
        source
        for source in known
        if source not in present and any(Path(source).is_relative_to(root) for root in roots if root.is_dir())
    )


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # gone since the folder was listed; reading it will say so
        return 0


def _silent(what: str, done: int, total: int) -> None:
    """Report to nobody."""
