"""Small articles and libraries of them. An article is cut into one chunk a line."""

import hashlib
from pathlib import Path
from typing import Any

from rag.index import AnyLibrary, AnyWriter, Identity, open_library, open_writer
from rag.types import Chunk, Document, Vectors
from tests.fakes import WordEmbedder

IDENTITY = Identity("words", "1", WordEmbedder.dimension, chunk_tokens=160, chunk_overlap=1)

ARTICLES = {
    "tea": "Tea grows on hills.\nPickers walk between the bushes.",
    "salt": "Salt dries in wide pans.\nThe sea brings it, the sun leaves it.",
    "iron": "Iron rusts in wet air.",
}


def article(name: str, text: str, title: str | None = None) -> Document:
    content_hash = hashlib.sha256(text.encode()).hexdigest()
    return Document(name, title or name.title(), text, f"articles/{name}.txt", "2024-05-01", None, content_hash)


def lines_of(document: Document) -> list[Chunk]:
    chunks, start = [], 0
    for number, line in enumerate(document.text.split("\n")):
        chunks.append(Chunk(f"{document.id}:{number}", document.id, start, start + len(line)))
        start += len(line) + 1
    return chunks


def vectors_of(document: Document, chunks: list[Chunk]) -> Vectors:
    return WordEmbedder().embed_passages([document.text[chunk.start : chunk.end] for chunk in chunks])


def put(writer: AnyWriter, name: str, text: str, title: str | None = None) -> None:
    document = article(name, text, title)
    chunks = lines_of(document)
    writer.put(document, chunks, vectors_of(document, chunks))


def make_library(folder: Path, articles: dict[str, str] = ARTICLES) -> Path:
    """One commit of `articles`; returns `folder`."""
    with open_writer(folder, IDENTITY) as writer:
        for name, text in articles.items():
            put(writer, name, text)
        writer.commit()
    return folder


def near(library: AnyLibrary, text: str, k: int = 3) -> list[str]:
    """Ids of the chunks nearest to `text`."""
    return [hit.chunk.id for hit in library.nearest(WordEmbedder().embed_query(text), k)]


def worded(library: AnyLibrary, text: str, k: int = 3) -> list[str]:
    """Ids of the chunks that match the words of `text`."""
    return [hit.chunk.id for hit in library.matching(text, k)]


def state(folder: Path) -> dict[str, Any]:
    """All that can be read of a library, but for the random stamp: equal states can't be told apart."""
    with open_library(folder, IDENTITY) as library, library.snapshot() as now:
        listed = now.documents()
        documents = now.documents_by_id(document.id for document in listed)
        questions = [document.text for document in documents.values()]
        return {
            "generation": now.manifest.generation,
            "count": now.count(),
            "listed": listed,
            "documents": documents,
            "roots": now.roots(),
            "nearest": [now.nearest(WordEmbedder().embed_query(text), 100) for text in questions],
            "matching": [now.matching(text, 100) for text in questions],
        }


def vector_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("vectors-*"))
