"""Citation marks such as `[2]` in what a reader writes."""

import re
from dataclasses import dataclass

_SPACE = r"[^\S\n]*"
_MARK = re.compile(rf"\[{_SPACE}(\d{{1,4}}(?:{_SPACE}[,;–-]{_SPACE}\d{{1,4}})*){_SPACE}\]")
_BEGUN = re.compile(r"\[[\d\s,;–-]*\Z")
_CLOSING = ".,;:!?…)]}”’\"'"


@dataclass(frozen=True, slots=True)
class Mark:
    """A citation mark taken out of a text."""

    at: int
    """Where it stood, as an offset into the text without marks: the end of the word before it, or 0."""
    numbers: tuple[int, ...]
    """Those that stand in it, so of a range only its two ends."""


def split_marks(text: str) -> tuple[str, tuple[Mark, ...]]:
    """The text without its marks and without the space that they leave, and the marks.

    "Paid [1]. Gone [2, 3]." -> ("Paid. Gone.", (Mark(4, (1,)), Mark(10, (2, 3))))

    A mark that the end of the text cuts short, as in "Paid [1", is left out.
    """
    text = _BEGUN.sub("", text)
    plain, marks, after = "", [], 0
    for found in _MARK.finditer(text):
        plain = _joined(plain, text[after : found.start()])
        numbers = tuple(dict.fromkeys(int(number) for number in re.findall(r"\d+", found[1])))
        marks.append(Mark(len(plain.rstrip()), numbers))
        after = found.end()
    return _joined(plain, text[after:]).rstrip(), tuple(marks)


def _joined(before: str, after: str) -> str:
    """Close the gap that a mark left: "Paid " and "." -> "Paid.", "Paid " and " at once" -> "Paid at once"."""
    left, right = before.rstrip(), after.lstrip()
    if not left:
        return right
    gap = before[len(left) :] + after[: len(after) - len(right)]
    if not right:
        return left + gap
    if "\n" in gap:
        return left + "\n" * gap.count("\n") + right
    return left + right if after[0] in _CLOSING else f"{left} {right}"
