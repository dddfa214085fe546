"""Word file → `Article`."""

import io
from collections.abc import Iterator
from typing import Any

from rag.documents.article import Article
from rag.documents.cleaning import AUTHOR_CHARACTERS, clean, one_line
from rag.documents.dates import iso_date
from rag.documents.limits import MAX_CELLS, Allowance
from rag.documents.plain import first_line_title
from rag.documents.rows import table_lines
from rag.documents.unpacking import Package, damaged
from rag.errors import DocumentError

_TITLE_STYLE, _HEADING_STYLE = "Title", "Heading 1"


def read_docx(data: bytes, source: str) -> Article:
    """Paragraphs and tables in their order; headers, footers, notes and comments are no part of the text.

    Its date is the day on which the file was made. Raises DocumentError when the file is damaged, encrypted, holds no
    text, or more than the limits.
    """
    import docx

    Package(data, source).check()
    try:
        document = docx.Document(io.BytesIO(data))
        about = document.core_properties
        styled: dict[str, str] = {}
        text = clean("\n\n".join(_blocks(document, Allowance(MAX_CELLS, "cells", source), styled)))
        title, author, created = about.title, about.author, about.created
    except DocumentError:
        raise
    except Exception as error:  # whatever a file that only looks like one brings python-docx to
        raise damaged(source) from error
    if not text:
        raise DocumentError(f"{source} holds no text. Put an article into it, or leave it out.")
    return Article(
        title=styled.get(_TITLE_STYLE) or one_line(title) or styled.get(_HEADING_STYLE) or first_line_title(text),
        text=text,
        published=iso_date(created),
        author=one_line(author, AUTHOR_CHARACTERS),
    )


def _blocks(container: Any, cells: Allowance, styled: dict[str, str]) -> Iterator[str]:
    """The text of each paragraph and table. The first of each style of heading is kept in `styled`."""
    from docx.table import Table

    headings = {
        style.style_id: style.name for style in container.styles if style.name in (_TITLE_STYLE, _HEADING_STYLE)
    }
    for block in container.iter_inner_content():
        if isinstance(block, Table):
            yield "\n".join(table_lines(_rows(block, cells)))
            continue
        text = block.text
        style = headings.get(block._p.style)  # looking up `block.style` takes most of the time of reading
        if style and (line := one_line(text)):
            styled.setdefault(style, line)
        yield text


def _rows(table: Any, cells: Allowance) -> Iterator[list[str]]:
    """A cell that spans several columns counts once."""
    for row in table._tbl.tr_lst:
        cells.take(len(row.tc_lst))
        yield ["\n".join(_texts_of_cell(cell)) for cell in row.tc_lst]


def _texts_of_cell(cell: Any) -> Iterator[str]:
    """Those of its paragraphs, tables in it included."""
    from docx.oxml.ns import qn

    for paragraph in cell.iter(qn("w:p")):
        yield "".join(node.text or "" for node in paragraph.iter(qn("w:t")))
