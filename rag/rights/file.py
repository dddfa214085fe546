"""The file of rights → its content, or what is wrong with it and where.

[collections]
news = ["news", "https://example.org/news"]
board = ["minutes/**/*.pdf", "!minutes/drafts"]

[readers]
everyone = ["news"]
anna = ["board"]
chief = ["*"]
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from rag.errors import SettingsError
from rag.rights.patterns import EXCEPT, Collection, collection_of

ALL = "*"
"""In place of a collection: every article, also those of no collection."""
EVERYONE = "everyone"
"""In place of a reader: all of them, and whoever comes in where there is no login."""

_HEADER = re.compile(r"\s*\[\s*\"?([^\]\"]+?)\"?\s*\]")
_KEY = re.compile(r"\s*(?:\"([^\"]*)\"|'([^']*)'|([A-Za-z0-9_-]+))\s*=")
_ACCEPTED = 'Accepted are [collections], such as news = ["news/**"], and [readers], such as anna = ["news"].'


def _as_list(given: object) -> object:
    """A single text as a list of it."""
    return [given] if isinstance(given, str) else given


Texts = Annotated[list[str], BeforeValidator(_as_list), Field(strict=True)]


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    collections: dict[str, Texts] = {}
    readers: dict[str, Texts] = {}


@dataclass(frozen=True, slots=True)
class Content:
    """Of a file of rights."""

    collections: Mapping[str, Collection]
    readers: Mapping[str, Sequence[str]]
    """Names of collections, or `ALL`."""


def read_rights(file: Path) -> Content:
    """Raises SettingsError, which names the line, for a file that isn't there, can't be read or says what can't be."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"{file}, which says who may read what, can't be read: {error.strerror}. Until it can be, nobody reads "
            "anything. Write it, or leave the setting `rights` out to let everybody read everything."
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file} can't be read: it isn't UTF-8. Save it as UTF-8.") from error
    try:
        content = _Content.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} can't be read: {error}. {_ACCEPTED}") from error
    except ValidationError as error:
        raise SettingsError(" ".join(_explained(file, text, problem) for problem in error.errors()[:3])) from error
    _check(file, text, content)
    folder = file.absolute().parent
    collections = {name: collection_of(patterns, folder) for name, patterns in content.collections.items()}
    return Content(collections, content.readers)


def _check(file: Path, text: str, content: _Content) -> None:
    for name, patterns in content.collections.items():
        where = _where(file, text, ("collections", name))
        if name == ALL or not name.strip():
            raise SettingsError(f"{where}: {name!r} can't be the name of a collection. Choose another, such as news.")
        bare = [pattern.removeprefix(EXCEPT).strip() for pattern in patterns]
        if not all(bare) or all(pattern.startswith(EXCEPT) for pattern in patterns):
            raise SettingsError(
                f"{where}: the collection {name} names no articles. Accepted are folders, files, web addresses and "
                'patterns of them, such as ["news", "minutes/**/*.pdf", "!minutes/drafts"].'
            )
    known = [*content.collections, ALL]
    for reader, names in content.readers.items():
        if unknown := next((name for name in names if name not in known), None):
            raise SettingsError(
                f"{_where(file, text, ('readers', reader))}: {reader} is to read {unknown!r}, and there is no such "
                f"collection. Known: {', '.join(known)}."
            )


def _explained(file: Path, text: str, problem: Any) -> str:
    where, *names = problem["loc"]
    what = ".".join(str(name) for name in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{_where(file, text, problem['loc'])}: there is no {what!r} among rights. {_ACCEPTED}"
    if not names:
        return f"{_where(file, text, (where,))}: {where} isn't a table. {_ACCEPTED}"
    return (
        f"{_where(file, text, (where, names[0]))}: {where}.{names[0]} isn't a list of texts. "
        f'Write it as {names[0]} = ["…", "…"].'
    )


def _where(file: Path, text: str, path: Sequence[object]) -> str:
    """The file, and the line in which the table or the key stands, counted from 1; without the line where it hides."""
    section, wanted = "", tuple(map(str, path[:2]))
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            section = header[1]
            here: tuple[str, ...] = (section,)
        elif key := _KEY.match(line):
            name = next(part for part in key.groups() if part is not None)
            here = (section, name) if section else (name,)
        else:
            continue
        if here == wanted:
            return f"{file}, line {number}"
    return str(file)
