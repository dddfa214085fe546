"""A whole library in one file, made and taken back while it is in use.

The file is a zip archive of two members: `backup.json`, which says what it holds, and `library.sqlite`. What is derived
from the database isn't in it.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from rag.errors import DiskFull, InputError, RagError
from rag.index.checking import VECTOR_FILE, check_library
from rag.index.connections import Reader, connect_for_writing, nothing_indexed
from rag.index.files import sync_folder
from rag.index.lock import writer_lock
from rag.index.replacing import take_library
from rag.index.schema import DATABASE, SCHEMA, read_manifest
from rag.index.trouble import NO_ROOM, explained
from rag.index.upgrading import upgrade

FORMAT = 1
"""Raised by one with every change to what a backup holds."""

NOTE = "backup.json"
NOTE_BYTES = 10_000
RESTORING = "restoring"
BLOCK = 1 << 20
"""Bytes copied at a time."""
PAGES = 2000
"""Pages of the database copied between two reports."""

Progress = Callable[[str, int, int], None]
"""(what is being done, done, total)"""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup says of itself."""

    format: int
    made: str
    """ISO 8601 with the zone's offset, to the second."""
    documents: int
    chunks: int
    bytes: int
    """Of the database."""
    sha256: str
    """Of the database, in hexadecimal digits."""


def write_backup(folder: Path, file: Path, report: Progress | None = None) -> Backup:
    """Write the newest committed state of the library in `folder` to `file`, whole or not at all.

    Readers and a writer go on meanwhile. Raises LibraryEmpty where there is nothing to back up, InputError where `file`
    can't be written, DiskFull, and LibraryUnwritable for a library that can't be read.
    """
    report = report or _silent
    database = folder / DATABASE
    part, copy = (file.with_name(f"{file.name}.{suffix}") for suffix in ("part", "copy"))
    if file.is_dir():
        raise InputError(f"{file} is a folder. Name a file.")
    with closing(Reader.open(database).connection) as connection:
        with explained(database):
            if read_manifest(connection, database) is None:
                raise nothing_indexed(folder)
        try:
            with _writing(file, database):
                documents, chunks = _copy(connection, copy, report)
                size, digest = _hashed(copy)
                now = datetime.now().astimezone().isoformat(timespec="seconds")
                backup = Backup(FORMAT, now, documents, chunks, size, digest)
                _pack(backup, copy, part)
                part.replace(file)
                sync_folder(file.parent)
        finally:
            for leftover in (part, copy):
                leftover.unlink(missing_ok=True)
    return backup


def restore_backup(folder: Path, file: Path, report: Progress | None = None) -> Backup:
    """Make the library in `folder` hold what `file` holds, as one new generation; readers go on meanwhile.

    The backup is unpacked beside the library and proved before anything is changed. What the library held before is
    gone afterwards. Raises InputError where `file` isn't a whole backup, LibraryBusy,
    DiskFull and LibraryUnwritable, and then nothing has changed.
    """
    report = report or _silent
    with _opened(file) as (archive, backup), writer_lock(folder, "rag restore"), explained(folder / DATABASE):
        aside = folder / RESTORING
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        try:
            _unpack(archive, backup, aside / DATABASE, file)
            _upgrade(aside / DATABASE, file)
            _prove(aside, file, report)
            take_library(folder, aside)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return backup


@contextmanager
def _writing(file: Path, database: Path) -> Iterator[None]:
    try:
        with explained(database):
            try:
                yield
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
                    raise _unwritable(file, error) from error
                raise
            except OSError as error:
                if error.errno in NO_ROOM:
                    raise
                raise _unwritable(file, error.strerror) from error
    except DiskFull as error:
        raise DiskFull(
            f"No room left on the disk of {file.parent}. Free some space, or name a file elsewhere."
        ) from error


def _unwritable(file: Path, why: object) -> InputError:
    return InputError(f"{file} can't be written ({why}). Name a file in a folder that you can write.")


def _copy(connection: sqlite3.Connection, copy: Path, report: Progress) -> tuple[int, int]:
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(copy)) as target:
        # Within a transaction the copy is of one state, however long it takes.
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM manifest").fetchone()
        connection.backup(
            target, pages=PAGES, progress=lambda _, left, of: report("Copying the library", of - left, of), sleep=0
        )
        target.execute("PRAGMA journal_mode = DELETE")  # so that the copy is one file
        documents, chunks = target.execute(
            "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM chunks)"
        ).fetchone()
    return documents, chunks


def _hashed(file: Path) -> tuple[int, str]:
    with file.open("rb") as opened:
        return file.stat().st_size, hashlib.file_digest(opened, "sha256").hexdigest()


def _pack(backup: Backup, copy: Path, part: Path) -> None:
    with part.open("wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(NOTE, json.dumps(asdict(backup), indent=1))
            archive.write(copy, DATABASE)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _opened(file: Path) -> Iterator[tuple[zipfile.ZipFile, Backup]]:
    try:
        archive = zipfile.ZipFile(file)
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise _no_backup(file, error) from error
    with archive:
        yield archive, _note(archive, file)


def _note(archive: zipfile.ZipFile, file: Path) -> Backup:
    try:
        if sorted(archive.namelist()) != sorted((NOTE, DATABASE)):
            raise ValueError(f"it doesn't hold {NOTE} and {DATABASE} alone")
        with archive.open(NOTE) as opened:
            backup = Backup(**json.loads(opened.read(NOTE_BYTES)))
    except (KeyError, TypeError, ValueError, OSError, RuntimeError, zipfile.BadZipFile) as error:
        raise _no_backup(file, error) from error
    if backup.format != FORMAT:
        raise InputError(
            f"{file} is a backup of format {backup.format!r}; this Citeline reads {FORMAT}. "
            "Restore it with the Citeline that wrote it. The library stays as it was."
        )
    return backup


def _unpack(archive: zipfile.ZipFile, backup: Backup, target: Path, file: Path) -> None:
    """Raises InputError where the bytes aren't those that were packed. Reads no more of them than were."""
    digest, left = hashlib.sha256(), backup.bytes
    with target.open("wb") as unpacked:
        try:
            with archive.open(DATABASE) as packed:
                while block := packed.read(BLOCK):
                    left -= len(block)
                    if left < 0:
                        break
                    digest.update(block)
                    unpacked.write(block)
        # zlib.error is no OSError; a full disk is one, and isn't the backup's fault.
        except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, zlib.error) as error:
            raise _no_backup(file, error) from error
    if left or digest.hexdigest() != backup.sha256:
        raise _no_backup(file, "its bytes aren't those that were backed up")


def _upgrade(database: Path, file: Path) -> None:
    """The unpacked copy, where an older Citeline wrote it."""
    try:
        with explained(database), closing(connect_for_writing(database)) as connection:
            manifest = read_manifest(connection, database)
            if manifest is not None and manifest.schema != SCHEMA:
                connection.execute("BEGIN")
                upgrade(connection, manifest)
                connection.execute("COMMIT")
    except RagError as error:
        raise _no_backup(file, error) from error


def _prove(aside: Path, file: Path, report: Progress) -> None:
    try:
        faults = check_library(aside, report, leave_out=frozenset({VECTOR_FILE})).faults
    except RagError as error:
        raise _no_backup(file, error) from error
    if faults:
        raise _no_backup(file, faults[0].what)


def _no_backup(file: Path, why: object) -> InputError:
    return InputError(
        f"{file} can't be restored ({why}). Give a whole file that `rag backup FILE` wrote. "
        "The library stays as it was."
    )


def _silent(what: str, done: int, total: int) -> None:
    """Report to nobody."""
