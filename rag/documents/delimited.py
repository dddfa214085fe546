"""CSV and TSV → `Article`s: one for each row of a table of articles, else one with a line a row."""

import csv
import io
from collections.abc import Iterator

from rag.documents.article import Article, Found
from rag.documents.decoding import decode
from rag.documents.fields import USUAL_FIELDS, FieldNames
from rag.documents.limits import MAX_CELLS, MAX_ROWS, Allowance
from rag.documents.rows import read_rows
from rag.errors import DocumentError

DELIMITERS = ",;\t|"

_SAMPLE_LINES = 20


def read_delimited(data: bytes, source: str, names: FieldNames = USUAL_FIELDS) -> Iterator[Found]:
    """Raises DocumentError when the bytes are not text, hold nothing, or have too many rows or cells, and
    HoldsQuestions for a table of questions."""
    text = decode(data, source)
    csv.field_size_limit(len(text) + 1)
    lines = []
    found = False
    try:
        for one in read_rows(_rows(text, source), source, names):
            if isinstance(one, str):
                lines.append(one)
            else:
                found = found or isinstance(one, Article)
                yield one
    except csv.Error as error:
        raise DocumentError(f"{source} is no table that can be read: {error}. Save it as .csv in UTF-8.") from error
    if lines:
        yield Article(title=None, text="\n".join(lines))
    elif not found:
        raise DocumentError(f"{source} is empty. Put a table into it, or remove it.")


def _rows(text: str, source: str) -> Iterator[list[str]]:
    rows, cells = Allowance(MAX_ROWS, "rows", source), Allowance(MAX_CELLS, "cells", source)
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)):
        rows.take()
        cells.take(len(row))
        yield row


def _delimiter(text: str) -> str:
    """The one that cuts the first lines into the same number of cells, above one, the most often."""
    head = io.StringIO("\n".join(line for line in text.split("\n", _SAMPLE_LINES)[:_SAMPLE_LINES] if line.strip()))

    def agreement(delimiter: str) -> tuple[int, int]:
        head.seek(0)
        widths = [len(row) for row in csv.reader(head, delimiter=delimiter) if row]
        return max(((widths.count(width), width) for width in widths if width > 1), default=(0, 0))

    return max(DELIMITERS, key=agreement)
