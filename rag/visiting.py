"""What indexing looks at: folders, files and web addresses, and of the files those whose content is new."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import TypeAlias

from rag.documents import (
    FieldNames,
    Fields,
    HoldsQuestions,
    Loaded,
    file_hash,
    find_files,
    is_address,
    load,
    page_address,
)
from rag.errors import DocumentError
from rag.index import Listed, Outcome, Visit
from rag.types import Chunk, Document, Vectors

Report = Callable[[str, int, int], None]
"""(what is being done, done, total)"""

STAYS = "What was indexed from it stays; `rag index --rebuild FOLDER` with the other folders forgets it."

SHOWN = 5
"""Of the tables of questions, so many are named."""


@dataclass(frozen=True, slots=True)
class Places:
    """The folders, files and addresses to look into, and which files are there."""

    roots: tuple[Path, ...]
    """Folders, and files that were named by themselves."""
    files: tuple[Path, ...]
    addresses: tuple[str, ...]
    refused: tuple[str, ...] = ()
    """One sentence for each folder that could not be looked into."""


def check_places(paths: Iterable[Path | str]) -> None:
    """Raises DocumentError for a path that isn't there or holds no article, and for what is no web address."""
    named_places(tuple(paths))


def named_places(paths: Sequence[Path | str]) -> Places:
    """Those that the user named; an address is a `str`."""
    addresses = tuple(dict.fromkeys(page_address(path) for path in paths if isinstance(path, str)))
    folders = [path for path in paths if not isinstance(path, str)]
    files = tuple(find_files(folders))
    roots = tuple(path.resolve() for path in folders)
    for root in roots:
        if not _is_unicode(str(root)):
            raise DocumentError(f"The name {str(root)!a} is not valid Unicode. Rename the folder.")
    return Places(roots, files, addresses)


def remembered_places(remembered: Sequence[str], *, pages: bool = True) -> Places:
    """What can be visited. A folder that is gone or empty may be on a disk that isn't connected at the moment.

    Without `pages` no address is visited. Raises DocumentError where nothing is remembered, or nothing is there.
    """
    if not remembered:
        raise DocumentError("No folder has been indexed yet, so say which: `rag index FOLDER`.")
    addresses = tuple(root for root in remembered if is_address(root))
    folders = [Path(root) for root in remembered if not is_address(root)]
    files: set[Path] = set()
    refused: dict[Path, DocumentError] = {}
    for root in folders:
        try:
            files.update(find_files([root]))
        except DocumentError as error:
            refused[root] = error
    roots = [root for root in folders if root not in refused]
    if not roots and not addresses:
        raise next(iter(refused.values()))
    away = {root: error for root, error in refused.items() if not any(map(root.is_relative_to, roots))}
    complaints = tuple(f"{error} {STAYS}" for error in away.values())
    return Places(tuple(roots), tuple(sorted(files)), addresses if pages else (), complaints)


def gone_files(known: Iterable[str], places: Places) -> list[str]:
    """Of the known ones those that lay in a folder that was looked into and aren't there any more."""
    present = {str(file) for file in places.files}
    folders = [root for root in places.roots if root.is_dir()]
    return sorted(
        file
        for file in known
        if file not in present and not is_address(file) and any(map(Path(file).is_relative_to, folders))
    )


class Stopped(KeyboardInterrupt):
    """Ctrl-C that came between two files: all documents of those before are whole."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document's chunks with their vectors."""

    chunks: tuple[Chunk, ...]
    texts: tuple[str, ...]
    """What was embedded for each chunk."""
    vectors: Vectors
    """Shape (len(chunks), dimension)."""


@dataclass(frozen=True, slots=True)
class FileRead:
    """What became of reading a file."""

    file: Path
    outcome: Loaded | DocumentError
    prepared: tuple[Prepared, ...] = ()
    """Of each document; empty where they are still to be chunked and embedded."""


FileReader: TypeAlias = Callable[[Iterable[Path], FieldNames], Iterator[FileRead]]
"""Files → what they hold, each once and in any order. They are asked for as there is room for them."""


def read_here(files: Iterable[Path], names: FieldNames) -> Iterator[FileRead]:
    """A `FileReader`: one after the other."""
    for file in files:
        try:
            yield FileRead(file, load(file, names))
        except DocumentError as error:
            yield FileRead(file, error)


