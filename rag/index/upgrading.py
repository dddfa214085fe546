"""A library with the tables of an older Citeline made one of this."""

import sqlite3
from dataclasses import replace

from rag.index.families import make_families
from rag.index.origins import FIRST_LOADER, seal
from rag.index.reading import all_documents
from rag.index.schema import SCHEMA, Manifest, upgrade_tables, write_manifest

SEALED = 3
"""The first schema that knows of every document what it was made by and from."""


def upgrade(connection: sqlite3.Connection, manifest: Manifest) -> Manifest:
    """The library's manifest after its tables have been brought to `SCHEMA`, within the open transaction.

    Takes the articles for what was indexed where nobody sealed them before. Raises what sqlite3 raises.
    """
    upgrade_tables(connection, manifest.schema)
    if manifest.schema < SEALED:
        seals = [(number, seal(document), FIRST_LOADER) for number, document in all_documents(connection)]
        connection.executemany("INSERT INTO origins (document, seal, loader) VALUES (?, ?, ?)", seals)
        make_families(connection)
    upgraded = replace(manifest, schema=SCHEMA)
    write_manifest(connection, upgraded)
    return upgraded
