"""A conversation as JSON: the manuscript, and every answer with all that was found and measured."""

import json
from dataclasses import asdict
from typing import Any

from rag.exchanges import Conversation, Exchange
from rag.exporting.manuscript import Manuscript, Reference, Section
from rag.records import answer_fields
from rag.types import Answer

FORMAT, VERSION = "citeline conversation", 1


def as_json(conversation: Conversation, manuscript: Manuscript) -> bytes:
    """UTF-8; halves of surrogate pairs, which have none, become question marks."""
    fields = {
        "format": FORMAT,
        "version": VERSION,
        "title": manuscript.title,
        "began": conversation.began.isoformat(),
        "changed": conversation.changed.isoformat(),
        "exchanges": [
            _exchange(exchange, section, conversation)
            for exchange, section in zip(conversation.exchanges, manuscript.sections, strict=True)
        ],
        "references": [_reference(reference) for reference in manuscript.references],
    }
    return f"{json.dumps(fields, ensure_ascii=False, indent=1)}\n".encode("utf-8", "replace")


def _exchange(exchange: Exchange, section: Section, conversation: Conversation) -> dict[str, Any]:
    outcome = exchange.outcome
    feedback = conversation.feedback.get(exchange.number)
    return {
        "number": section.number,
        "question": section.question,
        "status": str(section.status),
        "remarks": [*section.opening, *section.closing],
        "paragraphs": [
            [
                {"text": sentence.text, "references": list(sentence.references), "doubt": sentence.doubt or None}
                for sentence in paragraph
            ]
            for paragraph in section.paragraphs
        ],
        "feedback": {"vote": str(feedback.vote), "reason": feedback.reason} if feedback else None,
        "answer": answer_fields(outcome) if isinstance(outcome, Answer) else None,
    }


def _reference(reference: Reference) -> dict[str, Any]:
    fields = asdict(reference)
    return {name: value or None for name, value in fields.items()} | {
        "quotes": fields["quotes"],
        "notes": fields["notes"],
    }
