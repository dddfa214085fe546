"""Question → which days of publication it speaks of, and what that makes of the order of what was found.

"In May" may mean when something happened as well as when it was reported, so that days only put articles of about equal
relevance in order. Only words such as "articles from May 2023" leave out what is known to be of other days.

    "What did Apple announce in May 2023?"       -> 2023-05-01 to 2023-05-31, preferred
    "What do reports since March say?"           -> from 2023-03-01, required, where the articles are of 2023
    "What is the latest on the merger?"          -> the newest first
    "Who founded the bakery?"                    -> ANY_TIME

Where a question names a month without a year, the articles say which is meant; "last month" counts from today.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from rag.types import ANY_TIME, Timeframe

if TYPE_CHECKING:
    from dateparser.date import DateDataParser

Days: TypeAlias = tuple[date | None, date | None]
"""The first and the last; None for no beginning or no end."""

INSIDE = 0.5
"""What days that are meant add to the score of `reranking.rerank`: as much as 0.17 of relevance does."""

EQUALLY = 0.75
"""How far below the best score an article is about as relevant as the best: reports of the same thing in other words
lie up to 0.8 apart, those of something else mostly 0.8 to 1.7 below."""

EARLIEST = 1500
"""Years before it aren't taken for years."""

_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_SHORT = r"(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?"
_YEAR = r"(?:1[5-9]|20)\d\d\b"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?\b"
_WEEKDAY = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_UNIT = "day|week|month|quarter|year"
_COUNT = r"\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve"
_ARTICLES = (
    r"(?:articles?|reports?|news(?:\s+(?:items?|stories|reports?))?|stories|coverage|(?:blog\s+)?posts?|headlines?"
    r"|press\s+releases?)"
)
_APPEARED = (
    r"(?:(?:that|which)\s+)?(?:(?:was|were|has\s+been|have\s+been)\s+)?(?:published|posted|dated|written|appeared)"
)

# Each alternative names what `_read` does with it. "May" and "March" are words as well: alone they need a preposition.
_WHEN = rf"""(?:
    (?P<exact>
        \d{{4}}-\d\d-\d\d\b
        | (?:the\s+)?{_DAY}\s+(?:of\s+)?(?:{_MONTH}|{_SHORT}),?\s+{_YEAR}
        | (?:{_MONTH}|{_SHORT})\s+(?:the\s+)?{_DAY},?\s+{_YEAR}
        | (?:{_MONTH}|{_SHORT}),?\s+(?:of\s+)?{_YEAR}
        | Q[1-4]\s+(?:of\s+)?{_YEAR}
    )
    | (?P<quarter>first|second|third|fourth)\s+quarter\s+of\s+(?P<of_year>{_YEAR})
    | (?P<yearless>
        (?:the\s+)?{_DAY}\s+(?:of\s+)?(?:{_MONTH})\b
        | (?:{_MONTH})\s+(?:the\s+)?{_DAY}(?!\s*[%$€£]|,\d)
    )
    | (?P<yesterday>(?:the\s+day\s+before\s+)?yesterday)\b
    | (?P<ago>(?:{_COUNT})\s+(?:day|week|month|year)s?\s+ago)\b
    | (?P<rolling>the\s+(?:last|past)\s+(?:(?P<count>{_COUNT})\s+)?(?P<units>{_UNIT})s?|past\s+(?P<past>{_UNIT}))\b
        (?!\s+of\b)
    | (?P<calendar>(?:this|last)\s+(?P<unit>week|month|quarter|year))\b(?!\s+of\b)
    | (?:last|this\s+past|on)\s+(?P<weekday>{_WEEKDAY})\b
    | last\s+(?P<last_month>{_MONTH})\b
)"""
_PREPOSITION = (
    r"since|after|from|before|prior\s+to|until|till|up\s+to|by|in|during|on|of|for|throughout|within|over|to|and|or"
    r"|through"
)
_FROM, _AFTER = frozenset({"since", "from"}), frozenset({"after"})
_BEFORE, _UNTIL = frozenset({"before", "prior to"}), frozenset({"until", "till", "up to", "by", "to", "through"})

