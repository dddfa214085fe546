"""The words that the page and the terminal share: references, reasons, timings."""

import re
from collections.abc import Sequence
from datetime import date
from urllib.parse import urlsplit

from rag.languages import day_in_words, in_figures, later, said
from rag.types import Answer, Claim, Document, Passage, Reason, Timeframe, Verdict, page_of

ABSTAINED = later("The articles don’t say.")
NO_ANSWER = later("Closest, but not an answer")
"""Above the passages that a refusal shows."""

_REASONS = {
    Reason.READER_ABSTAINED: later("The closest passages were read, and none of them answers the question."),
    Reason.NOTHING_FOUND: later("No passage in the library has anything to do with the question."),
    Reason.UNLIKELY: later("The passages touch on the question, but probably don’t state the answer."),
    Reason.UNSURE: later("An answer was written, but it is too likely to be wrong, so it is withheld."),
    Reason.UNSUPPORTED: later("An answer was written, but nothing in the passages supports it, so it is withheld."),
}

_VERDICTS = {
    Verdict.PARTLY_SUPPORTED: later("partly supported"),
    Verdict.UNSUPPORTED: later("not supported"),
}

_STALE = {
    "changed": later("Its file has changed since it was indexed; `rag sync` reads it again."),
    "missing": later("Its file is gone; `rag sync` removes it from the library."),
}
MOST_PLACES = 4
"""Copies of an article that are named; of more only the number is given."""


def reason_in_words(reason: Reason) -> str:
    """Why the answer was refused, as a sentence; empty for `Reason.ANSWERED`."""
    return said(_REASONS.get(reason, ""))


def looked_for(answer: Answer) -> str:
    """What was searched for, as a sentence: `Looked for: Who leads ByteDance?`"""
    return said("Looked for: {question}", question=answer.standalone_question)


def verdict_in_words(verdict: Verdict) -> str:
    """The doubt to show beside a sentence; empty when there is none."""
    return said(_VERDICTS.get(verdict, ""))


def is_web_address(source: str) -> bool:
    """Whether a document came from http or https, the only schemes the page links to."""
    return source.lower().startswith(("http://", "https://"))


def read_from(source: str) -> str:
    """The file or web page that is meant: of a feed's entry the page that it links to.

    >>> read_from("https://a.org/feed.xml#https://a.org/news/1")
    'https://a.org/news/1'
    """
    feed, _, entry = source.partition("#")
    return entry if is_web_address(feed) and is_web_address(entry) else source


def source_name(source: str) -> str:
    """What a reader knows a document by: `news/a.txt` → `a.txt`, `https://a.org/b?c` → `a.org/b`; never empty."""
    place = read_from(source)
    if not is_web_address(place):
        return re.split(r"[/\\]", place)[-1] or place
    try:
        address = urlsplit(place)
    except ValueError:  # such as an unclosed bracket in the host
        return place
    return f"{address.netloc.rpartition('@')[2]}{address.path.rstrip('/')}" or place


def places(document: Document) -> list[tuple[str, str]]:
    """Name and web address, empty where it has none, of what the document was read from and of where it was published.

    >>> places(entry)
    [('feed.xml#2', ''), ('a.org/news', 'https://a.org/news')]
    """
    place, published = read_from(document.source), document.url or ""
    known = {source_name(place): place if is_web_address(place) else ""}
    if is_web_address(published):
        known.setdefault(source_name(published), published)
    return list(known.items())


def origin(passage: Passage, spans: Sequence[tuple[int, int]] = ()) -> list[str]:
    """File or web page, then `facts`.

    >>> origin(passage)
    ['fares.pdf', 'pages 2–3', '14 March 2024', 'Joan Doe']
    """
    return [*(name for name, _ in places(passage.document)), *facts(passage, spans)]


def facts(passage: Passage, spans: Sequence[tuple[int, int]] = ()) -> list[str]:
    """Pages, date and author, as far as they are known.

    The pages are those of `spans` in the document, or of the whole passage where there are none.
    """
    document = passage.document
    pages = _pages(document, spans or [(passage.chunk.start, passage.chunk.end)])
    return [part for part in (pages, date_in_words(document.published or ""), document.author) if part]


def also_in(passage: Passage) -> str:
    """Where else the article stands, such as "also in: b.txt, c.org/news"; empty for nowhere."""
    names = [source_name(source) for source in passage.copies]
    beyond = len(names) - MOST_PLACES
    named = [*names[:MOST_PLACES], *([said("{number} more", number=beyond)] if beyond > 0 else [])]
    return said("also in: {places}", places=", ".join(named)) if named else ""


