"""Libraries that are large already with a few chunks, and a whole library as a `VectorStore`."""

from pathlib import Path

from rag.index import Growth, Identity, Library, open_writer
from rag.types import Chunk, Ids, Vectors
from tests.index.shelf import ARTICLES, IDENTITY, article, put

ALWAYS = Growth(exact_bytes=0, tail_share=0, least_tail=0, most_tail=0, gone_share=0)
"""With a segment that each commit makes anew."""
LAYERED = Growth(exact_bytes=0, tail_share=0.25, least_tail=2, most_tail=40, gone_share=0.25)
"""With a segment that stays for some commits."""
SMALL = Growth()


def make_large(folder: Path, articles: dict[str, str] = ARTICLES, growth: Growth = LAYERED) -> Path:
    """One commit of `articles`; returns `folder`."""
    with open_writer(folder, IDENTITY, growth=growth) as writer:
        for name, text in articles.items():
            put(writer, name, text)
        writer.commit()
    return folder


class WholeLibrary:
    """A library of articles of one chunk each, whose names are the ids."""

    def __init__(self, folder: Path, dimension: int, growth: Growth) -> None:
        self.folder = folder
        self._identity = Identity("any", "1", dimension, chunk_tokens=160, chunk_overlap=1)
        self._growth = growth
        self._change([], None)

    def add(self, ids: Ids, vectors: Vectors) -> None:
        self._change(ids.tolist(), vectors)

    def remove(self, ids: Ids) -> None:
        self._change(ids.tolist(), None)

    def search(self, query: Vectors, k: int, among: "Ids | None" = None) -> list[tuple[int, float]]:
        only = None if among is None else frozenset(map(str, among.tolist()))
        with Library(self.folder, self._identity) as library:
            return [(int(hit.chunk.document_id), hit.score) for hit in library.nearest(query, k, only)]

    def __len__(self) -> int:
        with Library(self.folder, self._identity) as library:
            return library.count().chunks

    def _change(self, ids: list[int], vectors: "Vectors | None") -> None:
        with open_writer(self.folder, self._identity, growth=self._growth) as writer:
            writer.remember_root("anything")
            for at, number in enumerate(ids):
                if vectors is None:
                    writer.remove(str(number))
                else:
                    document = article(str(number), str(number))
                    chunk = Chunk(document.id, document.id, 0, len(document.text))
                    writer.put(document, [chunk], vectors[at : at + 1])
            writer.commit()
