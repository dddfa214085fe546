"""Web addresses → `Document`s: a page, or the entries of a feed with the pages they link to."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from rag.documents.fields import USUAL_FIELDS, FieldNames
from rag.documents.kinds import Kind, kind_by_name, kind_of
from rag.documents.loading import Loaded, content_hash, document_id, load_bytes
from rag.errors import DocumentError
from rag.types import Document

SUFFIXES = {
    "text/html": ".html", "application/xhtml+xml": ".html", "text/markdown": ".md",
    "application/rss+xml": ".rss", "application/atom+xml": ".atom", "application/rdf+xml": ".xml",
    "application/xml": ".xml", "text/xml": ".xml",
    "application/json": ".json", "application/feed+json": ".json", "application/x-ndjson": ".jsonl",
    "text/csv": ".csv", "text/tab-separated-values": ".tsv", "message/rfc822": ".eml", "application/mbox": ".mbox",
}  # fmt: skip
"""Of a file with what a server calls so. Formats that aren't text are told by their content alone."""

TITLE_CHARACTERS = 60
"""Of an entry without a title, so much of its first line is its title."""

_SENDABLE = re.compile(r"[\x20-\x7e]{1,200}")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class Gone(DocumentError):
    """The server says that there is no such page: 404 or 410."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a web address gave."""

    url: str
    """As it was asked for."""
    data: bytes
    address: str
    """After redirects."""
    name: str
    """What a file with it would be called, such as "rates.html"."""
    etag: str
    """By which the server can tell later whether the page has changed; empty where it said none. So `modified`."""
    modified: str

    @property
    def content_hash(self) -> str:
        """See `Document.content_hash`."""
        return content_hash(self.data)

    @property
    def is_feed(self) -> bool:
        """Raises DocumentError for a format that isn't accepted."""
        return kind_of(self.data, self.name, self.url) is Kind.FEED


def is_address(path: object) -> bool:
    """Whether what was named is an address and no file or folder: "https://example.org/news"."""
    return isinstance(path, str) and _ADDRESS.match(path.strip()) is not None


def page_address(text: str) -> str:
    """As it is remembered: without its fragment. Raises DocumentError for all but plain http and https addresses."""
    from rag.documents.web import parsed_address  # which loads httpx, for a quarter of a second

    address = parsed_address(text)
    return str(address.copy_with(raw_path=address.raw_path))


def fetch_page(url: str, etag: str = "", modified: str = "") -> Page | None:
    """Get what is at an address; None where the server says that it is as it was when it gave `etag` or `modified`.

    Raises Gone, and DocumentError as `fetch` does.
    """
    from rag.documents.web import fetch

    conditions = {"If-None-Match": etag, "If-Modified-Since": modified}
    sent = {name: value for name, value in conditions.items() if value}
    said: dict[str, str] = {}

    def answered(status: int, headers: Mapping[str, str]) -> None:
        if status == 304 and sent:
            raise _NotModified
        if status in (404, 410):
            raise Gone(f"{url} answered {status}: there is no such page.")
        said.update({name.lower(): value for name, value in headers.items()})

    try:
        found = fetch(url, headers=sent, answered=answered)
    except _NotModified:
        return None
    name = _file_name(found.url, found.content_type)
    return Page(url, found.data, found.url, name, _sendable(said, "etag"), _sendable(said, "last-modified"))


def _sendable(headers: Mapping[str, str], name: str) -> str:
    """Empty where it isn't there, or nothing that could be sent back."""
    value = headers.get(name, "")
    return value if _SENDABLE.fullmatch(value) else ""


def _file_name(address: str, content_type: str) -> str:
    """ "https://a.example/rates?p=1" of "text/html; charset=utf-8" → "rates.html"."""
    path = PurePosixPath(unquote(urlsplit(address).path))
    kind = content_type.partition(";")[0].strip().lower()
    if kind in SUFFIXES:
        return f"{path.stem or 'page'}{SUFFIXES[kind]}"
    if kind_by_name(path.name) is None and kind == "text/plain":
        return f"{path.stem or 'page'}.txt"
    return path.name or "page"


def load_page(page: Page, names: FieldNames = USUAL_FIELDS) -> Loaded:
    """The articles in it, with content hashes of what they say: the rest of a page is another at every visit.

    Raises DocumentError as `load` does.
    """
    found = load_bytes(page.data, page.name, page.url, names)
    located = (replace(document, url=document.url or page.address) for document in found.documents)
    return replace(found, documents=tuple(replace(document, content_hash=_said(document)) for document in located))


def feed_entries(loaded: Loaded) -> Iterator[tuple[Document, bool]]:
    """The entries of a feed, and of each whether it is the whole article and no summary.

    Their parts, by which they are known from one visit to the next, are the addresses that they link to.
    """
    taken = set()
    for numbered in loaded.documents:
        entry = numbered
        if entry.title.endswith(f", {entry.part}"):  # it has none but the number, which the next visit would change
            entry = replace(entry, title=_beginning(entry.text))
        digest = _said(entry)
        part = entry.url or digest[:12]
        part = f"{part}#{digest[:12]}" if part in taken else part
        if part in taken:
            continue
        taken.add(part)
        source = f"{entry.file}#{part}"
        entry = replace(entry, id=document_id(source), source=source, part=part, content_hash=digest)
        yield entry, numbered.part not in loaded.summaries


def _said(document: Document) -> str:
    about = [document.title, document.text, document.published, document.author, document.url]
    return content_hash(json.dumps(about).encode())


def _beginning(text: str) -> str:
    first = text.split("\n", 1)[0]
    return first if len(first) <= TITLE_CHARACTERS else f"{first[:TITLE_CHARACTERS]}…"


def linked_article(entry: Document, names: FieldNames = USUAL_FIELDS) -> Document:
    """An entry with the text of the page that it links to. Raises DocumentError where that can't be had."""
    if not entry.url:
        raise DocumentError(f"{entry.source} has a summary, and no link to more.")
    page = fetch_page(entry.url)
    if page is None or page.is_feed:
        raise DocumentError(f"{entry.url} is no article, but a feed. Index it by itself.")
    found = load_page(page, names).documents
    if len(found) != 1:
        raise DocumentError(f"{entry.url} holds {len(found)} articles, not the one of this entry. Index it by itself.")
    return replace(
        entry,
        text=found[0].text,
        pages=found[0].pages,
        published=entry.published or found[0].published,
        author=entry.author or found[0].author,
    )


class _NotModified(Exception):
    """The page is as it was."""
