"""Whether an answer says what an accepted short answer says."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import regex

_ARTICLES = frozenset(("a", "an", "the"))

_GROUPED = regex.compile(r"(?<![\d.])\d{1,3}(?:[,\u00a0\u2009\u202f]\d{3})+(?!\d)")
"""A number with thousands separators: commas, or spaces that don't break or are thin."""

_PARTING = regex.compile(r"[,…–—]|(?<=\d)-|-(?=\d)|\p{Sc}")
"""Commas, ellipses, dashes, hyphens beside a digit and currency signs part words even where no space does."""

_POSSESSIVE = regex.compile(r"(?<=\w)['’]s\b")

_DROPPED = regex.compile(r"(?!(?<=\d)\.\d)[\p{P}\p{S}]")
"""All other punctuation and symbols but the decimal point."""


@dataclass(frozen=True, slots=True)
class SquadMeasures:
    """Each is the best over the accepted answers."""

    exact_match: float
    """0 or 1."""
    f1: float
    """In [0, 1]: harmonic mean of precision and recall of the words, by which a long answer scores little."""


def squad_measures(answer: str, accepted: Sequence[str]) -> SquadMeasures:
    """Exact match and F1 after lower-casing and dropping ASCII punctuation and articles.

    Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine Comprehension of Text", EMNLP 2016; where nothing is left
    of an answer both are 1 if nothing is left of the other either, else 0, as in the script of SQuAD 2.0. Computed by
    torchmetrics in single precision: F1 is right to 7 digits. The first call takes seconds, to import that.

    Raises ValueError where `accepted` is empty.
    """
    from torchmetrics.functional.text import squad

    if not accepted:
        raise ValueError("There is no accepted answer to compare with.")
    found = squad(
        [{"prediction_text": answer, "id": "answer"}],
        [{"answers": {"text": list(accepted), "answer_start": [0] * len(accepted)}, "id": "answer"}],
    )
    return SquadMeasures(float(found["exact_match"]) / 100, float(found["f1"]) / 100)


def contained(answer: str, accepted: Sequence[str]) -> bool:
    """Whether one of the `accepted` answers occurs in the answer as whole words; False where there are none.

    Both are normalised as in SQuAD (see `squad_measures`), with these differences:

    - All of Unicode's punctuation and symbols are dropped, and the possessive 's: "Oslo’s" holds "Oslo". Commas,
      ellipses, dashes, hyphens beside a digit and currency signs part words: "Oslo—Bergen" holds "Oslo", "US$20 m"
      holds "20 m", "15-year" holds "15"; but "twenty-five" doesn't hold "five".
    - Decimal points stay: "3.5" doesn't hold "35". Thousands separators go, thin spaces too: "1,000" equals "1000".
    - An article at the end of an accepted answer stays, because it is none: "vitamin C" doesn't hold "Vitamin A".
    - An accepted answer with nothing but articles, punctuation and symbols has to occur as it is written, capitals
      included, with no letter or digit next to it: "I saw The The." holds "The The", "50% of the people" doesn't hold
      "%". An empty one never occurs.
    """
    words = " ".join(_words(answer))
    return any(_occurs(candidate.strip(), answer, words) for candidate in accepted)


def _occurs(candidate: str, answer: str, words: str) -> bool:
    if not candidate:
        return False
    wanted = _words(candidate)
    if _ARTICLES.issuperset(wanted):
        return re.search(rf"(?<!\w){re.escape(candidate)}(?!\w)", answer) is not None
    kept = [word for word in wanted[:-1] if word not in _ARTICLES] + wanted[-1:]
    between = rf" (?:(?:{'|'.join(sorted(_ARTICLES))}) )*"
    return re.search(rf"(?<!\S){between.join(map(re.escape, kept))}(?!\S)", words) is not None


def _words(text: str) -> list[str]:
    """Lower-case words without punctuation, articles among them: "The U.S. paid $1,000.50" -> the us paid 1000.50."""
    text = unicodedata.normalize("NFC", text).lower()
    text = _GROUPED.sub(lambda number: regex.sub(r"\D", "", number[0]), text)
    return _DROPPED.sub("", _PARTING.sub(" ", _POSSESSIVE.sub("", text))).split()
