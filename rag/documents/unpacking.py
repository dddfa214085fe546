"""Zips read in memory, whose members never touch the disk, with everything counted while it is unpacked."""

import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator

from rag.documents.limits import MAX_MEMBERS, MAX_UNPACKED, Allowance, too_many
from rag.errors import DocumentError

_PIECE = 1 << 20
_ENCRYPTED = 1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


class Package:
    """The members of a zip by name, each unpacked when it is asked for."""

    def __init__(self, data: bytes, source: str) -> None:
        """Raises DocumentError where the zip is damaged or has more than MAX_MEMBERS."""
        self.source = source
        self._room = Allowance(MAX_UNPACKED, "bytes, unpacked,", source)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
            raise damaged(source) from error
        self.members = [member for member in self._zip.infolist() if not member.is_dir()]
        if len(self.members) > MAX_MEMBERS:
            raise too_many(source, MAX_MEMBERS, "files")

    @property
    def exhausted(self) -> bool:
        """Whether more was unpacked than may be."""
        return self._room.left < 0

    def names(self) -> list[str]:
        """Those of its files, as the zip gives them: they may say anything."""
        return [member.filename for member in self.members]

    def read(self, member: zipfile.ZipInfo | str) -> bytes:
        """Its bytes. Raises DocumentError where it is missing, encrypted or damaged, or the limit is passed."""
        try:
            info = self._zip.getinfo(member) if isinstance(member, str) else member
            if info.flag_bits & _ENCRYPTED:
                raise DocumentError(f"{self.source} is encrypted. Unpack it, and save it without its password.")
            if info.compress_type not in _METHODS:
                raise damaged(self.source)
            return b"".join(self._pieces(info))
        except (
            KeyError, zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError,
            IndexError, lzma.LZMAError,
        ) as error:  # fmt: skip
            raise damaged(self.source) from error

    def check(self) -> None:
        """Unpack all of it once, so that what opens it next can't be surprised by its size or by declared entities.

        Raises DocumentError also for a document type declaration in its XML, which none of the formats has.
        """
        for member in self.members:
            data = self.read(member)
            name = member.filename.lower()
            if name.endswith((".xml", ".rels", ".opf", ".vml")) and _DECLARATION.search(data.replace(b"\0", b"")):
                raise DocumentError(
                    f"{self.source} declares XML entities, which no file of its kind does. Save it anew."
                )

    def _pieces(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        with self._zip.open(info) as file:
            while piece := file.read(_PIECE):
                self._room.take(len(piece))
                yield piece


def damaged(source: str) -> DocumentError:
    """The error for a file that can't be unpacked or made sense of."""
    return DocumentError(f"{source} is damaged or cut off. Download or save it once more.")
