"""RSS and Atom files → one `Article` an entry."""

from collections.abc import Iterator, Sequence

from rag.documents.article import Article, Note
from rag.documents.cleaning import AUTHOR_CHARACTERS, one_line, web_address
from rag.documents.dates import iso_date
from rag.documents.elements import Element, local_name, named, parse_xml
from rag.documents.limits import MAX_ARTICLES, Allowance
from rag.documents.markup import unmarked
from rag.errors import DocumentError

ROOTS = ("rss", "feed", "RDF")

_ENTRIES = ("item", "entry")
_TEXTS = ("encoded", "content")
_SUMMARIES = ("description", "summary")
_SUMMARY_CHARACTERS = 1500
"""What is called a summary and is at least so long is taken for the whole: many feeds have no other place for it."""
_DATES = ("pubDate", "published", "issued", "date", "updated", "modified")


def read_feed(data: bytes, source: str) -> Iterator[Article | Note]:
    """The entries with the text that the feed has of them, their number, counted from 1, as part.

    An entry without text has its title as text; neither that nor a summary is the `whole` article. Raises DocumentError
    when the file is no feed, is not well-formed XML, declares entities, or has no entry.
    """
    root = parse_xml(data, source)
    if local_name(root) not in ROOTS:
        raise DocumentError(f"{source} is XML, but neither RSS nor Atom. Save what is in it as text or HTML.")
    of_feed = _author(next(named(root, "channel"), root))
    allowed = Allowance(MAX_ARTICLES, "entries", source)
    empty = True
    for number, entry in enumerate(named(root, *_ENTRIES), 1):
        allowed.take()
        if article := _article(entry, str(number), of_feed):
            empty = False
            yield article
    if empty:
        raise DocumentError(f"{source} is a feed without entries. Leave it out.")


def _article(entry: Element, part: str, of_feed: str | None) -> Article | None:
    title = one_line(unmarked(_first(entry, "title")))
    whole = _text(entry, _TEXTS)
    text = whole or _text(entry, _SUMMARIES) or title
    if not text:
        return None
    return Article(
        title=title,
        text=text,
        published=next((day for name in _DATES if (day := iso_date(_first(entry, name).strip()))), None),
        author=_author(entry) or of_feed,
        url=_link(entry),
        part=part,
        whole=bool(whole) or len(text) >= _SUMMARY_CHARACTERS,
    )


def _text(entry: Element, names: Sequence[str]) -> str | None:
    return next((text for name in names if (text := unmarked(_first(entry, name)))), None)


def _first(element: Element, name: str) -> str:
    """The text of the first child of that name that has any, that of the elements in it included."""
    texts = ("".join(child.itertext()) for child in element if local_name(child) == name)
    return next((text for text in texts if text.strip()), "")


def _author(element: Element) -> str | None:
    """dc:creator, an Atom author's name, or RSS's "ada@example.org (Ada)"."""
    for child in element:
        if local_name(child) in ("creator", "author"):
            written = _first(child, "name") or (child.text or "")
            _, opened, name = written.strip().removesuffix(")").partition("(")
            if found := one_line(name if opened else written, AUTHOR_CHARACTERS):
                return found
    return None


def _link(entry: Element) -> str | None:
    """Of Atom the alternate link, of RSS the link or a guid that is one."""
    for child in entry:
        if local_name(child) == "link" and child.get("rel", "alternate") == "alternate":
            return web_address(child.get("href") or child.text)
    return web_address(_first(entry, "guid"))
