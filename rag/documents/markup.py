"""Pieces of HTML, such as a chapter of a book, a mail or an entry of a feed → text, all of it."""

import re
from collections.abc import Iterator

from rag.documents.cleaning import clean

_NO_TEXT = ("script", "style", "head", "template", "noscript", "svg", "math", "object", "iframe", "textarea", "select")
_BLOCKS = frozenset(
    "address article aside blockquote body caption dd details div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tbody tfoot thead tr ul".split()
)
_CELLS = ("td", "th")
_SPACES = re.compile(r"[^\S\u00a0]+")
_AROUND_NEWLINE = re.compile(r"[^\S\n]*\n[^\S\n]*")
_LOOKS_LIKE_HTML = re.compile(r"<(?:p|div|br|h[1-6]|a|b|i|em|strong|ul|ol|img|span|table|blockquote)\b[^>]*>", re.I)


def text_of_html(html: str) -> str:
    """A line for each block, with an empty one around those that have one in a browser; "" where there is no text."""
    from lxml import etree
    from lxml.html import HTMLParser, document_fromstring

    try:
        root = document_fromstring(html, parser=HTMLParser(remove_comments=True, remove_pis=True))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return ""
    etree.strip_elements(root, *_NO_TEXT, with_tail=False)
    text = "".join(_pieces(etree.iterwalk(root, events=("start", "end"))))
    return clean(_AROUND_NEWLINE.sub("\n", text)).replace("\u00a0", " ")


def unmarked(text: str) -> str:
    """A text that may or may not be HTML → text: "<p>It <b>left</b>.</p>" → "It left."."""
    return text_of_html(text) if _LOOKS_LIKE_HTML.search(text) else clean(text)


def _pieces(walk: Iterator[tuple[str, object]]) -> Iterator[str]:
    verbatim = 0
    for event, found in walk:
        element: object = found
        tag = str(getattr(element, "tag", ""))
        starts = event == "start"
        if tag == "br":
            yield "\n" if starts else ""
        elif tag in _CELLS:
            previous = getattr(element, "getprevious")() if starts else None  # noqa: B009
            yield " | " if previous is not None else ""
        elif tag in _BLOCKS:
            yield "\n" if tag in ("li", "tr", "dd", "dt") else "\n\n"
        verbatim += (1 if starts else -1) if tag == "pre" else 0
        inside = getattr(element, "text" if starts else "tail") or ""
        yield inside if verbatim else _SPACES.sub(" ", inside)
