"""A conversation in words, with one number for each source that is cited anywhere in it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote

from rag.exchanges import Conversation, Draft, Exchange, Stopped, Trouble
from rag.languages import later, said
from rag.rendering.records import single_line
from rag.rendering.wording import (
    ABSTAINED,
    NO_ANSWER,
    also_in,
    is_web_address,
    looked_for,
    read_from,
    reason_in_words,
    source_name,
    verdict_in_words,
)
from rag.types import Answer, Citation, Claim, Passage, page_of

REFERENCES = later("References")

UNCHECKED = later("The answer was stopped: it is unfinished, and nobody checked whether the sources support it.")

_LINE_END = re.compile("\r\n?|[\n\u2028\u2029]")
_MARK = re.compile(r" ?\[(\d{1,3})\]")
_ILLEGAL = re.compile("[\ufffe\uffff\U0001fffe\U0001ffff]")
"""What `plain` leaves and XML doesn't take, and the like."""
_STALE = {
    "changed": later("Its file had changed since it was indexed."),
    "missing": later("Its file was gone."),
}
"""Of the time of the answer: by now it may have been indexed anew."""


class Status(StrEnum):
    """What became of a question."""

    ANSWERED = "answered"
    REFUSED = "refused"
    STOPPED = "stopped"
    UNFINISHED = "unfinished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of an article that an answer rests on."""

    text: str
    page: int | None

    @property
    def quoted(self) -> str:
        """`“The ferry is free.” (page 2)`"""
        return f"“{self.text}” ({said('page {page}', page=self.page)})" if self.page else f"“{self.text}”"


@dataclass(frozen=True, slots=True)
class Reference:
    """A source; all its texts are on one line each, without anything hidden."""

    number: int
    title: str
    author: str
    """Empty where it isn't known, as `published`."""
    published: str
    place: str
    """Its web address or the name of its file."""
    link: str
    """Its web address if it has one, with everything escaped that isn't allowed in one."""
    quotes: tuple[Quote, ...]
    """In the order in which they stand in the article; empty where only an unfinished answer cites it."""
    notes: tuple[str, ...] = ()
    """Where else the article stood, and whether its file was what had been indexed, as far as there is something to
    say."""

    @property
    def about(self) -> str:
        """Author, date and place, as far as they are known."""
        return " · ".join(part for part in (self.author, self.published, self.place) if part)


@dataclass(frozen=True, slots=True)
class Sentence:
    """Of an answer, on one line."""

    before: str
    """A space, or nothing at the beginning of a paragraph and in scripts that write none."""
    text: str
    references: tuple[int, ...]
    """Numbers, ascending."""
    doubt: str
    """How much of it isn't supported, in words; empty where all is."""

    @property
    def marks(self) -> str:
        """`[1][3] (partly supported)`"""
        marks = "".join(f"[{number}]" for number in self.references)
        return " ".join(part for part in (marks, f"({self.doubt})" if self.doubt else "") if part)


@dataclass(frozen=True, slots=True)
class Section:
    """A question and what came of it."""

    number: int
    question: str
    status: Status
    opening: tuple[str, ...]
    """Remarks above the answer."""
    paragraphs: tuple[tuple[Sentence, ...], ...]
    closing: tuple[str, ...]
    """Remarks below it."""


@dataclass(frozen=True, slots=True)
class Manuscript:
    """What an export shows, in its order."""

    title: str
    began: datetime
    sections: tuple[Section, ...]
    references: tuple[Reference, ...]

    @property
    def date(self) -> str:
        """The day on which it began, as ISO 8601."""
        return self.began.date().isoformat()


def manuscript_of(conversation: Conversation) -> Manuscript:
    """The conversation in words."""
    sources = _Sources()
    sections = tuple(_section(exchange, sources) for exchange in conversation.exchanges)
    title = clean(conversation.title) or said("Conversation")
    return Manuscript(title, conversation.began, sections, sources.references())


def section_of(exchange: Exchange) -> tuple[Section, tuple[Reference, ...]]:
    """An exchange alone, as if nothing else had been asked."""
    sources = _Sources()
    section = _section(exchange, sources)
    return section, sources.references()


def clean(text: str) -> str:
    """On one line, without anything that can't be seen or that a file can't hold."""
    return single_line(_ILLEGAL.sub("", text))


def web_address(text: str) -> str:
    """The address with everything escaped that isn't allowed in one; empty for another scheme."""
    return quote(clean(text), safe=":/?#[]@!$&'()*+,;=%~") if is_web_address(text.strip()) else ""


class _Sources:
    """Those cited so far, in the order in which they first were."""

    def __init__(self) -> None:
        self._passages: dict[tuple[str, str], list[Passage]] = {}
        self._quotes: dict[tuple[str, str], dict[tuple[int, int], str]] = {}

    def number(self, passage: Passage) -> int:
        # An article that changed between two questions is two sources: their quotes aren't in the same text.
        key = _key(passage)
        self._passages.setdefault(key, []).append(passage)
        self._quotes.setdefault(key, {})
        return list(self._passages).index(key) + 1

    def cite(self, citation: Citation) -> int:
        number = self.number(citation.passage)
        self._quotes[_key(citation.passage)][citation.start, citation.end] = citation.text
        return number

    def references(self) -> tuple[Reference, ...]:
        return tuple(
            _reference(number, passages, self._quotes[key])
            for number, (key, passages) in enumerate(self._passages.items(), 1)
        )


