"""Web page → `Article`: what its author wrote, without the menus and advertisements around it."""

from rag.documents.article import Article
from rag.documents.cleaning import AUTHOR_CHARACTERS, clean, one_line, web_address
from rag.documents.dates import iso_date
from rag.documents.decoding import decode_markup
from rag.documents.markup import text_of_html
from rag.errors import DocumentError


def read_html(data: bytes, source: str) -> Article:
    """Where no article stands out from the page, its text is all the text of the page.

    Raises DocumentError when the bytes are not text or the page shows none.
    """
    from trafilatura import bare_extraction

    markup = decode_markup(data, source)
    found = bare_extraction(
        markup,
        include_comments=False,
        include_tables=True,
        with_metadata=True,
        date_extraction_params={"extensive_search": False, "original_date": True},
    )
    text = clean(getattr(found, "text", "") or "") or text_of_html(markup)
    if not text:
        raise DocumentError(f"{source} is a web page without text. Save the page after it has loaded, or leave it out.")
    return Article(
        title=one_line(getattr(found, "title", None)),
        text=text,
        published=iso_date(getattr(found, "date", None)),
        author=one_line(getattr(found, "author", None), AUTHOR_CHARACTERS),
        url=web_address(getattr(found, "url", None)),
    )
