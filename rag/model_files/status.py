"""What is here of which model; checking it again; removing it."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rag.errors import ModelUnavailable
from rag.model_files import disk, naming
from rag.model_files.checking import (
    MARKER,
    Marker,
    find_faults,
    read_marker,
    size_faults,
    spec_from_marker,
    vouched,
    write_marker,
)
from rag.model_files.fetching import location
from rag.model_files.known import SPECS
from rag.model_files.locking import locked
from rag.model_files.specs import ModelSpec, Role
from rag.model_files.task import STAGING, Meter, Report


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model and what is here of it."""

    name: str
    role: Role
    licence: str
    size: int
    """Bytes of the complete model; 0 where that isn't known."""
    path: Path
    """Where the model is, or would be."""
    present: bool
    """Every file is here with the right size."""
    verified: bool
    """Every file was hashed, had the published sha256, and hasn't changed since."""
    note: str
    """What a user should know besides, as a sentence; empty when all is well."""


def status(name: str, folder: Path, specs: Mapping[str, ModelSpec] = SPECS) -> ModelStatus:
    """Instant: looks at sizes and times only. Takes the names that `ensure` takes."""
    if own := naming.own_path(name, specs):
        return _own_status(name, own)
    home = naming.home_of(name, folder, specs)
    spec = naming.known(name, specs) or spec_from_marker(name, home)
    if spec is None:
        note = f"Not here. `rag models fetch {name}` gets it from the Hugging Face hub."
        return ModelStatus(name, Role.UNKNOWN, "unknown", 0, home, present=False, verified=False, note=note)
    return _spec_status(spec, home)


def statuses(folder: Path, specs: Mapping[str, ModelSpec] = SPECS) -> list[ModelStatus]:
    """The known models in their order, then whatever else was fetched from the hub, by name."""
    homes = sorted(place for place in folder.glob("*") if (place / MARKER).is_file())
    fetched = [name for home in homes if (name := read_marker(home).name) and name not in specs]
    return [status(name, folder, specs) for name in (*specs, *fetched)]


def verify(
    name: str, folder: Path, report: Report | None = None, specs: Mapping[str, ModelSpec] = SPECS
) -> ModelStatus:
    """Hash every file again, whatever the marker says. A damaged file stays until it is fetched again."""
    before = status(name, folder, specs)
    home = naming.home_of(name, folder, specs) if not naming.own_path(name, specs) else before.path
    spec = naming.known(name, specs) or spec_from_marker(name, home)
    if spec is None or not before.present:
        return before
    meter = Meter(report, spec.size)
    faults = find_faults(spec, home, Marker(), lambda done: meter.at(f"Checking {spec.name}", done))
    if not faults:
        write_marker(spec, home)
        return _spec_status(spec, home)
    (home / MARKER).unlink(missing_ok=True)
    problems = "; ".join(fault.problem for fault in faults)
    return replace(before, verified=False, note=f"{problems}. Run `rag models fetch {name}` to get it again.")


def remove(name: str, folder: Path, specs: Mapping[str, ModelSpec] = SPECS) -> int:
    """Delete a fetched model, also one half fetched; the bytes set free. Raises ModelUnavailable where it can't."""
    if own := naming.own_path(name, specs):
        raise ModelUnavailable(
            f"{own} is your own and not among the fetched models. Delete it yourself if you mean to."
        )
    home = naming.home_of(name, folder, specs)
    if not home.exists():
        return 0

    def busy() -> None:
        raise ModelUnavailable(f"Another process is fetching {name}. When it is done, `rag models remove {name}`.")

    with disk.explained(name, home), locked(home, busy):
        freed = _bytes_below(home)
        shutil.rmtree(home)
    return freed


def _own_status(name: str, own: Path) -> ModelStatus:
    size = own.stat().st_size if own.is_file() else _bytes_below(own)
    note = "A file or folder of your own: used as it is, not verified."
    return ModelStatus(name, Role.UNKNOWN, "unknown", size, own, present=True, verified=False, note=note)


def _spec_status(spec: ModelSpec, home: Path) -> ModelStatus:
    faults = size_faults(spec, home)
    marker = read_marker(home)
    verified = not faults and all(vouched(file, home, marker) for file in spec.files)
    note = "" if verified else "Not verified yet: its first use hashes it."
    if faults:
        damaged = next((fault.problem for fault in faults if fault.exists), "")
        staged = _bytes_below(home / STAGING)
        begun = f"{disk.in_words(staged)} of it fetched so far" if staged else "Not here"
        note = f"{damaged or begun}. Run `rag models fetch {spec.name}`."
    place = location(spec, home)
    return ModelStatus(spec.name, spec.role, spec.licence, spec.size, place, not faults, verified, note)


def _bytes_below(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() or path.is_symlink())