def _key(passage: Passage) -> tuple[str, str]:
    return passage.document.id, passage.document.content_hash


def _reference(number: int, passages: Sequence[Passage], quotes: dict[tuple[int, int], str]) -> Reference:
    document = passages[0].document
    link = web_address(document.url or read_from(document.source))
    name = clean(source_name(document.source))
    return Reference(
        number=number,
        title=clean(document.title) or name,
        author=clean(document.author or ""),
        published=clean(document.published or ""),
        place=link or name,
        link=link,
        quotes=tuple(Quote(clean(text), page_of(document, span[0])) for span, text in sorted(quotes.items())),
        notes=_notes(passages),
    )


def _notes(passages: Sequence[Passage]) -> tuple[str, ...]:
    """Of all places that were known at some time, and the last that was heard of the file."""
    copies = tuple(dict.fromkeys(copy for passage in passages for copy in passage.copies))
    stale = next((passage.stale for passage in reversed(passages) if passage.stale), "")
    notes = (also_in(replace(passages[0], copies=copies)), said(_STALE.get(stale, "")))
    return tuple(clean(note) for note in notes if note)


def _section(exchange: Exchange, sources: _Sources) -> Section:
    status, opening, paragraphs, closing = _said(exchange, sources)
    return Section(exchange.number, clean(exchange.question) or "…", status, opening, paragraphs, closing)


_Said = tuple[Status, tuple[str, ...], tuple[tuple[Sentence, ...], ...], tuple[str, ...]]


def _said(exchange: Exchange, sources: _Sources) -> _Said:
    match exchange.outcome:
        case Answer(abstained=True) as answer:
            refused = clean(f"{said(ABSTAINED)} {reason_in_words(answer.reason)}")
            closest = _titles(answer.passages)
            return Status.REFUSED, (refused, clean(looked_for(answer))), (), closest
        case Answer() as answer:
            understood = clean(said("Understood as: {question}", question=answer.standalone_question))
            opening = () if answer.standalone_question == answer.question else (understood,)
            return Status.ANSWERED, opening, _paragraphs(_answer_pieces(answer, sources)), ()
        case Trouble(message):
            return Status.FAILED, (clean(said("No answer, because of an error: {message}", message=message)),), (), ()
        case Stopped(Draft(_, passages, text)):
            remark = said("The answer was stopped before it began.")
            if text.strip():
                remark = said(UNCHECKED)
            return Status.STOPPED, (), _paragraphs(_draft_pieces(text, passages, sources)), (remark,)
        case Draft(_, passages, text):
            remark = said("The answer was still being written when this was exported, and is unchecked.")
            return Status.UNFINISHED, (), _paragraphs(_draft_pieces(text, passages, sources)), (remark,)


def _titles(passages: Sequence[Passage]) -> tuple[str, ...]:
    """What a refusal shows instead of sources: it cites none, so they have no number."""
    named = dict.fromkeys(
        f"“{clean(passage.document.title)}” ({clean(source_name(passage.document.source))})" for passage in passages
    )
    return (f"{said(NO_ANSWER)}: {'; '.join(named)}",) if named else ()


_Piece = tuple[str, tuple[int, ...], str]
"""(text, the references of its last sentence, doubt); a line end in the text ends a paragraph."""


def _answer_pieces(answer: Answer, sources: _Sources) -> Iterator[_Piece]:
    at = 0
    for claim in answer.claims:
        yield answer.text[at : claim.start], (), ""
        yield clean(claim.text), _numbers(claim, sources), verdict_in_words(claim.verdict)
        at = claim.end
    yield answer.text[at:], (), ""


def _numbers(claim: Claim, sources: _Sources) -> tuple[int, ...]:
    return tuple(sorted({sources.cite(citation) for citation in claim.citations}))


def _draft_pieces(text: str, passages: Sequence[Passage], sources: _Sources) -> Iterator[_Piece]:
    """As the model wrote it, its marks made those of the references; a mark that names no passage is left out."""
    known = {passage.number: passage for passage in passages}
    at = 0
    for mark in _MARK.finditer(text):
        passage = known.get(int(mark[1]))
        yield text[at : mark.start()], (sources.number(passage),) if passage else (), ""
        at = mark.end()
    yield text[at:], (), ""


def _paragraphs(pieces: Iterator[_Piece]) -> tuple[tuple[Sentence, ...], ...]:
    paragraphs: list[list[Sentence]] = [[]]
    spaced = False
    for text, references, doubt in pieces:
        for at, line in enumerate(_LINE_END.split(text)):
            if at:
                paragraphs.append([])
            spaced = spaced or line[:1].isspace()
            if words := clean(line):
                paragraphs[-1].append(Sentence(" " if spaced and paragraphs[-1] else "", words, (), ""))
                spaced = False
            spaced = spaced or line[-1:].isspace()
        if references or doubt:
            last = paragraphs[-1].pop() if paragraphs[-1] else Sentence("", "", (), "")
            together = tuple(sorted({*last.references, *references}))
            paragraphs[-1].append(replace(last, references=together, doubt=doubt))
    return tuple(tuple(paragraph) for paragraph in paragraphs if paragraph)