_PHRASE = re.compile(
    rf"(?:\b(?P<preposition>{_PREPOSITION})\s+)?(?:\b(?:early|mid|late|the\s+end\s+of)[\s-]+)?\b{_WHEN}",
    re.IGNORECASE | re.VERBOSE,
)
_ALONE = re.compile(
    rf"\b(?P<preposition>{_PREPOSITION}|between)\s+(?:(?:early|mid|late|the\s+(?:end|beginning|start)\s+of)[\s-]+)?"
    rf"(?:(?P<month>{_MONTH})\b(?!\s+(?-i:[A-Z]))|(?P<year>{_YEAR})(?![-–,.]?\d|\s*[%$€£]|\s+(?!was\b|is\b|has\b|does\b)[a-z]+s\b"
    r"|\s+(?:people|men|women|children|million|billion|percent|feet|km)\b))",
    re.IGNORECASE,
)
_RANGE = re.compile(r"\s*(?:and|to|until|till|through|[-–])\s*", re.IGNORECASE)
_ONWARDS = re.compile(r"\s+(?:on|onwards?)\b(?!\s+\w)", re.IGNORECASE)
_NEWEST = re.compile(
    r"\b(?:latest|newest|most\s+recent(?:ly)?|recent(?:ly)?|lately|currently|nowadays|these\s+days|right\s+now|today"
    r"|(?<=\bthe\s)current(?=\s+(?!at\b|flow|in\b|is\b|of\b|through\b|was\b)[a-z])"
    r"|at\s+(?:the\s+moment|present)|as\s+of\s+(?:now|today)|up[\s-]to[\s-]date)\b",
    re.IGNORECASE,
)
_ABOUT = r"(?:\s+(?:about|on)\s+[^?.;]{1,60}?)"
_PUBLISHED = re.compile(
    rf"(?:\b{_ARTICLES}\b{_ABOUT}?\s+{_APPEARED}"
    rf"|\b(?:what|anything|everything|something|whatever)\b[^?.;]{{0,20}}\b(?:published|posted|written){_ABOUT})"
    r"(?:\s+between)?\s*$",
    re.IGNORECASE,
)
_ARTICLES_OF = re.compile(rf"\b{_ARTICLES}\b{_ABOUT}?\s*(?P<between>\bbetween\s*)?$", re.IGNORECASE)
_DATING = frozenset({"from", "since", "after", "before", "prior to", "until", "till", "up to", "between"})
"""Prepositions that say of articles when they were published: those "in" May may be about May."""
_LOOK_BACK = 120
"""Characters before a date in which articles may be named as what is of it."""


@dataclass(frozen=True, slots=True)
class _Phrase:
    """What a question says of time in one place: `question[start:end]`."""

    start: int
    end: int
    preposition: str
    what: str
    """Name of the group of `_PHRASE` or `_ALONE` that found it."""
    found: re.Match[str]


def mentions_time(question: str) -> bool:
    """Whether the time at which an article was published may have to do with the answer."""
    return _NEWEST.search(question) is not None or any(True for _ in _phrases(question))


def without_newest(question: str) -> str:
    """What is asked about, whatever the time: "What is the latest fare?" -> "What is the  fare?"."""
    return _NEWEST.sub("", question)


def counts_from_today(question: str) -> bool:
    """Whether it takes the day it is asked to understand the question: "last week" does, "in May 2023" doesn't."""
    relative = {"yesterday", "ago", "rolling", "calendar", "weekday", "last_month"}
    return any(phrase.what in relative for phrase in _phrases(question))


def timeframe(question: str, today: date, dates: Collection[date] = ()) -> Timeframe:
    """What the question says of days, given those on which the articles it may be about were published.

    "In May" is the latest May of which there is an article, and without any the last one before today.
    """
    past = [day for day in dates if day <= today]
    spans = list(_spans(question, today, past))
    required = [days for days, explicit in spans if explicit]
    first, last = _together(required or [days for days, _ in spans])
    newest = _NEWEST.search(question) is not None
    asked = today if counts_from_today(question) else None
    if first is None and last is None:
        return replace(ANY_TIME, newest=newest, asked=asked)
    return Timeframe(first, last, newest, bool(required), asked)


