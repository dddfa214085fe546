import pytest

from rag.documents import unpacking
from rag.documents.unpacking import Package
from rag.errors import DocumentError
from tests.documents.making import docx, mail, mailbox, pdf, zipped
from tests.documents.reading import loaded


def test_every_article_in_a_zip_is_a_document() -> None:
    members: dict[str, str | bytes] = {
        "a.txt": "Apples are ripe.",
        "more/b.md": "# Bread\n\nBread is dear.",
        "old.mbox": mailbox(mail("One."), mail("Two.")),
        "c.docx": docx(["Coal is black."]),
        "picture.png": b"\x89PNG",
        "__MACOSX/a.txt": "Not this.",
        ".hidden/a.txt": "Nor this.",
        "folder/": b"",
    }
    found = loaded(zipped(members), "news.zip")
    assert [(document.source, document.text) for document in found.documents] == [
        ("/news/news.zip#a.txt", "Apples are ripe."),
        ("/news/news.zip#more/b.md", "# Bread\n\nBread is dear."),
        ("/news/news.zip#old.mbox#1", "One."),
        ("/news/news.zip#old.mbox#2", "Two."),
        ("/news/news.zip#c.docx", "Coal is black."),
    ]
    assert {document.file for document in found.documents} == {"/news/news.zip"}
    assert found.notes == ()


def test_what_can_not_be_read_in_a_zip_is_named_and_the_rest_is_read() -> None:
    found = loaded(zipped({"a.txt": "One.", "b.pdf": b"%PDF-1.7\nx", "c.zip": zipped({"d.txt": "Two."})}), "news.zip")
    assert [document.text for document in found.documents] == ["One."]
    assert found.notes == (
        "/news/news.zip#b.pdf is damaged or cut off. Download or save it once more.",
        "/news/news.zip#c.zip is a zip in a zip. Unpack the outer one.",
    )


def test_many_problems_in_a_zip_are_counted() -> None:
    notes = loaded(zipped({"a.txt": "One.", **{f"{n}.txt": b"\0" for n in range(50)}}), "news.zip").notes
    assert len(notes) == 21
    assert notes[-1] == "/news/news.zip has 30 more problems like these."


def test_names_that_lead_out_of_the_zip_lead_nowhere() -> None:
    names = ["../../etc/a.txt", "/etc/a.txt", "..\\..\\etc\\a.txt", "./b.txt"]
    found = loaded(zipped(dict.fromkeys(names, "One.")), "news.zip")
    assert [document.part for document in found.documents] == [
        "etc/a.txt", "etc/a (2).txt", "etc/a (3).txt", "b.txt",
    ]  # fmt: skip


def test_a_zip_without_articles_is_refused() -> None:
    with pytest.raises(DocumentError, match=r"There is no article in /news/a\.zip\. Accepted formats: \.txt"):
        loaded(zipped({"a.png": "x"}), "a.zip")
    with pytest.raises(DocumentError, match=r"/news/a\.zip#b\.pdf has no text on any page"):
        loaded(zipped({"b.pdf": pdf([None])}), "a.zip")


def test_bytes_are_counted_while_unpacking_whatever_the_zip_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MAX_UNPACKED", 1_000_000)
    data = zipped({"a.txt": b"a" * 600_000, "b.txt": b"b" * 600_000})
    claimed = (600_000).to_bytes(4, "little")
    for honest in (True, False):
        package = Package(data if honest else data.replace(claimed, (6).to_bytes(4, "little")), "/a.zip")
        with pytest.raises(DocumentError, match=r"/a\.zip (has more than the 1,000,000 bytes, unpacked,|is damaged)"):
            package.check()


def test_members_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MAX_MEMBERS", 3)
    with pytest.raises(DocumentError, match="more than the 3 files"):
        Package(zipped({f"{n}.txt": "x" for n in range(4)}), "/a.zip")
