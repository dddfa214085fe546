"""A library filled with what another one holds, as one commit."""

from contextlib import closing
from pathlib import Path

from rag.index.connections import Reader, nothing_indexed
from rag.index.schema import DATABASE, read_manifest
from rag.index.trouble import explained
from rag.index.writing import locked_writer


def take_library(folder: Path, other: Path) -> None:
    """Make the library in `folder` hold what the one in `other` holds, folders and identity included.

    The caller holds the lock of `folder`. Readers see the old library until the commit and then the new one; a damaged
    database is set aside. Raises as `open_writer` does, and LibraryEmpty where `other` holds none.
    """
    with closing(Reader.open(other / DATABASE).connection) as source:
        with explained(other / DATABASE):
            source.execute("BEGIN")
            manifest = read_manifest(source, other / DATABASE)
        if manifest is None:
            raise nothing_indexed(other)
        with locked_writer(folder, manifest.identity, start_over=True) as writer:
            writer.take_over(source)
            writer.commit()
