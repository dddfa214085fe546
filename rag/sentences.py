"""Text → sentences, as character offsets.

    >>> sentence_spans("He left. She stayed.")
    [(0, 8), (9, 20)]

A text is first cut into units that no sentence crosses, then sentencex finds the sentences of each unit. A unit is one
line, because articles have one paragraph, heading or list item a line; only where a block of lines is hard-wrapped, as
in plain-text mail, is the whole block one unit.
"""

import re
from collections.abc import Iterator
from itertools import accumulate, pairwise

from sentencex import get_sentence_boundaries

MAX_CHARACTERS = 2000
"""A longer sentence is split at whitespace, so that every sentence fits somewhere."""

WRAP_WIDTHS = (40, 100)
"""The longest line of a hard-wrapped block has this many characters at least and at most."""

WRAP_SLACK = 0.85
"""A wrapped line would pass this share of the block's width if it took the next line's first word as well.

1 would hold for a text wrapped as tightly as can be; wrapping by hand, or to even out the lines, leaves more room.
"""

_OPENING = " \t\"'“‘(["
_WINDOW = 2 * MAX_CHARACTERS
_MARKER = re.compile(r"\s*(?:#{1,6}|[-*+•]|\d{1,3}[.)])(?:\s+|$)")
_HEADING = re.compile(r"\s*#{1,6}\s")
_CITATION = r"\[\d+(?:\s*[,;–-]\s*\d+)*\]"
_CITATIONS = rf"{_CITATION}(?:[\s,;–-]*{_CITATION})*"
_BELONGS_BEFORE = re.compile(rf"[)\]}}”]*(?:\s*{_CITATIONS})?\s*")
_CITED_END = re.compile(rf"[.!?…。！？][)\]}}”\"’']*\s*{_CITATIONS}\s*(?=\S)")
_WORD = re.compile(r"\w")
_SPACES = re.compile(r"\s*")
_UNREADABLE = re.compile(r"[^\S ]|[\ud800-\udfff]")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of every sentence, in order: `text[start:end]` neither begins nor ends with whitespace.

    Spans don't overlap, none is empty or longer than MAX_CHARACTERS, and only whitespace lies between them.
    A citation mark after the full stop belongs to the sentence before it: "It rose. [1] It fell." → "It rose. [1]".
    """
    return [
        span
        for unit in _units(text)
        for start, end in _sentences(text, *unit)
        for span in split_at_spaces(text, start, end, MAX_CHARACTERS)
    ]


def split_at_spaces(text: str, start: int, end: int, size: int) -> list[tuple[int, int]]:
    """Cut `text[start:end]` into spans of at most `size` >= 1 characters, none beginning or ending with whitespace.

    A cut falls on the last whitespace that leaves a span short enough, or inside a word that is itself too long.
    """
    spans = []
    start = _skip_spaces(text, start, end)
    while start < end:
        window = text[start : min(start + size + 1, end)]
        whole = len(window) <= size or window[-1].isspace()
        head = window.rstrip() if whole else window.rsplit(maxsplit=1)[0]
        cut = start + min(len(head), size)
        spans.append((start, cut))
        start = _skip_spaces(text, cut, end)
    return spans


def _skip_spaces(text: str, start: int, end: int) -> int:
    spaces = _SPACES.match(text, start, end)
    return spaces.end() if spaces else start


def _units(text: str) -> Iterator[tuple[int, int]]:
    """Spans that no sentence crosses. What lies between them is whitespace."""
    block: list[tuple[int, str]] = []
    at = 0
    for line in text.splitlines(keepends=True):
        blank = not line.strip()
        if blank or _MARKER.match(line):
            yield from _block_units(block)
            block = []
        if not blank:
            block.append((at, line))
        if _HEADING.match(line):
            yield from _block_units(block)
            block = []
        at += len(line)
    yield from _block_units(block)


def _block_units(block: list[tuple[int, str]]) -> Iterator[tuple[int, int]]:
    """One unit for a hard-wrapped block, else one for each of its (offset, line) pairs."""
    if _is_wrapped([line.rstrip() for _, line in block]):
        last, line = block[-1]
        yield block[0][0], last + len(line)
        return
    for at, line in block:
        yield at, at + len(line)


def _is_wrapped(lines: list[str]) -> bool:
    """Whether every line is about as full as it could be, and some line goes on in lower case. Tables never are."""
    shortest, longest = WRAP_WIDTHS
    width = max(map(len, lines), default=0)
    if len(lines) < 2 or not shortest <= width <= longest or any("|" in line for line in lines):
        return False
    if not any(line.lstrip(_OPENING)[:1].islower() for line in lines[1:]):
        return False
    return all(len(line) + 1 + len(after.split()[0]) > WRAP_SLACK * width for line, after in pairwise(lines))


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Spans of a unit's sentences, perhaps with whitespace around them, that together cover the unit."""
    marker = _MARKER.match(text, start, end)
    # sentencex would take the "1." of a list item for a sentence, so it sees the item without its marker.
    starts = _starts(text, marker.end() if marker else start, end)[1:]
    begins = accumulate((_after_what_belongs_before(text, begin, end) for begin in starts), max)
    kept = [begin for begin, after in pairwise([*begins, end]) if _WORD.search(text, begin, after)]
    yield from pairwise([start, *kept, end])


def _after_what_belongs_before(text: str, start: int, end: int) -> int:
    """`start`, or the offset after the closing bracket or citation mark there that ends the sentence before."""
    belongs = _BELONGS_BEFORE.match(text, start, end)
    return belongs.end() if belongs else start


def _starts(text: str, start: int, end: int) -> list[int]:
    """Offsets of `text[start:end]` where a sentence begins; the first is `start`.

    sentencex is shown a window at a time, because on one long line its time can grow with the square of the length.
    """
    starts = [start]
    while True:
        # sentencex fails on a lone surrogate, and in "A\u00a0." on the whitespace of more than one byte.
        window = _UNREADABLE.sub(" ", text[start : min(start + _WINDOW, end)])
        inside = {boundary["start_index"] for boundary in get_sentence_boundaries("en", window)[1:]}
        # sentencex sees no end in “Stop.”[1] and (Stop.) [1]: it never splits after a closed quotation and a mark.
        inside |= {cited.end() for cited in _CITED_END.finditer(window) if not window[cited.end()].islower()}
        starts += [start + begin for begin in sorted(inside)]
        if start + _WINDOW >= end:
            return starts
        # The window may have cut its last sentence short, so the next window begins with that sentence.
        start = starts[-1] if inside else start + _WINDOW
