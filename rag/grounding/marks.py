"""Citation marks such as `[2]` in what a reader writes, also while it is still being written."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_MARK = re.compile(r"\[\s*(\d{1,4}(?:\s*[,;]\s*\d{1,4})*)\s*\]")
_BEGUN = re.compile(r"\s*\[[\d\s,;]*$|\s+$")
"""What may become a mark, or the space before one, with the next piece."""
_LONGEST = 40
"""Characters; a bracket open for longer is no mark."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A citation mark taken out of a text."""

    at: int
    """Where it stood, as an offset into the text without marks."""
    numbers: tuple[int, ...]


def whole_marks(pieces: Iterable[str], passages: int) -> Iterator[str]:
    """Pass a stream of text on so that marks come whole and each names one of `passages` passages.

    ["Paid [", "1, 9] so"] with 3 passages -> "Paid", " [1]", " so": half a mark waits, 9 names nothing and goes. Every
    incoming piece is answered by a piece, even if it is empty.
    """
    held = ""
    for piece in pieces:
        held = _valid_marks(held + piece, passages)
        begun = _BEGUN.search(held)
        cut = begun.start() if begun and len(held) - begun.start() <= _LONGEST else len(held)
        yield held[:cut]
        held = held[cut:]
    yield "" if "[" in held else held


def split_marks(text: str) -> tuple[str, tuple[Mark, ...]]:
    """The text without its marks and the spaces before them, and the marks.

    "Paid [1]. Gone [2, 3]." -> ("Paid. Gone.", (Mark(4, (1,)), Mark(10, (2, 3))))
    """
    plain, marks, after = "", [], 0
    for found in _MARK.finditer(text):
        plain += text[after : found.start()].rstrip()
        marks.append(Mark(len(plain), _numbers(found)))
        after = found.end()
    return plain + text[after:], tuple(marks)


def _valid_marks(text: str, passages: int) -> str:
    def valid(found: re.Match[str]) -> str:
        return "".join(f"[{number}]" for number in _numbers(found) if 1 <= number <= passages)

    return _MARK.sub(valid, text)


def _numbers(found: re.Match[str]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(int(number) for number in re.findall(r"\d+", found[1])))
