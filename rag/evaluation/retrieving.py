"""Questions → documents in the order in which each search finds them, which is what measures of retrieval judge."""

from rag.retrieval import documents_ranked, rankings
from rag.types import Catalogue, Embedder

CHUNKS_PER_DOCUMENT = 4
"""Chunks asked for to get one document more. Articles of several chunks are found by more than one of them."""


def rank_documents(
    question: str,
    embedder: Embedder,
    catalogue: Catalogue,
    depth: int = 100,
    documents: frozenset[str] | None = None,
) -> dict[str, list[str]]:
    """Ids of about `depth` documents by each search and by both fused, best first, under the names in `rag.retrieval`.

    A document ranks as its best chunk does. Only the documents with the ids in `documents` are searched, where given.
    """
    found = rankings(question, embedder, catalogue, CHUNKS_PER_DOCUMENT * depth, documents)
    return {search: documents_ranked(hits)[:depth] for search, hits in found.items()}
