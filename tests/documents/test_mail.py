import pytest

from rag.errors import DocumentError
from tests.documents.making import mail, mailbox
from tests.documents.reading import about, loaded, only


def test_a_mail_gives_its_plain_body_subject_sender_and_day() -> None:
    document = only(mail("It costs four euros.\n", html="<p>Not this.</p>"), "fares.eml")
    assert document.text == "It costs four euros."
    assert about(document) == ("Ferry fares", "Ada Low", "2024-03-14", None)


def test_a_mail_in_html_only_gives_its_text() -> None:
    assert only(mail("", html="<p>It <b>costs</b> four.</p><p>Euros.</p>"), "a.eml").text == "It costs four.\n\nEuros."


def test_a_plain_body_without_words_gives_way_to_the_html() -> None:
    assert only(mail(" \n", html="<p>It costs four.</p>"), "a.eml").text == "It costs four."


def test_headers_and_bodies_in_other_encodings_are_decoded() -> None:
    head = "From: =?utf-8?q?J=C3=B6rg?= <j@x.example>\nSubject: =?koi8-r?B?0MHSz80=?=\nMIME-Version: 1.0\n"
    body = "Content-Type: text/plain; charset={}\n\n"
    document = only((head + body.format("iso-8859-1")).encode() + "Fähre".encode("latin-1"), "a.eml")
    assert (document.title, document.author, document.text) == ("паром", "Jörg", "Fähre")
    assert only((head + body.format("no-such")).encode() + "Fähre – 4 €".encode(), "a.eml").text == "Fähre – 4 €"


def test_attached_files_are_named() -> None:
    found = loaded(mail("See below.", attached={f"{n}.pdf": b"%PDF" for n in range(7)}), "a.eml")
    assert found.documents[0].text == "See below."
    assert found.notes == (
        "/news/a.eml has files attached, which were not read: 0.pdf, 1.pdf, 2.pdf, 3.pdf, 4.pdf and 2 more.",
    )


def test_every_mail_of_a_mailbox_is_a_document() -> None:
    box = mailbox(mail("One.\n\n>From here on.\n"), mail(""), mail("Three.", subject=""))
    found = loaded(box, "old.mbox")
    assert [(document.source, document.text) for document in found.documents] == [
        ("/news/old.mbox#1", "One.\n\nFrom here on."),
        ("/news/old.mbox#3", "Three."),
    ]
    assert [document.title for document in found.documents] == ["Ferry fares", "Old, 3"]
    assert found.notes == ("/news/old.mbox#2 is a mail without text. Leave it out.",)
    assert len({document.content_hash for document in found.documents}) == 1


def test_a_line_that_only_begins_with_from_parts_no_mails() -> None:
    assert only(mailbox(mail("One.\nFrom Monday on it sails.\n")), "a.mbox").text == "One.\nFrom Monday on it sails."


@pytest.mark.parametrize(
    ("text", "name"), [("The ferry left.", "a.eml"), ("The ferry left.", "a.mbox"), (":\n\nx", "a.eml")]
)
def test_what_is_no_mail_is_refused(text: str, name: str) -> None:
    with pytest.raises(DocumentError, match=rf"/news/{name} is (damaged, or no mail|no mailbox)"):
        loaded(text, name)
