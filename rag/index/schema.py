"""The tables of `library.sqlite` and its manifest: what a library was made with."""

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

from rag.errors import LibraryMismatch
from rag.index.trouble import damaged

DATABASE = "library.sqlite"
BASE = "base"
"""What the manifest calls `Base`; older versions pass over it, and make a file of all vectors."""
SCHEMA = 4
"""Raised by one with every change to the tables below."""

WORDS = "CREATE VIRTUAL TABLE words USING fts5 (title, text, content='', tokenize='porter unicode61')"
"""content='': only the word lists are kept; the words themselves are in documents.text already."""

KEEPING = (
    "CREATE INDEX embeddings_of_text ON embeddings (text_hash)",
    # What a document was made by and from; `seal` proves its text, `mark` spares reading its file again.
    """CREATE TABLE origins (
        document INTEGER PRIMARY KEY REFERENCES documents (number) ON DELETE CASCADE,
        seal TEXT NOT NULL,
        loader INTEGER NOT NULL,
        mark TEXT
    )""",
    # Derived from the texts: which documents are versions of one another. See `rag.index.sketches`.
    """CREATE TABLE sketches (
        document INTEGER PRIMARY KEY REFERENCES documents (number) ON DELETE CASCADE,
        family INTEGER NOT NULL,
        signature BLOB NOT NULL
    )""",
    "CREATE INDEX sketches_of_family ON sketches (family)",
    """CREATE TABLE bands (
        band INTEGER NOT NULL,
        document INTEGER NOT NULL REFERENCES sketches (document) ON DELETE CASCADE,
        PRIMARY KEY (band, document)
    ) WITHOUT ROWID""",
    "CREATE INDEX bands_of_document ON bands (document)",
)
"""What tells whether a library is whole and up to date. All of it can be derived from the rest."""

VISITS = (
    # What is known of files and pages besides their documents; see `rag.index.origins.Visit`.
    """CREATE TABLE visits (
        source TEXT PRIMARY KEY,
        content_hash TEXT NOT NULL,
        fields TEXT,
        etag TEXT NOT NULL,
        modified TEXT NOT NULL,
        outcome TEXT NOT NULL
    ) WITHOUT ROWID""",
)

TABLES = (
    "CREATE TABLE manifest (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
    "CREATE TABLE roots (number INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE)",
    # `text` comes last: SQLite reads a row up to the column it needs, so listings never touch the long texts.
    """CREATE TABLE documents (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        source TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        published TEXT,
        author TEXT,
        content_hash TEXT NOT NULL,
        part TEXT NOT NULL DEFAULT '',
        url TEXT,
        pages TEXT NOT NULL DEFAULT '[]',
        text TEXT NOT NULL
    )""",
    # AUTOINCREMENT: a number is never given twice, so numbers above the last committed one are the new chunks.
    """CREATE TABLE chunks (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        document INTEGER NOT NULL REFERENCES documents (number) ON DELETE CASCADE,
        start_at INTEGER NOT NULL,
        end_at INTEGER NOT NULL
    )""",
    "CREATE INDEX chunks_of_document ON chunks (document)",
    """CREATE TABLE embeddings (
        chunk INTEGER PRIMARY KEY REFERENCES chunks (number) ON DELETE CASCADE,
        text_hash BLOB,
        vector BLOB NOT NULL
    )""",
    *KEEPING,
    *VISITS,
    WORDS,
)

UPGRADES = {
    1: (
        "ALTER TABLE documents ADD COLUMN part TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE documents ADD COLUMN url TEXT",
        "ALTER TABLE documents ADD COLUMN pages TEXT NOT NULL DEFAULT '[]'",
    ),
    2: ("ALTER TABLE embeddings ADD COLUMN text_hash BLOB", *KEEPING),
    3: VISITS,
}
"""What makes the tables of each older schema those of the next; a writer does it as part of its first commit."""

_LATER = ("part", "url", "pages")
LATER_COLUMNS = {1: ("''", "NULL", "'[]'"), 2: _LATER, 3: _LATER, SCHEMA: _LATER}
"""Of `documents`, by schema: the column, or what stands for it in a library that no writer has upgraded yet."""

DROPPED_TO_START_OVER = (
    "words", "bands", "sketches", "origins", "embeddings", "chunks", "documents", "visits", "roots", "manifest",
)  # fmt: skip
"""Children before parents, so that no row is deleted one by one to satisfy a reference."""


BELONGING = (
    ("chunks", "document", "documents", "number"),
    ("embeddings", "chunk", "chunks", "number"),
    ("origins", "document", "documents", "number"),
    ("sketches", "document", "documents", "number"),
    ("bands", "document", "sketches", "document"),
)
"""(table, its column, the table of what its rows belong to, the column there), parents before children."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What the vectors and chunks of a library depend on: with another one it has to be made again."""

    embedder: str
    revision: str
    """Of the embedder's weights."""
    dimension: int
    chunk_tokens: int
    chunk_overlap: int


@dataclass(frozen=True, slots=True)
class Base:
    """The segment of a large library: what all later changes come on top of."""

    generation: int
    """Which wrote it; its file has the name. Several generations may share one."""
    stamp: str
    """Of that generation; the file carries the same."""
    last: int
    """It was made of all the chunks there were up to this number."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Which library this is, and which state of it."""

    identity: Identity
    generation: int
    """Counts the commits that changed what can be found; 0 before the first."""
    stamp: str
    """32 random hex digits of the last such commit; its vector file carries the same. Empty before the first."""
    schema: int = SCHEMA
    """Of the tables; older than `SCHEMA` where no writer has upgraded them yet."""
    base: Base | None = None
    """None for a small library, which has all its vectors in the file of its generation."""