def order(scores: Sequence[float], days: Sequence[date | None], frame: Timeframe) -> list[int]:
    """Places of what has these scores of `reranking.rerank` and these days of publication, best first.

    What is of the days that are meant gains `INSIDE`. Where the newest is meant, what is then within `EQUALLY` of the
    best comes newest first, what has no day after that. Of scores (2.0, 1.9, 0.5) of the years 2020, 2021 and 2022 the
    newest comes in the order 1, 0, 2.
    """
    gained = [
        score + INSIDE if frame.limited and day is not None and frame.holds(day) else score
        for score, day in zip(scores, days, strict=True)
    ]
    ranked = sorted(range(len(gained)), key=lambda at: -gained[at])
    if not frame.newest or not ranked:
        return ranked
    near = [at for at in ranked if gained[at] >= gained[ranked[0]] - EQUALLY]
    newest = sorted(near, key=lambda at: -(days[at] or date.min).toordinal())
    return [*newest, *ranked[len(near) :]]


def day_of(published: str | None) -> date | None:
    """A document's day of publication; None where it isn't known, or isn't written as ISO 8601 has it."""
    try:
        return date.fromisoformat(published[:10]) if published else None
    except ValueError:
        return None


def in_words(day: date) -> str:
    """ "14 May 2023" """
    months = _MONTH.split("|")
    return f"{day.day} {months[day.month - 1]} {day.year}"


def _phrases(question: str) -> Iterator[_Phrase]:
    """In the order in which they stand; none overlap."""
    found = list(_PHRASE.finditer(question))
    alone = (match for match in _ALONE.finditer(question) if not any(_overlap(match, other) for other in found))
    for match in sorted([*found, *alone], key=lambda one: one.start()):
        groups = {name for name, text in match.groupdict().items() if text is not None} - {"preposition"}
        what = next(name for name in _KINDS if name in groups)
        preposition = " ".join((match["preposition"] or "").lower().split())
        yield _Phrase(match.start(), match.end(), preposition, what, match)


def _overlap(one: re.Match[str], other: re.Match[str]) -> bool:
    return one.start() < other.end() and other.start() < one.end()


_KINDS = (
    "exact", "quarter", "yearless", "yesterday", "ago", "rolling", "calendar", "weekday", "last_month", "month", "year",
)  # fmt: skip


def _spans(question: str, today: date, past: Sequence[date]) -> Iterator[tuple[Days, bool]]:
    """The days that each phrase means, and whether it speaks of publication."""
    phrases = list(_phrases(question))
    read = [_read(phrase, today, past) for phrase in phrases]
    at, latest = 0, None
    while at < len(phrases):
        phrase, days = phrases[at], read[at]
        if latest and phrase.preposition in ("and", "or"):
            days = _in_year(phrase, latest.year) or days
        explicit = _is_of_publication(phrase, question[max(0, phrase.start - _LOOK_BACK) : phrase.start])
        at += 1
        if days is None:
            continue
        if at < len(phrases) and (end := read[at]) and _is_range(question, phrase, phrases[at]):
            at += 1
            begun = (one for year in (end[0].year, end[0].year - 1) if (one := _in_year(phrase, year)))
            yield (next((one for one in begun if one[0] <= end[0]), days)[0], end[1]), explicit
        elif _ONWARDS.match(question, phrase.end):
            yield (days[0], None), explicit
        else:
            yield _opened(phrase.preposition, *days), explicit
        latest = days[0]


def _is_of_publication(phrase: _Phrase, before: str) -> bool:
    """Whether the words before a phrase make it speak of when articles were published."""
    if _PUBLISHED.search(before):
        return True
    articles = _ARTICLES_OF.search(before)
    return articles is not None and (phrase.preposition in _DATING or articles["between"] is not None)


def _is_range(question: str, one: _Phrase, other: _Phrase) -> bool:
    """Whether it says "between the one and the other", or "from the one to the other"."""
    opening = one.preposition in {"from", "between"} or question[: one.start].rstrip().lower().endswith("between")
    between = question[one.end : other.start] + (f" {other.preposition} " if other.preposition else "")
    return opening and _RANGE.fullmatch(between) is not None


def _in_year(phrase: _Phrase, year: int) -> tuple[date, date] | None:
    """What a phrase without a year means in that year; None for another phrase."""
    if phrase.what not in ("month", "yearless"):
        return None
    return _parsed(f"{phrase.found[phrase.what]} {year}", date(year, 12, 31))


def _opened(preposition: str, first: date, last: date) -> Days:
    if preposition in _FROM - {"from"}:
        return first, None
    if preposition in _AFTER:
        return last + timedelta(days=1), None
    if preposition in _BEFORE:
        return None, first - timedelta(days=1)
    if preposition in _UNTIL:
        return None, last
    return first, last


