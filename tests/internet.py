"""A made-up internet for what fetches pages: the real server of `tests.test_web`, reached by the real fetching."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler

import pytest

import rag.documents.web
from rag.documents.web import fetch
from tests.test_web import Answer, Web, page, web


@contextmanager
def internet(
    monkeypatch: pytest.MonkeyPatch,
    pages: dict[str, Answer],
    names: dict[str, list[list[str]]] | None = None,
) -> Iterator[Web]:
    """Every host but those in `names` is this server, with these pages by their paths."""
    with web(pages, names) as made:
        reach = partial(fetch, resolve=made.resolve, backend=made.backend)
        monkeypatch.setattr(rag.documents.web, "fetch", reach)
        yield made


def html(title: str, text: str) -> str:
    return (
        f"<!doctype html><html><head><title>{title}</title></head><body><article><p>{text}</p></article></body></html>"
    )


def shown(title: str, text: str, **headers: str) -> Answer:
    """A web page with a title and one paragraph."""
    return page(html(title, text).encode(), 200, **headers)


def rss(*entries: str) -> Answer:
    """A feed of these items."""
    return page(
        f"<rss><channel><title>News</title>{''.join(entries)}</channel></rss>".encode(), Content_Type="text/xml"
    )


def item(name: str, whole: str = "", summary: str = "") -> str:
    """An item of a feed that links to /<name>."""
    encoded = f"<encoded><![CDATA[<p>{whole}</p>]]></encoded>" if whole else ""
    described = f"<description>{summary}</description>" if summary else ""
    return f"<item><title>{name.title()}</title><link>http://news.example/{name}</link>{encoded}{described}</item>"


def unless_known(answer: Answer, etag: str) -> Answer:
    """304 for who names the `etag`."""

    def conditional(handler: BaseHTTPRequestHandler) -> None:
        (page(b"", 304) if handler.headers["If-None-Match"] == etag else answer)(handler)

    return conditional


def asked(made: Web) -> list[str]:
    """The paths that were asked for since the last time."""
    paths = [request.path for request in made.requests]
    made.requests.clear()
    return paths
