"""What a model's name means: a known model, a file or folder of the user's, or something on the hub."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rag.errors import ModelUnavailable
from rag.model_files.specs import HubPlace, ModelSpec

HUB_NAME = re.compile(r"(?P<repo>\w[\w.-]*/\w[\w.-]*)(:(?P<file>[^:]+\.gguf))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class HubName:
    """`org/name`, or `org/name:file.gguf` for one file of it."""

    repo: str
    file: str | None


def known(name: str, specs: Mapping[str, ModelSpec]) -> ModelSpec | None:
    """The known model of that name, also by its name on the hub: "sentence-transformers/all-MiniLM-L6-v2"."""
    return specs.get(name) or next((spec for spec in specs.values() if name in _hub_names(spec)), None)


def own_path(name: str, specs: Mapping[str, ModelSpec]) -> Path | None:
    """The folder or GGUF file of the user's that `name` is, if it is one. A known model's name always means that."""
    if not name.strip() or known(name, specs):
        return None
    try:
        path = Path(name).expanduser()
        return path if path.is_dir() or (path.suffix == ".gguf" and path.is_file()) else None
    except (OSError, RuntimeError):  # too long for a path, or the home of nobody
        return None


def hub_name(name: str, specs: Mapping[str, ModelSpec]) -> HubName:
    """Raises ModelUnavailable, naming what would do, when `name` has neither form."""
    match = HUB_NAME.fullmatch(name)
    if match:
        return HubName(match["repo"], match["file"])
    raise ModelUnavailable(
        f"There is no model called {name!r}, and no folder or .gguf file of that name. Known: {', '.join(specs)}. "
        "ORG/NAME or ORG/NAME:FILE.gguf names a model on the Hugging Face hub."
    )


def home_of(name: str, folder: Path, specs: Mapping[str, ModelSpec]) -> Path:
    """Where the model's files lie: `folder/all-MiniLM-L6-v2`, or `folder/org--name--file.gguf` from the hub."""
    spec = known(name, specs)
    if spec:
        return folder / spec.name
    hub_name(name, specs)
    return folder / re.sub(r"[/:\\]", "--", name)


def _hub_names(spec: ModelSpec) -> set[str]:
    repos = [place.repo for place in spec.places if isinstance(place, HubPlace)]
    return {*repos, *(f"{repo}:{file.path}" for repo in repos for file in spec.files)}
