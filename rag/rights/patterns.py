"""Where articles lie → whether they belong to a collection.

news                        the folder or file beside the file of rights, with all below it
news/**/*.md                `*` stands for any part of one name, `**` for any number of folders
/srv/archive.zip            a file that holds several articles: all of them
https://example.org/news    a page, with all addresses below it
!news/board                 not these, whatever else takes them in
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

EXCEPT = "!"

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_WILD = re.compile(r"\*\*/|\*\*|\*")
_MEANING = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*"}


@dataclass(frozen=True)
class Collection:
    """Articles by their sources."""

    wanted: tuple[str, ...]
    """Regular expressions, of which one matches the whole source."""
    excepted: tuple[str, ...] = ()
    """And none of these."""

    def holds(self, source: str) -> bool:
        """Whether the article with this `Document.source` belongs to it."""
        source = unicodedata.normalize("NFC", source)
        return bool(self._wanted.fullmatch(source)) and not self._excepted.fullmatch(source)

    @cached_property
    def _wanted(self) -> re.Pattern[str]:
        return _any_of(self.wanted)

    @cached_property
    def _excepted(self) -> re.Pattern[str]:
        return _any_of(self.excepted)


def collection_of(patterns: Iterable[str], folder: Path) -> Collection:
    """The collection that the patterns describe; paths in them are meant from `folder` on."""
    given = list(patterns)
    wanted = tuple(_expression(pattern, folder) for pattern in given if not pattern.startswith(EXCEPT))
    excepted = tuple(_expression(pattern[1:], folder) for pattern in given if pattern.startswith(EXCEPT))
    return Collection(wanted, excepted)


def _expression(pattern: str, folder: Path) -> str:
    pattern = pattern.strip()
    is_address = _ADDRESS.match(pattern) is not None
    whole = _lower_host(pattern) if is_address else _absolute(pattern, folder)
    whole = unicodedata.normalize("NFC", whole).rstrip("/")
    literals = map(re.escape, _WILD.split(whole))
    wilds = [*(_MEANING[wild] for wild in _WILD.findall(whole)), ""]
    expression = "".join(literal + wild for literal, wild in zip(literals, wilds, strict=True))
    return f"{expression}(?:[/#{'?' if is_address else ''}].*)?"


def _absolute(pattern: str, folder: Path) -> str:
    """With its links followed, as the sources of articles are, up to the first name that is a pattern."""
    parts = Path(folder, pattern).parts
    literal = next((at for at, part in enumerate(parts) if "*" in part), len(parts))
    return Path(Path(*parts[:literal]).resolve(), *parts[literal:]).as_posix()


def _lower_host(address: str) -> str:
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}"


def _any_of(expressions: Iterable[str]) -> re.Pattern[str]:
    """Matches nothing where there is none."""
    return re.compile("|".join(f"(?:{one})" for one in expressions) or r"(?!)", re.DOTALL)
