"""What a reader wrote → claims, each with the sentences that support it, or the decision that it is no answer."""

from rag.grounding.abstaining import is_abstention
from rag.grounding.attribution import Grounder, Yes, verdict_on, verified
from rag.grounding.conflicts import rivals, with_rivals, without_rivals
from rag.grounding.marks import Mark, split_marks
from rag.grounding.offices import holders_of
from rag.grounding.premises import premise_held
from rag.grounding.streaming import cited_pieces
from rag.grounding.strictness import supported_only
from rag.grounding.superseding import superseded
from rag.grounding.support import named_in, word_share

__all__ = [
    "Grounder",
    "Mark",
    "Yes",
    "cited_pieces",
    "holders_of",
    "is_abstention",
    "named_in",
    "premise_held",
    "rivals",
    "split_marks",
    "superseded",
    "supported_only",
    "verdict_on",
    "verified",
    "with_rivals",
    "without_rivals",
    "word_share",
]
