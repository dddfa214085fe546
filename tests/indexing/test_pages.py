"""Web pages against the library made of them: a real server, put on a made-up internet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.errors import DocumentError
from rag.index import open_library
from rag.indexing import IndexReport, index_paths
from rag.rebuilding import rebuild_library
from rag.syncing import Staleness, stale_files
from rag.types import Document
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY, state
from tests.indexing.folders import AttentiveEmbedder, finds, index, interrupted_at, names, roots, texts
from tests.internet import asked, html, internet, shown, unless_known
from tests.test_web import Web, page, redirect

FERRY = "http://news.example/ferry"


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    pages = {"/ferry": unless_known(shown("Ferry", "It sails on Monday.", ETag='"1"'), '"1"')}
    with internet(monkeypatch, pages, {"inside.example": [["10.0.0.1"]]}) as made:
        yield made


def documents(library: Path) -> list[Document]:
    with open_library(library) as now:
        found = now.documents_by_id(listed.id for listed in now.documents())
        return sorted(found.values(), key=lambda document: document.source)


def stale(library: Path) -> dict[str, list[str]]:
    with open_library(library) as now:
        return {one.source: list(one.reasons) for one in stale_files(now, {})}


def test_a_page_is_an_article_and_its_address_the_source(web: Web, library: Path) -> None:
    assert index(library, f"{FERRY}#top").added == (FERRY,)
    (document,) = documents(library)
    assert (document.title, document.text) == ("Ferry", "It sails on Monday.")
    assert (document.source, document.url) == (FERRY, FERRY)
    assert roots(library) == [FERRY]
    assert asked(web) == ["/ferry"]


def test_a_page_the_server_says_is_unchanged_is_left_alone(web: Web, library: Path) -> None:
    index(library, FERRY)
    before = state(library)
    embedder = AttentiveEmbedder()
    report = index(library, embedder=embedder)
    assert report == IndexReport((), (), (), unchanged=1, refused=(), documents=1)
    assert [request.headers["If-None-Match"] for request in web.requests] == [None, '"1"']
    assert (state(library), embedder.calls) == (before, 0)


def test_the_date_of_a_page_serves_where_there_is_no_tag(web: Web, library: Path) -> None:
    changed = "Thu, 14 Mar 2024 09:00:00 GMT"
    web.pages["/ferry"] = shown("Ferry", "It sails on Monday.", Last_Modified=changed)
    index(library, FERRY)
    assert index(library).unchanged == 1
    assert [request.headers["If-Modified-Since"] for request in web.requests] == [None, changed]


def test_a_page_is_unchanged_while_its_article_is_whatever_stands_around_it(web: Web, library: Path) -> None:
    for number in range(3):
        around = f"<script>visits = {number}</script></body>"
        web.pages["/ferry"] = page(html("Ferry", "It sails.").replace("</body>", around).encode())
        report = index(library, FERRY)
        assert (len(report.added), len(report.updated), report.unchanged) == ((1, 0, 0) if number == 0 else (0, 0, 1))
    web.pages["/ferry"] = shown("Ferry", "It sank.")
    assert index(library).updated == (FERRY,)
    assert texts(library) == ["It sank."]


def test_a_redirected_page_keeps_the_address_it_was_named_by(web: Web, library: Path) -> None:
    web.pages["/old"] = redirect("/ferry", 301)
    assert index(library, "http://news.example/old").added == ("http://news.example/old",)
    assert documents(library)[0].url == FERRY
    assert index(library).unchanged == 1


@pytest.mark.parametrize(
    ("status", "reason"), [(404, "page is gone"), (410, "page is gone"), (500, "page can't be had")]
)
def test_a_page_that_can_not_be_had_any_more_is_reported_and_kept(
    status: int, reason: str, web: Web, library: Path
) -> None:
    index(library, FERRY)
    web.pages["/ferry"] = page(b"Sorry", status)
    for _ in range(2):
        report = index(library)
        assert (report.removed, report.unchanged, report.documents) == ((), 1, 1)
        (refused,) = report.refused
        assert refused.startswith(f"{FERRY} answered {status}")
        assert "What was indexed from it stays; `rag index --rebuild FOLDER` with the other folders" in refused
        assert stale(library) == {FERRY: [reason]}
    assert finds(library, "Monday")
    web.pages["/ferry"] = unless_known(shown("Ferry", "It sails on Monday."), '"1"')
    assert index(library).unchanged == 1
    assert stale(library) == {}


def test_a_page_that_never_was_there_is_refused_and_not_remembered(web: Web, news: Path, library: Path) -> None:
    web.pages["/none"] = page(b"", 404)
    report = index_paths([news, "http://news.example/none"], library, IDENTITY, WordEmbedder())
    assert report.refused == ("http://news.example/none answered 404: there is no such page. Correct the address.",)
    assert (report.documents, roots(library)) == (3, [str(news)])


@pytest.mark.parametrize(
    ("content_type", "data", "text"),
    [
        ("text/plain", html("Ferry", "It sails.").encode(), "It sails."),
        ("application/octet-stream", html("Ferry", "It sails.").encode(), "It sails."),
        ("text/html; charset=utf-8", b"It sails, without any markup.", "It sails, without any markup."),
        ("text/plain", b"It sails.", "It sails."),
        ("application/json", b'{"text": "It sails."}', "It sails."),
    ],
)
def test_what_a_page_is_is_told_by_its_content(
    content_type: str, data: bytes, text: str, web: Web, library: Path
) -> None:
    web.pages["/ferry"] = page(data, Content_Type=content_type)
    index(library, FERRY)
    assert texts(library) == [text]


def test_a_picture_is_refused(web: Web, library: Path) -> None:
    web.pages["/ferry"] = page(b"\x89PNG\r\n\x1a\n\0\0", Content_Type="image/png")
    (refused,) = index(library, FERRY).refused
    assert refused.startswith(f"{FERRY} is in a format that can't be read. Accepted formats: .txt")


def test_an_address_within_the_local_network_is_refused_and_so_is_a_redirect_to_it(web: Web, library: Path) -> None:
    web.pages["/ferry"] = redirect("http://inside.example/secret")
    for address in ("http://inside.example/", FERRY):
        (refused,) = index(library, address).refused
        assert "inside.example, which is 10.0.0.1, isn’t on the public internet" in refused
    assert asked(web) == ["/ferry"]


@pytest.mark.parametrize("address", ["ftp://news.example/", "file:///etc/passwd", "http://"])
def test_what_is_no_web_address_is_refused_before_anything_is_written(address: str, library: Path) -> None:
    with pytest.raises(DocumentError, match="is no web address"):
        index(library, address)
    assert not library.exists()


def test_folders_and_pages_are_visited_together(web: Web, news: Path, library: Path) -> None:
    report = index_paths([FERRY, news], library, IDENTITY, WordEmbedder())
    assert names(report.added) == ["apples.txt", "bread.md", "coal.txt", "ferry"]
    (news / "coal.txt").unlink()
    web.pages["/ferry"] = shown("Ferry", "It sank.")
    report = index(library)
    assert (names(report.removed), report.updated, report.unchanged) == (["coal.txt"], (FERRY,), 2)
    asked(web)
    report = index_paths([], library, IDENTITY, WordEmbedder(), pages=False)
    assert (report.unchanged, report.documents, asked(web)) == (2, 3, [])


def test_a_rebuilt_library_keeps_pages_that_are_gone_until_they_are_forgotten(
    web: Web, news: Path, library: Path
) -> None:
    index_paths([news, FERRY], library, IDENTITY, WordEmbedder())
    web.pages["/ferry"] = page(b"", 410)
    done = rebuild_library([], library, IDENTITY, WordEmbedder())
    assert (done.documents, len(done.refused)) == (4, 1)
    assert finds(library, "Monday")
    assert roots(library) == [str(news), FERRY]
    assert stale(library) == {FERRY: [Staleness.GONE]}
    assert rebuild_library([news], library, IDENTITY, WordEmbedder()).documents == 3
    assert (roots(library), stale(library)) == ([str(news)], {})


@pytest.mark.usefixtures("one_by_one")
def test_an_interruption_loses_no_page_that_was_stored(
    web: Web, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.indexing.COMMIT_SECONDS", -1.0)
    web.pages["/mill"] = shown("Mill", "It turns.")
    web.pages["/inn"] = shown("Inn", "It is open.")
    addresses = [FERRY, "http://news.example/inn", "http://news.example/mill"]
    with pytest.raises(KeyboardInterrupt):
        index(library, *addresses, embedder=interrupted_at(2))
    assert texts(library) == ["It sails on Monday."]
    report = index(library, *addresses)
    assert (len(report.added), report.unchanged) == (2, 1)


def test_progress_counts_a_page_as_so_many_bytes_and_ends_with_all_of_them(web: Web, news: Path, library: Path) -> None:
    told: list[tuple[str, int, int]] = []
    web.pages["/none"] = page(b"", 404)
    index_paths(
        [FERRY, "http://news.example/none", news],
        library,
        IDENTITY,
        WordEmbedder(),
        report=lambda *now: told.append(now),
    )
    total = 200_000 + sum(file.stat().st_size for file in news.iterdir())
    assert {(what, of) for what, _, of in told} == {("Indexing", total)}
    done = [done for _, done, _ in told]
    assert done == sorted(done)
    assert done[-1] == total
