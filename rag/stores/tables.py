"""The tables of a library in PostgreSQL. They lie in a schema of the library's own; see `Servers.name`.

A text is kept as bytes, because PostgreSQL's own text can't hold U+0000. Texts of any length are told apart by their
MD5 where an index needs short values.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    Table,
    Text,
    any_,
    func,
    literal,
    select,
)
from sqlalchemy import (
    Sequence as Numbers,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

from rag.types import Document

SCHEMA = 1
"""Raised by one with every change to the tables below."""

metadata = MetaData()
_text = Text(collation="C")  # which sorts by code point, as SQLite does


def _belongs_to(column: Column[Any], **options: Any) -> Column[Any]:
    name = options.pop("name", "document")
    return Column(name, BigInteger, ForeignKey(column, ondelete="CASCADE"), **options)


manifest = Table(
    "manifest",
    metadata,
    Column("one", Integer, CheckConstraint("one = 1"), primary_key=True, default=1),
    Column("schema", Integer, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("stamp", _text, nullable=False),
    Column("collection", _text, nullable=False),  # of Milvus: a reader searches the one its snapshot names
    Column("numbered", BigInteger, nullable=False),  # chunks above have never been committed
    Column("embedder", _text, nullable=False),
    Column("revision", _text, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("chunk_tokens", Integer, nullable=False),
    Column("chunk_overlap", Integer, nullable=False),
)

roots = Table("roots", metadata, Column("number", BigInteger, Identity(), primary_key=True), Column("path", _text))

documents = Table(
    "documents",
    metadata,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("id", _text, nullable=False),
    Column("source", _text, nullable=False),
    Column("file", _text, nullable=False),
    Column("title", _text, nullable=False),
    Column("published", _text),
    Column("author", _text),
    Column("content_hash", _text, nullable=False),
    Column("part", _text, nullable=False),
    Column("url", _text),
    Column("pages", ARRAY(Integer), nullable=False),
    Column("folded", _text, nullable=False),  # title, source and author, for lists
    Column("seal", _text, nullable=False),
    Column("loader", Integer, nullable=False),
    Column("mark", _text),
    Column("text", LargeBinary, nullable=False),
)
Index("documents_by_id", func.md5(documents.c.id), unique=True)
Index("documents_by_source", func.md5(documents.c.source), unique=True)
Index("documents_by_hash", documents.c.content_hash)

numbers = Numbers("chunk_numbers", metadata=metadata)
"""Never gives a number twice, whatever is rolled back."""

chunks = Table(
    "chunks",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("id", _text, nullable=False),
    _belongs_to(documents.c.number, nullable=False),
    Column("start_at", Integer, nullable=False),
    Column("end_at", Integer, nullable=False),
    Column("words", TSVECTOR, nullable=False),  # stems, for lists
)
Index("chunks_by_id", func.md5(chunks.c.id), unique=True)
Index("chunks_of_document", chunks.c.document)
Index("chunks_by_words", chunks.c.words, postgresql_using="gin")

embeddings = Table(
    "embeddings",
    metadata,
    _belongs_to(chunks.c.number, name="chunk", primary_key=True, autoincrement=False),
    Column("text_hash", LargeBinary),
    Column("vector", LargeBinary, nullable=False),
)
Index("embeddings_of_text", embeddings.c.text_hash)

sketches = Table(
    "sketches",
    metadata,
    _belongs_to(documents.c.number, primary_key=True, autoincrement=False),
    Column("family", BigInteger, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
Index("sketches_of_family", sketches.c.family)

bands = Table(
    "bands",
    metadata,
    Column("band", BigInteger, primary_key=True),
    _belongs_to(sketches.c.document, primary_key=True),
)
Index("bands_of_document", bands.c.document)

visits = Table(
    "visits",
    metadata,
    Column("source", _text, nullable=False),
    Column("content_hash", _text, nullable=False),
    Column("fields", _text),
    Column("etag", _text, nullable=False),
    Column("modified", _text, nullable=False),
    Column("outcome", _text, nullable=False),
)
Index("visits_by_source", func.md5(visits.c.source), unique=True)

# What is still in Milvus for the sake of readers of an older generation than this, and is removed when there are none.
gone = Table(
    "gone",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("generation", BigInteger, nullable=False),
)
collections = Table(
    "collections",
    metadata,
    Column("name", _text, primary_key=True),
    Column("generation", BigInteger),  # None while it is in use or being filled
)

spare = Table(
    "spare",
    MetaData(),
    Column("text_hash", LargeBinary, primary_key=True),
    Column("vector", LargeBinary, nullable=False),
    schema="pg_temp",
)
"""The writer's own: vectors of what it has removed, by the text they were made of."""

FIELDS = (
    documents.c.id, documents.c.title, documents.c.text, documents.c.source, documents.c.published,
    documents.c.author, documents.c.content_hash, documents.c.url, documents.c.pages, documents.c.part,
)  # fmt: skip
"""Of a `Document`, in their order."""

EMPTIED = (documents, visits, gone)
"""To start over; the rest goes with them."""


def as_document(row: Sequence[Any]) -> Document:
    """Of a row with the columns `FIELDS`."""
    name, title, text, source, published, author, content_hash, url, pages, part = row
    return Document(name, title, bytes(text).decode(), source, published, author, content_hash, url, tuple(pages), part)


def is_one_of(column: ColumnElement[Any], values: list[Any]) -> ColumnElement[bool]:
    """Membership in a list of any length, which is sent as one value.

    Texts that PostgreSQL can't hold match nothing.
    """
    if isinstance(column.type, Text):
        sent = [value for value in values if is_storable(value)]
        return (func.md5(column) == any_(_md5s(sent))) & (column == any_(literal(sent, ARRAY(Text))))
    return column == any_(literal(values, ARRAY(column.type)))


def is_storable(text: str) -> bool:
    """Whether PostgreSQL's text can hold it: no U+0000 and no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def listed() -> Select[Any]:
    """Rows of the fields of `Listed`."""
    count = select(func.count()).where(chunks.c.document == documents.c.number).scalar_subquery()
    table = documents.c
    return select(table.id, table.title, table.source, table.content_hash, count, table.part)


def _md5s(values: list[str]) -> ColumnElement[Any]:
    digests = [hashlib.md5(value.encode(), usedforsecurity=False).hexdigest() for value in values]
    return literal(digests, ARRAY(Text))
