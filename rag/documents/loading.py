"""One file → `Document`."""

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from rag.documents.article import Article
from rag.documents.markdown import read_markdown
from rag.documents.plain import read_plain
from rag.errors import DocumentError
from rag.types import Document

Loader = Callable[[bytes, str], Article]
"""Called with the bytes of an article and its source, the latter for messages. Raises DocumentError."""

LOADERS: Mapping[str, Loader] = {".md": read_markdown, ".txt": read_plain}
"""By the suffix of a file's name in lower case. Another format is one more line here."""

MAX_BYTES = 100_000_000


def accepted_formats() -> str:
    """For messages: ".md, .txt"."""
    return ", ".join(LOADERS)


def load(path: Path) -> Document:
    """Read the article in a file.

    Raises DocumentError when the file is missing, unreadable, empty, larger than MAX_BYTES, not text, or of a format
    that isn't accepted.
    """
    loader = LOADERS.get(path.suffix.lower())
    if loader is None:
        raise DocumentError(f"{path} is in a format that can't be read. Accepted formats: {accepted_formats()}.")
    data = _read(path)
    source = _source(path)
    article = loader(data, source)
    return Document(
        id=document_id(source),
        title=article.title or title_from_name(source),
        text=article.text,
        source=source,
        published=article.published,
        author=article.author,
        content_hash=content_hash(data),
    )


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
    return content_hash(_read(path))


def title_from_name(source: str) -> str:
    """ "/news/rates-unchanged_2024.txt" → "Rates unchanged 2024"."""
    stem = PurePosixPath(source).stem
    words = re.sub(r"[\s_-]+", " ", stem).strip()
    return words[:1].upper() + words[1:] or stem


def _source(path: Path) -> str:
    source = path.resolve().as_posix()
    try:
        source.encode()
    except UnicodeEncodeError as error:
        raise DocumentError(f"The file name {source!a} is not valid Unicode. Rename the file.") from error
    return source


def _read(path: Path) -> bytes:
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
