"""Excel file → `Article`: one line a row."""

import io
import math
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from rag.documents.article import Article
from rag.documents.cleaning import AUTHOR_CHARACTERS, one_line
from rag.documents.dates import iso_date
from rag.documents.limits import MAX_CELLS, MAX_ROWS, Allowance
from rag.documents.rows import table_lines
from rag.documents.unpacking import Package, damaged
from rag.errors import DocumentError


def read_xlsx(data: bytes, source: str) -> Article:
    """All sheets, each under its name where there are several. Of a formula there is the value it had when saved.

    Raises DocumentError when the file is damaged, encrypted, holds nothing, or more than the limits.
    """
    from openpyxl import load_workbook

    Package(data, source).check()
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        about = book.properties
        sheets = _sheets(book, source)
    except DocumentError:
        raise
    except Exception as error:  # whatever a file that only looks like one brings openpyxl to
        raise damaged(source) from error
    if not sheets:
        raise DocumentError(f"{source} is empty. Put a table into it, or leave it out.")
    texts = sheets.values() if len(sheets) == 1 else (f"{name}\n{lines}" for name, lines in sheets.items())
    return Article(
        title=one_line(about.title),
        text="\n\n".join(texts),
        published=iso_date(about.created),
        author=one_line(about.creator, AUTHOR_CHARACTERS),
    )


def _sheets(book: Any, source: str) -> dict[str, str]:
    """The lines of every sheet that holds something, by its name."""
    rows, cells = Allowance(MAX_ROWS, "rows", source), Allowance(MAX_CELLS, "cells", source)
    sheets = {}
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # what a file says of its size may be wrong
        if lines := "\n".join(table_lines(_rows(sheet, rows, cells))):
            sheets[one_line(sheet.title) or "Sheet"] = lines
    return sheets


def _rows(sheet: Any, rows: Allowance, cells: Allowance) -> Iterator[list[str]]:
    for row in sheet.iter_rows():
        rows.take()
        cells.take(len(row))
        yield [_shown(cell.value, getattr(cell, "number_format", "")) for cell in row]


def _shown(value: object, number_format: str) -> str:
    """About as the cell shows it: 0.05 formatted as "0%" → "5%"; midnight of a day → the day."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float) and "%" in number_format:
        return f"{value * 100:.10g}%"
    if isinstance(value, float):
        return f"{value:.15g}" if math.isfinite(value) else ""
    if isinstance(value, datetime):
        day = value.time() == time()
        return value.date().isoformat() if day else value.isoformat(" ", "minutes")
    return value.isoformat() if isinstance(value, date | time) else str(value)
