"""Have a model here: at once when it is, from the first place that has the published bytes when it isn't."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from rag.errors import ModelDamaged, ModelError, ModelUnavailable
from rag.model_files import disk, naming
from rag.model_files.checking import (
    Fault,
    find_faults,
    read_marker,
    size_faults,
    spec_from_marker,
    vouched,
    write_marker,
)
from rag.model_files.disk import FreeBytes
from rag.model_files.known import SPECS
from rag.model_files.locking import locked
from rag.model_files.packages import fetch_from_wheel, fetch_joined
from rag.model_files.specs import HubPlace, JoinedPlace, ModelFile, ModelSpec, Place
from rag.model_files.task import DamagedError, Meter, PlaceError, Report, Task

TRUE = ("1", "ON", "YES", "TRUE")


def ensure(
    name: str,
    folder: Path,
    *,
    offline: bool = False,
    report: Report | None = None,
    specs: Mapping[str, ModelSpec] = SPECS,
    free_bytes: FreeBytes = disk.free_bytes,
) -> Path:
    """Where the model is: a folder, or the GGUF file when that is all there is of it. Fetches what is missing.

    `name` is a known model, a folder or .gguf file (used as it is), ORG/NAME or ORG/NAME:FILE.gguf of the hub. When
    the files are here this takes a millisecond and no network. Files put into the folder by hand are hashed and
    accepted. Raises ModelUnavailable, ModelDamaged or DiskFull.
    """
    if own := naming.own_path(name, specs):
        return own
    home = naming.home_of(name, folder, specs)
    spec = naming.known(name, specs) or spec_from_marker(name, home)
    faults = _settle(spec, home, report) if spec else ()
    if spec and not faults:
        return location(spec, home)
    if why := _offline(offline):
        raise ModelUnavailable(_missing(name, home, faults, why))
    with disk.explained(name, home), locked(home, lambda: _say_waiting(name, report)):
        spec = naming.known(name, specs) or _describe(name, specs)
        if faults := _settle(spec, home, report):
            _fetch(Task(spec, home, Meter(report, spec.size), free_bytes), faults)
    return location(spec, home)


def location(spec: ModelSpec, home: Path) -> Path:
    """What a loader is handed: the one GGUF file, or the folder."""
    only = spec.files[0].path
    return home / only if len(spec.files) == 1 and only.endswith(".gguf") else home


def _settle(spec: ModelSpec, home: Path, report: Report | None) -> tuple[Fault, ...]:
    """The faults of what is here. A file that is new or has changed is hashed; if all are right, that is noted."""
    marker = read_marker(home)
    meter = Meter(report, spec.size)
    faults = find_faults(spec, home, marker, lambda done: meter.at(f"Checking {spec.name}", done))
    if not faults and not all(vouched(file, home, marker) for file in spec.files):
        write_marker(spec, home)
    return faults


def _fetch(task: Task, faults: tuple[Fault, ...]) -> None:
    """Drop what is damaged, then ask one place after the other for what is missing."""
    task.staging.mkdir(parents=True, exist_ok=True)
    for fault in faults:
        if fault.exists:
            task.meter.at(f"{fault.problem}: fetching it again")
            (task.home / fault.file.path).unlink()
    failures: list[tuple[Place, PlaceError]] = []
    for place in task.spec.places:
        missing = _missing_files(task)
        if not missing:
            break
        try:
            _fetch_from(place, missing, task)
        except PlaceError as failure:
            failures.append((place, failure))
    if _missing_files(task):
        raise _failure(task, failures)
    write_marker(task.spec, task.home)
    shutil.rmtree(task.staging, ignore_errors=True)
    task.meter.at(f"{task.spec.name} is ready", task.spec.size)


def _missing_files(task: Task) -> tuple[ModelFile, ...]:
    return tuple(fault.file for fault in size_faults(task.spec, task.home))


def _fetch_from(place: Place, missing: tuple[ModelFile, ...], task: Task) -> None:
    if isinstance(place, HubPlace):
        from rag.model_files.hub import fetch_from_hub  # takes half a second to import; only a fetch needs it

        return fetch_from_hub(place, missing, task)
    if isinstance(place, JoinedPlace):
        return fetch_joined(place, missing, task)
    return fetch_from_wheel(place, missing, task)


def _describe(name: str, specs: Mapping[str, ModelSpec]) -> ModelSpec:
    from rag.model_files.hub import describe

    try:
        return describe(name, naming.hub_name(name, specs))
    except PlaceError as failure:
        raise ModelUnavailable(
            f"{name} can't be had from the Hugging Face hub: {failure}. Run `rag models fetch {name}` to try again, "
            f"or choose a model that packages carry too: {', '.join(specs)}."
        ) from failure


def _offline(offline: bool) -> str | None:
    """Which setting forbids the network, if one does."""
    if offline:
        return "offline mode (RAG_OFFLINE)"
    return next((name for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE") if _is_set(name)), None)


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "").upper() in TRUE


def _say_waiting(name: str, report: Report | None) -> None:
    if report:
        report(f"Another process is fetching {name}: waiting for it", 0, 0)


def _missing(name: str, home: Path, faults: tuple[Fault, ...], why: str) -> str:
    damaged = [fault.problem for fault in faults if fault.exists]
    state = f"is damaged ({damaged[0]})" if damaged else f"isn't in {home}"
    return (
        f"{name} {state}, and {why} forbids fetching it. Run `rag models fetch {name}` once without that setting, "
        "or set RAG_MODELS to the folder that has it."
    )


def _failure(task: Task, failures: list[tuple[Place, PlaceError]]) -> ModelError:
    tried = "; ".join(f"{place.label}: {failure}" for place, failure in failures)
    name, missing = task.spec.name, _missing_files(task)
    files = missing[0].path + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
    mend = f"Run `rag models fetch {name}` to try again, or copy {files} into {task.home} by hand."
    if any(isinstance(failure, DamagedError) for _, failure in failures):
        return ModelDamaged(f"{name} was refused, and what was wrong deleted. {tried}. {mend}")
    return ModelUnavailable(f"{name} can't be had. {tried}. {mend} RAG_MODELS names another models folder.")
