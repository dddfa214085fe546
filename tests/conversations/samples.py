"""Two articles, and what was said about them."""

from dataclasses import replace
from datetime import date

from rag.types import Answer, Chunk, Citation, Claim, Document, Models, Passage, Reason, Timeframe, Timings, Verdict

#        0         1         2         3         4         5
#        012345678901234567890123456789012345678901234567890123456789
FERRY = "The ferry is free. Dogs need a lead.\nIt sails at nine. End."
FREE, LEAD, NINE = (0, 18), (19, 36), (37, 54)
HARBOUR = "The harbour of Varel opened in 1912."

MODELS = Models("words", "script", "scripted")


def document(ident: str, text: str, **fields: object) -> Document:
    made = Document(ident, ident.title(), text, f"/news/{ident}.txt", None, None, f"hash of {ident}")
    return replace(made, **fields)  # type: ignore[arg-type]


FERRY_ARTICLE = document("ferry", FERRY, author="Ada Nyberg", published="2024-05-01", pages=(0, 37))
HARBOUR_ARTICLE = document("harbour", HARBOUR, source="https://www.example.org/varel/harbour")


def passage(number: int, of: Document, start: int = 0, end: int | None = None) -> Passage:
    end = len(of.text) if end is None else end
    return Passage(number, Chunk(f"{of.id}:{start}", of.id, start, end), of, of.text[start:end])


def answer(question: str, *claims: tuple[str, tuple[Citation, ...], Verdict], passages: tuple[Passage, ...]) -> Answer:
    """Its claims stand with one space between them."""
    made, at = [], 0
    for text, citations, verdict in claims:
        made.append(Claim(text, at, at + len(text), citations, verdict, 0.5))
        at += len(text) + 1
    text = " ".join(claim.text for claim in made)
    timings = Timings(retrieval=0.5, total=2.5)
    return Answer(
        question, question, text, tuple(made), passages, False, Reason.ANSWERED, 0.75, timings, MODELS, {"margin": 0.25}
    )


def refusal(question: str, *passages: Passage) -> Answer:
    given = answer(question, passages=passages)
    return replace(given, abstained=True, reason=Reason.UNLIKELY, confidence=0.25)


FIRST = replace(passage(1, FERRY_ARTICLE, 0, 36), copies=("/news/copy.txt", "https://a.example/ferry"), stale="changed")
SECOND, THIRD = passage(2, HARBOUR_ARTICLE), passage(3, FERRY_ARTICLE, 37, 54)
COST = answer(
    "What does the ferry cost?",
    ("It is free.", (Citation(FIRST, *FREE),), Verdict.SUPPORTED),
    ("It sails at nine.", (Citation(THIRD, *NINE), Citation(SECOND, 0, 36)), Verdict.PARTLY_SUPPORTED),
    ("Fish fly.", (), Verdict.UNSUPPORTED),
    passages=(FIRST, SECOND, THIRD),
)
COST = replace(COST, timeframe=Timeframe(date(2024, 4, 1), date(2024, 4, 30), asked=date(2024, 5, 2)))

_VAREL = passage(1, HARBOUR_ARTICLE)
VAREL = answer(
    "When did it open?",
    ("In 1912.", (Citation(_VAREL, 0, 36),), Verdict.SUPPORTED),
    passages=(_VAREL,),
)
