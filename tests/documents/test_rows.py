import pytest

from rag.documents.rows import table_lines
from rag.errors import DocumentError
from tests.documents.reading import loaded, only


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([["Country", "People"], ["Peru", "34"], ["", "19"]], ["Country: Peru; People: 34", "People: 19"]),
        ([["1", "Peru"], ["2", "Chile"]], ["1; Peru", "2; Chile"]),
        ([["Country", "2024"], ["Peru", "34"]], ["Country; 2024", "Peru; 34"]),
        ([["Name", "Name"], ["Peru", "Lima"]], ["Name; Name", "Peru; Lima"]),
        ([["Country", ""], ["Peru", "34"]], ["Country", "Peru; 34"]),
        ([["Population of the world"], [], ["Country", "People"], ["Peru", "34"]],
         ["Population of the world", "Country: Peru; People: 34"]),
        ([["Country"], ["Peru"], ["Chile"]], ["Country: Peru", "Country: Chile"]),
        ([["Country", "People"]], ["Country; People"]),
        ([["Country", "People"], ["Peru", "34", "beyond"]], ["Country; People", "Peru; 34; beyond"]),
        ([["Peru"]], ["Peru"]),
        ([["two\nlines", "b"], ["x", " y "]], ["two lines: x; b: y"]),
        ([["", ""], []], []),
    ],
)  # fmt: skip
def test_a_row_becomes_a_line(rows: list[list[str]], lines: list[str]) -> None:
    assert list(table_lines(rows)) == lines


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    rows = ["Country{}People", '"Peru, the land; of\t|"{}34', "Chile{}19"]
    text = only("\n".join(row.format(delimiter) for row in rows), "a.csv").text
    assert text == "Country: Peru, the land; of |; People: 34\nCountry: Chile; People: 19"


def test_the_encoding_of_a_table_is_found_and_a_cell_may_hold_line_ends() -> None:
    assert only('Café;Preis\r\n"Zum\r\nHafen";4 €\r\n'.encode("utf-16"), "a.tsv").text == "Café: Zum Hafen; Preis: 4 €"


def test_a_table_of_too_many_cells_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from rag.documents import delimited

    monkeypatch.setattr(delimited, "MAX_CELLS", 10)
    with pytest.raises(DocumentError, match=r"/a\.csv has more than the 10 cells that one file may have\. Split it\."):
        list(delimited.read_delimited(b"a,b\n" * 6, "/a.csv"))
    monkeypatch.setattr(delimited, "MAX_ROWS", 3)
    with pytest.raises(DocumentError, match="more than the 3 rows"):
        list(delimited.read_delimited(b"a\n" * 6, "/a.csv"))


def test_a_table_without_cells_is_refused() -> None:
    with pytest.raises(DocumentError, match=r"/news/a\.csv is empty"):
        loaded(",,,\n,,\n", "a.csv")
