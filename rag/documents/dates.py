"""Dates as files write them → ISO 8601."""

import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

_PDF_DATE = re.compile(r"(?:D:)?(\d{4})(\d{2})(\d{2})(?!\d{1,2}$)")
_SECONDS = re.compile(r"\d{9,10}(?:\.\d+)?")
_MILLISECONDS = re.compile(r"\d{12,13}")
_WRITTEN = ("%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y")
_YEARS = range(1000, 3000)


def iso_date(value: object) -> str | None:
    """The day, in the time zone it was written in; None for what names none.

    "2024-03-14T09:00:00Z", "Thu, 14 Mar 2024 09:00:00 GMT", "D:20240314090000+01'00'", "20240314",
    datetime(2024, 3, 14), 1710406800 (seconds), 1710406800000 (milliseconds) → "2024-03-14"
    """
    if isinstance(value, datetime):
        found: date | None = value.date()
    elif isinstance(value, date):
        found = value
    else:
        found = _of_text(str(value).strip()[:64]) if isinstance(value, str | int | float) else None
    return found.isoformat() if found and found.year in _YEARS else None


def _of_text(text: str) -> date | None:
    try:
        if _MILLISECONDS.fullmatch(text):
            return datetime.fromtimestamp(int(text) / 1000, UTC).date()
        if _SECONDS.fullmatch(text):
            return datetime.fromtimestamp(float(text), UTC).date()
        if compact := _PDF_DATE.match(text):
            return date(*map(int, compact.groups()))
        return date.fromisoformat(text[:10])
    except (ValueError, OverflowError, OSError):
        return _of_mail(text)


def _of_mail(text: str) -> date | None:
    try:
        return parsedate_to_datetime(text).date()
    except (ValueError, TypeError, IndexError, OverflowError):
        return next((found for form in _WRITTEN if (found := _in_form(text, form))), None)


def _in_form(text: str, form: str) -> date | None:
    try:
        return datetime.strptime(text, form).date()
    except ValueError:
        return None
