import pytest

from rag.documents.paging import joined_pages
from rag.documents.wrapping import unwrapped
from rag.errors import DocumentError
from rag.types import page_of
from tests.documents.making import IMAGE, pdf
from tests.documents.reading import about, loaded, only

ABOUT = {"Title": "Ferry fares", "Author": "Ada Low", "CreationDate": "D:20240314233000-05'00'"}


def test_text_metadata_and_the_offsets_of_pages() -> None:
    document = only(pdf([["The ferry left.", "It was full."], ["Fares: 4 €"]], ABOUT), "ferry.pdf")
    assert document.text == "The ferry left.\nIt was full.\n\nFares: 4 €"
    assert document.pages == (0, 30)
    assert about(document) == ("Ferry fares", "Ada Low", "2024-03-14", None)


def test_the_page_of_every_character() -> None:
    document = only(pdf([["One."], ["Two."], [], ["Four."]]), "ferry.pdf")
    assert document.text == "One.\n\nTwo.\n\nFour."
    found = {word: page_of(document, document.text.index(word)) for word in ("One", "Two", "Four")}
    assert found == {"One": 1, "Two": 2, "Four": 4}
    assert page_of(document, len(document.text) - 1) == 4


def test_a_sentence_that_goes_on_over_the_page_stays_whole() -> None:
    document = only(pdf([["The ferry left the"], ["harbour at nine."]]), "ferry.pdf")
    assert document.text == "The ferry left the harbour at nine."
    assert [page_of(document, document.text.index(word)) for word in ("the", "harbour")] == [1, 2]


def test_a_document_without_pages_has_no_page() -> None:
    assert page_of(only("The ferry left.", "ferry.txt"), 0) is None


@pytest.mark.parametrize("title", ["Microsoft Word - fares.doc", "fares.indd", "Untitled-1", " "])
def test_a_title_that_only_names_a_file_counts_for_nothing(title: str) -> None:
    assert only(pdf([["Ferry sails again", "The ferry left."]], {"Title": title}), "a.pdf").title == "Ferry sails again"


def test_scanned_pages_are_named_and_the_others_read() -> None:
    found = loaded(pdf([["One."], IMAGE, ["Three."], IMAGE, [], IMAGE]), "scan.pdf")
    assert found.documents[0].text == "One.\n\nThree."
    (note,) = found.notes
    assert note.startswith("/news/scan.pdf has no text on pages 2, 4 and 6: there are only images, as in a scan.")


def test_many_scanned_pages_are_counted() -> None:
    (note,) = loaded(pdf([["One."], *[IMAGE] * 25]), "scan.pdf").notes
    assert "20, 21 and 5 more: there are only images" in note


def test_a_scan_without_any_text_is_refused() -> None:
    with pytest.raises(DocumentError, match=r"scan\.pdf has no text on any page: there are only images.* \(OCR\)"):
        loaded(pdf([IMAGE, IMAGE]), "scan.pdf")


def test_words_parted_at_the_end_of_a_line_are_joined() -> None:
    lines = [
        "The ferry left the har-",
        "bour for a long-",
        "term stay in the North-",
        "South dock of long-term guests.",
    ]
    assert only(pdf([lines]), "a.pdf").text == (
        "The ferry left the harbour for a long-term stay in the North-South dock of long-term guests."
    )


@pytest.mark.parametrize(
    ("page", "joined"),
    [
        ("The ferry left the harbour on\nMonday. It was full of people\nand dogs.", True),
        ("Ferry sails again\nThe ferry left the harbour on Monday.", False),
        ("Fares of the ferry in euros:\n1. Adults\n2. Children\n- Dogs", False),
        ("The ferry left the harbour.\nThe crew was glad about it.", False),
    ],
)
def test_lines_of_a_paragraph_become_one(page: str, joined: bool) -> None:
    assert unwrapped([page]) == [page.replace("\n", " ") if joined else page]


def test_an_empty_page_begins_where_the_text_before_it_ends() -> None:
    assert joined_pages(["It left", "at nine.", "", "Fares"]) == ("It left at nine.\n\nFares", (0, 8, 16, 18))
    assert joined_pages(["", "It left."]) == ("It left.", (0, 0))
