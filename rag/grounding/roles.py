"""Whether a claim says of one name what its source says of another.

    "Alex Zhu is the tech lead."  from  "Alex Zhu met Bo Li, and Bo Li is the tech lead."

Both names and all the words are there, so only their places can tell. What is looked at is how near: a name counts as
the one spoken of where nothing but a few words such as "is the" stand between it and what is said.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.grounding.words import is_stop_word, normal_form

_TOKEN = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*|[,;:.!?()]")
_REACH = 4
"""Words between a name and what is said of it: "Bo Li has since become the tech lead"."""
_JOINS = frozenset(", ; : . ! ? ( ) and or but with by from of for in on at to than who whose which that".split())
"""Behind these a sentence speaks of something else."""


@dataclass(frozen=True, slots=True)
class _Name:
    words: tuple[str, ...]
    start: int
    end: int


def said_of_another(claim: str, support: str) -> bool:
    """Whether the source says it of another name only. False wherever that can't be told: a claim of several names, a
    source that uses other words."""
    said, there = _TOKEN.findall(claim), _TOKEN.findall(support)
    names = _names(said)
    if len(names) != 1:
        return False
    about = names[0]
    told = [normal_form(word) for word in said[about.end :] if _says_something(word)]
    places = _places(told, there)
    if not places:
        return False
    others = [name for name in _names(there) if not set(name.words) & set(about.words)]
    own = [name for name in _names(there) if set(name.words) & set(about.words)]
    first, last = places[0], places[-1]
    near = any(_close(there, name.end, first) for name in others) or any(name.start == last + 1 for name in others)
    return bool(own) and near and not any(_close(there, name.end, first) or name.start == last + 1 for name in own)


def _close(tokens: Sequence[str], end: int, start: int) -> bool:
    """Whether what begins at `start` is said of what ends before `end`."""
    between = tokens[end:start]
    return end <= start and len(between) <= _REACH and not any(token.lower() in _JOINS for token in between)


def _places(told: Sequence[str], tokens: Sequence[str]) -> list[int]:
    """Where the words stand, one behind the other and close together; empty where they don't."""
    forms = [normal_form(token) if _says_something(token) else "" for token in tokens]
    for start, form in enumerate(forms):
        if not told or form != told[0]:
            continue
        places = [start]
        for word in told[1:]:
            nearby = range(places[-1] + 1, min(len(forms), places[-1] + 2 + _REACH))
            found = next((at for at in nearby if forms[at] == word), None)
            if found is None:
                break
            places.append(found)
        if len(places) == len(told):
            return places
    return []


def _names(tokens: Sequence[str]) -> list[_Name]:
    found: list[_Name] = []
    for at, token in enumerate(tokens):
        if not token[0].isupper() or not _says_something(token):
            continue
        if found and found[-1].end == at:
            found[-1] = _Name((*found[-1].words, normal_form(token)), found[-1].start, at + 1)
        else:
            found.append(_Name((normal_form(token),), at, at + 1))
    return found


def _says_something(token: str) -> bool:
    return token[0].isalnum() and not is_stop_word(token)
