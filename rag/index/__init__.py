"""The library on disk: SQLite holds the truth, FAISS is derived from it.

`open_library` reads, `open_writer` writes. Readers never wait for the writer and see one committed state at a time.
"""

from rag.index.backup import Backup, restore_backup, write_backup
from rag.index.checking import Check, CheckReport, Fault, check_library
from rag.index.deriving import Growth
from rag.index.library import Library, open_library
from rag.index.listing import Entry, Found
from rag.index.lock import writer_lock
from rag.index.moving import Stored
from rag.index.origins import FIRST_LOADER, UNFINISHED, Outcome, Visit, file_mark, source_file
from rag.index.protocols import AnyLibrary, AnySnapshot, AnyWriter
from rag.index.reading import Count, Listed, Origin, Snapshot
from rag.index.repairing import Repair, repair_library
from rag.index.replacing import take_library
from rag.index.reusing import embed_new
from rag.index.schema import Identity, Manifest
from rag.index.vectors import FlatVectors
from rag.index.writing import Writer, open_writer

__all__ = [
    "FIRST_LOADER",
    "UNFINISHED",
    "AnyLibrary",
    "AnySnapshot",
    "AnyWriter",
    "Backup",
    "Check",
    "CheckReport",
    "Count",
    "Entry",
    "Fault",
    "FlatVectors",
    "Found",
    "Growth",
    "Identity",
    "Library",
    "Listed",
    "Manifest",
    "Origin",
    "Outcome",
    "Repair",
    "Snapshot",
    "Stored",
    "Visit",
    "Writer",
    "check_library",
    "embed_new",
    "file_mark",
    "open_library",
    "open_writer",
    "repair_library",
    "restore_backup",
    "source_file",
    "take_library",
    "write_backup",
    "writer_lock",
]
