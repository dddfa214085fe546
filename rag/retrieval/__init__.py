"""Question → the passages the reader gets to read, and how they were found.

Searching   by meaning and by words, among articles of the time that is asked for, without copies
Choosing    what of it fits the budget, neighbours joined
Running     both together: what a question brings
Explaining  the same, with what became of each chunk on the way
"""

from rag.retrieval.choosing import Budget, join, touch
from rag.retrieval.explaining import explain
from rag.retrieval.running import DENSE, FUSED, RERANKED, WORDS, Retrieved, rankings, retrieve
from rag.retrieval.searching import documents_ranked, fuse

__all__ = [
    "DENSE",
    "FUSED",
    "RERANKED",
    "WORDS",
    "Budget",
    "Retrieved",
    "documents_ranked",
    "explain",
    "fuse",
    "join",
    "rankings",
    "retrieve",
    "touch",
]
