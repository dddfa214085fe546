"""One file → `Document`s."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rag.documents.article import Article, Fields, Found, Note
from rag.documents.fields import USUAL_FIELDS, FieldNames
from rag.documents.kinds import IN_PROCESS, kind_of
from rag.documents.limits import MAX_BYTES
from rag.errors import DocumentError
from rag.types import Document

LOADER_VERSION = 2
"""Of all loaders together. Raised by one when any of them reads the same bytes otherwise than before: `rag sync` then
reads all files again, and embeds what came out different."""

MAX_NOTES = 20
"""Of a file."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file holds."""

    documents: tuple[Document, ...]
    """At least one; several where the file is a mailbox, a feed, a zip and so on. All have the file's content hash."""
    notes: tuple[str, ...]
    """Of what in it could not be read: one or two sentences each, naming the file."""
    fields: Fields | None = None
    """Of all its records together; None where there are none, so that `FieldNames` make no difference."""
    summaries: frozenset[str] = frozenset()
    """Parts of the documents that are only summaries of articles, see `Article.whole`."""


def load(path: Path, names: FieldNames = USUAL_FIELDS) -> Loaded:
    """Read the articles in a file. `names` says which fields of records and columns of tables hold what.

    Raises HoldsQuestions for a table of questions, and DocumentError when the file is missing, unreadable, empty,
    damaged, encrypted, hostile, passes a limit of `rag.documents.limits`, or is of a format that isn't accepted.
    """
    return load_bytes(file_bytes(path), path.name, _source(path), names)


def load_bytes(data: bytes, name: str, source: str, names: FieldNames = USUAL_FIELDS) -> Loaded:
    """`load` for what doesn't lie in a file: `name` is what a file with it would be called, such as "rates.html"."""
    from rag.documents.isolated import read_isolated  # all loaders, which who only looks at files does without
    from rag.documents.reading import read_all

    if kind_of(data, name, source) in IN_PROCESS:
        found: Iterable[Found] = read_all(data, name, source, names)
    else:
        found = read_isolated(data, name, source, names)
    digest = content_hash(data)
    documents, notes, fields, summaries = [], [], [], []
    for one in found:
        if isinstance(one, Note):
            notes.append(one.text)
        elif isinstance(one, Fields):
            fields.append(one)
        else:
            documents.append(_document(one, source, digest))
            summaries += [] if one.whole else [one.part]
    if len(notes) > MAX_NOTES:
        notes[MAX_NOTES:] = [f"{source} has {len(notes) - MAX_NOTES} more problems like these."]
    return Loaded(tuple(documents), tuple(notes), _together(fields), frozenset(summaries))


def _together(fields: Sequence[Fields]) -> Fields | None:
    if not fields:
        return None
    named = {name for of_one in fields for name in of_one.named}
    return Fields(tuple(sorted(named)), next((of_one.seen for of_one in fields if of_one.seen), ()))


def _document(article: Article, file: str, digest: str) -> Document:
    source = f"{file}#{article.part}" if article.part else file
    return Document(
        id=document_id(source),
        title=article.title or _title_without(article, file),
        text=article.text,
        source=source,
        published=article.published,
        author=article.author,
        content_hash=digest,
        url=article.url,
        pages=article.pages,
        part=article.part,
    )


def _title_without(article: Article, file: str) -> str:
    """ "Rates unchanged", or "Rates unchanged, 3" for the third of a file; a member of a zip is called after itself."""
    inner, _, number = article.part.rpartition("#")
    if article.part.isdecimal():
        return f"{title_from_name(file)}, {article.part}"
    if inner and number.isdecimal():
        return f"{title_from_name(inner)}, {number}"
    return title_from_name(article.part or file)


def document_id(source: str) -> str:
    """16 hexadecimal digits that stay the same as long as the article stays where it is."""
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def content_hash(data: bytes) -> str:
    """What `Document.content_hash` holds: 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def file_hash(path: Path) -> str:
    """`content_hash` of a file's bytes: tells whether a file has changed without decoding it.

    Raises DocumentError when the file is missing, unreadable or larger than MAX_BYTES.
    """
    return content_hash(file_bytes(path))


def title_from_name(source: str) -> str:
    """ "/news/rates-unchanged_2024.txt", "https://a.example/rates-unchanged_2024?p=1" → "Rates unchanged 2024"."""
    scheme, _, address = source.partition("://")
    path = re.split("[?#]", address)[0].rstrip("/") if address else scheme
    stem = PurePosixPath(path).stem if "/" in path or not address else path
    words = re.sub(r"[\s_-]+", " ", stem).strip()
    return words[:1].upper() + words[1:] or stem


def _source(path: Path) -> str:
    source = path.resolve().as_posix()
    try:
        source.encode()
    except UnicodeEncodeError as error:
        raise DocumentError(f"The file name {source!a} is not valid Unicode. Rename the file.") from error
    return source


def file_bytes(path: Path) -> bytes:
    """All of a file. Raises DocumentError when it is missing, unreadable or larger than MAX_BYTES."""
    try:
        if path.exists() and not path.is_file():
            raise DocumentError(f"{path} is not a file. Give the path of an article.")
        size = path.stat().st_size
        if size > MAX_BYTES:
            limit = f"{MAX_BYTES // 1_000_000} MB"
            raise DocumentError(f"{path} has {size / 1e6:.0f} MB, more than the {limit} an article may have. Split it.")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DocumentError(f"There is no file {path}. Give the path of an article.") from error
    except OSError as error:
        raise DocumentError(f"{path} can't be read: {error.strerror}. Make it readable, or leave it out.") from error
