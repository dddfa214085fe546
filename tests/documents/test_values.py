"""Dates, lines and addresses that files hold."""

from datetime import date, datetime

import pytest

from rag.documents.cleaning import clean, one_line, web_address
from rag.documents.dates import iso_date


@pytest.mark.parametrize(
    "value",
    [
        "2024-03-14", "2024-03-14T09:00:00Z", " 2024-03-14 09:00 ",
        "Thu, 14 Mar 2024 23:30:00 -0500", "14 Mar 2024", "14 March 2024", "March 14, 2024",
        "D:20240314090000+01'00'", "20240314", "1710406800", 1710406800, 1710406800.5, 1710406800000,
        datetime(2024, 3, 14, 9), date(2024, 3, 14),
    ],
)  # fmt: skip
def test_a_date_in_any_form(value: object) -> None:
    assert iso_date(value) == "2024-03-14"


@pytest.mark.parametrize("value", ["", "soon", "14/03/2024", "20241332", "0001-01-01", 5, True, None, {}, "9" * 400])
def test_what_names_no_day(value: object) -> None:
    assert iso_date(value) is None


def test_clean_text_has_no_characters_that_nobody_wrote() -> None:
    assert clean(" \x00Ferry \r\n\r\n\r\n\x0cIt\ud800 left.\u2028\ufffe\n") == "Ferry\n\nIt left."
    assert clean("Café\u00a0\u0301\tx") == "Café\u00a0\u0301\tx"


@pytest.mark.parametrize(
    ("text", "line"), [("  a \n b\x00 ", "a b"), ("", None), (None, None), ("ab " * 10, "ab ab ab…"), ("\x00", None)]
)
def test_a_title_is_one_line(text: str | None, line: str | None) -> None:
    assert one_line(text, 10) == line


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://harbour.example/a?b=c#d", True), (" http://harbour.example ", True),
        ("javascript:alert(1)", False), ("file:///etc/passwd", False), ("/relative", False), ("https://", False),
        ("https://a b.example", False), ("http://[::1", False), ("", False), (None, False),
        ("https://x.example/" + "a" * 3000, False),
    ],
)  # fmt: skip
def test_only_addresses_of_web_pages_are_kept(address: str | None, kept: bool) -> None:
    assert web_address(address) == (address.strip() if kept and address else None)
