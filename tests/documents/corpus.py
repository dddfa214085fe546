"""Odd and hostile files, each made by code, with what must become of it.

`python -m tests.documents.corpus FOLDER` writes them all into a folder.
"""

import gzip
import json
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.documents.making import (
    IMAGE,
    docx,
    epub,
    mail,
    mailbox,
    pdf,
    pdf_of,
    pptx,
    with_members,
    xlsx,
    zipped,
)

LEFT = "The ferry left."
PAGE = f"<html><body><p>{LEFT}</p></body></html>"

LAUGHS = (
    '<!DOCTYPE lolz [<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)) + "]>"
)
OUTSIDE = '<!DOCTYPE x [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>'


@dataclass(frozen=True, slots=True)
class Odd:
    """A file and its outcome."""

    name: str
    data: bytes
    texts: tuple[str, ...] = ()
    """Of its documents, where it loads."""
    refused: str = ""
    """A regular expression for the message, where it doesn't."""
    noted: str = ""
    """A regular expression for its one note, where it has one."""


def corpus() -> list[Odd]:
    """At least 60, each with a name of its own."""
    return [*_texts(), *_pdfs(), *_zips(), *_office(), *_markup(), *_mails(), *_records(), *_tables()]


def _texts() -> Iterator[Odd]:
    left = LEFT.encode()
    yield Odd("empty.txt", b"", refused="is empty")
    yield Odd("blank.txt", b" \r\n\t\x0c\n", refused="is empty")
    yield Odd("only-a-mark.md", b"\xef\xbb\xbf", refused="is empty")
    yield Odd("null.txt", b"The ferry\x00 left.", refused="is not text")
    yield Odd("nulls.md", bytes(5000), refused="is not text")
    yield Odd("utf-16.txt", LEFT.encode("utf-16"), (LEFT,))
    yield Odd("utf-16-without-mark.txt", LEFT.encode("utf-16-le"), refused="is not text")
    yield Odd("utf-16-cut-in-a-character.txt", LEFT.encode("utf-16")[:-1], refused="is not text")
    yield Odd("utf-16-half-a-pair.txt", b"\xff\xfe" + b"\x00\xd8" * 9, refused="is not text")
    yield Odd("utf-32.md", LEFT.encode("utf-32"), (LEFT,))
    yield Odd("cp1252.txt", "Fähre für 4 €, “sagt” er. ".encode("cp1252") * 9, ("Fähre für 4 €, “sagt” er. " * 9,))
    yield Odd("controls.txt", b"\x1b[2J" + left, ("\x1b[2J" + LEFT,))
    yield Odd("turned.txt", ("\u202e" + LEFT).encode(), ("\u202e" + LEFT,))
    yield Odd("one-long-word.txt", b"a" * 1_000_000, ("a" * 1_000_000,))
    yield Odd("combining.txt", ("e" + "\u0301" * 5000).encode(), ("e" + "\u0301" * 5000,))
    yield Odd("picture.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(99), refused="is not text")
    yield Odd("program.md", b"\x7fELF\x02\x01\x01" + bytes(99), refused="is not text")
    yield Odd("packed.txt", gzip.compress(left * 99, mtime=0), refused="is not text")
    yield Odd("rich.txt", rb"{\rtf1\ansi The ferry left.}", refused="rich text")
    yield Odd("markup.md", b"<script>alert(1)</script>\n\n" + left, (f"<script>alert(1)</script>\n\n{LEFT}",))
    yield Odd("song.mp3", b"ID3\x04" + bytes(99), refused="in a format that can't be read")


def _pdfs() -> Iterator[Odd]:
    whole = pdf([[LEFT]])
    yield Odd("empty.pdf", b"", refused="is empty")
    yield Odd("text.pdf", LEFT.encode(), refused="is named .pdf but is no PDF")
    yield Odd("junk-before.pdf", b"HTTP/1.1 200 OK\r\n\r\n" + whole, (LEFT,))
    yield Odd("cut-off-early.pdf", whole[:60], refused="is damaged")
    yield Odd("without-its-table.pdf", whole[: whole.index(b"xref")], refused="is damaged")
    yield Odd("wrong-table.pdf", whole.replace(b"startxref\n", b"startxref\n9"), (LEFT,))
    yield Odd("locked.pdf", pdf([[LEFT]], encrypted=True), refused="is encrypted")
    yield Odd("scan.pdf", pdf([IMAGE, IMAGE]), refused="no text on any page: there are only images")
    yield Odd("half-a-scan.pdf", pdf([[LEFT], IMAGE]), (LEFT,), noted="no text on page 2: there are only images")
    yield Odd("blank.pdf", pdf([[], []]), refused="its pages are blank")
    yield Odd("no-pages.pdf", pdf([]), refused="is damaged|is empty")
    run = "/OpenAction << /S /JavaScript /JS (app.alert(1)) >>"
    yield Odd("script.pdf", pdf([[LEFT]], catalog=run), (LEFT,))
    launch = "/OpenAction << /S /Launch /F (/bin/true) >>"
    yield Odd("launch.pdf", pdf([[LEFT]], catalog=launch), (LEFT,))
    loop = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 9 /Kids [2 0 R 2 0 R] >>"]
    yield Odd("pages-in-a-circle.pdf", pdf_of(loop), refused="is damaged|is empty")
    many = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 2147483647 /Kids [] >>"]
    yield Odd("two-billion-pages.pdf", pdf_of(many), refused="is damaged|is empty|more than the 10,000 pages")
    deep = ["<< /Type /Catalog /Pages 2 0 R /X " + "[" * 50_000 + "]" * 50_000 + " >>", "<< /Type /Pages /Kids [] >>"]
    yield Odd("deep.pdf", pdf_of(deep), refused="is damaged|is empty")
    yield Odd("pdf-named.docx", whole, (LEFT,))
    yield Odd("pdf-named.html", whole, (LEFT,))
    yield Odd("evil-title.pdf", pdf([[LEFT]], {"Title": "<img src=x onerror=alert\\(1\\)>"}), (LEFT,))


def _zips() -> Iterator[Odd]:
    yield Odd("empty.zip", zipped({}), refused="no article in")
    yield Odd("cut-off.zip", zipped({"a.txt": LEFT})[:-30], refused="is damaged")
    yield Odd("only-a-start.zip", b"PK\x03\x04", refused="is damaged")
    yield Odd(
        "bomb.zip", zipped({f"{n}.txt": b" " * 60_000_000 for n in range(10)}), refused="500,000,000 bytes, unpacked"
    )
    yield Odd("many.zip", zipped({f"{n}.txt": b"" for n in range(10_001)}, zipfile.ZIP_STORED), refused="10,000 files")
    yield Odd("slip.zip", zipped({"../../../tmp/evil.txt": LEFT}), (LEFT,))
    yield Odd("slip-windows.zip", zipped({"..\\..\\C:\\evil.txt": LEFT}), (LEFT,))
    yield Odd("nested.zip", zipped({"in.zip": zipped({"a.txt": LEFT})}), refused="is a zip in a zip")
    yield Odd("nested-in-disguise.zip", zipped({"in.txt": zipped({"a.txt": LEFT})}), refused="is a zip in a zip")
    yield Odd("pictures.zip", zipped({"a.png": b"\x89PNG"}), refused="no article in")
    locked = bytearray(zipped({"a.txt": LEFT}, zipfile.ZIP_STORED))
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    yield Odd("locked.zip", bytes(locked), refused="is encrypted")
    spoiled = zipped({"a.txt": LEFT}, zipfile.ZIP_STORED).replace(b"ferry", b"berry")
    yield Odd("spoiled.zip", spoiled, refused="is damaged")
    yield Odd("lzma.zip", zipped({"a.txt": LEFT}, zipfile.ZIP_LZMA), (LEFT,))
    half = zipped({"a.txt": LEFT, "b.txt": b"\0"})
    yield Odd("half.zip", half, (LEFT,), noted=r"half\.zip#b\.txt is not text")
    yield Odd("zip-named.txt", zipped({"a.txt": LEFT}), (LEFT,))


def _office() -> Iterator[Odd]:
    word, sheet, slides = docx([LEFT]), xlsx({"S": [[LEFT]]}), pptx([("", LEFT, "")])
    encrypted = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le") + bytes(999)
    yield Odd("locked.docx", encrypted, refused="is encrypted")
    yield Odd("locked.xlsx", encrypted, refused="is encrypted")
    yield Odd("old.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(999), refused="before 2007")
    yield Odd("text.docx", LEFT.encode(), refused="is named .docx but is no Word file")
    yield Odd("cut-off.docx", word[: len(word) // 2], refused="is damaged")
    yield Odd(
        "without-its-document.docx", zipped({"[Content_Types].xml": "<x/>", "word/a.xml": "<x/>"}), refused="is damaged"
    )
    yield Odd("word-named.pdf", word, (LEFT,))
    yield Odd("sheet-named.docx", sheet, (LEFT,))
    yield Odd("slides-named.txt", slides, (LEFT,))
    for name, package, part in (
        ("docx", word, "word/document.xml"),
        ("xlsx", sheet, "xl/worksheets/sheet1.xml"),
        ("pptx", slides, "ppt/slides/slide1.xml"),
    ):
        yield Odd(f"laughs.{name}", with_members(package, {part: f"{LAUGHS}<x>&l9;</x>"}), refused="XML entities")
        yield Odd(f"outside.{name}", with_members(package, {part: f"{OUTSIDE}<x>&l9;</x>"}), refused="XML entities")
        yield Odd(f"broken.{name}", with_members(package, {part: "<x><y></x>"}), refused="is damaged")
    bomb = with_members(word, {f"word/media/{n}.png": bytes(60_000_000) for n in range(10)})
    yield Odd("bomb.docx", bomb, refused="500,000,000 bytes, unpacked")
    far = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
    last = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>far</t></is></c></row>'
    yield Odd("far-cell.xlsx", with_members(sheet, {"xl/worksheets/sheet1.xml": far.format(last)}), ("far",))
    wide = "".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(1, 2000))
    yield Odd(
        "wide.xlsx", with_members(sheet, {"xl/worksheets/sheet1.xml": far.format(wide)}), refused="5,000,000 cells"
    )
    beyond = '<row r="99999999999"><c r="A99999999999"><v>1</v></c></row>'
    yield Odd(
        "beyond.xlsx",
        with_members(sheet, {"xl/worksheets/sheet1.xml": far.format(beyond)}),
        refused="1,048,576 rows|is damaged",
    )
    yield Odd(
        "drawing.odt", zipped({"mimetype": "application/vnd.oasis", "content.xml": "<x/>"}), refused="OpenDocument"
    )
    yield Odd(
        "protected.epub",
        epub({"1.xhtml": PAGE}, extra={"META-INF/encryption.xml": '<e><CipherReference URI="OEBPS/1.xhtml"/></e>'}),
        refused="protected against copying",
    )
    yield Odd(
        "laughs.epub", epub({"1.xhtml": PAGE}, extra={"OEBPS/book.opf": f"{LAUGHS}<x>&l9;</x>"}), refused="XML entities"
    )
    yield Odd("without-chapters.epub", epub({}), refused="holds no text")
    yield Odd("leads-out.epub", epub({"../../../etc/passwd": PAGE}), refused="holds no text")
    yield Odd("without-a-book.epub", zipped({"META-INF/container.xml": "<container/>"}), refused="is damaged")


def _markup() -> Iterator[Odd]:
    yield Odd("deep.html", b"<div>" * 100_000 + LEFT.encode(), refused="without text|nested too deeply")
    yield Odd("scripts.html", f"<html><body><script>x()</script><p>{LEFT}</p></body></html>".encode(), (LEFT,))
    yield Odd("only-scripts.html", b"<html><script>x()</script></html>", refused="web page without text")
    yield Odd("null.html", b"<html><p>The\0 ferry</p></html>", refused="is not text")
    yield Odd("binary.html", bytes(range(256)) * 9, refused="is not text")
    yield Odd("wrong-charset.html", f'<meta charset="utf-7"><p>{LEFT}</p>'.encode(), (LEFT,))
    yield Odd("html-named.txt", PAGE.encode(), (LEFT,))
    yield Odd("html-named.pdf", PAGE.encode(), (LEFT,))
    yield Odd("cut-off.html", PAGE[:25].encode(), ("The ferry",))
    yield Odd(
        "laughs.xml",
        f"{LAUGHS}<rss><channel><item><title>&l9;</title></item></channel></rss>".encode(),
        refused="XML entities",
    )
    yield Odd(
        "outside.rss",
        f"{OUTSIDE}<rss><channel><item><title>&l9;</title></item></channel></rss>".encode(),
        refused="XML entities",
    )
    yield Odd(
        "outside-type.atom",
        b'<!DOCTYPE feed SYSTEM "http://127.0.0.1/x.dtd"><feed><entry><title>It left.</title></entry></feed>',
        ("It left.",),
    )
    yield Odd("cut-off.atom", b"<feed><entry><title>It left.</ti", refused="not well-formed")
    yield Odd("deep.xml", b"<rss>" + b"<a>" * 200_000, refused="not well-formed")
    yield Odd("prices.xml", b"<prices/>", refused="neither RSS nor Atom")
    yield Odd("empty-feed.rss", b"<rss><channel/></rss>", refused="a feed without entries")


def _mails() -> Iterator[Odd]:
    yield Odd("text.eml", LEFT.encode(), refused="no mail")
    yield Odd("no-body.eml", b"From: a@b.example\nSubject: x\n\n", refused="a mail without text")
    yield Odd("odd-charset.eml", mail(LEFT).replace(b"utf-8", b"no-such"), (LEFT,))
    yield Odd(
        "broken-base64.eml",
        b"From: a@b.example\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n!!!!",
        refused="without text|damaged",
    )
    parts = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(3000))
    yield Odd(
        "deep.eml",
        f"From: a@b.example\n{parts}Content-Type: text/plain\n\n{LEFT}".encode(),
        refused="damaged|without text|deeply",
    )
    yield Odd("long-header.eml", b"From: " + b"a" * 1_000_000 + b"\nSubject: x\n\nThe ferry left.", (LEFT,))
    yield Odd(
        "attached.eml",
        mail(LEFT, attached={"../../evil.exe": b"MZ"}),
        (LEFT,),
        noted="files attached, which were not read: .*evil.exe",
    )
    yield Odd("text.mbox", LEFT.encode(), refused="no mailbox")
    yield Odd("half.mbox", mailbox(mail(LEFT), b"\0\0\0"), (LEFT,), noted=r"half\.mbox#2 is damaged, or no mail")


def _records() -> Iterator[Odd]:
    yield Odd("deep.json", b"[" * 1_000_000, refused="nested too deeply")
    yield Odd(
        "deep-inside.json",
        b'{"text": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
        refused="nested too deeply",
    )
    yield Odd("cut-off.json", b'[{"text": "The fer', refused="line 1, column 11: Unterminated")
    yield Odd("cut-off.jsonl", b'{"text": "The ferry left."}\n{"text": "I', refused="line 2, column 10")
    yield Odd("settings.json", b'{"name": "x", "version": "1"}', refused="holds no record with a text")
    yield Odd("digits.json", b'{"text": ' + b"9" * 10_000 + b"}", refused="a number that can't be read")
    yield Odd("infinite.json", b'{"text": 1e999, "content": "The ferry left."}', ("inf",))
    yield Odd("surrogate.json", rb'{"text": "The \ud800ferry\u0000 left."}', (LEFT,))
    yield Odd("address.json", b'{"text": "The ferry left.", "url": "javascript:alert(1)"}', (LEFT,))
    yield Odd("twice.json", b'{"text": "No.", "text": "The ferry left."}', (LEFT,))
    yield Odd("utf-16.json", json.dumps({"text": LEFT}).encode("utf-16"), (LEFT,))
    yield Odd(
        "holes.jsonl",
        b'{"text": "The ferry left."}\n\nnull\n5\n{}\n',
        (LEFT,),
        noted="3 of 4 records without text: #2, #3, #4",
    )


def _tables() -> Iterator[Odd]:
    yield Odd("commas.csv", b",,,\n,,\n", refused="is empty")
    yield Odd("null.csv", b"a,b\n\0,c\n", refused="is not text")
    yield Odd("open-quote.csv", b'a,b\n"The ferry left.\n', ("a: The ferry left.",))
    yield Odd("ragged.csv", b"a,b\n1\n2,3,4\n", ("a: 1\na: 2; b: 3; 4",))
    yield Odd("formula.csv", b"a,b\n=cmd|'/c calc'!A0,x\n", ("a: =cmd|'/c calc'!A0; b: x",))
    yield Odd("commas-without-end.csv", b"," * 6_000_000, refused="5,000,000 cells")
    yield Odd("binary.tsv", bytes(range(256)) * 9, refused="is not text")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for odd in corpus():
        (folder / odd.name).write_bytes(odd.data)
