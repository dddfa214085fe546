"""The library on disk: SQLite holds the truth, FAISS is derived from it.

`open_library` reads, `open_writer` writes. Readers never wait for the writer and see one committed state at a time.
"""

from rag.index.library import Library, open_library
from rag.index.reading import Count, Listed, Snapshot
from rag.index.schema import Identity, Manifest
from rag.index.vectors import FlatVectors
from rag.index.writing import Writer, open_writer

__all__ = [
    "Count",
    "FlatVectors",
    "Identity",
    "Library",
    "Listed",
    "Manifest",
    "Snapshot",
    "Writer",
    "open_library",
    "open_writer",
]
