"""The words that the page and the terminal share: references, reasons, timings."""

import re
from urllib.parse import urlsplit

from rag.types import Answer, Document, Passage, Reason, Verdict

ABSTAINED = "The articles don’t say."
NO_ANSWER = "Closest, but not an answer"
"""Above the passages that a refusal shows."""

_REASONS = {
    Reason.READER_ABSTAINED: "The closest passages were read, and none of them answers the question.",
    Reason.NOTHING_FOUND: "No passage in the library has anything to do with the question.",
    Reason.UNLIKELY: "The passages touch on the question, but probably don’t state the answer.",
    Reason.UNSURE: "An answer was written, but it is too likely to be wrong, so it is withheld.",
    Reason.UNSUPPORTED: "An answer was written, but nothing in the passages supports it, so it is withheld.",
}

_VERDICTS = {
    Verdict.PARTLY_SUPPORTED: "partly supported",
    Verdict.UNSUPPORTED: "not supported",
}


def reason_in_words(reason: Reason) -> str:
    """Why the answer was refused, as a sentence; empty for `Reason.ANSWERED`."""
    return _REASONS.get(reason, "")


def looked_for(answer: Answer) -> str:
    """What was searched for, as a sentence: `Looked for: Who leads ByteDance?`"""
    return f"Looked for: {answer.standalone_question}"


def verdict_in_words(verdict: Verdict) -> str:
    """The doubt to show beside a sentence; empty when there is none."""
    return _VERDICTS.get(verdict, "")


def is_web_address(source: str) -> bool:
    """Whether a document came from http or https, the only schemes the page links to."""
    return source.lower().startswith(("http://", "https://"))


def source_name(document: Document) -> str:
    """What a reader knows the document by: `news/a.txt` → `a.txt`, `https://a.org/b?c` → `a.org/b`."""
    if not is_web_address(document.source):
        return re.split(r"[/\\]", document.source)[-1]
    try:
        address = urlsplit(document.source)
    except ValueError:  # such as an unclosed bracket in the host
        return document.source
    return f"{address.netloc.rpartition('@')[2]}{address.path.rstrip('/')}"


def origin(document: Document) -> list[str]:
    """File or page, date and author, as far as they are known."""
    return [part for part in (source_name(document), document.published, document.author) if part]


def cited_numbers(answer: Answer) -> list[int]:
    """Numbers of the passages that the answer cites, ascending."""
    return sorted({citation.passage.number for claim in answer.claims for citation in claim.citations})


def cited_passages(answer: Answer) -> list[Passage]:
    """The passages that the answer cites, by number."""
    cited = set(cited_numbers(answer))
    return [passage for passage in answer.passages if passage.number in cited]


def timing_parts(answer: Answer) -> list[str]:
    """How sure the answer is, what took how long, and what answered; a step that took no time at all is left out.

    >>> timing_parts(answer)
    ['confidence 84 %', 'first word 0.9 s', 'answer 3.1 s', 'found in 0.05 s', 'smollm2-135m-instruct on llama_cpp']
    """
    timings = answer.timings
    total = "decided in" if answer.abstained else "answer"
    spent = (("first word", timings.first_token), (total, timings.total), ("found in", timings.retrieval))
    parts = [f"{label} {in_seconds(value)}" for label, value in spent if value > 0]
    sure = [f"confidence {percent(answer.confidence)}"] if answer.signals and not answer.abstained else []
    return [*sure, *parts, f"{answer.models.reader} on {answer.models.engine}"]


def in_seconds(value: float) -> str:
    """`3.1 s`"""
    if value < 0.01:
        return "< 0.01 s"
    if value < 0.1:
        return f"{value:.2f} s"
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def percent(share: float) -> str:
    """`84 %` of 0.84"""
    return f"{100 * share:.0f} %"
