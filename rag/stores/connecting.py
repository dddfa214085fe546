"""Connections to PostgreSQL, and what it reports said in a user's words."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, exc, make_url, text

from rag.errors import DiskFull, LibraryBusy, LibraryUnreachable, LibraryUnwritable, RagError
from rag.stores.places import Servers

PATIENCE = 10
"""Seconds for a connection to be made."""
READERS = 64
"""Connections of one process to the database, at most; who wants another waits."""

WRITING = 0
"""Number of the writer's lock; a reader of generation g holds number g + 1."""

_NO_ROOM = ("53100", "53200")
_FORBIDDEN = ("25006", "42501")
_AWAY = ("08", "28", "3D", "57P", "53300")
_HOLDER = text("""
    SELECT activity.pid, activity.application_name, activity.backend_start
    FROM pg_locks AS held LEFT JOIN pg_stat_activity AS activity USING (pid)
    WHERE held.locktype = 'advisory' AND held.classid = :key AND held.objid = 0 AND held.objsubid = 2 AND held.granted
    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())""")
_OLDEST = text("""
    SELECT min(held.objid::bigint) - 1 FROM pg_locks AS held
    WHERE held.locktype = 'advisory' AND held.classid = :key AND held.objid > 0 AND held.objsubid = 2
    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())""")


def engine_of(place: Servers, command: str) -> Engine:
    """Connects when it is first used. `command` is what others who look at the server see of this process."""
    url = make_url(place.database).set(drivername="postgresql+psycopg")
    engine = create_engine(
        url,
        pool_pre_ping=True,  # a server that was restarted meanwhile is connected to anew
        pool_size=4,
        max_overflow=READERS - 4,
        hide_parameters=True,
        connect_args={"connect_timeout": PATIENCE, "application_name": command},
    )
    return engine.execution_options(schema_translate_map={None: place.name})


def lock_key(place: Servers) -> int:
    """What the advisory locks of this library begin with: 31 bits."""
    return zlib.crc32(place.name.encode()) >> 1


def lock_for_writing(connection: Connection, place: Servers) -> None:
    """Until the connection ends, however it does. Raises LibraryBusy at once where another holds the lock."""
    key = lock_key(place)
    if connection.execute(text("SELECT pg_try_advisory_lock(:key, 0)"), {"key": key}).scalar():
        return
    holder = connection.execute(_HOLDER, {"key": key}).first()
    if holder is None or not holder.application_name:
        raise LibraryBusy(f"Another process is writing to {place}; wait for it to end.")
    since = f", since {holder.backend_start.astimezone():%Y-%m-%d %H:%M}" if holder.backend_start else ""
    raise LibraryBusy(
        f"Another `{holder.application_name}` (server process {holder.pid}{since}) is writing to {place}; "
        "wait for it to end."
    )


def oldest_read(connection: Connection, place: Servers) -> int | None:
    """The oldest generation that any reader anywhere has open, or None."""
    oldest: int | None = connection.execute(_OLDEST, {"key": lock_key(place)}).scalar()
    return oldest


@contextmanager
def explained(place: Servers) -> Iterator[None]:
    """Turn what SQLAlchemy raises in the block into the RagError it stands for.

    Raises DiskFull, LibraryUnwritable or LibraryUnreachable. What only a mistake in Citeline can cause, such as a
    broken constraint, passes unchanged.
    """
    try:
        yield
    except exc.DBAPIError as error:
        plain = _plain(error, place)
        if plain is None:
            raise
        raise plain from error
    except exc.TimeoutError as error:
        raise LibraryUnreachable(f"All {READERS} connections to {place} are in use. Try again later.") from error


def _plain(error: exc.DBAPIError, place: Servers) -> RagError | None:
    state = str(getattr(error.orig, "sqlstate", None) or "")
    said = (str(error.orig).strip().splitlines() or [""])[0]
    if state in _NO_ROOM:
        return DiskFull(
            f"No room left on the server of {place} ({said}); the library stays as it was. Free some space."
        )
    if state in _FORBIDDEN:
        return LibraryUnwritable(
            f"{place} can't be written ({said}). The user needs the right to create a schema in the database."
        )
    if (
        error.connection_invalidated
        or state.startswith(_AWAY)
        or (not state and isinstance(error, exc.OperationalError))
    ):
        return LibraryUnreachable(
            f"The database of {place} doesn't answer ({said}). Start it, or put RAG_DATABASE right; "
            "the password may be in RAG_DATABASE, in PGPASSWORD or in ~/.pgpass."
        )
    return None
