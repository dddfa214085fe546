"""Passages about two ferries, each somewhere inside its article, and what is said of claims about them."""

from collections.abc import Sequence

from rag.grounding import Grounder
from rag.types import Chunk, Claim, Document, Passage

FARES = (
    "The harbour company charges 4 euros for the day ferry. Bicycles travel free. Dogs need a lead.",
    "Every crossing takes 35 minutes. The night ferry carries 120 passengers to Nordby.",
    "Bicycles travel free on trains. The harbour was built in 1871.",
)


def passage(number: int, text: str, title: str = "", before: str = "An earlier part.\n") -> Passage:
    """`text` as a passage of an article that has something `before` and after it."""
    document = Document(f"d{number}", title, f"{before}{text}\nA later part.", "/a.txt", None, None, "")
    chunk = Chunk(f"c{number}", document.id, len(before), len(before) + len(text))
    return Passage(number, chunk, document, text)


def passages(*texts: str) -> tuple[Passage, ...]:
    return tuple(passage(number, text) for number, text in enumerate(texts, start=1))


def claims_of(written: str, given: Sequence[Passage] | None = None) -> tuple[Claim, ...]:
    return Grounder(passages(*FARES) if given is None else given).ground(written)[1]


def claim_of(written: str, given: Sequence[Passage] | None = None) -> Claim:
    [claim] = claims_of(written, given)
    return claim


def cited(claim: Claim) -> list[tuple[int, str]]:
    """Number and sentence of each citation."""
    return [(citation.passage.number, citation.text) for citation in claim.citations]


def with_marks(text: str, claims: Sequence[Claim]) -> str:
    """The text with the numbers of its claims' passages behind them: "It is free. [1][3] It is late." """
    parts, at = [], 0
    for claim in claims:
        numbers = sorted({number for number, _ in cited(claim)})
        parts += [text[at : claim.end], " " if numbers else "", *(f"[{number}]" for number in numbers)]
        at = claim.end
    return "".join(parts)
