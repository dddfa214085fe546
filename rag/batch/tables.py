"""Records → a table to open in a spreadsheet. Everything from questions, articles and models is written as text."""

import csv
import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

from rag.batch.runfile import FULL
from rag.errors import DiskFull, InputError
from rag.records import OWN, carried_name
from rag.types import Answer, Citation, Claim, Failure, Question, RunRecord, page_of

TABLE_SUFFIXES = (".csv", ".xlsx")

FIRST = ("row", "id", "question")
LAST = ("answer", "abstained", "reason", "confidence", "citations", "seconds", "error")

FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
"""What makes a spreadsheet take text for a formula: OWASP, "CSV Injection"."""

MAX_EXCEL_UNITS = 32_767
"""UTF-16 code units that a cell of an Excel file may hold."""

EXACT_DIGITS = 15
"""Excel makes zeros of a number's further digits."""

_STALE = {"changed": "its file has changed since it was indexed", "missing": "its file is gone"}
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")

_Cell: TypeAlias = str | bool | int | float | None


def carried_names(records: Iterable[RunRecord]) -> list[str]:
    """The columns that any of the records carries, in the order in which they first turn up."""
    return list(dict.fromkeys(name for record in records for name in record.question.carried))


def write_table(records: Iterable[RunRecord], path: Path, carried: Sequence[str] = ()) -> None:
    """Write a .csv or .xlsx file of one row a record, which takes its place whole or not at all.

    Its columns are `FIRST`, those `carried` ones (see `carried_names`) and `LAST`. No record is held longer than it
    takes to write it. Raises DiskFull, and InputError for another format or a place that can't be written.
    """
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise InputError(f"{path} would be in a format that can't be written. Accepted: {', '.join(TABLE_SUFFIXES)}.")
    write = _write_csv if suffix == ".csv" else _write_excel
    rows = (_row(record, carried) for record in records)
    with _replacing(path) as part:
        write(chain([_header(carried)], rows), part)


def _header(carried: Sequence[str]) -> list[_Cell]:
    taken = {*OWN, *FIRST, *LAST}
    return [*FIRST, *(_text(carried_name(name, taken)) for name in carried), *LAST]


def _row(record: RunRecord, carried: Sequence[str]) -> list[_Cell]:
    question, outcome = record.question, record.outcome
    return [*_asked(question), *(_cell(question.carried.get(name)) for name in carried), *_outcome(outcome)]


def _asked(question: Question) -> list[_Cell]:
    return [question.row, _text(question.id), _text(question.text)]


def _outcome(outcome: Answer | Failure) -> list[_Cell]:
    """The cells of the `LAST` columns."""
    if isinstance(outcome, Failure):
        return [*[None] * (len(LAST) - 1), _text(outcome.message)]
    return [
        _text(_with_marks(outcome)),
        outcome.abstained,
        str(outcome.reason),
        outcome.confidence,
        _text("\n".join(_citations(outcome))),
        outcome.timings.total,
        None,
    ]


def _with_marks(answer: Answer) -> str:
    """ "It is free. [1][2] It sails at nine. [1]"; a sentence that nothing supports has no mark."""
    parts, at = [], 0
    for claim in answer.claims:
        parts += [answer.text[at : claim.end], _marks(claim)]
        at = claim.end
    return "".join([*parts, answer.text[at:]]).strip()


def _marks(claim: Claim) -> str:
    numbers = sorted({citation.passage.number for citation in claim.citations})
    return " " + "".join(f"[{number}]" for number in numbers) if numbers else ""


def _citations(answer: Answer) -> list[str]:
    """What was cited, by passage and place: source, page, date and author as far as they are known, and the sentence.

    [1] Ferry sails again (/news/ferry.pdf, page 2, 2024-03-14, Joan Doe): "The ferry is free." Also in /news/copy.txt.
    """
    cited = {
        (citation.passage.number, citation.start, citation.end): citation
        for claim in answer.claims
        for citation in claim.citations
    }
    return [_citation(citation) for _, citation in sorted(cited.items(), key=lambda item: item[0])]


def _citation(citation: Citation) -> str:
    passage, document = citation.passage, citation.passage.document
    page = page_of(document, citation.start)
    known = (document.source, page and f"page {page}", document.published, document.author)
    line = f'[{passage.number}] {document.title} ({", ".join(part for part in known if part)}): "{citation.text}"'
    notes = [
        f"Also in {', '.join(passage.copies)}." if passage.copies else "",
        f"But {_STALE[passage.stale]}." if passage.stale in _STALE else "",
    ]
    return " ".join(" ".join([line, *notes]).split())


def _cell(value: object) -> _Cell:
    """What a column carried, as text unless it is a number or true or false."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _text(text: str) -> str:
    return _UNWRITABLE.sub("", text)


def _write_csv(rows: Iterable[list[_Cell]], part: Path) -> None:
    """RFC 4180, with the byte order mark by which Excel knows UTF-8."""
    with part.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        for row in rows:
            writer.writerow([_defused(cell) for cell in row])


def _defused(cell: _Cell) -> _Cell:
    """An apostrophe in front of what a spreadsheet would compute; "-0.5" is only a number."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) and not _PLAIN_NUMBER.fullmatch(cell):
        return "'" + cell
    return cell


def _write_excel(rows: Iterable[list[_Cell]], part: Path) -> None:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Answers")
    sheet.freeze_panes = "A2"

    def excel_cell(cell: _Cell) -> Any:
        if isinstance(cell, int) and abs(cell) >= 10**EXACT_DIGITS:
            cell = str(cell)
        if not isinstance(cell, str):
            return cell
        text = WriteOnlyCell(sheet, _cut(cell))
        text.data_type = "s"  # openpyxl has made a formula of what begins with "="
        text.quotePrefix = cell.startswith(FORMULA_STARTS)  # and Excel would, as soon as somebody edits the cell
        return text

    with part.open("wb") as file:
        with closing(sheet):
            for row in rows:
                sheet.append([excel_cell(cell) for cell in row])
        book.save(file)


def _cut(text: str) -> str:
    units = text.encode("utf-16-le")
    if len(units) <= 2 * MAX_EXCEL_UNITS:
        return text
    return units[: 2 * (MAX_EXCEL_UNITS - 1)].decode("utf-16-le", "ignore") + "…"


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A file to write to beside `path`, which takes its place at the end of the block, or is removed."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull(f"No room left on the disk of {path.parent} for {path.name}. Free some.") from error
        why = error.strerror or error
        raise InputError(f"{path} can't be written: {why}. Close it elsewhere, or name another place.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
