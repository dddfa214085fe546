"""Citation marks such as `[2]` in what a reader writes, also while it is still being written."""

import re
from dataclasses import dataclass

_MARK = re.compile(r"\[\s*(\d{1,4}(?:\s*[,;]\s*\d{1,4})*)\s*\]")
_BEGUN = re.compile(r"\s*\[[\d\s,;]{0,40}$|\s+$")
"""What may become a mark, or the space before one, with the next piece."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A citation mark taken out of a text."""

    at: int
    """Where it stood, as an offset into the text without marks."""
    numbers: tuple[int, ...]


def split_marks(text: str) -> tuple[str, tuple[Mark, ...]]:
    """The text without its marks and the spaces before them, and the marks.

    "Paid [1]. Gone [2, 3]." -> ("Paid. Gone.", (Mark(4, (1,)), Mark(10, (2, 3))))
    """
    plain, marks, after = "", [], 0
    for found in _MARK.finditer(text):
        plain += text[after : found.start()].rstrip()
        marks.append(Mark(len(plain), tuple(dict.fromkeys(int(number) for number in re.findall(r"\d+", found[1])))))
        after = found.end()
    rest = text[after:]
    return plain + (rest if plain else rest.lstrip()), tuple(marks)


def without_begun_mark(text: str) -> str:
    """The part of a growing text that can't turn out to be a mark: "Paid [1" -> "Paid"."""
    begun = _BEGUN.search(text)
    return text[: begun.start()] if begun else text
