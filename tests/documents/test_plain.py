import pytest

from rag.documents.plain import first_line_title


@pytest.mark.parametrize(
    ("text", "title"),
    [
        # A headline, then one paragraph a line.
        ("Ferry sails again after repairs\nThe ferry left on Monday. It was full.", "Ferry sails again after repairs"),
        ("Will the ferry ever sail again?\nNobody knows.", "Will the ferry ever sail again?"),
        ("\n \n  Ferry  sails\tagain  \n\nThe ferry left.", "Ferry sails again"),
        # The name of a section first.
        (
            "World\nFerry sails again after months of repairs\nThe ferry left.",
            "Ferry sails again after months of repairs",
        ),
        ("Ships & Harbours\n\nFerry sails again after repairs\n\nThe ferry left.", "Ferry sails again after repairs"),
        # A short first line that is the title all the same.
        ("Ferry\nThe ferry is a ship that carries people and cars.", "Ferry"),
        ("Ferry sails\nBy Joan Doe and Kim Roe for the Harbour Post", "Ferry sails"),
        ("Ferry sails\nStorm over", "Ferry sails"),
        ("Ferry sails\nthat is what the captain calls his book on engines", None),
        ("渡船恢复航行\n渡船星期一离开港口。", "渡船恢复航行"),
        # No title.
        ("The ferry left on Monday.\nIt was full.", None),
        ("The ferry left on Monday, as it had on every Monday of the year\nbefore, and it was full.", None),
        ("Dear reader,\nThe ferry left on Monday.", None),
        ("14.03.2024\nThe ferry left on Monday.", None),
        ("word " * 60, None),
        ("", None),
    ],
)
def test_title_of_a_plain_article(text: str, title: str | None) -> None:
    assert first_line_title(text) == title


def test_a_first_line_of_two_hundred_characters_is_the_longest_title() -> None:
    assert first_line_title("a" * 200) == "a" * 200
    assert first_line_title("a" * 201) is None
