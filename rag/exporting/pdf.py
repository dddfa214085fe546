"""A manuscript as a PDF."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from typing import Any
from xml.sax.saxutils import escape, quoteattr  # nosec B406  nothing is parsed

from rag.errors import InputError
from rag.exporting.lettering import BOLD, FOLDERS, REGULAR, Lettering, Run, lettering_of
from rag.exporting.manuscript import REFERENCES, Manuscript, Reference, Section, Sentence
from rag.languages import said

MOST_UNSET = 0.5
"""Of the letters: with more of them missing, a PDF would be no copy of the conversation."""

_ACCENT, _QUIET = "#1f4f8b", "#555555"


def pdf(manuscript: Manuscript, fonts: Sequence[str] = FOLDERS) -> bytes:
    """A4, with its fonts in it. Where characters can't be set, it says which, at its beginning and in their place.

    `fonts` are folders of fonts for characters that are seldom used. Raises InputError where most letters can't be set.
    """
    from reportlab.platypus import SimpleDocTemplate

    letters = lettering_of(_texts(manuscript), fonts)
    _require_most(letters, "".join(_texts(manuscript)))
    content = io.BytesIO()
    document = SimpleDocTemplate(
        content,
        title=manuscript.title,
        author="Citeline",
        creator="Citeline",
        leftMargin=72,
        rightMargin=72,
        topMargin=64,
        bottomMargin=64,
    )
    document.build(list(_flowables(manuscript, letters)), onFirstPage=_number, onLaterPages=_number)
    return content.getvalue()


def _texts(manuscript: Manuscript) -> Iterator[str]:
    """All that is set."""
    yield manuscript.title
    for section in manuscript.sections:
        yield from _strings(astuple(section))
    for reference in manuscript.references:
        yield from _strings(astuple(reference))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _strings(part)


def _require_most(letters: Lettering, text: str) -> None:
    unset, count = letters.unset(text)
    if unset > MOST_UNSET * count:
        raise InputError(
            f"A PDF can't show most of this conversation: {unset} of its {count} letters are {_names(letters)}. "
            "Export it as .docx, .md or .json, which hold them all."
        )


def _names(letters: Lettering) -> str:
    return ", ".join(sorted(set(letters.missing.values())))


def _flowables(manuscript: Manuscript, letters: Lettering) -> Iterator[Any]:
    set_ = _Setter(letters)
    yield set_.paragraph(set_.text(manuscript.title), "title")
    yield set_.paragraph(set_.text(said("Asked on {date}.", date=manuscript.date)), "note")
    if letters.missing:
        yield set_.paragraph(
            set_.text(
                f"This PDF can’t show some characters ({_names(letters)}). Where they belong it says so in square "
                "brackets; the exports as Word, Markdown and JSON have them all."
            ),
            "note",
        )
    for section in manuscript.sections:
        yield from _section(section, set_)
    if manuscript.references:
        yield set_.paragraph(said(REFERENCES), "heading")
        for reference in manuscript.references:
            yield from _reference(reference, set_)


def _section(section: Section, set_: "_Setter") -> Iterator[Any]:
    yield set_.paragraph(set_.text(f"{section.number}. {section.question}"), "heading")
    for remark in section.opening:
        yield set_.paragraph(set_.text(remark), "note")
    for sentences in section.paragraphs:
        yield set_.paragraph("".join(_sentence(sentence, set_) for sentence in sentences), "body")
    for remark in section.closing:
        yield set_.paragraph(set_.text(remark), "note")


def _sentence(sentence: Sentence, set_: "_Setter") -> str:
    marks = f' <font color="{_ACCENT}">{set_.text(sentence.marks)}</font>' if sentence.marks else ""
    return f"{sentence.before}{set_.text(sentence.text)}{marks}"


def _reference(reference: Reference, set_: "_Setter") -> Iterator[Any]:
    place = set_.text(reference.place)
    if reference.link:
        place = f'<a href={quoteattr(reference.link)} color="{_ACCENT}">{place}</a>'
    about = (set_.text(reference.title), set_.text(reference.author), set_.text(reference.published), place)
    yield set_.paragraph(f"[{reference.number}] {' · '.join(part for part in about if part)}", "reference")
    for quote in reference.quotes:
        yield set_.paragraph(set_.text(quote.quoted), "quote")
    for note in reference.notes:
        yield set_.paragraph(set_.text(note), "quote")


class _Setter:
    """Text → reportlab's markup → paragraphs."""

    def __init__(self, letters: Lettering) -> None:
        from reportlab.lib.colors import HexColor
        from reportlab.lib.styles import ParagraphStyle

        quiet = HexColor(_QUIET)
        body = ParagraphStyle("body", fontName=REGULAR, fontSize=10, leading=15, spaceAfter=6)
        self._letters = letters
        self._styles = {
            "body": body,
            "title": ParagraphStyle("title", body, fontName=BOLD, fontSize=17, leading=22),
            "heading": ParagraphStyle("heading", body, fontName=BOLD, fontSize=12, leading=16, spaceBefore=14),
            "note": ParagraphStyle("note", body, fontSize=9, leading=13, textColor=quiet),
            "reference": ParagraphStyle("reference", body, leftIndent=22, firstLineIndent=-22, spaceAfter=3),
            "quote": ParagraphStyle(
                "quote", body, fontSize=9, leading=13, leftIndent=22, spaceAfter=3, textColor=quiet
            ),
        }

    def text(self, text: str) -> str:
        """With a font for every run that needs another, and `[Arabic]` for one that no font sets."""
        return "".join(_markup(run) for run in self._letters.runs(text))

    def paragraph(self, markup: str, style: str) -> Any:
        from reportlab.platypus import Paragraph

        return Paragraph(markup, self._styles[style])


def _markup(run: Run) -> str:
    if run.unset:
        return f"[{escape(run.unset)}]"
    return f"<font name={quoteattr(run.font)}>{escape(run.text)}</font>" if run.font else escape(run.text)


def _number(canvas: Any, document: Any) -> None:
    canvas.setFont(REGULAR, 8)
    canvas.drawCentredString(document.pagesize[0] / 2, 36, str(document.page))
