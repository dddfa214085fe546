"""Files of questions → `Question`s, one row at a time.

Every format ends up as (row, what that row holds), and one function makes a `Question` or a `BadRow` of it.
"""

import csv
import json
import math
import reprlib
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TextIO, TypeAlias, TypeGuard

from rag.documents.decoding import encoding_of
from rag.errors import InputError
from rag.types import Question

QUESTION_SUFFIXES = (".jsonl", ".json", ".csv", ".tsv", ".xlsx", ".txt")

MAX_CELL = 10_000_000
"""Characters in one cell of a .csv or .tsv file; Python's csv module stops at 131,072 unless told otherwise."""

_COLUMNS = ("question", "id", "documents")
_DELIMITERS = {".csv": ",;\t|", ".tsv": "\t,;|"}
_PIECE = 1 << 18
_ACCEPTED = (
    "Give a .csv, .tsv or .xlsx file with a column called question, a .jsonl or .json file of objects with a question, "
    "or a .txt file with one question a line."
)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that can't be asked, in its place among the questions."""

    question: Question
    """As much of it as is known: the row always, the text empty where there is none."""
    problem: str
    """A message of the kind that `RagError`s hold."""


@dataclass(frozen=True, slots=True)
class _Broken:
    """What a row holds that can't be read, or only in part."""

    problem: str
    columns: Mapping[str, object] = field(default_factory=dict)


_Found: TypeAlias = Mapping[str, object] | str | _Broken
_Cells: TypeAlias = Sequence[object] | _Broken


def read_questions(path: Path | None) -> Iterator[Question | BadRow]:
    """The questions of a file or, for None, of standard input, row by row; blank rows are passed over.

    Rows count from 1: lines of a .jsonl or .txt file, items of a .json list, rows under the header of a table. A
    row's `id` is "q<row>" unless it has one. Only a .json file is held in memory; a long standard input goes through
    a temporary file, because it has to be read to its end before its encoding is known.

    Before the first question raises InputError for a file that isn't there, is in no accepted format, is not text or
    damaged, has no column called question, or has no question at all. An Excel file may also turn out damaged later.
    """
    name = str(path) if path else "<standard input>"
    rows_by_id: dict[str, int] = {}
    try:
        for row, found in _rows(path, name):
            yield _question(row, found, rows_by_id)
    except OSError as error:
        raise InputError(f"{name} can't be read: {error.strerror or error}. Make it readable.") from error
    if not rows_by_id:
        raise InputError(f"There is no question in {name}. {_ACCEPTED}")


def _rows(path: Path | None, name: str) -> Iterator[tuple[int, _Found]]:
    suffix = _suffix(path) if path else ""
    with path.open("rb") if path else _standard_input() as stream:
        if suffix == ".xlsx":
            yield from _table(_excel_rows(stream, name), name)
            return
        with _decoded(stream, name) as text:
            if suffix in _DELIMITERS:
                yield from _table(_delimited_rows(text, _DELIMITERS[suffix]), name)
            elif suffix == ".json":
                yield from _json_items(text.read(), name)
            elif suffix == ".jsonl" or (not suffix and _begins_with_an_object(text)):
                yield from _json_lines(text)
            else:
                yield from ((row, line) for row, line in enumerate(text, start=1) if line.strip())


def _suffix(path: Path) -> str:
    if not path.exists():
        raise InputError(f"There is no file {path}. {_ACCEPTED}")
    if path.is_dir():
        raise InputError(f"{path} is a folder. {_ACCEPTED}")
    suffix = path.suffix.lower()
    if suffix not in QUESTION_SUFFIXES:
        raise InputError(f"{path} is in a format that can't be read. {_ACCEPTED}")
    return suffix


@contextmanager
def _standard_input() -> Iterator[IO[bytes]]:
    with tempfile.SpooledTemporaryFile(max_size=64 * _PIECE) as copy:
        if sys.stdin:  # which may be closed
            shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.seek(0)
        yield copy


@contextmanager
def _decoded(stream: IO[bytes], name: str) -> Iterator[TextIO]:
    """The text of a stream, which is looked through beforehand: no row may turn out unreadable after hours of work."""
    encoding = _encoding(stream, name)
    stream.seek(0)
    with TextIOWrapper(stream, encoding=encoding, newline="") as text:
        try:
            damaged = any("\0" in line for line in text)
        except UnicodeDecodeError:
            damaged = True
        if damaged:
            raise _not_text(name)
        text.seek(0)
        yield text


