"""The languages that the page speaks, each a file `de.po` beside this one; English is written in the code itself.

A text goes through `said` where it is shown, and through `later` where it is only named. `pybabel extract` finds both,
and Babel knows each language's dates, numbers and plurals. Nobody but the page chooses a language: for the terminal, in
exports of `rag conversations` and in reports everything is in English.

To add one: copy `de.po` to, say, `it.po`, translate it with any editor for gettext's files, run the tests.
"""

import gettext
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import cache
from importlib.resources import files
from io import BytesIO

from babel.core import Locale
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

ENGLISH = "en"

_FORMATS = {ENGLISH: "en_GB"}
"""Languages → where dates and numbers are written as here, in Babel's names."""

_speaking: ContextVar[str] = ContextVar("language", default=ENGLISH)


@cache
def languages() -> tuple[str, ...]:
    """Their codes: English, then the others in alphabetical order."""
    found = (file.name for file in files(__package__).iterdir())
    return (ENGLISH, *sorted(name.removesuffix(".po") for name in found if name.endswith(".po")))


def preferred(accepted: str | None) -> str:
    """The language that a browser's Accept-Language names first, where it is one of ours, else English.

    Gradio's own texts follow the browser's first language too; going on to its second would mix the two.

    >>> preferred("de-AT,de;q=0.9,en;q=0.8")
    'de'
    """
    first = re.split("[-_,;]", (accepted or "").strip().lower(), maxsplit=1)[0].strip()
    return first if first in languages() else ENGLISH


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Let `said` and the like give texts in this language within the block, on this thread."""
    before = _speaking.set(language)
    try:
        yield
    finally:
        _speaking.reset(before)


def spoken() -> str:
    """The code of the language that is spoken now."""
    return _speaking.get()


def direction() -> str:
    """In which it is written: "ltr" or "rtl"."""
    return _locale().text_direction


def later(text: str) -> str:
    """The text as it is, found by who looks for texts to translate: for constants that go through `said` later."""
    return text


def said(text: str, **values: object) -> str:
    """The text in the language spoken now, with `values` in place of its {names}; in English where nobody knows it.

    >>> said("Page {page} of {pages}", page=1, pages=3)
    'Page 1 of 3'
    """
    found = _catalogue(spoken()).gettext(text) if text else ""
    return found.format(**values) if values else found


def counted(one: str, many: str, number: int, **values: object) -> str:
    """Like `said`, in the form that goes with `number`, which stands in the text as {number}.

    >>> counted("{number} passage", "{number} passages", 1234)
    '1,234 passages'
    """
    found = _catalogue(spoken()).ngettext(one, many, number)
    return found.format(number=in_figures(number), **values)


def in_figures(number: float, decimals: int = 0) -> str:
    """`1,234` or `3.1`"""
    return format_decimal(number, f"#,##0.{'0' * decimals}" if decimals else "#,##0", _locale())


def day_in_words(day: date) -> str:
    """`14 March 2024`"""
    return format_date(day, "long", _locale())


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == ENGLISH:
        return gettext.NullTranslations()
    compiled = BytesIO()
    with files(__package__).joinpath(f"{language}.po").open("rb") as file:
        write_mo(compiled, read_po(file, language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _locale() -> Locale:
    return _locale_of(spoken())


@cache
def _locale_of(language: str) -> Locale:
    return Locale.parse(_FORMATS.get(language, language))
