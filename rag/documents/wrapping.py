"""Lines as they stand on a printed page → paragraphs, so that a sentence doesn't end where its line does."""

import re
from collections.abc import Iterable, Sequence
from math import ceil

FULL = 0.8
"""A line with this share of the page's usual width may go on in the next."""

NARROWEST = 30
"""Characters of the usual width of a column; where there are fewer, the lines are no paragraph's."""

_HYPHENATED = re.compile(r"\w+(?:-\w+)+")
_LAST_WORD = re.compile(r"[^\W\d_]+[-\u00ad\u2010]$")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_ITEM = re.compile(r"(?:[-*+•▪◦‣–]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s")
_WIDE = 0.9


def unwrapped(pages: Sequence[str]) -> list[str]:
    """Each page with the lines of a paragraph on one line.

    A line is joined to the next where that begins in lower case, or where it is full and doesn't end a sentence. A word
    parted at the end of its line loses the hyphen, unless it has it elsewhere in the text, too.

        "The ferry left the har-\\nbour at nine." → "The ferry left the harbour at nine."
    """
    compounds = {word.lower() for page in pages for word in _HYPHENATED.findall(page)}
    return [_unwrapped(page, compounds) for page in pages]


def _unwrapped(page: str, compounds: set[str]) -> str:
    lines = [" ".join(line.split()) for line in page.split("\n")]
    width = _usual_width(lines)
    pieces = []
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if not _goes_on(line, after, width):
            pieces += [line, "\n"]
        elif whole := _parted(line, after, compounds):
            pieces += [whole]
        else:
            pieces += [line, " "]
    return "".join(pieces).strip()


def _goes_on(line: str, after: str, width: int) -> bool:
    if not line or not after or _ITEM.match(after):
        return False
    if after[0].islower() or (after[0].isalpha() and _LAST_WORD.search(line)):
        return True
    return len(line) >= FULL * max(width, NARROWEST) and line[-1] not in ".!?:…"


def _parted(line: str, after: str, compounds: set[str]) -> str | None:
    """The line up to the end of its last word, if that goes on in the next line; the hyphen stays in "long-term"."""
    last, first = _LAST_WORD.search(line), _FIRST_WORD.match(after)
    if not last or not first:
        return None
    if after[0].isupper():
        return line
    compound = f"{last[0][:-1]}-{first[0]}".lower()
    return line[:-1] + "-" if compound in compounds else line[:-1]


def _usual_width(lines: Iterable[str]) -> int:
    """Few lines are longer."""
    lengths = sorted(len(line) for line in lines if line)
    return lengths[ceil(_WIDE * (len(lengths) - 1))] if lengths else 0
