"""Which weights a folder holds, told by their bytes."""

import hashlib
from pathlib import Path

from rag.errors import ModelError
from rag.model_files.checking import read_marker


def weights_revision(folder: Path) -> str:
    """The first 12 hex digits of the sha256 of an embedder's weights.

    Instant where they were verified and haven't changed since; elsewhere 0.1 to 0.5 s. Weights in several files count
    as one, joined by their order. Raises ModelError where there are none.
    """
    files = sorted(folder.rglob("*.safetensors"))
    if not files:
        raise ModelError(
            f"{folder} holds no embedder: there are no weights (.safetensors) in it. "
            "Name a folder with a sentence-transformers model, or one that is known, in RAG_EMBEDDER."
        )
    known = _noted(files[0], folder) if len(files) == 1 else None
    return (known or _hashed(files))[:12]


def _noted(file: Path, folder: Path) -> str | None:
    """The sha256 that was noted when the file had the size and time it has now."""
    record = read_marker(folder).record(file.relative_to(folder).as_posix())
    stat = file.stat()
    return record.sha256 if record and (record.size, record.mtime_ns) == (stat.st_size, stat.st_mtime_ns) else None


def _hashed(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as weights:
            hashlib.file_digest(weights, lambda: digest)
    return digest.hexdigest()
