"""Mails and mailboxes → `Article`s."""

import re
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr

from rag.documents.article import Article, Note
from rag.documents.cleaning import AUTHOR_CHARACTERS, clean, one_line
from rag.documents.dates import iso_date
from rag.documents.decoding import decode
from rag.documents.markup import text_of_html
from rag.errors import DocumentError

_ENVELOPE = re.compile(rb"(?:\A|(?<=\n)\r?\n)From [^\r\n]*\r?\n")
_QUOTED_ENVELOPE = re.compile(rb"(?m)^>(>*From )")
_SHOWN = 5


def read_mail(data: bytes, source: str) -> Iterator[Article | Note]:
    """What is written in one mail, and a note of the files attached to it, which are not read.

    Raises DocumentError when it is no mail or has no text.
    """
    try:
        mail = message_from_bytes(data, policy=policy.default)
        article = _article(mail, source)
        attached = [one_line(part.get_filename()) or "?" for part in mail.iter_attachments() if part.get_filename()]
    except DocumentError:
        raise
    except Exception as error:  # the email package fails on odd headers in many ways
        raise DocumentError(f"{source} is damaged, or no mail. Save it once more.") from error
    yield article
    if attached:
        more = f" and {len(attached) - _SHOWN} more" if len(attached) > _SHOWN else ""
        yield Note(f"{source} has files attached, which were not read: {', '.join(attached[:_SHOWN])}{more}.")


def read_mailbox(data: bytes, source: str) -> Iterator[Article | Note]:
    """One article a mail, its part the number of the mail, counted from 1; a note for a mail that can't be read.

    Raises DocumentError when the file isn't a mailbox.
    """
    starts = list(_ENVELOPE.finditer(data))
    if not starts or starts[0].start() != 0:
        raise DocumentError(f"{source} is no mailbox: it doesn't begin with a line `From …`. Export it as .mbox.")
    ends = [start.start() for start in starts[1:]] + [len(data)]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        mail = _QUOTED_ENVELOPE.sub(rb"\1", data[start.end() : end])
        try:
            for found in read_mail(mail, f"{source}#{number}"):
                yield replace(found, part=str(number)) if isinstance(found, Article) else found
        except DocumentError as error:
            yield Note(str(error))


def _article(mail: EmailMessage, source: str) -> Article:
    if not any(mail.get(name) for name in ("From", "Date", "Subject", "Received", "Message-ID")):
        raise DocumentError(f"{source} is damaged, or no mail. Save it once more.")
    text = _text(mail, source)
    if not text:
        raise DocumentError(f"{source} is a mail without text. Leave it out.")
    name, address = parseaddr(str(mail.get("From", "")))
    return Article(
        title=one_line(mail.get("Subject")),
        text=text,
        published=iso_date(str(mail.get("Date", ""))),
        author=one_line(name or address, AUTHOR_CHARACTERS),
    )


def _text(mail: EmailMessage, source: str) -> str:
    """The plain body where there is one with words in it, else the text of the body in HTML."""
    for kind in ("plain", "html"):
        body = mail.get_body(preferencelist=(kind,))
        if not isinstance(body, EmailMessage):
            continue
        found = _decoded(body, source)
        if text := clean(found) if kind == "plain" else text_of_html(found):
            return text
    return ""


def _decoded(body: EmailMessage, source: str) -> str:
    """A body whose declared encoding isn't known, or is wrong, is read as a text file would be."""
    data = body.get_payload(decode=True)
    if not isinstance(data, bytes) or not data.strip():
        return ""
    try:
        return data.decode(body.get_content_charset("ascii"))
    except (LookupError, UnicodeError):
        return decode(data, source)
