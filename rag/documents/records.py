"""Records, be they of JSON or rows of a table under a header → `Article`s."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeAlias

from rag.documents.article import Article, Fields, Found, HoldsQuestions, Note
from rag.documents.cleaning import AUTHOR_CHARACTERS, one_line, web_address
from rag.documents.dates import iso_date
from rag.documents.fields import FieldNames, plain
from rag.documents.limits import MAX_ARTICLES, Allowance
from rag.documents.markup import unmarked

Record: TypeAlias = Mapping[str, Any]

SHOWN = 10
"""Of what a message lists, so many are named."""

_NOWHERE = object()
_NAMES = ("name", "title", "value", "text")
_QUESTION = "question"
_ANSWERS = frozenset({"answer", "answers", "reply", "response"})
_ABOUT_QUESTIONS = frozenset(
    map(plain, ("id", "documents", "candidates", "answerable", "evidence", "wrong_answers", "must_not_contain"))
)


def read_records(
    records: Iterable[object], source: str, names: FieldNames, what: str = "records", prefix: str = ""
) -> Iterator[Found]:
    """The records with text as articles, their number, counted from 1, after `prefix` as part; then one `Fields`.

    There is a note of those without text; `what` is what it calls them.
    """
    allowed = Allowance(MAX_ARTICLES, what, source)
    without: list[int] = []
    named: set[str] = set()
    seen: tuple[str, ...] = ()
    number = 0
    for number, record in enumerate(records, 1):
        allowed.take()
        if isinstance(record, dict):
            named.update(given_names(record, names))
            seen = seen or shown_names(record)
        if isinstance(record, dict) and text_of(record, names):
            yield article_of(record, names, f"{prefix}{number}")
        else:
            without.append(number)
    if 0 < len(without) < number:
        shown = ", ".join(f"#{one}" for one in without[:SHOWN]) + ("…" if len(without) > SHOWN else "")
        yield Note(f"{source} has {len(without)} of {number} {what} without text: {shown}.")
    yield Fields(tuple(sorted(named)), seen)


def article_of(record: Record, names: FieldNames, part: str) -> Article:
    """A record with text as an article."""
    return Article(
        title=one_line(unmarked(_string(_found(record, names.title)))),
        text=text_of(record, names),
        published=iso_date(_found(record, names.published)),
        author=one_line(_string(_found(record, names.author)), AUTHOR_CHARACTERS),
        url=web_address(_string(_found(record, names.url))),
        part=part,
    )


def text_of(record: Record, names: FieldNames) -> str:
    """Empty where it has none."""
    value = _found(record, names.text)
    return unmarked("\n\n".join(map(_string, value)) if isinstance(value, list) else _string(value))


def given_names(record: Record, names: FieldNames) -> Iterator[str]:
    """Of the names that stand before the usual ones, those that the record has, be it without a value."""
    for part in fields(names):
        yield from (name for name in names.given(part.name) if _at(record, name) is not _NOWHERE)


def shown_names(record: Record) -> tuple[str, ...]:
    """The first names of its fields, each one line."""
    return tuple(one_line(str(name), 40) or "?" for name in list(record)[:SHOWN])


def are_questions(columns: Iterable[str]) -> bool:
    """Whether a table with these columns, none of which is an article's text, is one of questions to be asked.

    It has a column called question, and where it has answers, too, another one as only files of questions have it:
    a table of questions and answers alone is something to be read.

        "question" · "id", "question", "answers", "answerable" → True · "question", "answer" → False
    """
    has = {plain(column) for column in columns}
    return _QUESTION in has and (not has & _ANSWERS or bool(has & _ABOUT_QUESTIONS))


def questions(source: str) -> HoldsQuestions:
    """The error for a table of questions."""
    return HoldsQuestions(
        f"{source} holds questions, not articles. Ask them with `rag batch`; if it does hold articles, "
        "say which field is their text: --set fields=text=NAME."
    )


def _found(record: Record, names: Sequence[str]) -> Any:
    """The value of the first of the names that has one."""
    values = (_at(record, name) for name in names)
    return next((value for value in values if _string(value).strip()), None)


def _at(record: Record, name: str) -> Any:
    """What a field holds, or `_NOWHERE`; a name with dots may be that of a column as it is."""
    held = {plain(str(key)): value for key, value in record.items()}
    if plain(name) in held:
        return held[plain(name)]
    first, _, rest = name.partition(".")
    inner = held.get(plain(first))
    return _at(inner, rest) if rest and isinstance(inner, dict) else _NOWHERE


def _string(value: Any) -> str:
    """{"name": "Ada"} → "Ada"; ["Ada", "Bo"] → "Ada, Bo"; what is no text of any kind → ""."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(filter(None, map(_string, value)))
    if isinstance(value, dict):
        return next((_string(value[name]) for name in _NAMES if isinstance(value.get(name), str)), "")
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
