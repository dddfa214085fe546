"""Makes text from articles, questions and models harmless: for a page (`escape`) and for a terminal (`plain`)."""

import html
from collections.abc import Sequence
from typing import NewType

from rag.languages import said
from rag.plain_text import plain as plain

Html = NewType("Html", str)
"""Markup in which everything foreign is escaped. Only this package makes any, so a plain `str` can't slip in."""


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
