"""Files of every format, made by code."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

IMAGE = None
"""A page with a picture on it and no text."""


def zipped(members: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as package:
        for name, content in members.items():
            package.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), content, method)
    return file.getvalue()


def pdf(
    pages: Sequence[Sequence[str] | None],
    about: Mapping[str, str] | None = None,
    *,
    catalog: str = "",
    encrypted: bool = False,
) -> bytes:
    """Each page a list of lines, none for a blank page, or IMAGE; `about` are entries of the information dictionary."""
    bodies = [
        f"<< /Type /Catalog /Pages 2 0 R {catalog} >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{' '.join(f'{5 + 2 * at} 0 R' for at in range(len(pages)))}] >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        "<< " + " ".join(f"/{name} ({value})" for name, value in (about or {}).items()) + " >>",
    ]
    for at, lines in enumerate(pages):
        content = _drawn(lines)
        bodies += [
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {6 + 2 * at} 0 R >>",
            f"<< /Length {len(content.encode('cp1252'))} >>\nstream\n{content}\nendstream",
        ]
    trailer = "/Root 1 0 R /Info 4 0 R"
    if encrypted:
        bodies.append(f"<< /Filter /Standard /V 1 /R 2 /P -4 /O <{'41' * 32}> /U <{'42' * 32}> >>")
        trailer += f" /Encrypt {len(bodies)} 0 R /ID [<00> <00>]"
    return pdf_of(bodies, trailer)


def pdf_of(bodies: Sequence[str], trailer: str = "/Root 1 0 R") -> bytes:
    """A PDF of these objects, numbered from 1."""
    data, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode("cp1252")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    end = f"xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n{table}"
    return data + f"{end}trailer\n<< /Size {len(bodies) + 1} {trailer} >>\nstartxref\n{len(data)}\n%%EOF\n".encode()


def _drawn(lines: Sequence[str] | None) -> str:
    if lines is IMAGE:
        return "q 500 0 0 700 50 50 cm BI /W 1 /H 1 /CS /G /BPC 8 ID A EI Q"
    if not lines:
        return ""
    escaped = (line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in lines)
    return "BT /F1 12 Tf 50 750 Td 14 TL " + " ".join(f"({line}) Tj T*" for line in escaped) + " ET"


def docx(
    blocks: Sequence[str | tuple[str, str] | list[list[str]]],
    title: str = "",
    author: str = "",
    created: datetime = datetime(2024, 3, 14, 9),
) -> bytes:
    """Blocks are paragraphs, (text, style) or tables of rows of cells."""
    import docx as library

    document = library.Document()
    about = document.core_properties
    about.title, about.author, about.created = title, author, created
    for block in blocks:
        if isinstance(block, list):
            table = document.add_table(len(block), len(block[0]))
            for row, cells in zip(table.rows, block, strict=True):
                for cell, text in zip(row.cells, cells, strict=True):
                    cell.text = text
        elif isinstance(block, tuple):
            document.add_paragraph(*block)
        else:
            document.add_paragraph(block)
    return saved(document)


def pptx(slides: Sequence[tuple[str, str, str]], title: str = "", author: str = "") -> bytes:
    """Slides of (title, text, notes)."""
    import pptx as library

    presentation = library.Presentation()
    about = presentation.core_properties
    about.title, about.author, about.created = title, author, datetime(2024, 3, 14, 9)
    for heading, text, notes in slides:
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        for shape, content in zip(slide.placeholders, (heading, text), strict=True):
            shape.text_frame.text = content
        if notes:
            frame = slide.notes_slide.notes_text_frame
            assert frame is not None
            frame.text = notes
    return saved(presentation)


def xlsx(sheets: Mapping[str, Sequence[Sequence[object]]], formats: Mapping[str, str] | None = None) -> bytes:
    """Rows of cells by the name of their sheet; `formats` are number formats by cell, of all sheets."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.creator, book.properties.created = "Ada Low", datetime(2024, 3, 14, 9)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        for cell, number_format in (formats or {}).items():
            sheet[cell].number_format = number_format
    return saved(book)


class Savable(Protocol):
    """A document of python-docx, python-pptx or openpyxl."""

    def save(self, file: io.BytesIO, /) -> object: ...


def saved(document: Savable) -> bytes:
    """The bytes of a document."""
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def with_members(package: bytes, members: Mapping[str, str | bytes]) -> bytes:
    """A zip with these members added, or in the place of those of the same name."""
    with zipfile.ZipFile(io.BytesIO(package)) as old:
        held = {name: old.read(name) for name in old.namelist()}
    return zipped({**held, **members})


def epub(chapters: Mapping[str, str], about: str = "", extra: Mapping[str, str | bytes] | None = None) -> bytes:
    """Chapters are XHTML by file name; `about` is XML of the metadata."""
    items = "".join(
        f'<item id="c{at}" href="{name}" media-type="application/xhtml+xml"/>' for at, name in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="c{at}"/>' for at in range(len(chapters)))
    book = (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        f'<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">{about}</metadata>'
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "OEBPS/book.opf": book,
            **{f"OEBPS/{name}": chapter for name, chapter in chapters.items()},
            **(extra or {}),
        }
    )


def mail(
    text: str,
    subject: str = "Ferry fares",
    html: str = "",
    attached: Mapping[str, bytes] | None = None,
    date: str = "Thu, 14 Mar 2024 23:30:00 -0500",
) -> bytes:
    from email.message import EmailMessage

    message = EmailMessage()
    message["From"], message["To"] = "Ada Low <ada@harbour.example>", "bo@harbour.example"
    message["Subject"], message["Date"] = subject, date
    if text:
        message.set_content(text)
    if html:
        (message.add_alternative if text else message.set_content)(html, subtype="html")
    for name, content in (attached or {}).items():
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def mailbox(*mails: bytes) -> bytes:
    return b"".join(b"From ada@harbour.example Thu Mar 14 09:00:00 2024\n" + one + b"\n" for one in mails)
