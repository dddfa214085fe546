"""Files are given as bytes and a name; what is read out of them, and what is said of them."""

from rag.documents import load_bytes
from rag.documents.loading import Loaded
from rag.types import Document

FOLDER = "/news"


def loaded(data: bytes | str, name: str) -> Loaded:
    return load_bytes(data.encode() if isinstance(data, str) else data, name, f"{FOLDER}/{name}")


def only(data: bytes | str, name: str) -> Document:
    found = loaded(data, name)
    (document,) = found.documents
    assert found.notes == ()
    return document


def about(document: Document) -> tuple[str, str | None, str | None, str | None]:
    return document.title, document.author, document.published, document.url
