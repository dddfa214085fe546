"""Word, PowerPoint and Excel."""

from datetime import datetime, time

import pytest

from rag.errors import DocumentError
from rag.types import page_of
from tests.documents.making import docx, pptx, with_members, xlsx
from tests.documents.reading import about, loaded, only


def test_word_keeps_paragraphs_and_tables_in_their_order() -> None:
    table = [["Day", "Hour"], ["Monday", "9"], ["Tuesday", ""]]
    document = only(docx([("Ferry sails again", "Title"), "It left.", table, "It came."], author="Ada Low"), "a.docx")
    assert document.text == "Ferry sails again\n\nIt left.\n\nDay: Monday; Hour: 9\nDay: Tuesday\n\nIt came."
    assert about(document) == ("Ferry sails again", "Ada Low", "2024-03-14", None)


@pytest.mark.parametrize(
    ("blocks", "named", "title"),
    [
        ([("Styled", "Title"), ("Heading", "Heading 1")], "Named", "Styled"),
        ([("Heading", "Heading 1"), "It left."], "Named", "Named"),
        (["Before it.", ("Heading", "Heading 1")], "", "Heading"),
        (["First line", "It left."], "", "First line"),
        (["It left."], "", "Ferry"),
    ],
)
def test_title_of_a_word_file(blocks: list[str], named: str, title: str) -> None:
    assert only(docx(blocks, title=named), "ferry.docx").title == title


def test_slides_are_pages_and_their_notes_are_read() -> None:
    document = only(pptx([("Ferry", "It left.\nIt came.", "Say hello."), ("Fares", "Four euros.", "")]), "a.pptx")
    assert document.text == "Ferry\n\nIt left.\nIt came.\n\nSay hello.\n\nFares\n\nFour euros."
    assert page_of(document, document.text.index("Four")) == 2
    assert about(document) == ("Ferry", None, "2024-03-14", None)


def test_rows_of_excel_keep_the_names_of_their_columns() -> None:
    document = only(xlsx({"Sheet": [["Country", "Population"], ["Peru", "34 million"], ["Chile", 19.5]]}), "a.xlsx")
    assert document.text == "Country: Peru; Population: 34 million\nCountry: Chile; Population: 19.5"
    assert about(document) == ("A", "Ada Low", "2024-03-14", None)


def test_several_sheets_stand_under_their_names() -> None:
    sheets: dict[str, list[list[object]]] = {
        "People": [["Country", "Count"], ["Peru", 34_000_000]],
        "Empty": [],
        "Days": [["Day"], ["Monday"]],
    }
    assert only(xlsx(sheets), "a.xlsx").text == "People\nCountry: Peru; Count: 34000000\n\nDays\nDay: Monday"


def test_cells_read_about_as_they_are_shown() -> None:
    row = [0.05, 0.1 + 0.2, 3.0, True, datetime(2024, 3, 14), datetime(2024, 3, 14, 9, 30), time(9, 30), "=1+1"]
    names = ["share", "sum", "whole", "sure", "day", "moment", "hour", "formula"]
    assert only(xlsx({"S": [names, row]}, {"A2": "0.0%"}), "a.xlsx").text == (
        "share: 5%; sum: 0.3; whole: 3; sure: TRUE; day: 2024-03-14; moment: 2024-03-14 09:30; hour: 09:30:00"
    )


@pytest.mark.parametrize(("data", "name"), [(docx([]), "a.docx"), (xlsx({"S": []}), "a.xlsx"), (pptx([]), "a.pptx")])
def test_an_empty_file_of_office_is_refused(data: bytes, name: str) -> None:
    with pytest.raises(DocumentError, match=rf"/news/{name} (holds no text|is empty)"):
        loaded(data, name)


def test_declared_entities_are_refused_before_anything_is_parsed() -> None:
    evil = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    for data, part, name in (
        (docx(["It left."]), "word/document.xml", "a.docx"),
        (xlsx({"S": [["It left."]]}), "xl/worksheets/sheet1.xml", "a.xlsx"),
        (pptx([("It left.", "", "")]), "ppt/slides/slide1.xml", "a.pptx"),
    ):
        for encoding in ("utf-8", "utf-16"):
            with pytest.raises(DocumentError, match="declares XML entities"):
                loaded(with_members(data, {part: evil.encode(encoding)}), name)