def _encoding(stream: IO[bytes], name: str) -> str:
    """UTF-8 unless the first lines, or the first that aren't UTF-8, speak for another."""
    seen_utf8 = False
    while piece := b"".join(stream.readlines(_PIECE)):
        encoding = encoding_of(piece)
        if encoding == "utf-8":
            seen_utf8 = seen_utf8 or not piece.isascii()
            continue
        if encoding and encoding.startswith("utf"):
            return encoding
        if seen_utf8 or _mostly_utf8(piece):
            raise InputError(f"{name} is in UTF-8 except for some bytes. Save it in UTF-8 throughout.")
        if encoding is None:
            raise _not_text(name)
        return encoding
    return "utf-8"


def _mostly_utf8(piece: bytes) -> bool:
    """Whether more than half of the bytes beyond ASCII make up UTF-8; in other encodings hardly any happen to."""
    strange = len(piece) - len(piece.decode("utf-8", "ignore").encode())
    return 2 * strange < len(piece) - len(piece.decode("ascii", "ignore"))


def _not_text(name: str) -> InputError:
    return InputError(f"{name} is not text, or damaged. Save it as text in UTF-8.")


def _begins_with_an_object(text: TextIO) -> bool:
    first = next((line for line in text if line.strip()), "")
    text.seek(0)
    return first.lstrip().startswith("{")


def _json_lines(lines: Iterable[str]) -> Iterator[tuple[int, _Found]]:
    for row, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield row, _object_or_text(_parsed(line))
        except ValueError as error:
            where = f"{error.msg} at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else error
            yield row, _Broken(f"This line is not JSON: {where}.")


def _json_items(text: str, name: str) -> Iterator[tuple[int, _Found]]:
    try:
        items = _parsed(text) if text.strip() else []
    except ValueError as error:
        raise InputError(f"{name} is not JSON: {error}. Correct it there.") from error
    if not isinstance(items, list):
        raise InputError(f"{name} must hold a list of objects, or of questions. Put [ and ] around them.")
    yield from ((row, _object_or_text(item)) for row, item in enumerate(items, start=1))


def _object_or_text(value: object) -> _Found:
    if isinstance(value, dict | str):
        return value
    return _Broken(f"Here stands {reprlib.repr(value)}, not an object with a question, nor a question itself.")


def _parsed(text: str) -> object:
    """What JSON says, with None for what JSON can't say: NaN and infinity. Raises ValueError."""
    try:
        value: object = json.loads(text, parse_constant=lambda _: None, parse_float=_finite)
        if "\\ud" in text.lower():  # half of a surrogate pair is no character, and could not be written anywhere
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return value


def _finite(value: float | str) -> float | None:
    return float(value) if math.isfinite(float(value)) else None


def _delimited_rows(text: TextIO, delimiters: str) -> Iterator[_Cells]:
    """The records of a .csv or .tsv file, with the delimiter that makes the most sense of its header."""
    csv.field_size_limit(max(MAX_CELL, csv.field_size_limit()))
    headers = {delimiter: _header(_records(text, delimiter)) for delimiter in delimiters}
    # Of those that do equally well, the first.
    best = max(delimiters, key=lambda delimiter: ("question" in headers[delimiter], len(headers[delimiter])))
    return _records(text, best)


def _records(text: TextIO, delimiter: str) -> Iterator[_Cells]:
    text.seek(0)
    records = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        try:
            yield next(records)
        except StopIteration:
            return
        except csv.Error as error:
            yield _Broken(f"This row can't be read: {error}. Check the quotation marks in it.")


def _excel_rows(stream: IO[bytes], name: str) -> Iterator[_Cells]:
    """The rows of the first sheet; a formula counts as the value it had when the file was saved."""
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings(action="ignore"):  # about colours and the like that openpyxl doesn't know
            book = load_workbook(stream, read_only=True, data_only=True)
        with closing(book):
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # the size that a file states may be wrong
            rows = sheet.iter_rows(values_only=True)
            while True:
                with warnings.catch_warnings(action="ignore"):
                    row = next(rows, None)
                if row is None:
                    return
                yield [_plain(value) for value in row]
    except Exception as error:  # openpyxl raises whatever a damaged file makes it stumble over
        raise InputError(f"{name} is no Excel file, or damaged. Save it as .xlsx again, or as .csv.") from error


