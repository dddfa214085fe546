"""What a reader wrote → claims, each with the sentences that support it, or the decision that it is no answer."""

from rag.grounding.abstaining import is_abstention
from rag.grounding.attribution import ground
from rag.grounding.marks import Mark, split_marks, whole_marks

__all__ = ["Mark", "ground", "is_abstention", "split_marks", "whole_marks"]
