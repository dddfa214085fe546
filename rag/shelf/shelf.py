"""What the page asks of the library."""

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from rag.desk import Desk
from rag.documents import FieldNames, file_hash, is_address, page_address
from rag.errors import DocumentError, LibraryEmpty, LibraryError, RagError
from rag.holdings import Became, Behind, Held, Listing, Opened, Result, Work
from rag.index import AnyLibrary, Identity, Outcome, Visit
from rag.indexing import IndexReport, index_paths
from rag.rights import Allowed, ReadableLibrary
from rag.shelf.changing import Changes, Report
from rag.shelf.keeping import FOLDER, discard, keep
from rag.shelf.outcomes import of_named, of_sync, refusal
from rag.stores import library_at, open_writer, place_of
from rag.syncing import Stale, note_marks, stale_files, sync_folders
from rag.types import Embedder
from rag.visiting import check_places

PER_PAGE = 50
"""Articles of the list."""
WRITER = "Citeline's page"
"""What others who want to write read about this process."""


class Shelf:
    """The library of a `Desk`, to be looked through and changed. Safe to use from several threads.

    A `reader` sees the articles they may read, and nothing of the others.
    """

    def __init__(self, desk: Desk, *, whole_paths: bool = True) -> None:
        """Without `whole_paths`, files are named from the folder on that was indexed."""
        self._whole_paths = whole_paths
        self.uploads = desk.settings.index.resolve() / FOLDER
        self._desk = desk
        self._settings = desk.settings
        self._place = place_of(desk.settings)
        self._library = library_at(self._place)
        self._changes = Changes(lambda: desk.answering, desk.settings.log_texts)
        self._allowed = Allowed()
        self._looking = threading.Lock()
        self._stale: dict[str, tuple[str, ...]] = {}
        desk.at_close(self.close)

    @property
    def work(self) -> Work | None:
        """The change that is under way, else the last one, unless it was dismissed."""
        return self._changes.work

    def work_for(self, reader: str | None) -> Work | None:
        """`work`, which names articles to who began it with them, and else to who may read all."""
        work, own = self.work, self._changes.own_of == (reader,)
        if work is None or own or self._desk.rights.or_nothing(reader).everything:
            return work
        failure = "It ended early." if work.failure else ""
        return replace(work, results=(), more=0, summary="Done." if work.summary else "", failure=failure)

    def cancel(self) -> None:
        """End the change that is under way."""
        self._changes.cancel()

    def dismiss(self) -> None:
        """Show the last change no longer."""
        self._changes.dismiss()

    def close(self) -> None:
        """End everything."""
        self._changes.close()
        self._library.close()

    def listing(
        self,
        typed: str = "",
        page: int = 1,
        only: Iterable[str] | None = None,
        stale: bool = False,
        reader: str | None = None,
    ) -> Listing:
        """A page of the articles that hold what was typed; of those with the ids `only`, or only the `stale` ones."""
        files = list(self._stale) if stale else None
        try:
            with self._seen_by(reader).snapshot() as now:
                found = now.entries(typed, only, files, (max(page, 1) - 1) * PER_PAGE, PER_PAGE)
                count = now.count()
        except LibraryEmpty:
            return Listing((), 0, 1, 1, 0, 0)
        pages = max(1, -(-found.total // PER_PAGE))
        articles = tuple(
            Held(one.id, one.title, one.source, one.published, one.chunks, self._stale.get(one.file, ()))
            for one in found.entries
        )
        return Listing(articles, found.total, min(max(page, 1), pages), pages, count.documents, count.chunks)

    def open(self, document_id: str, reader: str | None = None) -> Opened | None:
        """None where it is no longer there."""
        with suppress(LibraryEmpty), self._seen_by(reader).snapshot() as now:
            document = now.documents_by_id([document_id]).get(document_id)
            if document is None:
                return None
            roots = now.roots()
            copies = tuple(self._shown(listed.source, roots) for listed in now.duplicates_of(document_id))
            siblings = now.entries(files=[document.file], most=1).total - 1
            chunks = now.chunks_of(document_id)
            reasons = self._stale.get(document.file, ())
            place = self._shown(document.source, roots)
            return Opened(document, chunks, copies, reasons, self._is_upload(document.file), siblings, place)
        return None

    def behind(self, reader: str | None = None) -> list[Behind]:
        """What the library is behind of, as of the last `look`, by source."""
        roots: list[str] = []
        with suppress(LibraryEmpty):
            roots = self._library.roots()
        readable = self._desk.rights.or_nothing(reader)
        return [
            Behind(self._shown(source, roots), reasons)
            for source, reasons in self._stale.items()
            if readable.reads(source)
        ]

    def look(self) -> None:
        """See what on the disk is no longer what was indexed; takes as long as looking at all files."""
        if not self._looking.acquire(blocking=False):
            return
        try:
            self._stale = {one.source: tuple(one.reasons) for one in self._stale_files()}
        finally:
            self._looking.release()

    def add(
        self, files: Sequence[Path], addresses: Sequence[str], by: str | None, done: Callable[[], None] | None = None
    ) -> None:
        """Begin to take in files, which are moved into `uploads`, and pages; then call `done`. Raises LibraryBusy."""

        def task(report: Report) -> list[Result]:
            try:
                return self._add(files, addresses, by, report)
            finally:
                if done:
                    done()

        parts = [_counted(len(files), "file"), _counted(len(addresses), "address", "addresses")]
        doing = f"Adding {' and '.join(filter(None, parts))}"
        self._changes.begin(doing, by, task, self._after, of_own=True)

    def sync(self, by: str | None) -> None:
        """Begin to bring the library in step with its folders and pages. Raises LibraryBusy."""
        self._changes.begin("Syncing with the folders and pages", by, self._sync, self._after)

    def remove(self, document_id: str, by: str | None) -> None:
        """Begin to take an article out; its file goes with it if it was sent to the page. Raises LibraryBusy."""
        task = partial(self._remove, document_id, by)
        self._changes.begin("Removing an article", by, task, self._after, of_own=True)

    def _add(self, files: Sequence[Path], addresses: Sequence[str], by: str | None, report: Report) -> list[Result]:
        results: list[Result] = []
        names: dict[str, str] = {}
        kept: list[Path] = []
        try:
            for file in self._new(files, by, results):
                try:
                    path = keep(file, self.uploads)
                    kept.append(path)
                    check_places([path])
                    names[str(path)] = file.name
                except DocumentError as error:
                    results.append(refusal(file.name, str(error), str(file), *map(str, kept[-1:])))
            pages = list(_addresses(addresses, results))
            if names or pages:
                paths: list[Path | str] = [*map(Path, names), *pages]
                done = self._index(paths, report)
                results += of_named(done, names | {page: page for page in pages}, self._holds)
        finally:
            self._discard_unused(kept)
        return results

    def _new(self, files: Sequence[Path], by: str | None, results: list[Result]) -> list[Path]:
        """Those whose content neither the library, as far as the reader may know, nor another of them has."""
        hashes: dict[str, Path] = {}
        for file in files:
            try:
                held = hashes.setdefault(file_hash(file), file)
            except (DocumentError, OSError) as error:
                results.append(refusal(file.name, str(error), str(file)))
                continue
            if held is not file:
                results.append(Result(file.name, Became.UNCHANGED, f"It is the same as {held.name}."))
        try:
            titles = self._titles(hashes, by)
        except LibraryEmpty:
            titles = {}
        results += [
            Result(hashes[known].name, Became.UNCHANGED, f"It is here already: {title}")
            for known, title in titles.items()
        ]
        return [file for content_hash, file in hashes.items() if content_hash not in titles]

    def _titles(self, hashes: Iterable[str], reader: str | None) -> dict[str, str]:
        with self._seen_by(reader).snapshot() as now:
            return now.titles(hashes)

    def _index(self, paths: Sequence[Path | str], report: Report) -> IndexReport:
        embedder, identity = self._embedder(report)
        done = index_paths(
            paths, self._place, identity, embedder,
            names=self._names, within=self.uploads, command=WRITER, report=report,
        )  # fmt: skip
        note_marks(self._place, identity)
        return done

    def _sync(self, report: Report) -> list[Result]:
        embedder, identity = self._embedder(report)
        return [*of_sync(sync_folders(self._place, identity, embedder, report, names=self._names, command=WRITER))]

    def _seen_by(self, reader: str | None) -> AnyLibrary:
        return ReadableLibrary(self._library, partial(self._desk.rights.or_nothing, reader), self._allowed)

    def _remove(self, document_id: str, by: str | None, _report: Report) -> list[Result]:
        with self._seen_by(by).snapshot() as now:
            seen = now.documents_by_id([document_id])
        with self._library.snapshot() as now:
            document = seen.get(document_id)
            identity = now.manifest.identity
            if document is None:
                raise RagError("That article is no longer in the library.")
            file = document.file
            last = now.entries(files=[file], most=1).total == 1
        with open_writer(self._place, identity, command=WRITER) as writer:
            writer.remove(document_id)
            if last:
                writer.forget_root(file)
                if not is_address(file) and not self._is_upload(file):
                    writer.note_visit(Visit(file, document.content_hash, outcome=Outcome.REMOVED))
                else:
                    writer.forget_visit(file)
            writer.commit()
            if last and self._is_upload(file):
                discard([Path(file)])
                if not any(self.uploads.iterdir()):
                    writer.forget_root(self.uploads)
                    writer.commit()
        return [Result(document.title, Became.REMOVED)]

    def _embedder(self, report: Report) -> tuple[Embedder, Identity]:
        from rag.pipeline import embedder_on_demand, library_identity  # as late as the pipeline itself

        embedder = self._desk.embedder or embedder_on_demand(self._settings, None, report)
        return embedder, library_identity(self._settings, embedder)

    @property
    def _names(self) -> FieldNames:
        return FieldNames.of(self._settings.fields)

    def _after(self) -> None:
        self.look()
        self._desk.open()  # which does nothing but where there was no library before

    def _stale_files(self) -> list[Stale]:
        settings = self._settings
        wanted: dict[str, object] = {
            "embedder": settings.embedder if self._desk.embedder is None else self._desk.embedder.name,
            "chunk_tokens": settings.chunk_tokens,
            "chunk_overlap": settings.chunk_overlap,
        }
        try:
            return stale_files(self._library, wanted, self._names)
        except (LibraryError, ValueError):
            return []

    def _discard_unused(self, kept: Sequence[Path]) -> None:
        """Remove the kept files that the library has nothing of."""
        discard([path for path in kept if not self._holds(str(path))])

    def _holds(self, file: str) -> bool:
        try:
            with self._library.snapshot() as now:
                return now.entries(files=[file], most=1).total > 0
        except LibraryEmpty:
            return False

    def _shown(self, source: str, roots: Sequence[str]) -> str:
        if self._whole_paths or is_address(source):
            return source
        path = Path(source)
        return next(
            (str(path.relative_to(Path(root).parent)) for root in roots if path.is_relative_to(root)), path.name
        )

    def _is_upload(self, file: str) -> bool:
        return not is_address(file) and Path(file).is_relative_to(self.uploads)


def _addresses(given: Sequence[str], results: list[Result]) -> Iterable[str]:
    for address in dict.fromkeys(given):
        try:
            yield page_address(address)
        except DocumentError as error:
            results.append(refusal(address, str(error)))


def _counted(number: int, one: str, several: str = "") -> str:
    if not number:
        return ""
    return f"1 {one}" if number == 1 else f"{number} {several or f'{one}s'}"
