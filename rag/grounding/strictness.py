"""An answer without the sentences that nothing supports."""

from collections.abc import Sequence
from dataclasses import replace

from rag.types import Claim, Verdict


def supported_only(text: str, claims: Sequence[Claim]) -> tuple[str, tuple[Claim, ...]]:
    """The answer's text without its unsupported sentences, and the other claims at their new places.

    What stands between two sentences goes with the first of them: of "A. B.\\nC." without "B." is left "A. C.".
    """
    kept: list[Claim] = []
    rest = ""
    for claim, gap_start in zip(claims, [0, *(claim.end for claim in claims)], strict=False):
        if claim.verdict is Verdict.UNSUPPORTED:
            continue
        gap = text[gap_start : claim.start] if rest else ""
        start = len(rest) + len(gap)
        rest += gap + text[claim.start : claim.end]
        kept.append(replace(claim, start=start, end=len(rest)))
    return rest, tuple(kept)
