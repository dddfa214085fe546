"""Excel file → `Article`s: one for each row of a table of articles, and one with a line for each row of the others."""

import io
import math
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from rag.documents.article import Article, Found, HoldsQuestions, Note
from rag.documents.cleaning import AUTHOR_CHARACTERS, one_line
from rag.documents.dates import iso_date
from rag.documents.fields import USUAL_FIELDS, FieldNames
from rag.documents.limits import MAX_CELLS, MAX_ROWS, Allowance
from rag.documents.rows import read_rows
from rag.documents.unpacking import Package, damaged
from rag.errors import DocumentError


def read_xlsx(data: bytes, source: str, names: FieldNames = USUAL_FIELDS) -> Iterator[Found]:
    """All sheets, each under its name where there are several. Of a formula there is the value it had when saved.

    Raises DocumentError when the file is damaged, encrypted, holds nothing, or more than the limits, and HoldsQuestions
    where it holds nothing but questions.
    """
    from openpyxl import load_workbook

    Package(data, source).check()
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        about = book.properties
        found = list(_sheets(book, source, names))
    except DocumentError:
        raise
    except Exception as error:  # whatever a file that only looks like one brings openpyxl to
        raise damaged(source) from error
    yield from (one for one in found if not isinstance(one, tuple))
    sheets = [one for one in found if isinstance(one, tuple)]
    if sheets:
        texts = [sheets[0][1]] if len(sheets) == 1 else [f"{name}\n{lines}" for name, lines in sheets]
        yield Article(
            title=one_line(about.title),
            text="\n\n".join(texts),
            published=iso_date(about.created),
            author=one_line(about.creator, AUTHOR_CHARACTERS),
        )
    elif not any(isinstance(one, Article) for one in found):
        raise DocumentError(f"{source} is empty. Put a table into it, or leave it out.")


def _sheets(book: Any, source: str, names: FieldNames) -> Iterator[Found | tuple[str, str]]:
    """The articles of sheets that hold some, of the others the name and the lines."""
    rows, cells = Allowance(MAX_ROWS, "rows", source), Allowance(MAX_CELLS, "cells", source)
    questions: list[HoldsQuestions] = []
    empty = True
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # what a file says of its size may be wrong
        name = one_line(sheet.title) or "Sheet"
        prefix = f"{name}#" if len(book.worksheets) > 1 else ""
        lines = []
        try:
            for one in read_rows(_rows(sheet, rows, cells), source, names, prefix):
                empty = False
                if isinstance(one, str):
                    lines.append(one)
                else:
                    yield one
        except HoldsQuestions as error:
            questions.append(error)
        if lines:
            yield name, "\n".join(lines)
    if questions and empty:
        raise questions[0]
    yield from (Note(str(error)) for error in questions)


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
