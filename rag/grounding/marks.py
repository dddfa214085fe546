"""Citation marks such as `[2]` in what a reader writes, and its talk of passages by number.

Nobody but the reader sees numbered passages, so "In passage [1], the fare …" becomes "The fare …", and of "The ferry is
free in [1]." not even the preposition stays.
"""

from dataclasses import dataclass, replace

import regex

_GAP = r"[^\S\n]*"
_BETWEEN = rf"{_GAP}(?:[,;–-]|,?{_GAP}(?:and|or|&)\b){_GAP}"
_NUMBERS = rf"\d{{1,4}}(?:{_BETWEEN}\d{{1,4}})*"
_MARK = rf"\[{_GAP}(?:passages?\ )?{_NUMBERS}{_GAP}\]"
_MARKS = rf"{_MARK}(?:(?:{_BETWEEN}|{_GAP}){_MARK})*"
_PASSAGE = r"(?:the\ article\ (?:from|in)\ )?(?:the\ |these\ |both\ |all\ )?passages?"
_ONE_NAMED = rf"(?:{_PASSAGE}\ (?:{_MARKS}|{_NUMBERS}\b(?![.,]?\d))|(?:the\ )?(?:article|source|text)s?\ {_MARKS})"
_NAMED = rf"{_ONE_NAMED}(?:,?\ (?:and|or)\ {_ONE_NAMED})*"
_WHICH = rf"(?:{_NAMED}|{_MARKS})"
_SAY = r"(?:all\ |both\ |each\ |also\ )?(?:confirm|explain|mention|note|report|say|state)s?\b"
_SAID = (
    r"(?:cited|covered|described|discussed|explained|found|given|indicated|listed|mentioned|noted|outlined|provided|quoted"
    r"|reported|said|seen|shown|stated)"
)
_SAID_IN = rf"{_SAID}\ (?:in|by)"
_IN = r"(?:as\ in|based\ on|by|from|in|via|within)"
_STANDING_IN = rf"{_IN}\ (?:both\ )?{_MARKS}(?:(?:,|,?\ (?:and|or))\ {_IN}\ {_MARKS})*"
_NEEDED = rf"\b(?:{_SAID}|are|be|been|is|was|were)\ "
"""What says nothing without where it is found."""
_OWN = (
    r"\b(?:born|br(?:ings?|ought)|c[ao]me|comes|coming|differ(?:s|ed|ent)?|g[ai]ven?|gives|goes|going|gone|grew|grown|lived?"
    r"|lives|living|logged|moved|out|passed|set|settled|signed|stands?|stood|takes?|taken|took|up|went)\ "
)
"""What has a preposition of its own: "The ship came in [1]." """
_BEGINNING = r"(?<=^[^\S\n]*(?:(?:[-*•]|\d{1,2}[.)])\ +)?|[.!?…:][\"”’)*]*\s+)"
_CLOSED = rf"(?=[.!?…;)]|{_GAP}(?:\n|\Z))"
_END = rf"\.?(?={_GAP}(?:\n|\Z))|\.(?=\s)"