def stale_in_words(passage: Passage) -> str:
    """That the article isn't what its file says any more, as a sentence; empty where it is, or nobody knows."""
    return said(_STALE.get(passage.stale, ""))


def date_in_words(published: str) -> str:
    """ "2024-03-14" → "14 March 2024"; anything else, such as "spring 2024", is left as it is."""
    try:
        return day_in_words(date.fromisoformat(published))
    except ValueError:
        return published


def timeframe_in_words(frame: Timeframe) -> str:
    """Which articles were preferred for their dates, as a sentence; empty where dates made no difference."""
    if not frame.limited:
        return said("Newer articles were preferred.") if frame.newest else ""
    days = _days(frame)
    if frame.required:
        return said("Only articles published {days} were searched, and those without a date.", days=days)
    if frame.newest:
        return said("Articles published {days} were preferred, the newest first.", days=days)
    return said("Articles published {days} were preferred.", days=days)


def _days(frame: Timeframe) -> str:
    if frame.first == frame.last and frame.first:
        return said("on {day}", day=day_in_words(frame.first))
    first, last = (day_in_words(day) if day else "" for day in (frame.first, frame.last))
    if first and last:
        return said("from {first} until {last}", first=first, last=last)
    return said("from {day}", day=first) if first else said("until {day}", day=last)


def _pages(document: Document, spans: Sequence[tuple[int, int]]) -> str:
    """ "page 2", "pages 2–3", or "pages 2, 5" """
    runs = sorted({(page_of(document, start), page_of(document, max(start, end - 1))) for start, end in spans})
    texts = list(dict.fromkeys(str(a) if a == b else f"{a}–{b}" for a, b in runs if a is not None))
    if not texts:
        return ""
    one = texts[0].isdigit() and len(texts) == 1
    return said("page {page}", page=texts[0]) if one else said("pages {pages}", pages=", ".join(texts))


def cited_numbers(answer: Answer) -> list[int]:
    """Numbers of the passages that the answer cites, ascending."""
    return sorted({citation.passage.number for claim in answer.claims for citation in claim.citations})


def cited_passages(answer: Answer) -> list[Passage]:
    """The passages that the answer cites, by number."""
    cited = set(cited_numbers(answer))
    return [passage for passage in answer.passages if passage.number in cited]


def cited_sentences(answer: Answer, number: int) -> dict[tuple[int, int], str]:
    """What the answer cites of the passage of that number: offsets in its document → the sentence, in their order."""
    citations = [citation for claim in answer.claims for citation in claim.citations]
    spans = {(one.start, one.end): one.text for one in citations if one.passage.number == number}
    return dict(sorted(spans.items()))


def marks_in_words(claim: Claim) -> str:
    """` [1][3] (partly supported)`, to stand behind the sentence; empty where nothing is to be said."""
    numbers = sorted({citation.passage.number for citation in claim.citations})
    doubt = verdict_in_words(claim.verdict)
    parts = ("".join(f"[{number}]" for number in numbers), f"({doubt})" if doubt else "")
    return "".join(f" {part}" for part in parts if part)


def timing_parts(answer: Answer) -> list[str]:
    """How sure the answer is, what took how long, and what answered; a step that took no time at all is left out.

    >>> timing_parts(answer)
    ['confidence 84 %', 'first word 0.9 s', 'answer 3.1 s', 'found in 0.05 s', 'smollm2-135m-instruct on llama_cpp']
    """
    timings = answer.timings
    total = later("decided in {seconds}") if answer.abstained else later("answer {seconds}")
    spent = (
        (later("first word {seconds}"), timings.first_token),
        (total, timings.total),
        (later("found in {seconds}"), timings.retrieval),
    )
    parts = [said(text, seconds=in_seconds(value)) for text, value in spent if value > 0]
    sure = [said("confidence {share}", share=percent(answer.confidence))]
    models = said("{reader} on {engine}", reader=answer.models.reader, engine=answer.models.engine)
    return [*(sure if answer.signals and not answer.abstained else []), *parts, models]


def in_seconds(value: float) -> str:
    """`3.1 s`"""
    if value < 0.01:
        return f"< {in_figures(0.01, 2)} s"
    return f"{in_figures(value, 2 if value < 0.1 else 1 if value < 10 else 0)} s"


def percent(share: float) -> str:
    """`84 %` of 0.84"""
    return f"{100 * share:.0f} %"
