"""Rows of a table → lines that keep the names of their columns, so that each can be understood by itself."""

import re
from collections.abc import Iterable, Iterator, Sequence

from rag.documents.cleaning import one_line

_NUMBER = re.compile(r"[-+]?[\d.,:/%€$£\s-]*\d[\d.,:/%€$£\s-]*")


def table_lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows of cells → one line for each that holds something.

    The first row in which every column that the next one fills has a name, none a number or named twice, is the
    header; rows of one cell before it are captions. Without such a row the cells stand by themselves.

        [["Country", "Population"], ["Peru", "34 million"]] → "Country: Peru; Population: 34 million"
        [["1", "Peru"], ["2", "Chile"]] → "1; Peru", "2; Chile"
    """
    filled = (cells for row in rows if any(cells := [one_line(cell, longest=100_000) or "" for cell in row]))
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
