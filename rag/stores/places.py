"""Where a library lies: in a folder, or on servers."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from rag.errors import InputError, SettingsError
from rag.settings import Settings, Store

SCHEMES = ("postgresql", "postgresql+psycopg")
LOCAL_FILE = ".db"
"""How the address of a Milvus Lite file ends."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
_EXAMPLE = "postgresql+psycopg://NAME@HOST/DATABASE"


@dataclass(frozen=True, slots=True)
class Servers:
    """A library in PostgreSQL and Milvus. Whatever prints it prints no password."""

    database: str = field(repr=False)
    """URL of the PostgreSQL database."""
    vectors: str
    """Address of Milvus, such as http://localhost:19530, or path of a Milvus Lite file."""
    token: str = field(default="", repr=False)
    """For Milvus: "user:password" or an API key."""
    name: str = "citeline"
    """Of the schema in PostgreSQL; one database holds any number of libraries under different names."""

    def __post_init__(self) -> None:
        """Raises SettingsError for addresses of another kind; never says what is secret in them."""
        parts = _split(self.database)
        if parts is None or parts.scheme not in SCHEMES or not parts.path.strip("/"):
            raise SettingsError(
                f"database isn't the URL of a PostgreSQL database, such as {_EXAMPLE}. Set RAG_DATABASE."
            )
        if parts.netloc.count("@") > 1:
            raise SettingsError("database holds more than one @. Write those of the password as %40 in RAG_DATABASE.")
        address = _split(self.vectors)
        if not self.vectors or address is None or not (self.is_file or address.scheme in ("http", "https")):
            raise SettingsError(
                "store_uri is neither the address of a Milvus server, such as http://localhost:19530, nor a file whose "
                f"name ends in {LOCAL_FILE}. Set RAG_STORE_URI."
            )
        if "@" in address.netloc:
            raise SettingsError("store_uri holds a password. Put it into RAG_STORE_TOKEN, as NAME:PASSWORD.")
        if not _NAME.fullmatch(self.name):
            raise SettingsError(f"{self.name!r} can't be the name of a library: wanted small letters, digits and _.")

    @property
    def is_file(self) -> bool:
        """Whether the vectors lie in a file of Milvus Lite, which one process at a time can open."""
        return "://" not in self.vectors and self.vectors.endswith(LOCAL_FILE)

    def __str__(self) -> str:
        """`postgresql://anna:***@db/news and http://milvus:19530`."""
        parts = urlsplit(self.database)
        user, _, host = parts.netloc.rpartition("@")
        name, colon, _ = user.partition(":")
        shown = f"{name}{':***' if colon else ''}@{host}" if user else host
        schema = "" if self.name == "citeline" else f" ({self.name})"
        return f"{parts.scheme}://{shown}{parts.path}{schema} and {self.vectors}"


Place: TypeAlias = Path | Servers
"""A folder holds the library in SQLite and FAISS."""


def place_of(settings: Settings) -> Place:
    """Where the library of these settings lies. Raises SettingsError where they don't say."""
    database = settings.database.get_secret_value()
    if settings.store is Store.LOCAL:
        if database or settings.store_uri:
            given = "database" if database else "store_uri"
            raise SettingsError(f'{given} is set, but store is "local". Set RAG_STORE=milvus, or remove {given}.')
        return settings.index
    if not database:
        raise SettingsError(
            f'store = "{settings.store}" needs a PostgreSQL database for the articles: RAG_DATABASE={_EXAMPLE}.'
        )
    return Servers(database, settings.store_uri, settings.store_token.get_secret_value())


def folder_of(settings: Settings, instead: str) -> Path:
    """The library's folder. Raises InputError that names what does `instead` where it lies on servers."""
    place = place_of(settings)
    if isinstance(place, Servers):
        raise InputError(f"This works on a library in a folder; this one is in {place}. Use {instead}.")
    return place


def _split(address: str):  # type: ignore[no-untyped-def]
    try:
        return urlsplit(address)
    except ValueError:
        return None