@dataclass(frozen=True, slots=True)
class Change:
    """A document to be put into the library."""

    document: Document
    outdated: tuple[str, ...] = ()
    """Ids of documents that its file no longer has: they go when the first of the new ones comes."""
    visit: Visit | None = None
    """To be kept of its file."""
    alone: bool = False
    """Whether a commit may part it from the documents of its file."""
    prepared: Prepared | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What the library has, by file or address (`Document.file`)."""

    documents: Mapping[str, Sequence[Listed]]
    visits: Mapping[str, Visit]
    outdated: Set[str]
    """Ids of documents that are to be read again, whatever their content."""

    def is_removed(self, file: str) -> bool:
        """Whether somebody took it out of the library."""
        visit = self.visits.get(file)
        return visit is not None and visit.outcome is Outcome.REMOVED

    def are_current(self, documents: Sequence[Listed]) -> bool:
        """Whether there are some, and none has to be read again."""
        return bool(documents) and not any(document.id in self.outdated for document in documents)


class Naming:
    """Whether the names of fields that were given are those of any record."""

    def __init__(self, names: FieldNames, held: Held) -> None:
        self.names = names
        self.mapping = names.mapping
        self._held = held
        self._named: set[str] = set()
        self._example = ""

    def note(self, source: str, fields: Fields | None) -> None:
        """What was seen in a file or page."""
        if fields:
            self._named.update(fields.named)
            self._example = self._example or (f"{source} has {', '.join(fields.seen)}" if fields.seen else "")

    def complaints(self) -> Iterator[str]:
        """One for each name that no record has; none where nobody looked, or articles were read by them before."""
        before = any(visit.fields == self.mapping for visit in self._held.visits.values())
        if not self._example or before:
            return
        for pair in filter(None, self.mapping.split(",")):
            name = pair.partition("=")[2]
            if name not in self._named:
                yield (
                    f"No record has a field called {name!r}, as fields = {self.mapping} says; {self._example}. "
                    "Correct --set fields=…, RAG_FIELDS or fields in rag.toml."
                )


class Files:
    """Files, of which those whose content the library doesn't hold yet are read one by one.

    Progress counts bytes, because articles differ in length. It never shrinks, whatever happens to the files meanwhile.
    """

    def __init__(self, places: Places, held: Held, naming: Naming, work: "Work", read: FileReader = read_here) -> None:
        self.unchanged = 0
        self.refused: list[str] = []
        self.notes: list[str] = []
        self.dropped: list[str] = []
        """Sources of the outdated documents of all changes."""
        self.emptied: list[Listed] = []
        """Documents of files that turned out to hold no articles."""
        self.visits: list[Visit] = []
        """Of those files."""
        self._sizes = {file: _size(file) for file in places.files}
        self._named = {root for root in places.roots if not root.is_dir()}
        self._held = held
        self._naming = naming
        self._work = work
        self._read = read
        work.total += sum(self._sizes.values())

    def changed(self) -> Iterator[Change]:
        """The documents that are new or changed, in the order in which their files are read."""
        others = {str(file) for file in self._sizes}
        for read in self._read(self._wanted(), self._naming.names):
            file, size, loaded = read.file, self._sizes[read.file], read.outcome
            known = self._held.documents.get(str(file), [])
            try:
                if isinstance(loaded, DocumentError):
                    raise loaded
                _check_sources(loaded.documents, others - {str(file)})
            except HoldsQuestions as error:
                self._pass_over(file, known, error)
                self._work.passed(size)
                continue
            except DocumentError as error:
                self.refused.append(str(error))
                self._work.passed(size)
                continue
            self.notes += loaded.notes
            self._work.waits(size)
            self._naming.note(str(file), loaded.fields)
            visit = Visit(str(file), loaded.documents[0].content_hash, self._naming.mapping) if loaded.fields else None
            changes = changes_of(loaded, known, visit, self.dropped)
            for change, prepared in zip(changes, read.prepared or repeat(None), strict=False):
                yield replace(change, prepared=prepared) if prepared else change

    def _wanted(self) -> Iterator[Path]:
        """Those that have to be read."""
        for file, size in self._sizes.items():
            known = self._held.documents.get(str(file), [])
            if not known and file not in self._named and self._held.is_removed(str(file)):
                self._work.passed(size)
                continue
            try:
                current = self._held.are_current(known) and {one.content_hash for one in known} == {file_hash(file)}
            except DocumentError as error:
                self.refused.append(str(error))
                self._work.passed(size)
                continue
            if current:
                self.unchanged += len(known)
                self._work.passed(size)
            else:
                yield file

    def questions(self) -> str | None:
        """A note of all tables of questions together."""
        if not self.visits:
            return None
        named = ", ".join(visit.source for visit in self.visits[:SHOWN])
        others = f" and {len(self.visits) - SHOWN} more" if len(self.visits) > SHOWN else ""
        return (
            f"Not indexed, because they hold questions and no articles: {named}{others}. Ask them with `rag batch`; "
            "if they do hold articles, say which field is their text: --set fields=text=NAME."
        )

    def _pass_over(self, file: Path, known: Sequence[Listed], error: HoldsQuestions) -> None:
        if file in self._named:
            self.refused.append(str(error))
            return
        self.emptied += known
        self.visits.append(Visit(str(file), file_hash(file), self._naming.mapping, outcome=Outcome.QUESTIONS))


def changes_of(loaded: Loaded, known: Sequence[Listed], visit: Visit | None, dropped: list[str]) -> Iterator[Change]:
    """All documents of a file, those that it no longer has added to `dropped`."""
    now = {document.id for document in loaded.documents}
    outdated = [document for document in known if document.id not in now]
    dropped += [document.source for document in outdated]
    yield Change(loaded.documents[0], tuple(document.id for document in outdated), visit)
    yield from map(Change, loaded.documents[1:])


class Work:
    """How much of `total` is done, reported as it grows. What is being embedded counts by its share of embedded texts.

    A `total` of 0 isn't known.
    """

    def __init__(self, total: int, report: Report | None) -> None:
        self.total = total
        self._report = report or _silent
        self._done = 0
        self._waiting = 0

    def passed(self, size: int) -> None:
        """So much needs no embedding."""
        self._done += size
        self._report("Indexing", self._done, self.total)

    def waits(self, size: int) -> None:
        """So much was read and is to be embedded."""
        self._waiting += size

    def embedding(self, done: int, total: int) -> None:
        """`Progress` of the texts of all that waits."""
        self._report("Indexing", self._done + self._waiting * done // max(total, 1), self.total)

    def stored(self) -> None:
        """Nothing waits any more."""
        self._done += self._waiting
        self._waiting = 0

    def finished(self) -> None:
        """All is done."""
        self._report("Indexing", self.total or self._done, self.total)


def _check_sources(documents: Iterable[Document], files: Set[str]) -> None:
    """Raises DocumentError for a file called as what is in another one would be called."""
    for document in documents:
        if document.source in files:
            raise DocumentError(f"There is a file {document.source}, so {document.file} can't be read. Rename either.")


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
