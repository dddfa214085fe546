import pytest

from rag.documents.article import Article
from rag.documents.markdown import read_markdown
from rag.errors import DocumentError


def read(text: str) -> Article:
    return read_markdown(text.encode(), "ferry.md")


def test_front_matter_gives_title_date_and_author_and_is_no_part_of_the_text() -> None:
    matter = '---\ntitle: "Ferry: back at sea"\ndate: 2024-03-14T09:00:00Z\nauthor: Joan Doe # ours\n---\n'
    assert read(matter + "\n# Ferry\nIt left.\n") == Article(
        title="Ferry: back at sea", text="\n# Ferry\nIt left.\n", published="2024-03-14", author="Joan Doe"
    )


def test_what_is_not_simple_in_front_matter_is_left_out() -> None:
    matter = "---\ntitle: >\n  Ferry\n  sails\nauthor: [Joan, Kim]\ntags:\n- sea\ndate: 14 March 2024\n...\n"
    assert read(matter + "# It sails\nIt left.") == Article(title="It sails", text="# It sails\nIt left.")


def test_windows_line_ends_in_front_matter() -> None:
    assert read("---\r\ntitle: Ferry\r\n---\r\nIt left.") == Article(title="Ferry", text="It left.")


@pytest.mark.parametrize(
    "text",
    [
        "---\nThe ferry left.\n---\nIt came back.",
        "---\ntitle: never closed\nThe ferry left.",
        "Ferry\n---\ntitle: not at the top\n---\n",
    ],
)
def test_a_horizontal_rule_opens_no_front_matter(text: str) -> None:
    assert read(text).text == text


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Ferry sails again\nIt left.", "Ferry sails again"),
        ("Share this\n\n## Ferry sails again ##\nIt left.", "Ferry sails again"),
        ("# The **new** _ferry_ of [Port](http://a.b/c) `x`\n", "The new _ferry_ of Port x"),
        ("Ferry sails again\n=================\nIt left.", "Ferry sails again"),
        ("Ferry sails again\n---\nIt left.", "Ferry sails again"),
        ("#\n# Ferry\n", "Ferry"),
        ("```sh\n# install\n```\n# Ferry\n", "Ferry"),
        ("#ferry is a tag\n\n# Ferry\n", "Ferry"),
        ("It left.\n\n---\n\n# Ferry\n", "Ferry"),
        ("# C# and the ferry\n", "C# and the ferry"),
        ("**Ferry sails again**\n\nIt left.", "Ferry sails again"),
        ("It left.\nIt came back.\n", None),
    ],
)
def test_title_of_a_markdown_article(text: str, title: str | None) -> None:
    assert read(text).title == title


def test_markup_stays_in_the_text() -> None:
    assert read("# Ferry\n\nIt **left**.\n").text == "# Ferry\n\nIt **left**.\n"


def test_front_matter_with_no_article_after_it_is_refused() -> None:
    with pytest.raises(DocumentError, match=r"ferry\.md holds nothing after its front matter"):
        read("---\ntitle: Ferry\n---\n\n")


def test_a_line_of_a_million_spaces_or_marks_takes_no_time() -> None:
    assert read("# a" + " " * 1_000_000 + "b\n").title == "a"
    assert read("# " + "*" * 1_000_000 + "\n# Ferry").title is not None
    assert read("---\n" + "a: b\n" * 200_000).title is None
