"""Markdown → `Article`. The markup stays in the text: offsets point into it, and a reader can cope with it."""

import re
from collections.abc import Iterator
from datetime import date

from rag.documents.article import Article
from rag.documents.decoding import decode
from rag.documents.plain import TITLE_CHARACTERS, first_line_title
from rag.errors import DocumentError

_FRONT_MATTER = re.compile(r"---[ \t]*\n((?:[^\n]*\n){0,200}?)(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_FIELD = re.compile(r"([A-Za-z][\w-]*)[ \t]*:(?:[ \t]+(.*))?")
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*)")
_CLOSING_MARKS = re.compile(r"(?:^|[ \t])#+$")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKUP_CHARACTERS = 1000
_EMPHASIS = re.compile(r"(\*+|__|`+)(\S(?:.*?\S)?)\1")


def read_markdown(data: bytes, source: str) -> Article:
    """Title, date and author come from YAML front matter where it is simple `key: value` lines.

    Without it, the title is the first heading, or else what plain text would show. Front matter is no part of the text.
    Raises DocumentError when the bytes are not text or hold nothing else than front matter.
    """
    fields, text = _front_matter(decode(data, source))
    if not text.strip():
        raise DocumentError(f"{source} holds nothing after its front matter. Put an article into it, or remove it.")
    return Article(
        title=fields.get("title") or _first_heading(text) or _plain(first_line_title(text) or "") or None,
        text=text,
        published=_iso_date(fields.get("date", "")),
        author=fields.get("author"),
    )


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """Its fields that have a plain value of one line, and the text after it."""
    matter = _FRONT_MATTER.match(text)
    lines = matter[1].splitlines() if matter else []
    # A horizontal rule at the top of an article opens no front matter.
    if not matter or not any(map(_FIELD.fullmatch, lines)):
        return {}, text
    fields = (field for line in lines if (field := _FIELD.fullmatch(line)))
    values = {field[1].lower(): _scalar(field[2] or "") for field in fields}
    return {name: value for name, value in values.items() if value}, text[matter.end() :]


def _scalar(value: str) -> str:
    """A YAML value without its quotes; empty for lists, blocks and other things that aren't one plain line."""
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1].strip()
    return "" if value[:1] in ("[", "{", "|", ">", "&", "*", "!", "#") else re.split(r"\s#", value)[0].strip()


def _iso_date(value: str) -> str | None:
    """ "2024-03-14T09:00:00Z" → "2024-03-14"; None for a date in another form."""
    try:
        return date.fromisoformat(value[:10]).isoformat()
    except ValueError:
        return None


def _first_heading(text: str) -> str | None:
    before = ""
    for line in _lines_outside_fences(text):
        heading = _HEADING.match(line)
        if heading and (title := _plain(_CLOSING_MARKS.sub("", heading[1].rstrip()))):
            return title
        if 0 < len(before) <= TITLE_CHARACTERS and _UNDERLINE.fullmatch(line):
            return _plain(before)
        before = line.strip()
    return None


def _lines_outside_fences(text: str) -> Iterator[str]:
    inside = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            inside = not inside
        elif not inside:
            yield line


def _plain(markup: str) -> str:
    """ "**Rates** [rise](/rates)" → "Rates rise"."""
    return " ".join(_EMPHASIS.sub(r"\2", _LINK.sub(r"\1", markup[:_MARKUP_CHARACTERS])).split())
