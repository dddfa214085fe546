"""Makes text from articles, questions and models harmless: for a page (`escape`) and for a terminal (`plain`)."""

import html
import re
from collections.abc import Sequence
from typing import NewType

from rag.languages import said

Html = NewType("Html", str)
"""Markup in which everything foreign is escaped. Only this package makes any, so a plain `str` can't slip in."""

_LINE_END = re.compile("\r\n?|[\u2028\u2029]")

# Control characters but tab and newline; embeddings, overrides and isolates of text direction; characters of no width.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"
    "\u202a-\u202e\u2066-\u2069"
    "\u00ad\u180e\u200b\u2060-\u2065\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)

# Persian, Indic scripts and emoji need joiners between their letters; anywhere else a joiner only hides something.
_STRAY_JOINER = re.compile("(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")

_SURROGATE = re.compile("[\ud800-\udfff]")


def plain(text: str) -> str:
    r"""Text without the characters that move a cursor, turn the reading direction or can't be seen.

    >>> plain("\x1b[31mred\x1b[0m, evil\u202etxt.exe")
    '[31mred[0m, eviltxt.exe'
    """
    text = _LINE_END.sub("\n", text)
    text = _HIDDEN.sub("", text)
    text = _STRAY_JOINER.sub("", text)
    return _SURROGATE.sub("\ufffd", text)


def escape(text: str) -> Html:
    """`plain` text that shows as itself in HTML, between tags and in quoted attributes.

    >>> escape('<b title="x">')
    '&lt;b title=&quot;x&quot;&gt;'
    """
    return Html(html.escape(plain(text), quote=True))


def told(text: str, **values: object) -> Html:
    """A text of the page's own in the reader's language; see `said`."""
    return escape(said(text, **values))


def joined(parts: Sequence[Html], between: str = "") -> Html:
    """Several pieces of markup as one; `between` is markup too."""
    return Html(between.join(parts))
