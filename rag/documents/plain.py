"""Plain text → `Article`."""

import re

from rag.documents.article import Article
from rag.documents.decoding import decode

TITLE_CHARACTERS = 200
"""A longer first line is a paragraph."""

SECTION_WORDS = 3
"""A first line of so few words may be the name of a section, such as "World" or "Science and Health"."""

_LINES = 50
_BYLINE = re.compile(r"(?:by|from|published|updated|posted|written)\b", re.IGNORECASE)


def read_plain(data: bytes, source: str) -> Article:
    """Raises DocumentError when the bytes are not text."""
    text = decode(data, source)
    return Article(title=first_line_title(text), text=text)


def first_line_title(text: str) -> str | None:
    """The title that the first two lines with words on them show, if they show one.

    It is the first line that reads like a title: short, without the mark that ends or continues a sentence, and not
    carried on in lower case by the next line. Where that line is the name of a section and the next reads like a
    longer headline, the headline is the title.

        "Economy\\nCentral bank leaves interest rates where they are\\n…" → the second line
        "Rates unchanged, prices up\\nThe central bank left its rates …" → the first line
        "The central bank left its rates unchanged.\\n…" → None
    """
    lines = [line.strip()[: TITLE_CHARACTERS + 1] for line in text.split("\n", _LINES) if line.strip()]
    first, after = (" ".join(line.split()) for line in (*lines, "", "")[:2])
    if not _reads_like_title(first) or after[:1].islower():
        return None
    after_section = len(first.split()) <= SECTION_WORDS < len(after.split())
    return after if after_section and _reads_like_title(after) and not _BYLINE.match(after) else first


def _reads_like_title(line: str) -> bool:
    return len(line) <= TITLE_CHARACTERS and any(map(str.isalpha, line)) and line[-1] not in ".,;:。，；："
