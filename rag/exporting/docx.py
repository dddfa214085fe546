"""A manuscript as a Word file."""

import io
import unicodedata
from itertools import pairwise
from typing import Any

from rag.exporting.manuscript import REFERENCES, Manuscript, Reference, Section
from rag.languages import said

LONGEST_TITLE = 255
"""Characters that the properties of a file take."""


def docx(manuscript: Manuscript) -> bytes:
    """With headings, quotations and links that are ones for Word too; right-to-left paragraphs run that way."""
    import docx

    document = docx.Document()
    about = document.core_properties
    about.title, about.author, about.comments = manuscript.title[:LONGEST_TITLE], "Citeline", ""
    about.created = about.modified = manuscript.began.replace(tzinfo=None)
    _paragraph(document, manuscript.title, "Title")
    _paragraph(document, said("Asked on {date}.", date=manuscript.date), "Subtitle")
    for section in manuscript.sections:
        _add_section(document, section)
    if manuscript.references:
        _paragraph(document, said(REFERENCES), "Heading 1")
        for reference in manuscript.references:
            _add_reference(document, reference)
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()


def _add_section(document: Any, section: Section) -> None:
    _paragraph(document, f"{section.number}. {section.question}", "Heading 1", by=section.question)
    for remark in section.opening:
        _paragraph(document, remark, "Quote")
    for sentences in section.paragraphs:
        paragraph = _paragraph(document, "", "Normal", by="".join(sentence.text for sentence in sentences))
        for sentence in sentences:
            _add_run(paragraph, sentence.before + sentence.text)
            if sentence.marks:
                _add_run(paragraph, f" {sentence.marks}").bold = True
    for remark in section.closing:
        _paragraph(document, remark, "Quote")


def _add_reference(document: Any, reference: Reference) -> None:
    paragraph = _paragraph(document, f"[{reference.number}] ", "Normal", by=reference.title)
    _add_run(paragraph, reference.title).bold = True
    for part in filter(None, (reference.author, reference.published, reference.place)):
        _add_run(paragraph, " · ")
        if part == reference.link:
            _add_link(paragraph, part)
        else:
            _add_run(paragraph, part)
    for quote in reference.quotes:
        _paragraph(document, quote.quoted, "List Bullet", by=quote.text)
    for note in reference.notes:
        _paragraph(document, note, "List Bullet")


def _paragraph(document: Any, text: str, style: str, by: str = "") -> Any:
    """A new paragraph; `by` is what its direction follows if not all of it."""
    paragraph = document.add_paragraph(style=style)
    if is_right_to_left(by or text):
        paragraph._p.get_or_add_pPr().append(_element("w:bidi"))
    _add_run(paragraph, text)
    return paragraph


def _add_run(paragraph: Any, text: str) -> Any:
    """A run for each direction, for Word doesn't look for it itself. Returns the last."""
    run = None
    ends = [0, *_turns(text), len(text)]
    for start, end in pairwise(ends):
        run = paragraph.add_run(text[start:end])
        if is_right_to_left(text[start:end]):
            run.font.rtl = True
    return run


def _add_link(paragraph: Any, address: str) -> None:
    from docx.opc.constants import RELATIONSHIP_TYPE

    link = _element("w:hyperlink")
    link.set(_name("r:id"), paragraph.part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    run = paragraph.add_run(address)
    run.font.underline = True
    link.append(run._r)
    paragraph._p.append(link)


def is_right_to_left(text: str) -> bool:
    """By its first letter that has a direction."""
    return next(
        (kind in ("R", "AL") for kind in map(unicodedata.bidirectional, text) if kind in ("L", "R", "AL")), False
    )


def _turns(text: str) -> list[int]:
    """Where letters of the other direction begin."""
    directed = [
        (at, kind != "L") for at, kind in enumerate(map(unicodedata.bidirectional, text)) if kind in ("L", "R", "AL")
    ]
    return [at for (_, before), (at, now) in pairwise(directed) if before != now]


def _element(name: str) -> Any:
    from docx.oxml import OxmlElement

    return OxmlElement(name)


def _name(prefixed: str) -> str:
    from docx.oxml.ns import qn

    return qn(prefixed)