_KINDS = {
    # In [1], the fare …; According to passages [1] and [2], the fare …; Passage [1] states that the fare …
    "introduction": rf"{_BEGINNING}(?:in|as\ {_SAID_IN}|according\ to|based\ on|from|per)\ {_WHICH},?\ +"
    rf"|{_BEGINNING}(?:{_WHICH}|{_PASSAGE})\ {_SAY}\ that\ (?:{_MARKS},?\ )?",
    # The fare, as stated in passage [1], …; The fare (see passage [1]) …
    "aside": rf"(?:,\ |(?<=\ ))(?-i:as\ {_SAID_IN}|according\ to|per)\ {_WHICH}(?:,(?=\ ))?|,\ see\ {_WHICH}"
    rf"|\((?:as\ {_SAID_IN}\ |according\ to\ |from\ |in\ |see\ )?{_WHICH}\)",
    # The ferry is free in [1]. The ferry in [1] is free. The ferry is free, from passage [2].
    # (A lookahead comes first, as `regex` takes what a long lookbehind doesn't match for the beginning of a match.)
    "place": rf"(?:(?P<comma>,\ )|(?<=[\w%)\]”’\"*]\ )(?={_IN})(?<!{_NEEDED}|{_OWN}))"
    rf"(?-i:{_STANDING_IN}|{_IN}\ {_NAMED}{_CLOSED})(?(comma)(?:,(?=\ ))?)",
    # Whole sentences. Source: passage [1]; This is stated in [1]. Passages [1] and [2] state this.
    "reference": rf"{_BEGINNING}(?:(?:(?:source|reference|passage)s?:\ ?{_WHICH}|{_NAMED})"
    rf"|(?:it|that|the\ answer|the\ information|this)\ (?:can\ be|is|was)\ (?:{_SAID_IN}|in|from)\ {_WHICH}"
    rf"|{_WHICH}\ {_SAY}\ (?:it|so|the\ same|these|this)\b[^.\n]{{0,30}})(?:{_END})",
    # [1] and [2] mention the fare.
    "subject": rf"{_BEGINNING}{_MARKS}(?=\ {_SAY}\ )",
    # The fare in passage [1] …; The fare is mentioned in [1]. The fare is in [1].
    "mention": rf"\b{_NAMED}|(?<={_NEEDED}(?:by|from|in|within)\ (?:both\ )?){_MARKS}",
    "mark": _MARKS,
}
_FIRST = (
    r"(?=[,(\[]|\b(?:according|all|articles?|as|based|both|by|from|in|it|passages?|per|references?|sources?|texts?|that|the|"
    r"these|this|via|within)\b)"
)
"""What talk begins with: most words of a text needn't be looked at further."""
_TALK = regex.compile(
    rf"{_FIRST}(?:{'|'.join(f'(?P<{kind}>{pattern})' for kind, pattern in _KINDS.items())})",
    regex.IGNORECASE | regex.MULTILINE,
)
_ONE_MARK = regex.compile(rf"{_MARK}|{_NUMBERS}", regex.IGNORECASE)
_CLOSING = ".,;:!?…)]}”’\"'"
_LONGEST = 200
"""Characters of talk that are waited for while the text grows."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A citation mark taken out of a text."""

    at: int
    """Where it stood, as an offset into the text without marks: the end of the word before it, or 0.

    Of one in the introduction to a sentence, as in "In [1], …", it is the end of the first letter that follows, or of
    the text where nothing does.
    """
    numbers: tuple[int, ...]
    """Those that stand in it, so of a range only its two ends."""


def split_marks(text: str) -> tuple[str, tuple[Mark, ...]]:
    """The text without its marks, the space that they leave and talk of passages by number; and the marks.

    "Paid [1]. Gone [2, 3]."             -> ("Paid. Gone.", (Mark(4, (1,)), Mark(10, (2, 3))))
    "According to passage [1], he paid." -> ("He paid.", (Mark(1, (1,)),))
    "Passages 1 and 2 describe it."      -> ("The passages describe it.", (Mark(12, (1, 2)),))

    A mark that the end of the text cuts short, as in "Paid [1", is left out.
    """
    text = _without_half_mark(text)
    plain, marks, after, introduced = "", [], 0, False
    for found in _TALK.finditer(text):
        between = text[after : found.start()]
        if found["subject"] or found["mention"]:
            between += _reworded(found[0], capital=bool(found["subject"]) or found[0][0].isupper())
        plain = _joined(plain, _capitalized(between) if introduced else between)
        introduced = bool(found["introduction"]) or (introduced and not between)
        at = len(_joined(plain, "X") if introduced else plain.rstrip())
        marks += [Mark(at, _numbers(one[0])) for one in _ONE_MARK.finditer(found[0])]
        after = found.end()
    plain = _joined(plain, _capitalized(text[after:]) if introduced else text[after:]).rstrip()
    return plain, tuple(replace(mark, at=min(mark.at, len(plain))) for mark in marks)


def decided(text: str) -> str:
    """The beginning of a growing text of whole words that `split_marks` takes the same way whatever follows.

    >>> decided("It is free. In"), decided("It is free. In March")
    ('It is free.', 'It is free. In March')
    """
    starts = (
        found.start() for found in regex.finditer(_FIRST, text, regex.IGNORECASE, pos=max(0, len(text) - _LONGEST))
    )
    undecided = next(
        (at for at in starts if _TALK.fullmatch(text, at) or _TALK.fullmatch(f"{text} ", at, partial=True)), None
    )
    return text if undecided is None else decided(text[:undecided].rstrip())


def _without_half_mark(text: str) -> str:
    at = text.rfind("[")
    half = regex.fullmatch(_MARK, text[at:], regex.IGNORECASE, partial=True) if at >= 0 else None
    return text[:at] if half and half.partial else text


def _reworded(talk: str, *, capital: bool) -> str:
    """The talk without its numbers: "Passages [1] and [2]" -> "The passages"."""
    several = len(_numbers(talk)) > 1 or regex.search(r"(?:passage|article|source|text)s\b", talk, regex.IGNORECASE)
    return ("The" if capital else "the") + (" passages" if several else " passage")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys(int(number) for number in regex.findall(r"\d+", text)))


def _capitalized(text: str) -> str:
    """The text with a capital in front, but for words such as "iPhone"."""
    first = regex.match(r"\s*\S+", text)
    return text if first is None or not first[0].islower() else first[0].capitalize() + text[first.end() :]


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
