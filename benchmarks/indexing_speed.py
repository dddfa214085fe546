"""Chunks a second that are indexed, against those that sentence-transformers alone embeds as it comes.

    python -m benchmarks.indexing_speed scifact/documents.jsonl                # its first 300 chunks
    python -m benchmarks.indexing_speed documents.jsonl --chunks 100 --rounds 5

A line holds id, title and text. In each round all do the same chunks, one after the other: `encode` is that of
`SentenceTransformer` with its defaults, `embed` is Citeline's embedder, and `index` goes from documents to the library.
What counts is the ratio within a round, of which the median is given; the machine may do other work.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.chunking import chunk_document, fit_title, with_title
from rag.embedding import Precision
from rag.index import Identity
from rag.indexing import index_documents
from rag.model_files import ensure
from rag.pipeline import library_identity, open_embedder
from rag.settings import load_settings
from rag.types import Document, Embedder


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds, by the clock and of processors, that a way of embedding took."""

    way: str
    clock: float
    processors: float


def documents_of(file: Path) -> Iterator[Document]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            fields = json.loads(line)
            name = str(fields["id"])
            yield Document(name, fields.get("title", ""), fields["text"], name, None, None, content_hash=name)


def chosen(file: Path, chunks: int, embedder: Embedder, identity: Identity) -> tuple[list[Document], list[str]]:
    """The first documents, with the texts of their chunks: so many or a few more."""
    documents: list[Document] = []
    texts: list[str] = []
    for document in documents_of(file):
        documents.append(document)
        title = fit_title(document.title, embedder.count_tokens, identity.chunk_tokens)
        made = chunk_document(document, embedder.count_tokens, identity.chunk_tokens, identity.chunk_overlap)
        texts += [with_title(title, document.text[chunk.start : chunk.end]) for chunk in made]
        if len(texts) >= chunks:
            return documents, texts
    raise SystemExit(f"{file} holds only {len(texts)} chunks. Give a number of --chunks that isn't more.")


def timed(way: str, work: Callable[[], object]) -> Taken:
    clock, processors = time.perf_counter(), time.process_time()
    work()
    return Taken(way, time.perf_counter() - clock, time.process_time() - processors)


def rounds(
    count: int, texts: Sequence[str], documents: Sequence[Document], embedder: Embedder, identity: Identity
) -> Iterator[tuple[Taken, ...]]:
    """Each way in each round, in turns, so that what else the machine does meets them alike."""
    from sentence_transformers import SentenceTransformer

    settings = load_settings()
    plain = SentenceTransformer(str(ensure(settings.embedder, settings.models, offline=True)), local_files_only=True)
    for _ in range(count):
        with tempfile.TemporaryDirectory() as folder:
            yield (
                timed("encode", lambda: plain.encode(list(texts), show_progress_bar=False)),
                timed("embed", lambda: embedder.embed_passages(texts)),
                timed("index", lambda: index_documents(documents, Path(folder), identity, embedder)),
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=Path, help="a .jsonl file")
    parser.add_argument("--chunks", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--precision", choices=list(Precision), default=Precision.FASTEST, help="as `rag index` by default"
    )
    given = parser.parse_args()
    settings = load_settings()
    embedder = open_embedder(settings, precision=Precision(given.precision))
    identity = library_identity(settings, embedder)
    documents, texts = chosen(given.documents, given.chunks, embedder, identity)
    embedder.embed_passages(texts[:8])
    print(f"{len(texts)} chunks of {len(documents)} documents, computed in {embedder.precision}", flush=True)
    found: dict[str, list[tuple[Taken, Taken]]] = {}
    for first, *others in rounds(given.rounds, texts, documents, embedder, identity):
        for taken in (first, *others):
            found.setdefault(taken.way, []).append((taken, first))
    print("| way | chunks a second | a second of processors | times `encode` | by processors |\n|:-|-:|-:|-:|-:|")
    for way, pairs in found.items():
        speed = statistics.median(len(texts) / taken.clock for taken, _ in pairs)
        spent = statistics.median(len(texts) / taken.processors for taken, _ in pairs)
        clock = statistics.median(first.clock / taken.clock for taken, first in pairs)
        processors = statistics.median(first.processors / taken.processors for taken, first in pairs)
        print(f"| {way} | {speed:.1f} | {spent:.1f} | {clock:.2f} | {processors:.2f} |")


if __name__ == "__main__":
    main()
