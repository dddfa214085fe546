"""Numbers, amounts of money, measures and dates in a text, in forms that don't depend on how they were written.

    "US$20 million", "$20m", "20 million dollars"             -> Quantity(20000000, "$")
    "May 5, 2023", "5 May 2023", "the 5th of May 2023"        -> Date(2023, 5, 5)
    "1,000", "1000", "one thousand"                           -> Quantity(1000, "")
    "20 %", "20 percent", "20 per cent"                       -> Quantity(20, "%")
    "7,000,000 square kilometers", "7 million km2"            -> Quantity(7000000, "km2")
    "the 19th century", "the nineteenth century"              -> Quantity(19, "th")
    "the 1990s"                                               -> Quantity(1990, "s")

Units are told apart but not converted. Words that are seldom meant as numbers ("one", "first", "second") are none,
unless more of a number follows.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, perhaps of something that can be counted or measured."""

    value: Decimal
    unit: str
    """A key of `_UNITS`, "th" of ordinals, "s" of decades; empty for none that is known."""


@dataclass(frozen=True, slots=True)
class Date:
    """A day, or a month; a year alone is a `Quantity`."""

    year: int | None
    month: int | None
    day: int | None


Figure: TypeAlias = Quantity | Date

_UNITS = {
    "$": r"(?:us|u\.s\.|american) ?dollars?|dollars?|usd",
    "€": r"euros?|eur",
    "£": r"pounds sterling|gbp|quid|pounds?",
    "¥": r"yen|yuan|renminbi|jpy|rmb|cny",
    "₹": r"rupees?|inr",
    "%": r"%|per ?cent|percentage points?",
    "km2": r"square kilomet(?:er|re)s?|sq\.? ?km|km2|km²|km\^2",
    "mi2": r"square miles?|sq\.? ?mi(?:les?)?|mi2|mi²",
    "m2": r"square met(?:er|re)s?|sq\.? ?m|m2|m²",
    "ft2": r"square (?:feet|foot)|sq\.? ?ft",
    "km/h": r"kilomet(?:er|re)s (?:per|an) hour|km/h|kph|kmh",
    "mph": r"miles (?:per|an) hour|mph",
    "km": r"kilomet(?:er|re)s?|kms?",
    "cm": r"centimet(?:er|re)s?|cm",
    "mm": r"millimet(?:er|re)s?|mm",
    "m": r"met(?:er|re)s?|m",
    "mi": r"miles?|mi",
    "ft": r"feet|foot|ft",
    "in": r"inch(?:es)?",
    "ha": r"hectares?|ha",
    "acre": r"acres?",
    "kg": r"kilogram(?:me)?s?|kilos?|kg",
    "t": r"(?:metric )?tonn?es?|tons?",
    "lb": r"lbs?",
    "l": r"lit(?:er|re)s?",
    "°c": r"°c|degrees celsius|celsius",
    "°f": r"°f|degrees fahrenheit|fahrenheit",
    "second": r"seconds?|secs?",
    "minute": r"minutes?|mins?",
    "hour": r"hours?|hrs?",
    "day": r"days?",
    "week": r"weeks?",
    "month": r"months?",
    "year": r"years?|yrs?",
}
"""Unit → how it is written after its number."""

_SAME_UNIT = {("£", "lb"), ("lb", "£")}
"""Pounds may be either."""

_SCALES = {
    "hundred": 10**2, "thousand": 10**3, "lakh": 10**5, "million": 10**6, "crore": 10**7, "billion": 10**9,
    "trillion": 10**12, "k": 10**3, "mn": 10**6, "mln": 10**6, "bn": 10**9, "tn": 10**12, "m": 10**6, "b": 10**9,
}  # fmt: skip
_LETTERS = ("k", "m", "b")
"""Scales that count as such only behind money: "20 m" is a length."""

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_NUMBER_WORDS = {word: value for value, word in enumerate(_ONES)} | {
    word: 10 * tens for tens, word in enumerate(_TENS, start=2)
}
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth"
).split()
_SELDOM_MEANT = ("one", "zero")

_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|(?-i:May|MAY)|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?(?:\s?[-–]\s?(?P<last>[0-3]?\d)(?:st|nd|rd|th)?)?"
_YEAR = r"(?P<year>[12]\d{3})"
_DATES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_YEAR}-(?P<number>[01]\d)-(?P<day>[0-3]\d)\b",
        rf"\b{_DAY}(?: of)? {_MONTH}(?:,? (?:of )?{_YEAR}\b)?",
        rf"\b{_MONTH} (?:the )?{_DAY}(?![\d:%]|[.,]\d)(?:,? {_YEAR}\b)?",
        rf"\b{_MONTH},? (?:of )?{_YEAR}\b",
    )
]
_MONTH_ALONE = re.compile(r"\b(January|February|April|June|July|August|September|October|November|December)\b")

