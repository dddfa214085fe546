"""Markup of the library's view."""

from html.parser import HTMLParser

from rag.holdings import Became, Behind, Chosen, Held, Listing, Opened, Result, Work
from rag.rendering import (
    article_html,
    chosen_html,
    library_list_html,
    library_summary_html,
    trouble_html,
    work_html,
)
from rag.types import Chunk, Document
from tests.payloads import PAYLOADS

USED = set("article header button h2 h3 p div section span bdi a ul li input em nav details summary progress".split())
TEXT = "One is first. Two is second. Three is third."


class Tags(HTMLParser):
    """The tags in markup, with their attributes."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += attrs


def opened(text: str = TEXT, chunks: tuple[Chunk, ...] = (), source: str = "/news/a.txt", **more: object) -> Opened:
    document = Document("d1", "Numbers", text, source, "2024-05-01", "Ann", "0")
    usual = {"copies": (), "reasons": (), "uploaded": False, "siblings": 0, "place": source}
    return Opened(document, chunks, **(usual | more))  # type: ignore[arg-type]


def listing(*articles: Held, page: int = 1, pages: int = 1) -> Listing:
    return Listing(articles, len(articles), page, pages, 120, 1300)


def test_a_text_is_cut_where_its_chunks_begin_and_what_two_share_is_marked() -> None:
    chunks = (Chunk("a", "d1", 0, 28), Chunk("b", "d1", 14, 44))
    markup = article_html(opened(chunks=chunks), chosen=False, may_change=True)
    assert '<h3>Passage 1</h3><p dir="auto">One is first. </p>' in markup
    assert '<h3>Passage 2</h3><p dir="auto"><span class="shared">Two is second.</span> Three is third.</p>' in markup
    assert "2 passages · 44 characters" in markup


def test_a_long_text_is_shown_as_far_as_a_browser_likes() -> None:
    markup = article_html(opened("x" * 300_000, (Chunk("a", "d1", 0, 300_000),)), chosen=False, may_change=False)
    assert markup.count("x") < 201_000
    assert "The first 200,000 of 300,000 characters" in markup
    assert "Remove" not in markup


def test_a_confirmation_says_what_becomes_of_the_file() -> None:
    said = {
        "is deleted": opened(uploaded=True),
        "stays where it is": opened(),
        "not be visited any more": opened(source="https://a.example/x"),
        "The other articles of its file stay": opened(siblings=2),
    }
    for promise, article in said.items():
        assert promise in article_html(article, chosen=False, may_change=True, confirming=True)


def test_work_shows_its_progress_then_a_result_for_each_file() -> None:
    running = Work("Adding 2 files", "at 12:03 by ann", percent=40, seconds_left=75)
    markup = work_html(running, may_change=True)
    assert "40 % · 2 min left · begun at 12:03 by ann" in markup
    assert 'data-act="cancel"' in markup
    assert 'data-act="cancel"' not in work_html(running, may_change=False)
    done = Work("Adding", "at 12:03", False, results=(Result("/x/a.txt", Became.ADDED),), more=3, summary="4 added.")
    markup = work_html(done, may_change=True)
    assert "<bdi>a.txt</bdi> <em>added</em>" in markup
    assert "And 3 more." in markup
    assert work_html(None, may_change=True) == ""


def test_lists_have_pages_and_the_chosen_are_ticked() -> None:
    held = (
        Held("d1", "One", "/a/one.txt", None, 3, ("changed",)),
        Held("d2", "Two", "https://b.example/two", "2024", 1),
    )
    markup = library_list_html(listing(*held, page=2, pages=3), {"d2"}, "", "all")
    assert [f'data-act="page:{page}"' in markup for page in (1, 2, 3)] == [True, False, True]
    assert 'aria-label="Ask this article: Two" checked' in markup
    assert markup.count("checked") == 1
    assert 'one.txt · 3 passages<span class="stale">changed</span>' in markup
    assert "b.example/two · 2024 · 1 passage" in markup
    assert "No article like that" in library_list_html(listing(), (), "x", "all")
    assert "Add the first article" in library_list_html(Listing((), 0, 1, 1, 0, 0), (), "", "all")


def test_the_chosen_are_named_as_far_as_there_is_room() -> None:
    markup = chosen_html([Chosen(str(number), f"Title {number}") for number in range(5)])
    assert "Only from: <bdi>Title 0</bdi>, <bdi>Title 1</bdi>, <bdi>Title 2</bdi> and 2 more" in markup
    assert chosen_html([]) == ""


def test_nothing_hostile_is_markup_wherever_it_stands() -> None:
    for bad in PAYLOADS:
        document = Document(bad, bad, bad, bad, bad, bad, bad, url=bad)
        article = Opened(document, (Chunk("c", bad, 0, len(bad)),), (bad,), (bad,), False, 0, bad)
        results = (Result(bad, Became.REFUSED, bad),)
        whole = "".join(
            [
                article_html(article, chosen=True, may_change=True, confirming=True),
                library_list_html(listing(Held(bad, bad, bad, bad, 1, (bad,))), (), bad, "all", bad),
                library_summary_html(listing(), [Behind(bad, (bad,))], may_change=True),
                work_html(Work(bad, bad, False, results=results, summary=bad, failure=bad), may_change=True),
                trouble_html(bad),
                chosen_html([Chosen(bad, bad)]),
            ]
        )
        tags = Tags(whole)
        assert tags.names <= USED, bad
        assert not [name for name, _ in tags.attributes if name.startswith("on") or name in ("src", "style")], bad
        links = [value or "" for name, value in tags.attributes if name == "href"]
        assert all(link.startswith(("http://", "https://", "cited/")) for link in links), bad
