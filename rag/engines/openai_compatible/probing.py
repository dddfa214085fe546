"""What a server is and has: asked once, when it is opened."""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from rag.engines.openai_compatible.server import Server
from rag.engines.openai_compatible.trouble import ServerUnreachable
from rag.errors import EngineError

SHOWN_MODELS = 20


class Software(StrEnum):
    """Programs with more to offer than the API they share, by what they call themselves in their list of models."""

    LLAMA_CPP = "llamacpp"
    VLLM = "vllm"
    SGLANG = "sglang"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Served:
    """A model on a server."""

    id: str
    """How requests name it."""
    name: str
    """How people do: without the folder, which llama.cpp's names may begin with."""
    context_tokens: int | None
    """None where the server doesn't say."""
    software: Software
    counts_tokens: bool
    revision: str
    """12 hex digits of all the server says about the model that stays the same when it is started again."""


def look(server: Server, wanted: str) -> Served:
    """The model `wanted`, or the only one there is.

    Raises EngineError with the server's models where it hasn't that one, or several and none is named.
    """
    entry = _entry(server, wanted)
    software = _software(entry)
    name = str(entry["id"])
    return Served(
        id=name,
        name=_short(name),
        context_tokens=_window(server, entry, software),
        software=software,
        counts_tokens=_counts(server, entry, software),
        revision=_revision(entry),
    )


def tokenizing(model: str, text: str, *, control: bool = False, first: bool = False) -> dict[str, Any]:
    """A request for the tokens of a text that llama.cpp, vLLM and SGLang all understand.

    `control` lets text such as `<|im_end|>` become a control token, where the server can tell; `first` adds the token
    that texts begin with.
    """
    return {
        "model": model, "content": text, "prompt": text,
        "add_special": first, "add_special_tokens": first, "parse_special": control,
    }  # fmt: skip


def _entry(server: Server, wanted: str) -> dict[str, Any]:
    listed = server.get("models")
    entries = listed.get("data") if isinstance(listed, dict) else None
    models = [entry for entry in entries or [] if isinstance(entry, dict) and entry.get("id")]
    if not wanted and len(models) == 1:
        return models[0]
    for entry in models:
        if wanted and wanted in _names(entry):
            return entry
    names = ", ".join(str(entry["id"]) for entry in models[:SHOWN_MODELS]) or "none"
    if not wanted:
        raise EngineError(f"Name one of the models of {server.origin} in RAG_SERVER_MODEL. It has: {names}.")
    raise EngineError(f"The server {server.origin} has no model {wanted!r}; RAG_SERVER_MODEL takes one of: {names}.")


def _names(entry: dict[str, Any]) -> list[str]:
    """Ollama calls "qwen3" "qwen3:latest", llama.cpp has aliases."""
    name = str(entry["id"])
    return [name, name.removesuffix(":latest"), *map(str, entry.get("aliases") or [])]


def _short(name: str) -> str:
    return PurePosixPath(name).name if name.endswith(".gguf") else name


def _software(entry: dict[str, Any]) -> Software:
    try:
        return Software(str(entry.get("owned_by")))
    except ValueError:
        return Software.OTHER


def _window(server: Server, entry: dict[str, Any], software: Software) -> int | None:
    if software is not Software.LLAMA_CPP:
        return _number(entry.get("max_model_len"))
    try:
        properties = server.get("/props")
        return _number(properties["default_generation_settings"]["n_ctx"])
    except ServerUnreachable:
        raise
    except (EngineError, KeyError, TypeError):  # a gateway that passes on nothing but the API, or one of many models
        return _number((entry.get("meta") or {}).get("n_ctx"))


def _counts(server: Server, entry: dict[str, Any], software: Software) -> bool:
    if software is Software.OTHER:
        return False
    try:
        return bool(server.post("/tokenize", tokenizing(str(entry["id"]), "A word.")).get("tokens"))
    except ServerUnreachable:
        raise
    except (EngineError, AttributeError):
        return False


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _revision(entry: dict[str, Any]) -> str:
    weights = entry.get("meta") or {}
    facts: dict[str, object] = {name: _short(str(entry.get(name))) for name in ("id", "root", "parent", "owned_by")}
    facts["weights"] = {name: weights.get(name) for name in ("n_params", "n_vocab", "n_ctx_train", "size", "ftype")}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
