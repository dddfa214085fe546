"""Are these the published bytes? Hashes, and a marker file that saves hashing again what hasn't changed.

The marker `verified.json` lies beside the files and says of each which size, modification time and sha256 it had when
it was hashed. A file that still has that size and time is trusted; any other is hashed again.
"""

import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rag.model_files.specs import ModelFile, ModelSpec, Role

MARKER = "verified.json"
BLOCK = 1 << 20

OnBytes = Callable[[int], None]
"""Called with the bytes handled so far."""


@dataclass(frozen=True, slots=True)
class Record:
    """A file as it was when it was hashed."""

    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Marker:
    """What `verified.json` says; empty when there is none."""

    name: str = ""
    licence: str = ""
    files: Mapping[str, Record] | None = None

    def record(self, path: str) -> Record | None:
        """What was noted of the file with this path, if anything was."""
        return (self.files or {}).get(path)


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that isn't what was published."""

    file: ModelFile
    problem: str
    """Such as "vocab.txt has 12 of 231,508 bytes"."""
    exists: bool


def sha256_of(path: Path, on_bytes: OnBytes | None = None) -> str:
    """Hex digest, read in blocks of a mebibyte; about a second for a gigabyte."""
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
            done += len(block)
            if on_bytes:
                on_bytes(done)
    return digest.hexdigest()


def differs(path: str, actual: str, published: str) -> str:
    """`("a.bin", "0123456789abcdef", "fedcba9876543210")` → "a.bin has sha256 0123456789ab…, published is fedcba…"."""
    return f"{path} has sha256 {actual[:12]}…, published is {published[:12]}…"


def read_marker(home: Path) -> Marker:
    """The marker of the model in `home`; an empty one when it is missing or isn't a marker."""
    try:
        content = json.loads((home / MARKER).read_text(encoding="utf-8"))
        files = {path: Record(**record) for path, record in content["files"].items()}
        return Marker(content["name"], content["licence"], files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Marker()


def write_marker(spec: ModelSpec, home: Path) -> None:
    """Note that every file of `spec` in `home` has been hashed and is right."""
    records = {}
    for file in spec.files:
        path = home / file.path
        stat = path.stat()
        records[file.path] = asdict(Record(stat.st_size, stat.st_mtime_ns, file.sha256 or sha256_of(path)))
    content = {"name": spec.name, "licence": spec.licence, "files": records}
    draft = home / f".{MARKER}.{os.getpid()}.{threading.get_ident()}"
    with contextlib.suppress(OSError):  # a folder that can't be written still serves: it is hashed again next time
        draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
        draft.replace(home / MARKER)


def spec_from_marker(name: str, home: Path) -> ModelSpec | None:
    """A model from the hub as it was when it was fetched; None when it never was, or not completely."""
    marker = read_marker(home)
    if marker.name != name or not marker.files:
        return None
    files = tuple(ModelFile(path, record.size, record.sha256) for path, record in marker.files.items())
    return ModelSpec(name, Role.UNKNOWN, marker.licence, files, ())


def size_faults(spec: ModelSpec, home: Path) -> tuple[Fault, ...]:
    """The files that are missing or have the wrong size. Reads no file, so it is instant."""
    return tuple(fault for file in spec.files if (fault := _size_fault(file, home)))


def find_faults(spec: ModelSpec, home: Path, marker: Marker, on_bytes: OnBytes | None = None) -> tuple[Fault, ...]:
    """The files that aren't the published ones. Those that `marker` vouches for aren't read again."""
    faults = []
    done = 0
    for file in spec.files:
        fault = _size_fault(file, home)
        if fault is None and not vouched(file, home, marker):
            fault = _hash_fault(file, home, _after(done, on_bytes))
        if fault:
            faults.append(fault)
        done += file.size
    return tuple(faults)


def vouched(file: ModelFile, home: Path, marker: Marker) -> bool:
    """Whether `marker` holds the published hash of this file and the file is as it was then."""
    record = marker.record(file.path)
    if record is None or record.sha256 != (file.sha256 or record.sha256):
        return False
    stat = (home / file.path).stat()
    return (record.size, record.mtime_ns) == (stat.st_size, stat.st_mtime_ns)


def _size_fault(file: ModelFile, home: Path) -> Fault | None:
    path = home / file.path
    if not path.is_file():
        return Fault(file, f"{file.path} is missing", exists=False)
    size = path.stat().st_size
    if size == file.size:
        return None
    return Fault(file, f"{file.path} has {size:,} of {file.size:,} bytes", exists=True)


def _hash_fault(file: ModelFile, home: Path, on_bytes: OnBytes | None) -> Fault | None:
    if not file.sha256:
        return None
    actual = sha256_of(home / file.path, on_bytes)
    if actual == file.sha256:
        return None
    return Fault(file, differs(file.path, actual, file.sha256), exists=True)


def _after(offset: int, on_bytes: OnBytes | None) -> OnBytes | None:
    return (lambda done: on_bytes(offset + done)) if on_bytes else None
