"""Whether the cited sentences carry what cites them, and whether all of them are needed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Verifier: TypeAlias = Callable[[str, Sequence[str]], bool]
"""(claim, sentences) → whether the sentences together support all of the claim."""


@dataclass(frozen=True, slots=True)
class CitationMeasures:
    """Shares, each in [0, 1]."""

    recall: float
    """Of the claims, those that their citations together support."""
    precision: float
    """Of the citations, those of supported claims that aren't superfluous; 0 where there are none."""
    cited_share: float
    """Of the claims, those with at least one citation."""


def citation_measures(claims: Sequence[tuple[str, Sequence[str]]], supports: Verifier) -> CitationMeasures:
    """Citation recall and precision of one answer, given as (claim, cited sentences) in reading order.

    Gao et al., "Enabling Large Language Models to Generate Text with Citations" (ALCE), EMNLP 2023. A citation is
    superfluous where it doesn't support the claim alone and the claim's others do so without it. Of several answers
    the paper takes the mean of these numbers. Raises ValueError where there are no claims.
    """
    if not claims:
        raise ValueError("There are no claims to look for citations of.")
    supported = [(claim, cited) for claim, cited in claims if cited and supports(claim, cited)]
    citations = sum(len(cited) for _, cited in claims)
    needed = sum(_needed(claim, cited, supports) for claim, cited in supported)
    return CitationMeasures(
        recall=len(supported) / len(claims),
        precision=needed / citations if citations else 0.0,
        cited_share=sum(bool(cited) for _, cited in claims) / len(claims),
    )


def _needed(claim: str, cited: Sequence[str], supports: Verifier) -> int:
    """How many of the citations of a supported claim aren't superfluous."""
    if len(cited) == 1:
        return 1
    return sum(
        supports(claim, [sentence]) or not supports(claim, [*cited[:at], *cited[at + 1 :]])
        for at, sentence in enumerate(cited)
    )
