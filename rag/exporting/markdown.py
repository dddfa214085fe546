"""A manuscript as Markdown."""

import re
from collections.abc import Iterator

from rag.exporting.manuscript import REFERENCES, Manuscript, Reference, Section, Sentence
from rag.languages import said
from rag.rendering.records import markdown_words

_BLOCK = re.compile(r"^(?=[#+\-=!])")
"""Before what makes a line a heading, a list, a rule or a picture; the rest is escaped wherever it stands."""
_NUMBERED = re.compile(r"^(\d+)([.)])")


def markdown(manuscript: Manuscript) -> bytes:
    """UTF-8. CommonMark: no HTML, no tables."""
    return "\n\n".join(_blocks(manuscript)).encode() + b"\n"


def _blocks(manuscript: Manuscript) -> Iterator[str]:
    yield f"# {_heading(manuscript.title)}"
    yield said("Asked on {date}.", date=manuscript.date)
    for section in manuscript.sections:
        yield from _section(section)
    if manuscript.references:
        yield f"## {said(REFERENCES)}"
        yield "\n".join(_reference(reference) for reference in manuscript.references)


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.number}. {_heading(section.question)}"
    for remark in section.opening:
        yield f"> {_begin(markdown_words(remark))}"
    for paragraph in section.paragraphs:
        yield _begin("".join(_sentence(sentence) for sentence in paragraph))
    for remark in section.closing:
        yield f"> {_begin(markdown_words(remark))}"


def _sentence(sentence: Sentence) -> str:
    # The marks' brackets need no escape: no definition of a link can get into the text.
    return f"{sentence.before}{' '.join(part for part in (markdown_words(sentence.text), sentence.marks) if part)}"


def _reference(reference: Reference) -> str:
    place = f"<{reference.link}>" if reference.link else markdown_words(reference.place)
    about = (markdown_words(reference.author), markdown_words(reference.published), place)
    title = f"**{markdown_words(reference.title)}**" if reference.title else ""
    line = " · ".join(part for part in (title, *about) if part)
    number = f"{reference.number}. "
    indented = " " * len(number)
    notes = (f"{indented}- {_begin(markdown_words(note))}" for note in reference.notes)
    quotes = (f"{indented}- {markdown_words(quote.quoted)}" for quote in reference.quotes)
    return "\n".join([f"{number}{line}", *quotes, *notes])


def _heading(text: str) -> str:
    return markdown_words(text).replace("#", r"\#")


def _begin(line: str) -> str:
    return _BLOCK.sub(r"\\", _NUMBERED.sub(r"\1\\\2", line))
