"""Where an answer comes from: place, page, date, author, copies and freshness, on the page and in a terminal."""

import re
from dataclasses import replace
from datetime import date

import pytest

from rag.rendering import answer_html, answer_text, passages_html
from rag.rendering.wording import also_in, date_in_words, origin, places, timeframe_in_words
from rag.types import Answer, Citation, Document, Passage, Timeframe
from tests.test_rendering import ARTICLE, BEGUN, FIRST, HOSTILE, PAYS, SECOND, Elements, answer, refusal

CHANGED = "Its file has changed since it was indexed; `rag sync` reads it again."
GONE = "Its file is gone; `rag sync` removes it from the library."


def with_document(**changed: object) -> Passage:
    return replace(FIRST, document=replace(FIRST.document, **changed))  # type: ignore[arg-type]


PRINTED = with_document(
    source="/news/bill.pdf", published="2024-03-14", author="Joan Doe", pages=(0, BEGUN[0]), url="https://a.org/bill"
)


def citing(read: Passage, **changed: object) -> Answer:
    """The answer of `tests.test_rendering`, with this passage as its first."""
    made = answer()
    claims = tuple(
        replace(one, citations=tuple(Citation(read, cited.start, cited.end) for cited in one.citations[:1]))
        for one in made.claims
    )
    return replace(made, claims=claims, passages=(read, SECOND), **changed)  # type: ignore[arg-type]


def test_all_that_is_known_of_a_source_is_shown() -> None:
    assert origin(PRINTED) == ["bill.pdf", "a.org/bill", "pages 1–2", "14 March 2024", "Joan Doe"]
    assert origin(PRINTED, [PAYS]) == ["bill.pdf", "a.org/bill", "page 1", "14 March 2024", "Joan Doe"]
    assert origin(PRINTED, [PAYS, BEGUN])[2] == "pages 1, 2"
    assert origin(PRINTED, [(PAYS[0], BEGUN[1])])[2] == "pages 1–2"
    assert origin(PRINTED, [BEGUN, BEGUN])[2] == "page 2"
    assert origin(FIRST) == ["bill.txt"]


def test_a_web_page_is_one_place_and_a_feed_s_entry_has_two() -> None:
    page = with_document(source="https://a.org/news/b", url="https://a.org/news/b")
    entry = with_document(source="/x/feed.xml#2", url="http://a.org/news")
    assert places(page.document) == [("a.org/news/b", "https://a.org/news/b")]
    assert places(entry.document) == [("feed.xml#2", ""), ("a.org/news", "http://a.org/news")]
    assert places(with_document(source="/b.txt", url="javascript:alert(1)").document) == [("b.txt", "")]


def test_an_entry_of_a_feed_on_the_web_is_the_page_it_links_to() -> None:
    address = "https://b.org/news/1?x"
    entry = with_document(source=f"https://a.org/feed.xml#{address}", part=address, url="https://b.org/news/1")
    assert places(entry.document) == [("b.org/news/1", address)]
    unlinked = with_document(source="https://a.org/feed.xml#0123456789ab", part="0123456789ab")
    assert places(unlinked.document) == [("a.org/feed.xml", "https://a.org/feed.xml#0123456789ab")]
    assert f'href="{address}"' in passages_html([entry], "1", "Sources", [Citation(entry, *PAYS)], file_links=True)
    assert also_in(replace(FIRST, copies=(entry.document.source,))) == "also in: b.org/news/1"


@pytest.mark.parametrize(
    ("published", "shown"),
    [("2024-03-14", "14 March 2024"), ("2024", "2024"), ("spring 2024", "spring 2024"), ("", "")],
)
def test_dates_are_written_out(published: str, shown: str) -> None:
    assert date_in_words(published) == shown


def test_a_card_links_where_the_article_was_published() -> None:
    markup = passages_html([PRINTED], "1", "Sources", [Citation(PRINTED, *BEGUN)])
    link = '<a href="https://a.org/bill" target="_blank" rel="noopener noreferrer">a.org/bill</a>'
    assert f'<p class="origin">bill.pdf · {link} · page 2 · 14 March 2024 · Joan Doe</p>' in markup


def file_link(read: Passage, *spans: tuple[int, int]) -> str:
    """Where the name of its file leads; empty where it is no link."""
    markup = passages_html([read], "1", "Sources", [Citation(read, *span) for span in spans], file_links=True)
    found = re.search(r'href="(cited/[^"]*)"', markup)
    return found[1] if found else ""


