"""JSON and JSON Lines → `Article`s."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from rag.documents.article import Fields, Found
from rag.documents.decoding import decode
from rag.documents.fields import USUAL_FIELDS, FieldNames
from rag.documents.records import (
    are_questions,
    article_of,
    given_names,
    questions,
    read_records,
    shown_names,
    text_of,
)
from rag.errors import DocumentError


def read_json(data: bytes, source: str, names: FieldNames = USUAL_FIELDS) -> Iterator[Found]:
    """The articles of a file that is one record, a list of records, a record that holds such a list, or one a line.

    A record alone is the file's only article; those of a list have their number, counted from 1, as part. There is a
    note of the records without text. Raises DocumentError when the file is no JSON, or no record has text, and
    HoldsQuestions where they are questions.
    """
    text = decode(data, source)
    value = _parsed(text, source)
    if isinstance(value, dict) and text_of(value, names):
        yield article_of(value, names, "")
        yield Fields(tuple(given_names(value, names)), shown_names(value))
        return
    records = _records(value)
    if not any(isinstance(record, dict) and text_of(record, names) for record in records):
        raise _without_text(records, source, names)
    yield from read_records(records, source, names)


def _without_text(records: Sequence[object], source: str, names: FieldNames) -> DocumentError:
    first = next((record for record in records if isinstance(record, dict)), {})
    if are_questions(map(str, first)):
        return questions(source)
    seen = ", ".join(shown_names(first))
    return DocumentError(
        f"{source} holds no record with a text. Its text should be in a field called {', '.join(names.text[:3])} "
        f"or the like, or name it: --set fields=text=NAME; "
        + (f"the first record has {seen}." if seen else "there are no records in it.")
    )


def _parsed(text: str, source: str) -> Any:
    """One value, or a list of the values of all lines."""
    try:
        return _value(text, source)
    except json.JSONDecodeError as error:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        if len(lines) < 2 or not _is_value(lines[0][1], source):
            raise _broken(source, error.lineno, error) from error
    values = []
    for number, line in lines:
        try:
            values.append(_value(line, source))
        except json.JSONDecodeError as error:
            raise _broken(source, number, error) from error
    return values


def _value(text: str, source: str) -> Any:
    try:
        return json.loads(text.strip().lstrip("\ufeff"))
    except RecursionError as error:
        raise DocumentError(f"{source} is nested too deeply. Give each article as one flat record.") from error
    except json.JSONDecodeError:
        raise
    except ValueError as error:  # a number of more digits than Python converts
        raise DocumentError(f"{source} holds a number that can't be read: {error}.") from error


def _is_value(line: str, source: str) -> bool:
    try:
        return isinstance(_value(line, source), dict)
    except json.JSONDecodeError:
        return False


def _broken(source: str, line: int, error: json.JSONDecodeError) -> DocumentError:
    return DocumentError(f"{source} is no JSON, or cut off: line {line}, column {error.colno}: {error.msg}.")


def _records(value: object) -> Sequence[object]:
    """The list a file consists of, or the longest list of records that its one record holds."""
    if isinstance(value, list):
        return value
    held = list(value.values()) if isinstance(value, dict) else []
    lists = [found for found in held if isinstance(found, list) and any(isinstance(one, dict) for one in found)]
    return max(lists, key=len, default=[value])
