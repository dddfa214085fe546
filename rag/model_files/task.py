"""One model being fetched: what the places share."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rag.model_files import disk
from rag.model_files.checking import differs
from rag.model_files.disk import FreeBytes
from rag.model_files.specs import ModelFile, ModelSpec

STAGING = ".partial"

Report = Callable[[str, int, int], None]
"""Called with (what is being done, bytes done, bytes in all, 0 where that isn't known yet).

The bytes done never shrink while a model is fetched; checking what is here, before, counts for itself.
"""


class PlaceError(Exception):
    """A place doesn't have the files or can't be reached. `str` is a short reason for the user; try the next place."""


class DamagedError(PlaceError):
    """A place handed out bytes that aren't the published ones."""


class Meter:
    """Passes progress on, never backwards."""

    def __init__(self, report: Report | None, total: int) -> None:
        self._report = report
        self._total = total
        self._done = 0

    def at(self, what: str, done: int = 0) -> None:
        """`done` counts bytes from the beginning of the model; one smaller than before leaves the figure as it was."""
        self._done = max(self._done, min(done, self._total))
        if self._report:
            self._report(what, self._done, self._total)


@dataclass(frozen=True, slots=True)
class Task:
    """A model, the folder it goes to, and who wants to know how far it is."""

    spec: ModelSpec
    home: Path
    meter: Meter
    free_bytes: FreeBytes

    @property
    def staging(self) -> Path:
        """Unverified and half-done files live here, on the same disk as `home`; it survives a cut download."""
        return self.home / STAGING

    def require_space(self, needed: int) -> None:
        """Raise DiskFull, before anything is fetched, when fewer than `needed` bytes are free."""
        disk.require(needed, self.free_bytes(self.home), self.spec.name, self.home)

    def roomy(self, needed: int) -> bool:
        """Whether the disk has room for `needed` bytes and a second copy of the model besides."""
        return self.free_bytes(self.home) >= needed + self.spec.size

    def accept(self, file: ModelFile, staged: Path, sha256: str) -> None:
        """Move a staged file into place if it is the published one; delete it otherwise. Raises DamagedError."""
        if file.sha256 and sha256 != file.sha256:
            staged.unlink()
            raise DamagedError(differs(file.path, sha256, file.sha256))
        if (size := staged.stat().st_size) != file.size:
            staged.unlink()
            raise DamagedError(f"{file.path} has {size:,} bytes, published are {file.size:,}")
        target = self.home / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        staged.replace(target)
