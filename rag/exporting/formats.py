"""Which files a conversation can become, and how they are written."""

import errno
import os
import re
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from rag.errors import DiskFull, InputError
from rag.exchanges import Conversation
from rag.exporting.manuscript import clean, manuscript_of
from rag.languages import ENGLISH, speaking

LONGEST_NAME = 60
"""Characters of a file's name before its suffix."""

_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


class Format(StrEnum):
    """By the suffix of a file's name."""

    MARKDOWN = "md"
    JSON = "json"
    DOCX = "docx"
    PDF = "pdf"


def exported(conversation: Conversation, kind: Format) -> bytes:
    """The content of a file of this kind.

    Raises InputError where a PDF can't show most of its letters, which every other kind can.
    """
    # Each library is loaded only where it is used.
    from rag.exporting import docx, json_file, markdown, pdf

    if kind is Format.JSON:  # for programs, in whatever language who asks for it reads
        with speaking(ENGLISH):
            return json_file.as_json(conversation, manuscript_of(conversation))
    manuscript = manuscript_of(conversation)
    match kind:
        case Format.MARKDOWN:
            return markdown.markdown(manuscript)
        case Format.DOCX:
            return docx.docx(manuscript)
        case Format.PDF:
            return pdf.pdf(manuscript)


def format_of(path: Path) -> Format:
    """By the file's suffix. Raises InputError for one that isn't known, naming those that are."""
    try:
        return Format(path.suffix.lower().removeprefix("."))
    except ValueError:
        known = ", ".join(f".{kind}" for kind in Format)
        raise InputError(f"{path} would be in a format that can't be written. Accepted: {known}.") from None


def file_name(conversation: Conversation, kind: Format) -> str:
    """A name for the file that any system takes: `what-does-the-ferry-cost.pdf`."""
    words = re.sub(r"[\x00-/:-@\[-`{-\u00bf\u2000-\u206f]+", " ", clean(conversation.title)).lower()
    name = "-".join(words.split())[:LONGEST_NAME].strip("-")
    return f"{name or 'conversation'}.{kind}"


def write_export(conversation: Conversation, path: Path) -> None:
    """Write the file that its suffix asks for, whole or not at all.

    Raises InputError for another suffix or a place that can't be written, DiskFull where there is no room.
    """
    content = exported(conversation, format_of(path))
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(f"No room left on the disk of {path.parent} for {path.name}. Free some.") from error
        raise InputError(f"{path} can't be written ({error.strerror}). Name another place.") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
