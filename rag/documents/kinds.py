"""Which format a file is in, told by its content; among texts, where content says little, by its name."""

import re
from enum import StrEnum
from pathlib import PurePath

from rag.documents.decoding import decoded_beginning
from rag.errors import DocumentError


class Kind(StrEnum):
    """A format, as a message names it: "is no PDF"."""

    TXT = "plain text"
    MD = "Markdown"
    HTML = "web page"
    PDF = "PDF"
    DOCX = "Word file"
    PPTX = "PowerPoint file"
    XLSX = "Excel file"
    CSV = "table"
    EPUB = "book (EPUB)"
    EML = "mail"
    MBOX = "mailbox"
    JSON = "JSON"
    FEED = "feed"
    ZIP = "zip file"


SUFFIXES = {
    ".txt": Kind.TXT, ".md": Kind.MD, ".markdown": Kind.MD,
    ".html": Kind.HTML, ".htm": Kind.HTML, ".xhtml": Kind.HTML,
    ".pdf": Kind.PDF, ".docx": Kind.DOCX, ".pptx": Kind.PPTX, ".xlsx": Kind.XLSX,
    ".csv": Kind.CSV, ".tsv": Kind.CSV, ".epub": Kind.EPUB, ".eml": Kind.EML, ".mbox": Kind.MBOX,
    ".json": Kind.JSON, ".jsonl": Kind.JSON, ".rss": Kind.FEED, ".atom": Kind.FEED, ".xml": Kind.FEED,
    ".zip": Kind.ZIP,
}  # fmt: skip
"""Of a file's name in lower case. A file with another one isn't looked for in folders."""

IN_PROCESS = frozenset({Kind.TXT, Kind.MD})
"""Read without any library but Python's own, by a few regular expressions."""

BEGINNING = 4096
"""Bytes that are enough to tell."""

_TEXTS = {Kind.TXT, Kind.MD, Kind.HTML, Kind.CSV, Kind.EML, Kind.MBOX, Kind.JSON, Kind.FEED}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_PDF = re.compile(rb"%PDF-\d\.\d\s")
_PAGE = re.compile(r"<!doctype\s+html\b|<html[\s>]", re.IGNORECASE)
_FEED = re.compile(r"<(?:rss|(?:\w+:)?feed|(?:\w+:)?RDF)[\s>]")
_MBOX = re.compile(r"From \S+ [^\n]*\d{4}[^\n]*+\n[!-9;-~]+:")
_HEADERS = re.compile(r"(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*+){3,}+")
_MAIL_HEADER = re.compile(r"^(?:Received|Return-Path|Message-ID|MIME-Version|Delivered-To):", re.I | re.M)


def accepted_formats() -> str:
    """For messages: ".txt, .md, …"."""
    return ", ".join(SUFFIXES)


def kind_by_name(name: str) -> Kind | None:
    """By the suffix of a file's name; None for one that isn't accepted."""
    return SUFFIXES.get(PurePath(name).suffix.lower())


def named_like_articles(name: str, data: bytes) -> str:
    """`name`, with the suffix of its content added where it has none by which a folder's articles are found.

    Raises DocumentError for a format that isn't accepted; `data` as for `kind_of`.
    """
    if kind_by_name(name):
        return name
    kind = kind_of(data, name, name)
    return name + next(suffix for suffix, of in SUFFIXES.items() if of is kind)


def kind_of(data: bytes, name: str, source: str) -> Kind:
    """The format of a file; ZIP also where only what is packed in it shows that it is a Word file or a book.

    `data` is all of it or at least its first BEGINNING bytes; `source` is for messages. Raises DocumentError for a
    format that isn't accepted, or content that is not what the name says.
    """
    named = kind_by_name(name)
    if binary := _binary(data, source, named):
        return binary
    if not data.strip():
        raise DocumentError(f"{source} is empty. Put an article into it, or remove it.")
    if seen := _of_text(decoded_beginning(data[:BEGINNING])):
        return seen
    if named in _TEXTS:
        return named
    if named is None:
        raise not_accepted(source)
    raise DocumentError(
        f"{source} is named {PurePath(name).suffix} but is no {named}, or damaged. "
        "Save it once more, or name it .txt if it is plain text."
    )


def not_accepted(source: str) -> DocumentError:
    """The error for a file in a format that there is no loader for."""
    return DocumentError(f"{source} is in a format that can't be read. Accepted formats: {accepted_formats()}.")


def _binary(data: bytes, source: str, named: Kind | None) -> Kind | None:
    if _PDF.match(data) or (named is Kind.PDF and b"%PDF-" in data[:1024]):
        return Kind.PDF
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Kind.ZIP
    if data.startswith(_OLE):
        raise _of_old_office(data, source)
    if data.startswith(rb"{\rtf"):
        raise DocumentError(f"{source} is rich text (RTF), which can't be read. Save it as .docx or .txt.")
    return None


def _of_old_office(data: bytes, source: str) -> DocumentError:
    if _ENCRYPTED in data:
        return DocumentError(f"{source} is encrypted. Save it without its password.")
    return DocumentError(f"{source} is in Office's format of before 2007. Save it as .docx, .pptx or .xlsx.")


def _of_text(beginning: str) -> Kind | None:
    markup = _after_prolog(beginning)
    if _PAGE.match(markup):
        return Kind.HTML
    if _FEED.match(markup):
        return Kind.FEED
    if _MBOX.match(beginning):
        return Kind.MBOX
    if (headers := _HEADERS.match(beginning)) and _MAIL_HEADER.search(headers[0]):
        return Kind.EML
    return None


def _after_prolog(text: str) -> str:
    """Markup from its first element on, or from the declaration that it is HTML; "" where it is cut off before."""
    ends = {"<?": "?>", "<!--": "-->", "<!DOCTYPE": ">"}
    text = text.lstrip()
    while not _PAGE.match(text) and (opened := next((start for start in ends if text.startswith(start)), None)):
        # A declaration of entities stands in brackets, and has angle brackets of its own.
        internal = opened == "<!DOCTYPE" and "[" in text.partition(">")[0]
        text = text.partition("]" if internal else ends[opened])[2].removeprefix(">").lstrip()
    return text
