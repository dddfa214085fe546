"""A place → the library that lies there, for reading or for writing."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from rag import index
from rag.errors import LibraryError
from rag.index import AnyLibrary, AnyWriter, Identity, Library
from rag.index.connections import nothing_indexed
from rag.stores.places import Place

NEEDED = ("sqlalchemy", "psycopg", "pymilvus", "snowballstemmer")


def library_at(place: Place, identity: Identity | None = None) -> AnyLibrary:
    """The library there, which need not have anything in it yet; what is asked of it raises as `open_library` does."""
    if isinstance(place, Path):
        return Library(place, identity)
    _check_installed()
    from rag.stores.library import ServerLibrary

    return ServerLibrary(place, identity)


def open_library(place: Place, identity: Identity | None = None) -> AnyLibrary:
    """The library there, made with `identity` (or with anything, where None).

    Raises as `rag.index.open_library` does, and LibraryUnreachable where a server doesn't answer.
    """
    if isinstance(place, Path):
        return index.open_library(place, identity)
    library = library_at(place, identity)
    try:
        if not library.count().documents:
            raise nothing_indexed(place)
    except BaseException:
        library.close()
        raise
    return library


@contextmanager
def open_writer(
    place: Place, identity: Identity, *, start_over: bool = False, loader: int = 0, command: str = "rag index"
) -> Iterator[AnyWriter]:
    """The library there, to be changed; see `rag.index.open_writer`."""
    if isinstance(place, Path):
        with index.open_writer(place, identity, start_over=start_over, loader=loader, command=command) as writer:
            yield writer
        return
    _check_installed()
    from rag.stores.writing import open_server_writer

    with open_server_writer(place, identity, start_over=start_over, loader=loader, command=command) as server_writer:
        yield server_writer


def _check_installed() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise LibraryError(
            f'store = "milvus" needs packages that aren\'t installed ({", ".join(missing)}). '
            "Run `pip install 'citeline[milvus,postgres]'`, or in a copy of the source "
            "`.venv/bin/pip install -e '.[milvus,postgres]'`."
        )