_WORDS = "|".join([*_NUMBER_WORDS, *(scale for scale in _SCALES if len(scale) > 3)])
_UNIT = "|".join(f"(?:{written})" for written in _UNITS.values())
_QUANTITY = re.compile(
    rf"(?P<money>(?:us|au?|ca?|nz|hk)?\$|[€£¥₹]|\b(?:usd|eur|gbp) )?\s?"
    rf"(?:(?<![\w.])(?P<digits>\d+(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    rf"|\b(?P<words>(?:{_WORDS})(?:(?:[ -]|(?<=hundred) and |(?<=thousand) and )(?:{_WORDS}))*)\b)"
    rf"(?:(?P<ending>st|nd|rd|th|['’]?s)\b|[ -]?(?P<scale>{'|'.join(_SCALES)})\b)?"
    rf"(?:[ -]?(?P<unit>{_UNIT})(?!\w))?",
    re.IGNORECASE,
)
_ORDINAL = re.compile(rf"\b({'|'.join(_ORDINALS[2:])})\b", re.IGNORECASE)
_SHORT_RANGE = re.compile(r"\b([12]\d)(\d\d)([-–/])(\d\d)\b(?![-–/\d])")
_SYMBOLS = {"usd ": "$", "eur ": "€", "gbp ": "£"}


def figures(text: str) -> frozenset[Figure]:
    """All of a text."""
    return frozenset(_found(text))


def held(figure: Figure, among: Collection[Figure]) -> bool:
    """Whether a text with the figures `among` says this one, perhaps more precisely: "May 2023" stands in "5 May 2023".

    A number without a unit stands for one with any, and the other way round.
    """
    if isinstance(figure, Date):
        wanted = (figure.year, figure.month, figure.day)
        return any(
            all(part is None or part == own for part, own in zip(wanted, (one.year, one.month, one.day), strict=True))
            for one in among
            if isinstance(one, Date)
        )
    return any(
        figure.value == one.year and not figure.unit if isinstance(one, Date) else _same(figure, one) for one in among
    )


def without_figures(text: str) -> str:
    """The text with a space in place of each figure."""
    for pattern in (*_DATES, _MONTH_ALONE):
        text = pattern.sub(" ", text)
    return _ORDINAL.sub(" ", _QUANTITY.sub(lambda found: " " if _quantity(found) else found[0], text))


def _same(a: Quantity, b: Quantity) -> bool:
    return a.value == b.value and (a.unit == b.unit or not a.unit or not b.unit or (a.unit, b.unit) in _SAME_UNIT)


def _found(text: str) -> Iterator[Figure]:
    text = _SHORT_RANGE.sub(_in_full, text)
    for pattern in _DATES:
        for match in pattern.finditer(text):
            yield from _dates(match.groupdict())
        text = pattern.sub(" ; ", text)
    for name in _MONTH_ALONE.findall(text):
        yield Date(None, _month(name), None)
    for match in _QUANTITY.finditer(text):
        if quantity := _quantity(match):
            yield quantity
    for ordinal in _ORDINAL.findall(text):
        yield Quantity(Decimal(_ORDINALS.index(ordinal.lower()) + 1), "th")


def _in_full(years: re.Match[str]) -> str:
    """1857-59 -> 1857-1859, but 2023-05 stays: that is a month."""
    century, first, dash, last = years.groups()
    return f"{century}{first}{dash}{century}{last}" if first < last else years[0]


def _dates(parts: dict[str, str | None]) -> Iterator[Date]:
    month = int(parts["number"] or 0) if "number" in parts else _month(parts["month"] or "")
    year = int(parts["year"] or 0) or None
    days = [int(parts[name] or 0) for name in ("day", "last") if parts.get(name)]
    if not days:
        yield Date(year, month, None)
    yield from (Date(year, month, day) for day in days)


def _month(name: str) -> int:
    return next(at for at, month in enumerate(_MONTHS, start=1) if month.startswith(name.lower()[:3]))


def _quantity(match: re.Match[str]) -> Quantity | None:
    money, digits, words, ending, scale, unit = (
        (match[name] or "").lower() for name in ("money", "digits", "words", "ending", "scale", "unit")
    )
    if words in _SELDOM_MEANT and not scale and not money and not unit:
        return None
    value = Decimal(digits.replace(",", "")) if digits else Decimal(_spelled(words))
    if scale in _LETTERS and not money and not (scale == "k" and digits):
        scale, unit = "", unit or scale
    if scale:
        value *= _SCALES[scale]
    return Quantity(value.normalize(), _unit(money, ending, unit))


def _unit(money: str, ending: str, unit: str) -> str:
    if money:
        return _SYMBOLS.get(money, money[-1])
    if ending:
        return "s" if ending.endswith("s") and ending != "st" and len(ending.strip("'’")) == 1 else "th"
    return next((name for name, written in _UNITS.items() if unit and re.fullmatch(written, unit)), "")


def _spelled(words: str) -> int:
    """The value of number words: "two hundred and five thousand" -> 205000."""
    total = group = 0
    for word in re.findall(r"[a-z]+", words):
        scale = _SCALES.get(word)
        if scale is None:
            group += _NUMBER_WORDS.get(word, 0)
        elif scale == 100:
            group = max(group, 1) * scale
        else:
            total, group = total + max(group, 1) * scale, 0
    return total + group
