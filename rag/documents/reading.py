"""Bytes of any accepted format → what stands in them."""

from collections.abc import Callable, Iterator
from functools import partial

from rag.documents.archive import packed_kind, read_archive
from rag.documents.article import Article, Found
from rag.documents.delimited import read_delimited
from rag.documents.docx import read_docx
from rag.documents.epub import read_epub
from rag.documents.feeds import read_feed
from rag.documents.fields import FieldNames
from rag.documents.json_records import read_json
from rag.documents.kinds import Kind, kind_of
from rag.documents.mail import read_mail, read_mailbox
from rag.documents.markdown import read_markdown
from rag.documents.pdf import read_pdf
from rag.documents.plain import read_plain
from rag.documents.pptx import read_pptx
from rag.documents.unpacking import Package
from rag.documents.web_page import read_html
from rag.documents.xlsx import read_xlsx
from rag.errors import DocumentError

ONE: dict[Kind, Callable[[bytes, str], Article]] = {
    Kind.TXT: read_plain,
    Kind.MD: read_markdown,
    Kind.HTML: read_html,
    Kind.DOCX: read_docx,
    Kind.PPTX: read_pptx,
    Kind.EPUB: read_epub,
}
"""Loaders of formats that hold one article. Called with the bytes and the source, the latter for messages."""

RECORDS: dict[Kind, Callable[[bytes, str, FieldNames], Iterator[Found]]] = {
    Kind.JSON: read_json,
    Kind.CSV: read_delimited,
    Kind.XLSX: read_xlsx,
}
"""Loaders of formats with named fields; they yield a `Fields` besides."""

SEVERAL: dict[Kind, Callable[[bytes, str], Iterator[Found]]] = {
    Kind.PDF: read_pdf,
    Kind.EML: read_mail,
    Kind.MBOX: read_mailbox,
    Kind.FEED: read_feed,
}
"""Loaders that may yield several articles, or notes of what could not be read."""


def read_all(data: bytes, name: str, source: str, names: FieldNames) -> Iterator[Found]:
    """The articles in a file called `name`, one by one, and notes of what in it could not be read.

    At least one article is yielded. Raises DocumentError where the format isn't accepted, nothing can be read or a
    limit is passed, perhaps after some were yielded, and HoldsQuestions for a table of questions.
    """
    found = False
    for one in _read(data, name, source, names, nested=False):
        found = found or isinstance(one, Article)
        yield one
    if not found:
        raise DocumentError(f"{source} holds nothing that could be read. Leave it out.")


def _read(data: bytes, name: str, source: str, names: FieldNames, *, nested: bool) -> Iterator[Found]:
    kind = kind_of(data, name, source)
    if kind is Kind.ZIP:
        package = Package(data, source)
        kind = packed_kind(package)
        if kind is Kind.ZIP:
            if nested:
                raise DocumentError(f"{source} is a zip in a zip. Unpack the outer one.")
            yield from read_archive(package, partial(_read, names=names, nested=True))
            return
    if kind in RECORDS:
        yield from RECORDS[kind](data, source, names)
    elif kind in SEVERAL:
        yield from SEVERAL[kind](data, source)
    else:
        yield ONE[kind](data, source)
