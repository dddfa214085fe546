"""Answers and run records ↔ plain values that JSON can hold."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date
from types import MappingProxyType
from typing import Any, TypeAlias

from rag.errors import InputError
from rag.types import (
    ANY_TIME,
    Answer,
    Chunk,
    Citation,
    Claim,
    Conditions,
    Document,
    Failure,
    Models,
    Passage,
    Question,
    Reason,
    RunRecord,
    Timeframe,
    Timings,
    Verdict,
    page_of,
)

Fields: TypeAlias = dict[str, Any]

OWN = (
    "row", "id", "question", "documents", "answer", "abstained", "reason", "confidence", "error",
    "claims", "passages", "standalone_question", "timeframe", "signals", "timings", "conditions",
)  # fmt: skip
"""Names of a record's own columns, in their order. A carried column with such a name gets "input_" in front."""

_PREFIX = "input_"


def answer_fields(answer: Answer) -> Fields:
    """All of an answer. A citation names its passage by number; of a document there is everything but the text."""
    return {
        "question": answer.question,
        "standalone_question": answer.standalone_question,
        "text": answer.text,
        "abstained": answer.abstained,
        "reason": str(answer.reason),
        "confidence": answer.confidence,
        "claims": [_claim_fields(claim) for claim in answer.claims],
        "passages": [passage_fields(passage) for passage in answer.passages],
        "signals": dict(answer.signals),
        "timings": asdict(answer.timings),
        "models": asdict(answer.models),
        "timeframe": _timeframe_fields(answer.timeframe),
    }


def answer_from(found: Mapping[str, Any], texts: Mapping[int, str]) -> Answer:
    """What `answer_fields` wrote.

    `texts` are whole articles by the number of a passage of theirs; where there is none, there are only spaces outside
    the passage. Raises KeyError, TypeError, ValueError or AttributeError for anything else.
    """
    return _answer({**found, "answer": found["text"]}, Models(**found["models"]), texts)


def passage_fields(passage: Passage) -> Fields:
    """A passage, and of its document everything but the text."""
    document = passage.document
    return {
        "number": passage.number,
        "chunk": asdict(passage.chunk),
        "document": {field.name: getattr(document, field.name) for field in fields(Document) if field.name != "text"},
        "text": passage.text,
        "copies": list(passage.copies),
        "stale": passage.stale,
    }


def passage_from(found: Mapping[str, Any], text: str | None = None) -> Passage:
    """What `passage_fields` wrote; `text` is the document's, and without it there are only spaces outside the passage.

    Raises as `answer_from` does.
    """
    chunk = Chunk(**found["chunk"])
    about = found["document"] | {"pages": tuple(found["document"].get("pages", ()))}
    # Offsets count from the beginning of an article, of which a record keeps only the passages.
    document = Document(**about, text=" " * chunk.start + found["text"] if text is None else text)
    copies, stale = tuple(found.get("copies", ())), found.get("stale", "")  # as `pages`: older records have none
    return Passage(found["number"], chunk, document, found["text"], copies, stale)


def record_fields(record: RunRecord) -> Fields:
    """One line of a run file: the `OWN` columns, those of the answer null where there is none, and the carried ones."""
    question, outcome = record.question, record.outcome
    answer = answer_fields(outcome) if isinstance(outcome, Answer) else {}
    own: Fields = {
        "row": question.row,
        "id": question.id,
        "question": question.text,
        "documents": list(question.documents),
        "answer": answer.get("text"),
        "error": outcome.message if isinstance(outcome, Failure) else None,
        "conditions": conditions_fields(record.conditions),
    }
    ordered = {name: own[name] if name in own else answer.get(name) for name in OWN}
    return ordered | {carried_name(name): value for name, value in question.carried.items()}


def conditions_fields(conditions: Conditions) -> Fields:
    """Under the names of its fields."""
    mappings = {"settings": dict(conditions.settings), "revisions": dict(conditions.revisions)}
    return {**mappings, "models": asdict(conditions.models), "library": conditions.library}


def record_from(line: Mapping[str, Any]) -> RunRecord:
    """What `record_fields` wrote, but for the articles' texts: outside the passages there are only spaces.

    Raises InputError for anything else.
    """
    try:
        carried = {_given_name(name): value for name, value in line.items() if name not in OWN}
        question = Question(line["row"], line["id"], line["question"], tuple(line["documents"]), carried)
        made = line["conditions"]
        conditions = Conditions(made["settings"], Models(**made["models"]), made["revisions"], made["library"])
        outcome = _answer(line, conditions.models) if line["error"] is None else Failure(line["error"])
        return RunRecord(question, outcome, conditions)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"This is no line of a run file, something is wrong at {error}. Give the file that `rag batch` wrote."
        ) from error


def carried_name(name: str, own: Collection[str] = OWN) -> str:
    """The name under which a column is carried: "topic" -> "topic", "answer" -> "input_answer".

    `own` are the names that are taken.
    """
    return _PREFIX + name if _bare(name) in own else name


def _given_name(name: str) -> str:
    return name.removeprefix(_PREFIX) if _bare(name) in OWN else name


def _bare(name: str) -> str:
    while name.startswith(_PREFIX):
        name = name.removeprefix(_PREFIX)
    return name


def _claim_fields(claim: Claim) -> Fields:
    return {
        "text": claim.text,
        "start": claim.start,
        "end": claim.end,
        "verdict": str(claim.verdict),
        "score": claim.score,
        "citations": [_citation_fields(citation) for citation in claim.citations],
    }


def _citation_fields(citation: Citation) -> Fields:
    return {
        "passage": citation.passage.number,
        "document": citation.passage.document.id,
        "source": citation.passage.document.source,
        "start": citation.start,
        "end": citation.end,
        "text": citation.text,
        "page": page_of(citation.passage.document, citation.start),
    }


def _timeframe_fields(frame: Timeframe) -> Fields:
    named = {"first": frame.first, "last": frame.last, "asked": frame.asked}
    days = {name: day.isoformat() if day else None for name, day in named.items()}
    return {**days, "newest": frame.newest, "required": frame.required}


def _answer(line: Mapping[str, Any], models: Models, texts: Mapping[int, str] = MappingProxyType({})) -> Answer:
    passages = tuple(passage_from(found, texts.get(found["number"])) for found in line["passages"])
    by_number = {passage.number: passage for passage in passages}
    return Answer(
        question=line["question"],
        standalone_question=line["standalone_question"],
        text=line["answer"],
        claims=tuple(_claim(found, by_number) for found in line["claims"]),
        passages=passages,
        abstained=line["abstained"],
        reason=Reason(line["reason"]),
        confidence=line["confidence"],
        timings=Timings(**line["timings"]),
        models=models,
        signals=line["signals"],
        timeframe=_timeframe(line.get("timeframe")),  # older records have none
    )


def _timeframe(found: Mapping[str, Any] | None) -> Timeframe:
    if found is None:
        return ANY_TIME
    days = {name: date.fromisoformat(found[name]) if found[name] else None for name in ("first", "last", "asked")}
    return Timeframe(**days, newest=found["newest"], required=found["required"])


def _claim(found: Mapping[str, Any], by_number: Mapping[int, Passage]) -> Claim:
    return Claim(
        text=found["text"],
        start=found["start"],
        end=found["end"],
        citations=_citations(found["citations"], by_number),
        verdict=Verdict(found["verdict"]),
        score=found["score"],
    )


def _citations(found: Sequence[Mapping[str, Any]], by_number: Mapping[int, Passage]) -> tuple[Citation, ...]:
    return tuple(Citation(by_number[one["passage"]], one["start"], one["end"]) for one in found)
