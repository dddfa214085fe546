"""A text's words in forms that don't depend on endings, the names among them, and what each weighs.

Names and figures weigh more than other words, because a sentence with another name or figure says something else.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rag.grounding.figures import Figure, figures, without_figures

FIGURE_WEIGHT, NAME_WEIGHT = 3.0, 2.0

_ORDINAL = re.compile(r"^\s*\d{1,2}[.)]\s+")
"""The number of a list's item, which says nothing about the articles."""
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)?")
_BETWEEN_NAMES = re.compile(r"[ .'’-]{1,2}")
_STOP_WORDS = frozenset(
    "a about additionally after also although an and are as at be because been before being but by can could did do "
    "does during for from had has have he her his how however i if in into is it its itself may more most not of on or "
    "other our she should since so some such than that the their them then there these they this those to was we were "
    "what when where which while who will with would yes you according article articles passage passages says "
    "said".split()
)
_NEGATOR = re.compile(r"not|never|no|none|nobody|nor|neither|without|cannot|\w+n['’]t", re.IGNORECASE)
_REACH = 3
"""Words after a negator that it may turn round: "did not yet openly disclose"."""
_CLAUSE_END = re.compile(r"[,;:.!?()\n]")


@dataclass(frozen=True, slots=True)
class Wording:
    """What a sentence says, in words: taken apart once and compared often."""

    weights: dict[str, float]
    """Content word → what it weighs. Figures aren't among them."""
    figures: frozenset[Figure]
    names: tuple[tuple[str, ...], ...]
    """Runs of capitalized words: "Tim Cook" is one name of two words. The first word of all counts where it is part of
    a longer run."""
    order: tuple[str, ...]
    """Content words and digits, as they follow one another."""

    @property
    def weight(self) -> float:
        return sum(self.weights.values()) + FIGURE_WEIGHT * len(self.figures)


@dataclass(frozen=True, slots=True)
class Polarity:
    """Content words by whether something negates them; a word may be among both."""

    plain: frozenset[str]
    negated: frozenset[str]


@lru_cache(maxsize=1024)
def wording(text: str) -> Wording:
    """Of one sentence of an answer, or of a question."""
    text = _ORDINAL.sub("", text)
    rest = without_figures(text)
    first = next(_WORD.finditer(text), None)
    opening = first[0] if first else ""
    weights: dict[str, float] = {}
    for at, (word, written) in enumerate(_content(rest)):
        if written[0].isupper() and (at > 0 or written != opening):
            weights[word] = NAME_WEIGHT
        else:
            weights.setdefault(word, 1.0)
    return Wording(
        weights=weights,
        figures=figures(text),
        names=tuple(_names(rest, opening)),
        order=tuple(content_words(text)),
    )


def words(text: str) -> list[str]:
    """All words of a text, stop words too, in their normal forms: "The Payments" -> ["the", "payment"]."""
    return [normal_form(word) for word in _WORD.findall(text)]


def content_words(text: str) -> list[str]:
    """Those that say something, in order."""
    return [word for word, _ in _content(text)]


def polarity(text: str) -> Polarity:
    """Which of a text's content words stand closely behind a "not" or the like, in the same clause.

    >>> found = polarity("It did not sell the boat, but the harbour.")
    >>> sorted(found.negated), sorted(found.plain)
    (['boat', 'sel'], ['harbour'])
    """
    plain: set[str] = set()
    behind: set[str] = set()
    for clause in _CLAUSE_END.split(text):
        reach = 0
        for token in _WORD.findall(clause):
            if not is_stop_word(token):
                (behind if reach > 0 else plain).add(normal_form(token))
            reach = _REACH if _NEGATOR.fullmatch(token) else reach - 1
    return Polarity(frozenset(plain), frozenset(behind))


def _content(text: str) -> list[tuple[str, str]]:
    """(normal form, as written) of each content word."""
    return [(normal_form(word), word) for word in _WORD.findall(text) if not is_stop_word(word)]


def is_stop_word(word: str) -> bool:
    """Whether it says nothing by itself."""
    return word.casefold() in _STOP_WORDS or normal_form(word) in _STOP_WORDS


def _names(text: str, opening: str) -> Iterator[tuple[str, ...]]:
    run: list[str] = []
    end = -1
    starts_all = False
    for match in _WORD.finditer(text):
        word = match[0]
        capitalized = word[0].isupper() and not is_stop_word(word)
        joined = bool(run) and _BETWEEN_NAMES.fullmatch(text[end : match.start()]) is not None
        if run and not (capitalized and joined):
            if len(run) > 1 or not starts_all:
                yield tuple(run)
            run = []
        if capitalized:
            starts_all = word == opening if not run else starts_all
            run.append(normal_form(word))
            end = match.end()
    if run and (len(run) > 1 or not starts_all):
        yield tuple(run)


def normal_form(word: str) -> str:
    """Lower case, without accents, possessive, thousands separators and plain endings: "Carried" -> "carri"."""
    if word[0].isdigit():
        return word.replace(",", "")
    word = re.sub(r"['’](?:s)?$", "", _without_accents(word.casefold()).replace("’", "'"))
    ending = next((one for one in ("ing", "ed", "es", "s") if word.endswith(one) and len(word) - len(one) >= 3), "")
    word = word.removesuffix(ending)
    while len(word) > 3 and (word[-1] == "e" or word[-1] == word[-2]):
        word = word[:-1]
    return f"{word[:-1]}i" if len(word) > 3 and word[-1] == "y" else word


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    return "".join(letter for letter in unicodedata.normalize("NFKD", word) if not unicodedata.combining(letter))
