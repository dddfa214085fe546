from pathlib import Path

import pytest

from rag.documents import FieldNames, Fields, HoldsQuestions, load
from rag.documents.rows import table_lines
from rag.errors import DocumentError
from tests.documents.making import xlsx
from tests.documents.reading import about, loaded, only


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


ARTICLES = "Headline,Body,Date,By,Link\nFerry,It <b>sails</b>.,2024-03-14,Ada Low,https://a.example/f\n,,,,\nMill,,,,\n"


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_each_row_of_a_table_of_articles_is_one(suffix: str) -> None:
    data = ARTICLES if suffix == "csv" else xlsx({"S": [line.split(",") for line in ARTICLES.splitlines()]})
    found = loaded(data, f"news.{suffix}")
    (document,) = found.documents
    assert (document.text, document.source) == ("It sails.", f"/news/news.{suffix}#1")
    assert about(document) == ("Ferry", None, "2024-03-14", "https://a.example/f")
    assert found.notes == (f"/news/news.{suffix} has 1 of 2 rows without text: #2.",)


@pytest.mark.parametrize("header", ["product,description", "name,text", "title,summary", "body,date"])
def test_a_table_of_things_stays_one_article_of_lines(header: str) -> None:
    first, second = header.split(",")
    assert only(f"{header}\nTea,Green\n", "a.csv").text == f"{first}: Tea; {second}: Green"


def test_named_columns_make_a_table_one_of_articles(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("What is it;source.name;What it says\nFerry;Ada;It sails.\n", encoding="utf-8")
    found = load(tmp_path / "a.csv", FieldNames.of("title=what is it,text=what it says,author=source.name,date=when"))
    assert about(found.documents[0]) == ("Ferry", "Ada", None, None)
    assert found.documents[0].text == "It sails."
    assert found.fields == Fields(
        ("source.name", "what is it", "what it says"), ("What is it", "source.name", "What it says")
    )


def test_sheets_of_articles_of_other_things_and_of_questions_are_told_apart() -> None:
    sheets: dict[str, list[list[object]]] = {
        "News": [["title", "text"], ["Ferry", "It sails."], ["Mill", "It turns."]],
        "Prices": [["Thing", "Price"], ["Tea", 4]],
        "Test": [["id", "question"], ["q1", "Who sails?"]],
    }
    found = loaded(xlsx(sheets), "a.xlsx")
    assert [(document.source, document.title, document.text) for document in found.documents] == [
        ("/news/a.xlsx#News#1", "Ferry", "It sails."),
        ("/news/a.xlsx#News#2", "Mill", "It turns."),
        ("/news/a.xlsx", "A", "Thing: Tea; Price: 4"),
    ]
    assert len(found.notes) == 1


@pytest.mark.parametrize(
    ("header", "questions"),
    [
        ("question", True),
        ("Question,category", True),
        ("id,question,answer", True),
        ("question,answers,answerable", True),
        ("question,answer", False),
        ("question,title,text", False),
        ("asked,answer", False),
    ],
)
def test_a_table_of_questions_is_told_from_one_to_be_read(header: str, questions: bool) -> None:
    row = ",".join("x" for _ in header.split(","))
    if not questions:
        assert loaded(f"{header}\n{row}\n", "a.csv").documents
        return
    with pytest.raises(
        HoldsQuestions, match=r"^/news/a\.csv holds questions, not articles\. Ask them with `rag batch`"
    ):
        loaded(f"{header}\n{row}\n", "a.csv")


def test_a_table_without_cells_is_refused() -> None:
    with pytest.raises(DocumentError, match=r"/news/a\.csv is empty"):
        loaded(",,,\n,,\n", "a.csv")
