"""Citations while an answer is still being written."""

from collections.abc import Generator, Iterable

from rag.grounding.attribution import Grounder
from rag.grounding.marks import without_begun_mark
from rag.types import Claim


def cited_pieces(pieces: Iterable[str], grounder: Grounder) -> Generator[str, None, str]:
    """Pass the reader's text on with checked citation marks in place of its own; return all that the reader wrote.

    What the reader puts in brackets is a hint to `grounder` and never shown. When a sentence has ended, the numbers of
    the passages that support it follow, so half a mark, or one that names nothing, can't occur. Every incoming piece
    is answered by one, which may be empty; a last one completes the text.
    """
    written, shown, ended = "", 0, 0
    for piece in pieces:
        written += piece
        text, claims = grounder.ground(without_begun_mark(written))
        out = ""
        for claim in claims[ended:-1]:  # the last sentence may still go on
            out += text[shown : claim.end] + _marks(claim)
            shown, ended = claim.end, ended + 1
        yield out + text[shown:]
        shown = max(shown, len(text))
    text, claims = grounder.ground(written)
    out = ""
    for claim in claims[ended:]:
        out += text[shown : claim.end] + _marks(claim)
        shown = max(shown, claim.end)
    yield out
    return written


def _marks(claim: Claim) -> str:
    numbers = sorted({citation.passage.number for citation in claim.citations})
    return "".join([" " if numbers else "", *(f"[{number}]" for number in numbers)])
