"""PowerPoint file → `Article`; its slides are its pages."""

import io
from collections.abc import Iterator
from typing import Any

from rag.documents.article import Article
from rag.documents.cleaning import AUTHOR_CHARACTERS, clean, one_line
from rag.documents.dates import iso_date
from rag.documents.limits import MAX_CELLS, MAX_PAGES, Allowance
from rag.documents.paging import joined_pages
from rag.documents.rows import table_lines
from rag.documents.unpacking import Package, damaged
from rag.errors import DocumentError


def read_pptx(data: bytes, source: str) -> Article:
    """Text and tables of each slide, then what its speaker notes.

    Raises DocumentError when the file is damaged, encrypted, holds no text, or more than the limits.
    """
    from pptx import Presentation

    Package(data, source).check()
    try:
        presentation = Presentation(io.BytesIO(data))
        about = presentation.core_properties
        slides = _slides(presentation, source)
        title = one_line(about.title) or _first_title(presentation)
        author, created = about.author, about.created
    except DocumentError:
        raise
    except Exception as error:  # whatever a file that only looks like one brings python-pptx to
        raise damaged(source) from error
    text, starts = joined_pages(slides)
    if not text:
        raise DocumentError(f"{source} holds no text on any slide. Export it through text recognition (OCR).")
    return Article(
        title=title,
        text=text,
        published=iso_date(created),
        author=one_line(author, AUTHOR_CHARACTERS),
        pages=starts,
    )


def _slides(presentation: Any, source: str) -> list[str]:
    pages, cells = Allowance(MAX_PAGES, "slides", source), Allowance(MAX_CELLS, "cells", source)
    slides = []
    for slide in presentation.slides:
        pages.take()
        texts = list(_texts(slide.shapes, cells))
        if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None:
            texts.append(frame.text)
        slides.append(clean("\n\n".join(text for text in texts if text.strip())))
    return slides


def _texts(shapes: Any, cells: Allowance) -> Iterator[str]:
    waiting = list(shapes)[::-1]
    while waiting:
        shape = waiting.pop()
        if hasattr(shape, "shapes"):  # a group
            waiting += list(shape.shapes)[::-1]
        elif shape.has_text_frame:
            yield shape.text_frame.text
        elif getattr(shape, "has_table", False):
            yield "\n".join(table_lines(_rows(shape.table, cells)))


def _rows(table: Any, cells: Allowance) -> Iterator[list[str]]:
    for row in table.rows:
        held = list(row.cells)
        cells.take(len(held))
        yield [cell.text_frame.text for cell in held]


def _first_title(presentation: Any) -> str | None:
    for slide in presentation.slides:
        if slide.shapes.title is not None and (title := one_line(slide.shapes.title.text_frame.text)):
            return title
    return None
