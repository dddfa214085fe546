"""PDF → `Article`, with the offsets at which its pages begin."""

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from rag.documents.article import Article, Note
from rag.documents.cleaning import AUTHOR_CHARACTERS, clean, one_line
from rag.documents.dates import iso_date
from rag.documents.limits import MAX_PAGES, too_many
from rag.documents.paging import joined_pages
from rag.documents.plain import first_line_title
from rag.documents.unpacking import damaged
from rag.documents.wrapping import unwrapped
from rag.errors import DocumentError

_NO_TITLE = re.compile(
    r"(?:microsoft \w+ - .*|untitled.*|.*\.(?:docx?|pptx?|xlsx?|odt|pdf|tex|dvi|indd|qxd|html?|rtf|txt))", re.IGNORECASE
)
_PARTED = dict.fromkeys([0x02, 0xFFFE], "-\n")
"""What PDFium puts in the place of a hyphen at the end of a line."""

_SHOWN = 20


def read_pdf(data: bytes, source: str) -> Iterator[Article | Note]:
    """The text of all pages, and a note of the pages that have something on them but no text, such as scanned ones.

    Its date is the day on which the file was made. A PDF that opens without a password is read, whatever it forbids.
    Raises DocumentError when the file is damaged, encrypted, has more than MAX_PAGES, or no text on any page.
    """
    import pypdfium2 as pdfium

    try:
        pdf = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        # PDFium's error is that of the last file that had one, which need not be this.
        if getattr(error, "err_code", None) == pdfium.raw.FPDF_ERR_PASSWORD and b"/Encrypt" in data:
            raise DocumentError(f"{source} is encrypted. Save it without its password.") from error
        raise damaged(source) from error
    with closing(pdf):
        if len(pdf) > MAX_PAGES:
            raise too_many(source, MAX_PAGES, "pages")
        raw, textless, unreadable = _pages(pdf)
        about = pdf.get_metadata_dict()
    if not any(raw):
        raise _no_text(source, textless, unreadable)
    text, starts = joined_pages(unwrapped(raw))
    title = one_line(about.get("Title"))
    yield Article(
        title=title if title and not _NO_TITLE.fullmatch(title) else first_line_title(text),
        text=text,
        published=iso_date(about.get("CreationDate") or None),
        author=one_line(about.get("Author"), AUTHOR_CHARACTERS),
        pages=starts,
    )
    if textless:
        yield Note(f"{source} has no text on {_listed(textless)}: {_OCR}")
    if unreadable:
        yield Note(f"{source} is damaged on {_listed(unreadable)}. Download or save it once more.")


_OCR = "there are only images, as in a scan. Run it through text recognition (OCR) and index it again."


def _pages(pdf: Any) -> tuple[list[str], list[int], list[int]]:
    """The text of each page, the numbers of those that show something without having text, and of damaged ones."""
    import pypdfium2 as pdfium

    texts: list[str] = []
    textless, unreadable = [], []
    for number in range(1, len(pdf) + 1):
        text = ""
        try:
            page = pdf[number - 1]
            text = clean(page.get_textpage().get_text_bounded().translate(_PARTED))
            if not text and pdfium.raw.FPDFPage_CountObjects(page.raw) > 0:
                textless.append(number)
            page.close()
        except pdfium.PdfiumError:
            unreadable.append(number)
        texts.append(text)
    return texts, textless, unreadable


def _no_text(source: str, textless: list[int], unreadable: list[int]) -> DocumentError:
    if textless:
        return DocumentError(f"{source} has no text on any page: {_OCR}")
    return damaged(source) if unreadable else DocumentError(f"{source} is empty: its pages are blank.")


def _listed(numbers: list[int]) -> str:
    """ "page 3"; "pages 3, 4 and 9"; of many the first ones and how many more."""
    shown = [str(number) for number in numbers[:_SHOWN]]
    if len(numbers) > _SHOWN:
        return f"pages {', '.join(shown)} and {len(numbers) - _SHOWN} more"
    return f"page {shown[0]}" if len(shown) == 1 else f"pages {', '.join(shown[:-1])} and {shown[-1]}"
