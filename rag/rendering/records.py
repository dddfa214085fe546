"""What reports of many answers need besides `html`: words for Markdown."""

import re

from rag.rendering.escape import plain

_MARKUP = re.compile(r"[\\`*_<>\[\]|~&]")


def markdown_words(text: str) -> str:
    r"""`plain` text on one line that shows as itself in Markdown, in a paragraph, a heading or the cell of a table.

    >>> markdown_words("a | b\n*c*")
    'a \\| b \\*c\\*'
    """
    return _MARKUP.sub(r"\\\g<0>", single_line(text))


def single_line(text: str) -> str:
    r"""`plain` text with every run of blanks and line ends as one blank.

    >>> single_line(" rag  eval\nseeds ")
    'rag eval seeds'
    """
    return " ".join(plain(text).split())
