"""Rows of a table → the article or articles that they are.

A table of articles has one in each row. Of any other the rows become lines that keep the names of their columns, so
that each can be understood by itself.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from rag.documents.article import Fields, Found
from rag.documents.cleaning import one_line
from rag.documents.fields import USUAL_FIELDS, FieldNames, plain
from rag.documents.records import SHOWN, are_questions, questions, read_records

TITLES = frozenset({"title", "headline"})
TEXTS = frozenset(map(plain, USUAL_FIELDS.text)) - {"description", "abstract", "summary"}
"""Columns of these names together make a table one of articles; a description alone belongs to a table of things."""

_CELL = 100_000
_NUMBER = re.compile(r"[-+]?[\d.,:/%€$£\s-]*\d[\d.,:/%€$£\s-]*")


def read_rows(rows: Iterable[Sequence[str]], source: str, names: FieldNames, prefix: str = "") -> Iterator[Found | str]:
    """Of a table of articles the articles, with numbers counted from 1 after `prefix` as parts; else `table_lines`.

    It is one of articles where its first row names the column of their text: by a name that is given, or by a usual one
    beside a column of titles. Yields the `Fields` last. Raises HoldsQuestions for a table of questions.
    """
    filled = (row for row in rows if any(cell.strip() for cell in row))
    first = next(filled, None)
    if first is None:
        return
    columns = [one_line(cell, _CELL) or "" for cell in first]
    if _are_articles(columns, names):
        records = ({name: cell for name, cell in zip(columns, row, strict=False) if name} for row in filled)
        yield from read_records(records, source, names, "rows", prefix)
        return
    if are_questions(columns):
        raise questions(source)
    yield from table_lines(chain([first], filled))
    yield Fields((), tuple(filter(None, columns))[:SHOWN])


def _are_articles(columns: Sequence[str], names: FieldNames) -> bool:
    has = set(map(plain, columns))
    return bool(has & set(map(plain, names.given("text")))) or bool(has & TITLES and has & TEXTS)


def table_lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows of cells → one line for each that holds something.

    The first row in which every column that the next one fills has a name, none a number or named twice, is the
    header; rows of one cell before it are captions. Without such a row the cells stand by themselves.

        [["Country", "Population"], ["Peru", "34 million"]] → "Country: Peru; Population: 34 million"
        [["1", "Peru"], ["2", "Chile"]] → "1; Peru", "2; Chile"
    """
    filled = (cells for row in rows if any(cells := [one_line(cell, _CELL) or "" for cell in row]))
    captions: list[list[str]] = []
    for row in filled:
        if len(_held(row)) > 1 or len(captions) == _CAPTIONS:
            after = next(filled, None)
            header = row if after is not None and _names(row, after) else None
            yield from (_line(caption, None) for caption in captions)
            if header is None:
                yield _line(row, None)
            if after is not None:
                yield _line(after, header)
            yield from (_line(each, header) for each in filled)
            return
        captions.append(row)
    # A table of one column: its first row is the header where it has the look of one.
    header = captions[0] if len(captions) > 1 and _names(captions[0], captions[1]) else None
    yield from (_line(each, header) for each in (captions[1:] if header else captions))


_CAPTIONS = 20


def _names(row: Sequence[str], after: Sequence[str]) -> bool:
    """Whether a row names the columns that the next row fills."""
    names = _held(row)
    wanted = [row[at] if at < len(row) else "" for at, cell in enumerate(after) if cell]
    return all(wanted) and len(set(names)) == len(names) and not any(map(_NUMBER.fullmatch, names))


def _held(row: Sequence[str]) -> list[str]:
    return [cell for cell in row if cell]


def _line(row: Sequence[str], header: Sequence[str] | None) -> str:
    names = [*(header or ()), *[""] * len(row)]
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in zip(names, row, strict=False) if cell)