def vectors_file(folder: Path, manifest: Manifest) -> Path:
    """Where the vectors of a state lie, or would; for a large library most of them, see `Base`."""
    if manifest.base is not None:
        return folder / f"vectors-{manifest.base.generation}.segment"
    return folder / f"vectors-{manifest.generation}.faiss"


def create_tables(connection: sqlite3.Connection) -> None:
    """Within the open transaction (unlike `executescript`, which would commit it)."""
    for statement in TABLES:
        connection.execute(statement)


def upgrade_tables(connection: sqlite3.Connection, schema: int) -> None:
    """From an older `schema` to `SCHEMA`, within the open transaction."""
    for step in range(schema, SCHEMA):
        for statement in UPGRADES[step]:
            connection.execute(statement)


def columns_of(connection: sqlite3.Connection, table: str) -> list[str]:
    """Names, in their order; those of upgraded tables come in another than those of new ones."""
    return [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]


def is_made_by_us(connection: sqlite3.Connection) -> bool:
    """Whether the database has the tables and indexes above and nothing else. Raises what sqlite3 raises."""
    with closing(sqlite3.connect(":memory:")) as fresh:
        create_tables(fresh)
        return _definitions(connection) == _definitions(fresh)


def _definitions(connection: sqlite3.Connection) -> set[tuple[str, str, tuple[str, ...]]]:
    """(type, name, columns), but for the tables that FTS5 makes for itself, which differ between versions of SQLite."""
    rows = connection.execute("SELECT type, name FROM main.sqlite_master WHERE name NOT LIKE 'words!_%' ESCAPE '!'")
    return {(kind, name, tuple(sorted(columns_of(connection, name)))) for kind, name in rows.fetchall()}


def drop_tables(connection: sqlite3.Connection) -> None:
    """All there are, within the open transaction."""
    for table in DROPPED_TO_START_OVER:
        connection.execute(f"DROP TABLE IF EXISTS {table}")


def write_manifest(connection: sqlite3.Connection, manifest: Manifest) -> None:
    """In place of the one there is, with this version's `SCHEMA`."""
    values: dict[str, object] = {
        "schema": SCHEMA,
        "generation": manifest.generation,
        "stamp": manifest.stamp,
        **asdict(manifest.identity),
    }
    connection.execute("DELETE FROM manifest WHERE key = ?", (BASE,))
    if manifest.base is not None:
        values[BASE] = json.dumps(astuple(manifest.base))
    connection.executemany("INSERT OR REPLACE INTO manifest (key, value) VALUES (?, ?)", list(values.items()))


def read_manifest(connection: sqlite3.Connection, database: Path) -> Manifest | None:
    """The manifest, or None where nothing has ever been committed to the database.

    Raises LibraryMismatch where the library has the tables of a newer version of Citeline, and DamagedDatabase where
    the file is a database but not a library. Raises what sqlite3 raises.
    """
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    if "manifest" not in tables:
        raise damaged(database, "it holds no manifest")
    values = dict(connection.execute("SELECT key, value FROM manifest"))
    schema = _known_schema(values.get("schema"), database)
    try:
        identity = Identity(**{field.name: values[field.name] for field in fields(Identity)})
        base = Base(*json.loads(values[BASE])) if BASE in values else None
        return Manifest(identity, values["generation"], values["stamp"], schema, base)
    except KeyError as error:
        raise damaged(database, f"its manifest lacks {error}") from error
    except (TypeError, ValueError) as error:
        raise damaged(database, f"its manifest names no {BASE}") from error


def check_identity(manifest: Manifest, wanted: Identity, folder: object) -> None:
    """Raises LibraryMismatch naming every pair of values that disagree, and both ways out.

    `folder` is how a user calls the place of the library.
    """
    if manifest.identity == wanted:
        return
    differing = _differences(manifest.identity, wanted)
    made = ", ".join(f"{name.replace('_', ' ')} {old}" for name, old, _ in differing)
    asked = ", ".join(f"{name.replace('_', ' ')} {new}" for name, _, new in differing)
    back = " ".join(f"RAG_{name.upper()}={old}" for name, old, _ in differing if name not in ("revision", "dimension"))
    raise LibraryMismatch(
        f"The library in {folder} was made with {made}, but now it is {asked}. "
        f"Run `rag index --rebuild` to make it again{f', or go back with {back}' if back else ''}."
    )


def _differences(made: Identity, wanted: Identity) -> list[tuple[str, object, object]]:
    """(name, value of the library, value now); revision and dimension go without saying where the embedder differs."""
    implied = {"revision", "dimension"} if made.embedder != wanted.embedder else set()
    pairs = [(field.name, getattr(made, field.name), getattr(wanted, field.name)) for field in fields(Identity)]
    return [(name, old, new) for name, old, new in pairs if old != new and name not in implied]


def _known_schema(schema: object, database: Path) -> int:
    if isinstance(schema, int) and (schema == SCHEMA or schema in UPGRADES):
        return schema
    if not isinstance(schema, int) or schema < SCHEMA:
        raise damaged(database, "its manifest names no schema version")
    raise LibraryMismatch(
        f"The library in {database.parent} was made by a newer Citeline (schema {schema}; this one reads {SCHEMA}). "
        "Update Citeline, or index into another folder: RAG_INDEX=FOLDER."
    )
