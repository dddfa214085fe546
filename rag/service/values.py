"""Answers and passages as plain values that JSON can hold, for programs.

Texts come as they stand in the articles: nothing is escaped, so whoever shows them on a page has to. Of a file only the
name is told, not the folder it lies in.
"""

from typing import Any, TypeAlias

from rag.rendering.wording import is_web_address, source_name
from rag.types import Answer, Citation, Claim, Document, Hit, Passage, page_of

Fields: TypeAlias = dict[str, Any]


def answer_fields(answer: Answer) -> Fields:
    """An answer with what supports each of its sentences; of a refusal `sentences` is empty and `reason` says why."""
    cited = [citation.passage.document.id for claim in answer.claims for citation in claim.citations]
    return {
        "state": "finished",
        "question": answer.question,
        "searched_for": answer.standalone_question,
        "text": answer.text,
        "abstained": answer.abstained,
        "reason": answer.reason.value,
        "confidence": round(answer.confidence, 3),
        "sentences": [_sentence_fields(claim) for claim in answer.claims],
        "documents": list(dict.fromkeys(cited)),
        "passages": [passage_fields(passage) for passage in answer.passages],
        "seconds": round(answer.timings.total, 2),
        "reader": answer.models.reader,
    }


def passage_fields(passage: Passage) -> Fields:
    """What the reader was given to read, under the number by which citations name it."""
    return {"number": passage.number, **_place_fields(passage.document, passage.chunk.start, passage.chunk.end)}


def hit_fields(hit: Hit, document: Document) -> Fields:
    """What a search found. Scores can be compared only within one search."""
    return {"score": round(hit.score, 4), **_place_fields(document, hit.chunk.start, hit.chunk.end)}


def document_fields(document: Document) -> Fields:
    """What is known of an article, without its text."""
    return {
        "document_id": document.id,
        "title": document.title,
        "source": document.source if is_web_address(document.source) else source_name(document.source),
        "author": document.author,
        "date": document.published,
        "url": document.url,
    }


def _sentence_fields(claim: Claim) -> Fields:
    return {
        "text": claim.text,
        "verdict": claim.verdict.value,
        "score": round(claim.score, 3),
        "citations": [_citation_fields(citation) for citation in claim.citations],
    }


def _citation_fields(citation: Citation) -> Fields:
    fields = _place_fields(citation.passage.document, citation.start, citation.end)
    return {"passage": citation.passage.number, "sentence": fields.pop("text"), **fields}


def _place_fields(document: Document, start: int, end: int) -> Fields:
    return {
        **document_fields(document),
        "page": page_of(document, start),
        "start": start,
        "end": end,
        "text": document.text[start:end],
    }
