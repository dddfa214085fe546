import pytest

from rag.documents.kinds import SUFFIXES, Kind, accepted_formats, kind_of
from rag.errors import DocumentError
from tests.documents.making import docx, epub, mail, mailbox, pdf, pptx, xlsx, zipped
from tests.documents.reading import only
from tests.documents.test_web import ATOM, PAGE, RSS

FILES = {
    "a.pdf": pdf([["It left."]]),
    "a.docx": docx(["It left."]),
    "a.pptx": pptx([("", "It left.", "")]),
    "a.xlsx": xlsx({"S": [["It left."]]}),
    "a.epub": epub({"1.xhtml": "<html><body><p>It left.</p></body></html>"}),
    "a.eml": mail("It left."),
    "a.mbox": mailbox(mail("It left.")),
    "a.html": b"<!doctype html><html><body><p>It left.</p></body></html>",
    "a.zip": zipped({"a.txt": "It left."}),
    "a.atom": ATOM.encode(),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("suffix", [".txt", ".pdf", ".docx", ".html", ".json", ".xml", ".zip", ".TXT", ".bin", ""])
def test_a_wrong_suffix_makes_no_difference_where_the_content_shows_the_format(name: str, suffix: str) -> None:
    assert only(FILES[name], f"a{suffix}").text == "It left."


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (PAGE, Kind.HTML),
        (RSS, Kind.FEED),
        (ATOM, Kind.FEED),
        ("\n<!-- a --><!-- b --><!DOCTYPE html>\n<p>x", Kind.HTML),
        ('<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C" "x">\n<html xmlns="x">', Kind.HTML),
        ('<?xml-stylesheet href="x"?><!DOCTYPE rss [<!ENTITY a ">">]><rss version="2.0">', Kind.FEED),
        ('<rdf:RDF xmlns:rdf="x">', Kind.FEED),
        ("<htmlish> is a word", Kind.TXT),
        ("<rss", Kind.TXT),
        ("From Monday on, in 2024\nit sails: daily.", Kind.TXT),
        ("Title: a\nDate: b\nBy: c\n\nIt left.", Kind.TXT),
        ("%PDF-1.7 is how a PDF begins", Kind.PDF),
        ("%PDF is how a PDF begins", Kind.TXT),
        ("<!--" * 2000, Kind.TXT),
        ("<!-- -->" * 2000, Kind.TXT),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_texts_are_told_by_how_they_begin(text: str, kind: Kind, encoding: str) -> None:
    if kind is Kind.PDF and encoding != "utf-8":
        kind = Kind.TXT
    assert kind_of(text.encode(encoding), "a.txt", "/a.txt") is kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.md", Kind.MD), ("a.csv", Kind.CSV), ("a.tsv", Kind.CSV), ("a.jsonl", Kind.JSON), ("A.TXT", Kind.TXT)],
)
def test_the_suffix_decides_where_the_content_shows_nothing(name: str, kind: Kind) -> None:
    assert kind_of(b"It left.", name, name) is kind


@pytest.mark.parametrize(
    ("data", "name", "complaint"),
    [
        (b"It left.", "a.pdf", r"/a is named \.pdf but is no PDF, or damaged\. Save it once more, or name it \.txt"),
        (b"\x00" * 100, "a.docx", r"is named \.docx but is no Word file"),
        (b"", "a.xlsx", "is empty"),
        (b"It left.", "a.mp3", "can't be read. Accepted formats: .txt, .md"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a.doc", "format of before 2007. Save it as .docx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "a.docx", "is encrypted"),
        (rb"{\rtf1 It left.}", "a.txt", r"rich text \(RTF\)"),
    ],
)
def test_what_can_not_be_read_is_refused_with_a_reason(data: bytes, name: str, complaint: str) -> None:
    with pytest.raises(DocumentError, match=complaint):
        kind_of(data, name, "/a")


def test_the_accepted_formats_are_listed_once_each() -> None:
    listed = accepted_formats().split(", ")
    assert listed == list(SUFFIXES)
    assert len(set(listed)) == len(listed)
