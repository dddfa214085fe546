"""Web pages, feeds and books."""

import pytest

from rag.documents.markup import text_of_html
from rag.errors import DocumentError
from tests.documents.making import epub
from tests.documents.reading import about, loaded, only

PAGE = """<!doctype html><html><head><title>Ferry sails again</title><meta name="author" content="Ada Low">
<meta property="article:published_time" content="2024-03-14T09:00:00Z">
<link rel="canonical" href="https://harbour.example/ferry"></head><body>
<nav><a href="/">Home</a> <a href="/news">All the news</a></nav>
<article><h1>Ferry sails again</h1>
<p>The ferry left the harbour on Monday after three months of repairs, and it was full of people.</p>
<p>It costs four euros to cross. Children travel free of charge.</p></article>
<script>alert("never")</script><footer>Imprint | Contact</footer></body></html>"""

RSS = """<?xml version="1.0" encoding="iso-8859-1"?><!-- news --><rss version="2.0"
xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>Harbour</title><item><title>Fähre &amp; Hafen</title><link>https://harbour.example/a</link>
<description>Short.</description>
<content:encoded><![CDATA[<p>The <b>ferry</b> left.</p><p>It came.</p>]]></content:encoded>
<dc:creator>Ada Low</dc:creator><pubDate>Thu, 14 Mar 2024 23:30:00 -0500</pubDate></item>
<item><title>Only a title</title><author>bo@harbour.example (Bo Ray)</author><link>javascript:alert(1)</link></item>
</channel></rss>"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>Harbour</title><author><name>Ada Low</name></author>
<entry><title type="html">The &lt;b&gt;ferry&lt;/b&gt;</title><link rel="self" href="https://harbour.example/x"/>
<link href="https://harbour.example/a"/><updated>2024-03-14T09:00:00Z</updated>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>It left.</p></div></content></entry></feed>"""


def test_a_page_gives_its_article_without_what_stands_around_it() -> None:
    document = only(PAGE, "ferry.html")
    assert document.text == (
        "Ferry sails again\n"
        "The ferry left the harbour on Monday after three months of repairs, and it was full of people.\n"
        "It costs four euros to cross. Children travel free of charge."
    )
    assert about(document) == ("Ferry sails again", "Ada Low", "2024-03-14", "https://harbour.example/ferry")


def test_a_page_that_is_no_article_gives_all_its_text() -> None:
    assert only("<p>It left.", "a.html").text == "It left."


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [('<meta charset="windows-1251">', "cp1251"), ('<meta charset="shift_jis">', "shift_jis"), ("", "utf-8"),
     ('<meta charset="utf-8">', "utf-16"),
     ('<meta charset="no-such-thing">', "utf-8"), ('<meta charset="hex">', "utf-8")],
)  # fmt: skip
def test_the_encoding_that_a_page_declares(declared: str, encoding: str) -> None:
    text = "船が出た。" if encoding == "shift_jis" else "Паром снова вышел в море."
    assert only(f"<html><head>{declared}</head><body><p>{text}</p></body>".encode(encoding), "a.html").text == text


def test_a_page_without_text_is_refused() -> None:
    with pytest.raises(DocumentError, match=r"/news/a\.html is a web page without text"):
        loaded("<html><body><script>run()</script><div id=app></div></body></html>", "a.html")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>It <b>left</b>.</p><p>It&nbsp;came<br>back.</p>", "It left.\n\nIt came\nback."),
        ("<ul><li>One</li><li>Two</li></ul>", "One\n\nTwo"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 | 2\n\n3"),
        ("before<script>x</script>after<!-- no -->!", "beforeafter!"),
        ("<pre>a\n  b</pre>", "a\nb"),
        ("", ""),
        ("<" * 50, "<" * 50),
    ],
)
def test_a_piece_of_html_becomes_text(html: str, text: str) -> None:
    assert text_of_html(html) == text


def test_an_rss_file_gives_its_entries() -> None:
    first, second = loaded(RSS.encode("iso-8859-1"), "harbour.xml").documents
    assert (first.text, first.source, first.part) == ("The ferry left.\n\nIt came.", "/news/harbour.xml#1", "1")
    assert about(first) == ("Fähre & Hafen", "Ada Low", "2024-03-14", "https://harbour.example/a")
    assert second.text == "Only a title"
    assert about(second) == ("Only a title", "Bo Ray", None, None)
    assert first.file == second.file == "/news/harbour.xml"


def test_an_atom_file_gives_its_entries() -> None:
    document = only(ATOM, "harbour.atom")
    assert document.text == "It left."
    assert about(document) == ("The ferry", "Ada Low", "2024-03-14", "https://harbour.example/a")


def test_xml_that_is_no_feed_is_refused() -> None:
    with pytest.raises(DocumentError, match=r"a\.xml is XML, but neither RSS nor Atom"):
        loaded("<?xml version='1.0'?><prices><price>4</price></prices>", "a.xml")
    with pytest.raises(DocumentError, match="a feed without entries"):
        loaded("<rss><channel><title>News</title></channel></rss>", "a.xml")


def test_a_book_gives_its_chapters_in_the_order_of_reading() -> None:
    chapters = {
        "z.xhtml": "<html><body><h1>One</h1><p>It left.</p></body></html>",
        "a.xhtml": "<html><body><p>It came.</p></body></html>",
    }
    facts = (
        "<dc:title>The ferry</dc:title><dc:date>2024-03-14</dc:date>"
        "<dc:creator>Ada Low</dc:creator><dc:creator>Bo Ray</dc:creator>"
    )
    document = only(epub(chapters, facts), "ferry.epub")
    assert document.text == "One\n\nIt left.\n\nIt came."
    assert about(document) == ("The ferry", "Ada Low, Bo Ray", "2024-03-14", None)


def test_a_protected_book_is_refused() -> None:
    listed = '<encryption><EncryptedData><CipherReference URI="OEBPS/1.xhtml"/></EncryptedData></encryption>'
    with pytest.raises(DocumentError, match=r"protected against copying \(DRM\)"):
        loaded(epub({"1.xhtml": "x"}, extra={"META-INF/encryption.xml": listed}), "a.epub")
