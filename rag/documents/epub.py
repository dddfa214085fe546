"""Book (EPUB) → `Article`: its chapters in the order in which they are read."""

import posixpath
from collections.abc import Iterator
from urllib.parse import unquote

from rag.documents.article import Article
from rag.documents.cleaning import AUTHOR_CHARACTERS, one_line
from rag.documents.dates import iso_date
from rag.documents.decoding import decode_markup
from rag.documents.elements import Element, first_text, named, parse_xml
from rag.documents.markup import text_of_html
from rag.documents.unpacking import Package, damaged
from rag.errors import DocumentError

CONTAINER, ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"

_CHAPTERS = ("application/xhtml+xml", "text/html")


def read_epub(data: bytes, source: str) -> Article:
    """Raises DocumentError when the file is damaged, protected against copying, holds no text, or more than allowed."""
    package = Package(data, source)
    path = _path_of_book(package)
    book = parse_xml(package.read(path), source)
    text = "\n\n".join(chapter for chapter in _chapters(package, book, posixpath.dirname(path)) if chapter)
    if not text:
        raise DocumentError(f"{source} holds no text. Leave it out, or run it through text recognition (OCR).")
    return Article(
        title=one_line(first_text(book, "title")),
        text=text,
        published=iso_date(first_text(book, "date")),
        author=one_line(", ".join(creator.text or "" for creator in named(book, "creator")), AUTHOR_CHARACTERS),
    )


def _path_of_book(package: Package) -> str:
    root = next(named(parse_xml(package.read(CONTAINER), package.source), "rootfile"), None)
    if root is None or "full-path" not in root.attrib:
        raise damaged(package.source)
    return root.attrib["full-path"]


def _chapters(package: Package, book: Element, folder: str) -> Iterator[str]:
    there = set(package.names())
    files = {
        item.get("id"): item.get("href", "") for item in named(book, "item") if item.get("media-type") in _CHAPTERS
    }
    protected = _protected(package) if ENCRYPTION in there else set()
    for reference in named(book, "itemref"):
        path = posixpath.normpath(posixpath.join(folder, unquote(files.get(reference.get("idref"), ""))))
        if path in protected:
            raise DocumentError(f"{package.source} is protected against copying (DRM), so it can't be read.")
        if path in there:
            data = package.read(path)
            yield text_of_html(decode_markup(data, package.source)) if data.strip() else ""


def _protected(package: Package) -> set[str]:
    listed = named(parse_xml(package.read(ENCRYPTION), package.source), "CipherReference")
    return {unquote(reference.get("URI", "")) for reference in listed}