def _together(spans: Sequence[Days]) -> Days:
    """From the first to the last of closed spans; of open ones what they have in common."""
    closed = [(first, last) for first, last in spans if first is not None and last is not None]
    if closed:
        return min(first for first, _ in closed), max(last for _, last in closed)
    first = max((first for first, _ in spans if first is not None), default=None)
    last = min((last for _, last in spans if last is not None), default=None)
    return (first, last) if first is None or last is None or first <= last else (None, None)


def _read(phrase: _Phrase, today: date, past: Sequence[date]) -> tuple[date, date] | None:
    """The first and the last of the days that are named; None where there is no such day."""
    found, text = phrase.found, phrase.found[phrase.what]
    if phrase.what == "quarter":
        ordinal = ("first", "second", "third", "fourth").index(text.lower()) + 1
        return _parsed(f"Q{ordinal} {found['of_year']}", today)
    if phrase.what == "rolling":
        count, unit = found["count"] or "1", found["units"] or found["past"]
        months = 3 if unit.lower() == "quarter" else None
        begun = _parsed(f"{months or count} {'month' if months else unit}s ago", today, exact=True)
        return (begun[0], today) if begun else None
    if phrase.what == "calendar":
        return _calendar(found["unit"].lower(), text.lower().startswith("last"), today)
    if phrase.what in ("month", "yearless"):
        return _of_some_year(text, phrase.preposition, today, past)
    return _parsed(re.sub(r"\bof\b", " ", text, flags=re.IGNORECASE), today)


def _calendar(unit: str, before: bool, today: date) -> tuple[date, date] | None:
    """This week, month, quarter or year, or the one before."""
    if unit != "quarter":
        return _parsed(f"{'last' if before else 'this'} {unit}", today)
    if before:
        today = today.replace(month=3 * ((today.month - 1) // 3) + 1, day=1) - timedelta(days=1)
    return _period(today, "quarter")


def _of_some_year(text: str, preposition: str, today: date, past: Sequence[date]) -> tuple[date, date] | None:
    """A month or day without a year: the latest of which there is an article, or that has begun when the last came."""
    years = sorted({day.year for day in past}, reverse=True)
    every = [days for year in years if (days := _parsed(f"{text} {year}", today))]
    if preposition in _FROM | _AFTER | _BEFORE | _UNTIL:
        begun = [days for days in every if days[0] <= max(past)]
        return begun[0] if begun else _parsed(text, max(past, default=today))
    held = (days for days in every if any(days[0] <= day <= days[1] for day in past))
    return next(held, None) or _parsed(text, today)


def _parsed(text: str, today: date, *, exact: bool = False) -> tuple[date, date] | None:
    """The day, week, month, quarter or year that `text` names; with `exact` just the day on which it begins."""
    found: Any = _parser(today, exact).get_date_data(text)
    if found.date_obj is None or found.date_obj.year < EARLIEST:
        return None
    return _period(found.date_obj.date(), "day" if exact else found.period)


def _period(day: date, period: str) -> tuple[date, date]:
    """Of the day's week, month, quarter or year the first day and the last, or else the day itself."""
    if period == "week":
        first = day - timedelta(days=day.weekday())
        return first, first + timedelta(days=6)
    if period == "year":
        return date(day.year, 1, 1), date(day.year, 12, 31)
    if period not in ("month", "quarter"):
        return day, day
    month, months = (day.month, 1) if period == "month" else (3 * ((day.month - 1) // 3) + 1, 3)
    behind = month + months
    after = date(day.year + (behind > 12), (behind - 1) % 12 + 1, 1)
    return date(day.year, month, 1), after - timedelta(days=1)


@lru_cache(maxsize=8)
def _parser(today: date, exact: bool) -> "DateDataParser":
    from dateparser.date import DateDataParser  # a quarter of a second that most questions do without

    settings = {
        "RELATIVE_BASE": datetime.combine(today, time()),
        "PREFER_DATES_FROM": "past",
        "PREFER_DAY_OF_MONTH": "current" if exact else "first",
        "PREFER_MONTH_OF_YEAR": "current" if exact else "first",
    }
    return DateDataParser(languages=["en"], settings=settings)