def test_a_cited_file_leads_to_the_page_that_is_cited_first() -> None:
    assert file_link(PRINTED, PAYS) == "cited/d1#page=1"
    assert file_link(PRINTED, BEGUN) == "cited/d1#page=2"
    assert file_link(PRINTED, BEGUN, PAYS) == "cited/d1#page=1"
    assert file_link(FIRST, PAYS) == "cited/d1"
    assert file_link(PRINTED) == ""
    bundled = with_document(source="/news/all.zip#bill.pdf", part="bill.pdf", pages=(0, BEGUN[0]))
    assert file_link(bundled, BEGUN) == "cited/d1"


def test_copies_are_places_of_one_source() -> None:
    copied = replace(FIRST, copies=("/x/a.txt", "https://b.org/c?d"))
    assert also_in(copied) == "also in: a.txt, b.org/c"
    assert also_in(FIRST) == ""
    many = replace(FIRST, copies=tuple(f"/x/{number}.txt" for number in range(6)))
    assert also_in(many) == "also in: 0.txt, 1.txt, 2.txt, 3.txt, 2 more"
    assert '<p class="origin places" dir="auto">also in: a.txt, b.org/c</p>' in passages_html([copied], "1", "Sources")
    assert "[1] The bill · bill.txt\n    also in: a.txt, b.org/c\n    “TikTok" in answer_text(citing(copied))


@pytest.mark.parametrize(("stale", "said"), [("changed", CHANGED), ("missing", GONE)])
def test_a_cited_article_whose_file_changed_is_named_with_the_answer_and_on_its_card(stale: str, said: str) -> None:
    shown = citing(replace(FIRST, stale=stale))
    assert f"[1] The bill · bill.txt\n    {said}\n    “TikTok" in answer_text(shown)
    marked = said.replace("`rag sync`", "<code>rag sync</code>")
    assert f'<p class="note" dir="auto">[1] The bill: {marked}</p>' in answer_html(shown, "1")
    card = passages_html(shown.passages, "1", "Sources")
    assert card.count(f'<p class="origin stale">{marked}</p>') == 1


def test_of_an_article_that_is_not_cited_only_its_card_says_that_it_changed() -> None:
    shown = replace(answer(), passages=(FIRST, SECOND, replace(FIRST, number=3, stale="changed")))
    assert "changed since" not in answer_html(shown, "1")
    assert "changed since" not in answer_text(shown)
    assert "changed since" in passages_html(shown.passages, "1", "Sources")


MAY = Timeframe(date(2023, 5, 1), date(2023, 5, 31))


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (Timeframe(newest=True), "Newer articles were preferred."),
        (MAY, "Articles published from 1 May 2023 until 31 May 2023 were preferred."),
        (Timeframe(first=MAY.first), "Articles published from 1 May 2023 were preferred."),
        (Timeframe(last=MAY.last), "Articles published until 31 May 2023 were preferred."),
        (Timeframe(MAY.last, MAY.last), "Articles published on 31 May 2023 were preferred."),
        (
            replace(MAY, newest=True),
            "Articles published from 1 May 2023 until 31 May 2023 were preferred, the newest first.",
        ),
        (
            replace(MAY, required=True),
            "Only articles published from 1 May 2023 until 31 May 2023 were searched, and those without a date.",
        ),
    ],
)
def test_what_dates_did_to_an_answer_is_said(frame: Timeframe, said: str) -> None:
    assert timeframe_in_words(frame) == said
    for shown in (replace(answer(), timeframe=frame), replace(refusal(), timeframe=frame)):
        assert f'<p class="note" dir="auto">{said}</p>' in answer_html(shown, "1")
        assert said in answer_text(shown).splitlines()


def test_where_dates_did_nothing_nothing_is_said() -> None:
    assert timeframe_in_words(Timeframe()) == ""
    assert 'class="note"' not in answer_html(answer(), "1")


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_foreign_gets_out_of_the_places_of_a_source(text: str) -> None:
    def shown(words: str) -> str:
        document = Document("d", words, ARTICLE, words, words, words, "0", f"https://a.org/{words}")
        read = replace(FIRST, document=document, copies=(words, f"http://{words}"), stale="changed")
        made = citing(read)
        return f"{answer_html(made, '1')}{passages_html(made.passages, '1', 'Sources')}"

    hostile, harmless = Elements(shown(text)), Elements(shown("words"))
    assert (hostile.tags, hostile.attributes) == (harmless.tags, harmless.attributes)


def test_an_odd_state_of_a_file_is_passed_over() -> None:
    assert "<script" not in answer_html(citing(replace(FIRST, stale="<script>")), "1")
    assert len(answer_text(citing(replace(FIRST, stale="unheard of"))).splitlines()) == 6
