"""Readers → what each of them may read, as the file of rights says now."""

import threading
from dataclasses import dataclass
from pathlib import Path

from rag.errors import SettingsError
from rag.rights import patterns
from rag.rights.file import ALL, EVERYONE, Content, read_rights


@dataclass(frozen=True, slots=True)
class Readable:
    """What somebody may read; equal where their rights are."""

    collections: frozenset[patterns.Collection]
    everything: bool = False
    """Also what belongs to no collection."""

    def reads(self, source: str) -> bool:
        """Whether the article with this `Document.source` may be read."""
        return self.everything or any(one.holds(source) for one in self.collections)


EVERYTHING = Readable(frozenset(), everything=True)
NOTHING = Readable(frozenset())


class Rights:
    """The rights in one file, read anew when it has changed; without a file everybody may read everything.

    Safe to use from several threads.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._known: tuple[tuple[int, int, int], Content] | None = None

    @property
    def limited(self) -> bool:
        """Whether there is a file, so that somebody may not read everything."""
        return self._file is not None

    def of(self, reader: str | None) -> Readable:
        """What `reader` may read, who is None where there is no login.

        Raises SettingsError while the file can't be read: then nobody may read anything.
        """
        content = self._read()
        if content is None:
            return EVERYTHING
        names = set(content.readers.get(EVERYONE, ()))
        if reader is not None:
            names.update(content.readers.get(reader, ()))
        if ALL in names:
            return EVERYTHING
        return Readable(frozenset(content.collections[name] for name in names))

    def or_nothing(self, reader: str | None) -> Readable:
        """`of`, and nothing at all while the file can't be read: for what is shown beside that complaint."""
        try:
            return self.of(reader)
        except SettingsError:
            return NOTHING

    def may_read(self, reader: str | None, source: str) -> bool:
        """Whether `reader` may read the article with this source; not while the file can't be read."""
        return self.or_nothing(reader).reads(source)

    def _read(self) -> Content | None:
        if self._file is None:
            return None
        with self._lock:
            try:
                stat = self._file.stat()
            except OSError:
                self._known = None
                return read_rights(self._file)  # which explains why it can't be read
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if self._known is None or self._known[0] != stamp:
                self._known = None
                self._known = stamp, read_rights(self._file)
            return self._known[1]
