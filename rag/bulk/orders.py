"""What readers want done with their files: a folder each, which outlives the page.

FOLDER/READER/upload/NAME          a file that was handed in and not begun yet
FOLDER/READER/ID/order.json        the `Order`
FOLDER/READER/ID/questions.csv     the file as it was handed in, whatever its format
FOLDER/READER/ID/answers.jsonl     what `rag batch` would write
"""

import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rag.errors import InputError, RagError

ORDER = "order.json"
UPLOAD = "upload"
MOST_KEPT = 100
"""Files of a reader, at most."""
ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Order:
    """A file of questions, and what is to be done with it."""

    id: str
    reader: str | None
    """None for everybody, where there is no login."""
    name: str
    """The file's, as it was handed in."""
    suffix: str
    made: str
    """ISO 8601, UTC."""
    rows: int
    """Those that can't be asked included."""
    strict: bool
    scored: bool
    mixed: bool = False
    """Whether to go on under other conditions than those it was begun under."""
    stopped: bool = False
    """Whether it waits for somebody to start it again."""
    done: bool = False


class Orders:
    """The orders of all readers in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def receive(self, reader: str | None, upload: Path) -> Path:
        """Keep a file that was handed in, in place of one before; returns where. Raises RagError."""
        place = self._reader(reader) / UPLOAD
        try:
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True, mode=0o700)
            return Path(shutil.copyfile(upload, place / upload.name))
        except OSError as error:
            raise _unwritable(self._folder, error) from error

    def received(self, reader: str | None) -> Path | None:
        """The file that was handed in and not begun yet."""
        with suppress(OSError):
            return next((self._reader(reader) / UPLOAD).iterdir(), None)
        return None

    def put_back(self, reader: str | None) -> None:
        """Forget the file that was handed in."""
        shutil.rmtree(self._reader(reader) / UPLOAD, ignore_errors=True)

    def add(self, reader: str | None, upload: Path, rows: int, *, strict: bool, scored: bool) -> Order:
        """Copy the file. Raises RagError where there is no room for it, or the reader has too many."""
        if sum(1 for _ in self._of(self._reader(reader))) >= MOST_KEPT:
            raise InputError(f"{MOST_KEPT} files are kept already. Remove one that is no longer needed.")
        made = datetime.now(UTC).isoformat(timespec="microseconds")
        name, suffix = upload.name, upload.suffix.lower()
        order = Order(secrets.token_hex(8), reader, name, suffix, made, rows, strict, scored)
        try:
            self.folder(order).mkdir(parents=True, mode=0o700)
            shutil.copyfile(upload, self.questions(order))
        except OSError as error:
            self.remove(order)
            raise _unwritable(self._folder, error) from error
        self.save(order)
        return order

    def save(self, order: Order) -> None:
        """Write it over what was known of it. Raises RagError."""
        path = self.folder(order) / ORDER
        draft = path.with_suffix(".part")
        try:
            draft.write_text(json.dumps(asdict(order), indent=1), encoding="utf-8")
            draft.replace(path)
        except OSError as error:
            raise _unwritable(self._folder, error) from error

    def of(self, reader: str | None) -> Iterator[Order]:
        """Of one reader."""
        return (order for order in self._of(self._reader(reader)) if order.reader == reader)

    def all(self) -> Iterator[Order]:
        """Of all readers."""
        with suppress(OSError):
            for folder in self._folder.iterdir():
                yield from self._of(folder)

    def remove(self, order: Order) -> None:
        """With all that belongs to it."""
        shutil.rmtree(self.folder(order), ignore_errors=True)

    def folder(self, order: Order) -> Path:
        """Where all that belongs to it lies."""
        return self._reader(order.reader) / order.id

    def questions(self, order: Order) -> Path:
        """The file that was handed in."""
        return self.folder(order) / f"questions{order.suffix}"

    def answers(self, order: Order) -> Path | None:
        """The run file; None where an evaluation hasn't begun its own yet."""
        if not order.scored:
            return self.folder(order) / "answers.jsonl"
        written = sorted((self.folder(order) / "answers").glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
        return written[-1] if written else None

    def _reader(self, reader: str | None) -> Path:
        name = "everybody" if reader is None else hashlib.sha256(reader.encode()).hexdigest()[:32]
        return self._folder / name

    def _of(self, folder: Path) -> Iterator[Order]:
        with suppress(OSError):
            for path in folder.iterdir():
                if order := _read(path):
                    yield order


def _read(folder: Path) -> Order | None:
    """None for what was begun and never saved, or is something else."""
    try:
        order = Order(**json.loads((folder / ORDER).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return order if order.id == folder.name and ID.fullmatch(order.id) else None


def _unwritable(folder: Path, error: OSError) -> RagError:
    return RagError(f"{folder} can’t be written ({error.strerror}). Free some space, or make the folder writable.")
