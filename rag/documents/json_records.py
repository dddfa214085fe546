"""JSON and JSON Lines → `Article`s."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from rag.documents.article import Article, Note
from rag.documents.cleaning import AUTHOR_CHARACTERS, one_line, web_address
from rag.documents.dates import iso_date
from rag.documents.decoding import decode
from rag.documents.fields import USUAL_FIELDS, FieldNames
from rag.documents.limits import MAX_ARTICLES, Allowance
from rag.documents.markup import unmarked
from rag.errors import DocumentError

Record: TypeAlias = Mapping[str, Any]

_SHOWN = 10
_NAMES = ("name", "title", "value", "text")


def read_json(data: bytes, source: str, names: FieldNames = USUAL_FIELDS) -> Iterator[Article | Note]:
    """The articles of a file that is one record, a list of records, a record that holds such a list, or one a line.

    A record alone is the file's only article; those of a list have their number, counted from 1, as part. There is a
    note of the records without text. Raises DocumentError when the file is no JSON, or no record has text.
    """
    text = decode(data, source)
    value = _parsed(text, source)
    if isinstance(value, dict) and _text(value, names):
        yield _article(value, names, "")
        return
    records = _records(value)
    allowed = Allowance(MAX_ARTICLES, "records", source)
    without = []
    for number, record in enumerate(records, 1):
        allowed.take()
        if isinstance(record, dict) and _text(record, names):
            yield _article(record, names, str(number))
        else:
            without.append(number)
    if len(without) == len(records):
        raise DocumentError(
            f"{source} holds no record with a text. Its text should be in a field called {', '.join(names.text[:3])} "
            f"or the like; {_seen(records)}"
        )
    if without:
        shown = ", ".join(f"#{number}" for number in without[:_SHOWN]) + ("…" if len(without) > _SHOWN else "")
        yield Note(f"{source} has {len(without)} of {len(records)} records without text: {shown}.")


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


def _seen(records: Sequence[object]) -> str:
    first = next((record for record in records if isinstance(record, dict)), None)
    seen = ", ".join(one_line(str(name), 40) or "?" for name in list(first)[:_SHOWN]) if first else ""
    return f"the first record has {seen}." if seen else "there are no records in it."


def _article(record: Record, names: FieldNames, part: str) -> Article:
    return Article(
        title=one_line(unmarked(_string(_found(record, names.title)))),
        text=_text(record, names),
        published=iso_date(_found(record, names.published)),
        author=one_line(_string(_found(record, names.author)), AUTHOR_CHARACTERS),
        url=web_address(_string(_found(record, names.url))),
        part=part,
    )


def _text(record: Record, names: FieldNames) -> str:
    value = _found(record, names.text)
    return unmarked("\n\n".join(map(_string, value)) if isinstance(value, list) else _string(value))


def _found(record: Record, names: Sequence[str]) -> Any:
    """The value of the first of the names that has one."""
    for name in names:
        value: Any = record
        for step in name.split("."):
            held = {_plain(key): one for key, one in value.items()} if isinstance(value, dict) else {}
            value = held.get(_plain(step))
        if _string(value).strip():
            return value
    return None


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _string(value: Any) -> str:
    """{"name": "Ada"} → "Ada"; ["Ada", "Bo"] → "Ada, Bo"; what is no text of any kind → ""."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(filter(None, map(_string, value)))
    if isinstance(value, dict):
        return next((_string(value[name]) for name in _NAMES if isinstance(value.get(name), str)), "")
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