def _plain(value: object) -> object:
    """What JSON can hold in place of a cell's value: noon is "12:00:00", half an hour "PT1800S"."""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"PT{value.total_seconds():.15g}S"
    if isinstance(value, float):
        return _finite(value)
    return value if value is None or isinstance(value, str | int) else str(value)


def _table(rows: Iterator[_Cells], name: str) -> Iterator[tuple[int, _Found]]:
    header = _header(rows)
    _check_header(header, name)
    for row, cells in enumerate(rows, start=1):
        if isinstance(cells, _Broken):
            yield row, cells
            continue
        if all(_is_blank(cell) for cell in cells):
            continue
        padded = [*cells, *[None] * (len(header) - len(cells))]
        columns = dict(zip(header, padded, strict=False))
        if "documents" in columns:
            columns["documents"] = _names(columns["documents"])
        width = max(at for at, cell in enumerate(cells, start=1) if not _is_blank(cell))
        if width > len(header):
            problem = (
                f"This row has {width} cells, the header {len(header)}. Put quotation marks around cells with commas."
            )
            yield row, _Broken(problem, columns)
        else:
            yield row, columns


def _header(rows: Iterator[_Cells]) -> list[str]:
    """The names in the first row that isn't blank; a column without one is called after its place, "column 3"."""
    cells = next((cells for cells in rows if isinstance(cells, _Broken) or not all(map(_is_blank, cells))), [])
    if isinstance(cells, _Broken):
        return []
    names = [_known("" if cell is None else str(cell).strip()) for cell in cells]
    while names and not names[-1]:
        names.pop()
    return [name or f"column {at}" for at, name in enumerate(names, start=1)]


def _check_header(header: Sequence[str], name: str) -> None:
    if not header:
        raise InputError(f"{name} is empty, or its first row can't be read. {_ACCEPTED}")
    if "question" not in header:
        found = ", ".join(header[:20]) + (" …" if len(header) > 20 else "")
        raise InputError(
            f"{name} has no column called question, only: {found}. Rename one of them to question. "
            "Columns called id and documents are understood, all others are carried along."
        )
    twice = next((column for at, column in enumerate(header) if column in header[:at]), None)
    if twice:
        raise InputError(f"{name} has two columns called {twice}. Rename or remove one of them.")


def _is_blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _names(cell: object) -> object:
    """ "a.txt; b.txt" → ["a.txt", "b.txt"]; what isn't text stays as it is."""
    if not isinstance(cell, str):
        return cell
    return [name.strip() for name in cell.replace(";", "\n").splitlines() if name.strip()]


def _known(name: str) -> str:
    """ " Question " → "question"; other names stay as they are."""
    plain = name.strip().lower()
    return plain if plain in _COLUMNS else name


def _question(row: int, found: _Found, rows_by_id: dict[str, int]) -> Question | BadRow:
    given = found.columns if isinstance(found, _Broken) else {"question": found} if isinstance(found, str) else found
    columns = {_known(name): value for name, value in given.items()}
    text, documents = columns.get("question"), columns.get("documents")
    question = Question(
        row=row,
        id=_id(columns.get("id")) or f"q{row}",
        text=text.strip() if isinstance(text, str) else "",
        documents=tuple(documents) if _is_list_of_text(documents) else (),
        carried={name: value for name, value in columns.items() if name not in _COLUMNS},
    )
    earlier = rows_by_id.setdefault(question.id, row)
    problem = found.problem if isinstance(found, _Broken) else _problem(columns)
    if problem is None and earlier != row:
        problem = f"The id {question.id!r} was used by row {earlier} already. Give every question an id of its own."
    return question if problem is None else BadRow(question, problem)


def _id(value: object) -> str | None:
    """ "7" for 7 and 7.0; None for what can't be an id, and empty for none."""
    if _is_blank(value):
        return ""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value).strip() if isinstance(value, str | int) else None


def _problem(columns: Mapping[str, object]) -> str | None:
    text, documents = columns.get("question"), columns.get("documents")
    if "question" not in columns:
        return f"There is no question here, only: {', '.join(columns) or 'nothing'}. Call it question."
    if _is_blank(text):
        return "The question is empty. Write one, or remove the row."
    if not isinstance(text, str):
        return f"The question must be text, not {reprlib.repr(text)}."
    if _id(columns.get("id")) is None:
        return f"The id must be text or a number, not {reprlib.repr(columns['id'])}."
    if documents is not None and not _is_list_of_text(documents):
        return f"The documents must be a list of names, not {reprlib.repr(documents)}."
    return None


def _is_list_of_text(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
