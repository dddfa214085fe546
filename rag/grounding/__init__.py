"""What a reader wrote → claims, each with the sentences that support it, or the decision that it is no answer."""

from rag.grounding.abstaining import is_abstention
from rag.grounding.attribution import Grounder, verdict_on
from rag.grounding.marks import Mark, split_marks
from rag.grounding.streaming import cited_pieces

__all__ = ["Grounder", "Mark", "cited_pieces", "is_abstention", "split_marks", "verdict_on"]
