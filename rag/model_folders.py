"""Model folders that could run code are not loaded: weights come from safetensors, code from packages only."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag.errors import ModelError

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib")
"""Formats that can run code when they are loaded."""

MODULES = "modules.json"
OWN_CLASSES = "sentence_transformers."
"""What the classes named in `MODULES` begin with; others would be imported from wherever they are."""


def require_harmless(folder: Path) -> None:
    """Raise ModelError, with a sentence for the user, where the folder holds or asks for code of its own.

    Pickled weights beside safetensors are fine: they are never opened.
    """
    for reason in _dangers(folder):
        raise ModelError(
            f"{folder} isn’t loaded: {reason}. Name a model whose weights are safetensors or GGUF and that the "
            "transformers or sentence-transformers package itself can run."
        )


def _dangers(folder: Path) -> Iterator[str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    safe = {path.parent for path in files if path.suffix == ".safetensors"}
    for path in files:
        name = path.relative_to(folder).as_posix()
        if path.suffix in PICKLES and path.parent not in safe:
            yield f"{name} is pickled, which can run code when it is opened, and there are no safetensors beside it"
        if path.suffix == ".py":
            yield f"{name} is code of its own, which is never run"
        if path.suffix == ".json" and "auto_map" in (content := _object(path)):
            yield f"{name} asks for code of its own (auto_map: {content['auto_map']!r:.80}), which is never run"
    for module in _list(folder / MODULES):
        if isinstance(module, dict) and not str(module.get("type", OWN_CLASSES)).startswith(OWN_CLASSES):
            yield f"{MODULES} asks for {module['type']!r:.80}, which is no class of sentence-transformers"


def _object(path: Path) -> dict[str, Any]:
    if path.stat().st_size > 1_000_000:  # a vocabulary
        return {}
    content = _json(path)
    return content if isinstance(content, dict) else {}


def _list(path: Path) -> list[Any]:
    content = _json(path)
    return content if isinstance(content, list) else []


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # for the loader to complain about
        return None
