"""The Hugging Face hub, or the mirror that HF_ENDPOINT names: is it there, what does it have, fetch it.

Importing this takes half a second, so it is imported only where something is about to be fetched.
"""

import functools
import os
import queue
import threading
from pathlib import Path, PurePosixPath
from typing import Any, cast

import httpx
from huggingface_hub import HfApi, constants, hf_hub_download
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoSibling

from rag.model_files.checking import OnBytes, sha256_of
from rag.model_files.disk import FULL
from rag.model_files.naming import HubName
from rag.model_files.specs import HubPlace, ModelFile, ModelSpec, Role
from rag.model_files.task import DamagedError, PlaceError, Task

PROBE_SECONDS = 2.5
LISTING_SECONDS = 10.0
REFUSALS = (403, 407, 451)

SUFFIXES = (".safetensors", ".json", ".txt", ".model", ".jinja")
"""Weights, configuration and tokenizer. Never a pickle (.bin, .pt, .ckpt), which can run code when it is loaded."""
OTHER_FORMATS = ("onnx", "openvino", "original", "coreml")


def endpoint() -> str:
    """The hub's address without a trailing slash: HF_ENDPOINT as it is now, or the public hub."""
    return (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")


@functools.cache
def silence(url: str) -> str | None:
    """Why the hub at `url` can't be used, or None when it answers. Asked once in the life of the process."""
    answer: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    # On a thread of its own because no timeout covers the look-up of a host's name.
    threading.Thread(target=lambda: answer.put(_probe(url)), daemon=True).start()
    try:
        return answer.get(timeout=PROBE_SECONDS)
    except queue.Empty:
        return f"no answer within {PROBE_SECONDS:g} s"


def fetch_from_hub(place: HubPlace, missing: tuple[ModelFile, ...], task: Task) -> None:
    """Put the missing files in place. Raises PlaceError when the hub is silent or holds other bytes."""
    url = endpoint()
    if reason := silence(url):
        raise PlaceError(reason)
    here = task.spec.size - sum(file.size for file in missing)
    task.require_space(task.spec.size - here)
    for file in sorted(
        missing, key=lambda file: file.size
    ):  # a changed small file shows before the weights are fetched
        staged = _download(place, file, url, task, here)
        task.accept(file, staged, sha256_of(staged))
        here += file.size


def describe(name: str, hub_name: HubName) -> ModelSpec:
    """The files of a hub repository that make a model, at its newest commit. Raises PlaceError."""
    url = endpoint()
    if reason := silence(url):
        raise PlaceError(reason)
    try:
        info = HfApi(endpoint=url).model_info(hub_name.repo, files_metadata=True, timeout=LISTING_SECONDS)
    except Exception as error:
        raise PlaceError(_reason(error)) from error
    siblings = {sibling.rfilename: sibling for sibling in info.siblings or ()}
    files = tuple(_model_file(siblings[path]) for path in _chosen(hub_name, list(siblings)))
    licences = [tag.removeprefix("license:") for tag in info.tags or () if tag.startswith("license:")]
    place = HubPlace(hub_name.repo, info.sha or "main")
    return ModelSpec(name, Role.UNKNOWN, ", ".join(licences) or "unknown", files, (place,))


def _probe(url: str) -> str | None:
    try:
        status = httpx.head(url, timeout=PROBE_SECONDS).status_code
    except httpx.TimeoutException:
        return f"no answer within {PROBE_SECONDS:g} s"
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return f"no connection ({error or type(error).__name__})"
    return f"it answered {status}" if status in REFUSALS or status >= 500 else None


def _download(place: HubPlace, file: ModelFile, url: str, task: Task, here: int) -> Path:
    def on_bytes(arrived: int) -> None:
        task.meter.at(f"Fetching {task.spec.name}", here + min(arrived, file.size))

    try:
        path = hf_hub_download(
            place.repo,
            file.path,
            revision=place.revision,
            local_dir=task.staging / "hub",
            endpoint=url,
            tqdm_class=cast(Any, functools.partial(_Bar, on_bytes)),
        )
    except OSError as error:
        if error.errno in FULL:
            raise
        raise PlaceError(_reason(error)) from error
    except Exception as error:
        raise PlaceError(_reason(error)) from error
    return Path(path)


def _chosen(hub_name: HubName, paths: list[str]) -> list[str]:
    ggufs = [path for path in paths if path.endswith(".gguf")]
    if hub_name.file:
        if hub_name.file in ggufs and _contained(hub_name.file):
            return [hub_name.file]
        raise PlaceError(f"{hub_name.repo} has no {hub_name.file}; it has {', '.join(ggufs) or 'no .gguf file'}")
    chosen = [path for path in paths if path.endswith(SUFFIXES) and _contained(path)]
    if any(path.endswith(".safetensors") for path in chosen):
        return chosen
    if ggufs:
        raise PlaceError(f"its weights are GGUF files; name one of them: {hub_name.repo}:{ggufs[0]}")
    raise PlaceError(f"{hub_name.repo} has no .safetensors weights, and other formats aren't loaded: they can run code")


def _contained(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return ".." not in parts and not path.startswith("/") and "\\" not in path and parts[0] not in OTHER_FORMATS


def _model_file(sibling: RepoSibling) -> ModelFile:
    if sibling.size is None:
        raise DamagedError(f"its listing gives no size for {sibling.rfilename}")
    return ModelFile(sibling.rfilename, sibling.size, sibling.lfs.sha256 if sibling.lfs else "")


def _reason(error: Exception) -> str:
    if isinstance(error, GatedRepoError):
        return "its licence has to be accepted on the hub first, then HF_TOKEN set"
    if isinstance(error, RepositoryNotFoundError):
        return "the hub has no such repository, or it is private (set HF_TOKEN)"
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


class _Bar:
    """What the hub's client wants of a progress bar; it hands on the bytes that have arrived."""

    def __init__(self, on_bytes: OnBytes, *_: object, total: int | None = None, initial: int = 0, **__: object) -> None:
        self._on_bytes = on_bytes
        self.total = total
        self.n = initial

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def update(self, count: float | None = 1) -> None:
        self.n += int(count or 0)
        self._on_bytes(self.n)

    def set_postfix_str(self, *_: object, **__: object) -> None:
        """The rate; not shown."""

    def refresh(self) -> None:
        """Nothing is drawn."""

    def close(self) -> None:
        """Nothing to close."""
