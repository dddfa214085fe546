"""Feeds against the library made of them: their entries, and the pages those link to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import rag.browsing
from rag.index import check_library
from rag.rebuilding import rebuild_library
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY
from tests.indexing.folders import AttentiveEmbedder, index, interrupted_at, parts, texts
from tests.internet import asked, internet, item, rss, shown, unless_known
from tests.test_web import Web, page

FEED = "http://news.example/feed"
FERRY = item("ferry", whole="The ferry sails.")
MILL = item("mill", summary="The mill …")


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    pages = {"/feed": rss(FERRY, MILL), "/mill": shown("The mill", "The mill turns again.")}
    with internet(monkeypatch, pages) as made:
        yield made


def test_entries_are_articles_and_of_a_summary_the_page_it_links_to_is(web: Web, library: Path) -> None:
    report = index(library, FEED)
    assert parts(report.added) == ["http://news.example/ferry", "http://news.example/mill"]
    assert texts(library) == ["The ferry sails.", "The mill turns again."]
    assert asked(web) == ["/feed", "/mill"]


def test_only_new_entries_are_read_and_older_ones_stay(web: Web, library: Path) -> None:
    index(library, FEED)
    asked(web)
    web.pages["/feed"] = rss(item("inn", whole="The inn is open."), MILL)
    embedder = AttentiveEmbedder()
    report = index(library, embedder=embedder)
    assert (parts(report.added), report.updated, report.removed) == (["http://news.example/inn"], (), ())
    assert (report.unchanged, report.documents, embedder.calls, asked(web)) == (2, 3, 1, ["/feed"])
    web.pages["/feed"] = rss(item("inn", whole="The inn is closed."))
    assert parts(index(library).updated) == ["http://news.example/inn"]
    assert texts(library) == ["The ferry sails.", "The inn is closed.", "The mill turns again."]
    assert rebuild_library([], library, IDENTITY, WordEmbedder()).documents == 3
    assert check_library(library).faults == ()


def test_a_feed_the_server_says_is_unchanged_is_left_alone(web: Web, library: Path) -> None:
    web.pages["/feed"] = unless_known(page(b"<rss><channel>" + FERRY.encode() + b"</channel></rss>", ETag='"1"'), '"1"')
    index(library, FEED)
    assert [index(library).unchanged, index(library).unchanged] == [1, 1]
    assert [request.headers["If-None-Match"] for request in web.requests] == [None, '"1"', '"1"']


def test_a_linked_page_that_can_not_be_had_is_one_note_and_tried_again(web: Web, library: Path) -> None:
    web.pages["/mill"] = page(b"", 404)
    for visits in range(2):
        report = index(library, FEED)
        assert report.refused == ()
        assert report.notes == (
            "http://news.example/mill answered 404: there is no such page. "
            f"An entry of {FEED} links to it; the next visit tries again.",
        )
        assert (len(report.added), report.unchanged) == ((2, 0) if visits == 0 else (0, 2))
    assert texts(library) == ["The ferry sails.", "The mill …"]
    web.pages["/mill"] = shown("The mill", "The mill turns again.")
    assert parts(index(library).updated) == ["http://news.example/mill"]
    assert texts(library) == ["The ferry sails.", "The mill turns again."]


def test_what_was_had_of_a_linked_page_is_not_given_up_for_a_summary(
    web: Web, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(library, FEED)
    web.pages |= {"/mill": page(b"", 500), "/feed": rss(item("mill", summary="The mill, updated …"))}
    assert index(library).unchanged == 2
    monkeypatch.setattr("rag.indexing.LOADER_VERSION", 99)
    assert len(index(library).updated) == 2
    assert rebuild_library([], library, IDENTITY, WordEmbedder()).documents == 2
    assert texts(library) == ["The ferry sails.", "The mill turns again."]


def test_no_more_linked_pages_than_allowed_are_fetched_at_a_time(
    web: Web, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rag.browsing, "LINKED_PAGES", 2)
    numbers = range(1, 6)
    web.pages["/feed"] = rss(*(item(f"n{number}", summary=f"No. {number}") for number in numbers))
    web.pages |= {f"/n{number}": shown("N", f"Number {number}.") for number in numbers}
    (note,) = index(library, FEED).notes
    assert note == f"{FEED} links to 3 more pages than the 2 that are fetched at a time. Run `rag sync` for the next."
    assert texts(library) == ["No. 3", "No. 4", "No. 5", "Number 1.", "Number 2."]
    assert asked(web) == ["/feed", "/n1", "/n2"]
    index(library)
    assert asked(web) == ["/feed", "/n3", "/n4"]
    assert index(library).notes == ()
    assert texts(library) == [f"Number {number}." for number in numbers]


def test_entries_that_link_to_one_page_are_told_apart(web: Web, library: Path) -> None:
    web.pages["/feed"] = rss(item("a", whole="One."), item("a", whole="Two."), item("a", whole="Two."))
    assert len(index(library, FEED).added) == 2
    assert index(library).unchanged == 2
    assert texts(library) == ["One.", "Two."]


def test_an_entry_without_a_title_keeps_its_place_when_others_come_before_it(web: Web, library: Path) -> None:
    untitled = "<item><description>The well is dry.</description></item>"
    web.pages["/feed"] = rss(untitled)
    index(library, FEED)
    web.pages["/feed"] = rss(FERRY, untitled)
    report = index(library)
    assert (len(report.added), report.updated, report.unchanged) == (1, (), 1)


@pytest.mark.usefixtures("one_by_one")
def test_an_interruption_loses_no_entry_that_was_stored(
    web: Web, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.indexing.COMMIT_SECONDS", -1.0)
    with pytest.raises(KeyboardInterrupt):
        index(library, FEED, embedder=interrupted_at(2))
    assert texts(library) == ["The ferry sails."]
    report = index(library)
    assert (parts(report.added), report.unchanged) == (["http://news.example/mill"], 1)
    assert len(asked(web)) == 4
