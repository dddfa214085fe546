"""Text → unit vectors, by sentence-transformers on this machine; passages in int8 where that is asked for and pays."""

from rag.embedding.embedder import SLICE_TEXTS, SentenceTransformerEmbedder
from rag.embedding.precision import Precision

__all__ = ["SLICE_TEXTS", "Precision", "SentenceTransformerEmbedder"]
