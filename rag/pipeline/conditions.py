"""What answers depend on besides their question."""

import hashlib
from pathlib import Path

from rag.calibration import Calibration
from rag.index import AnyLibrary
from rag.model_files import status, weights_revision
from rag.settings import Settings, Store
from rag.types import Engine

ANSWER_SETTINGS = (
    "embedder", "reader", "chunk_tokens", "chunk_overlap", "candidates", "passages", "passage_tokens", "answer_tokens",
    "max_wrong", "strict",
)  # fmt: skip
"""The settings that make a difference to answers. So do engines, a little: `Conditions.models` names the one in use."""

ANSWERING = (
    "browsing", "calibration", "chunking", "copies", "dating", "decomposing", "documents", "embedding", "engines",
    "grounding", "index", "indexing", "neutralizing", "pipeline", "prompting", "reranking", "retrieval", "sentences",
    "stores", "visiting",
)  # fmt: skip
"""The modules whose code makes a difference to answers."""


def answer_settings(settings: Settings) -> dict[str, str | bool | int | float]:
    """The values of `ANSWER_SETTINGS`, as JSON has them."""
    values = {**settings.model_dump(mode="json", include=set(ANSWER_SETTINGS)), "strict": bool(settings.strict)}
    return values if settings.store is Store.LOCAL else {**values, "store": str(settings.store)}


def library_fingerprint(library: AnyLibrary) -> str:
    """12 hex digits that libraries with equal articles, titles and chunks have in common, wherever they lie."""
    with library.snapshot() as now:
        identity = now.manifest.identity
        articles = sorted((listed.content_hash, listed.title) for listed in now.documents())
    return hashlib.sha256(repr((identity, articles)).encode()).hexdigest()[:12]


def code_revision() -> str:
    """12 hex digits that stand for the code answers come from: what is known about older code says nothing about it."""
    package = Path(__file__).parent.parent
    files = sorted(
        file
        for name in ANSWERING
        for file in [package / f"{name}.py", *(package / name).rglob("*.py"), *(package / name).rglob("*.json")]
    )
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def calibration_revision(calibration: Calibration, max_wrong: float) -> str:
    """12 hex digits that stand for what decides on refusing, empty where nothing is refused for its confidence.

    Then answers stay what they are under any calibration, and `rag calibrate` needn't ask again.
    """
    if max_wrong == 1:
        return ""
    decides = (calibration.features, calibration.weights, calibration.intercept, calibration.threshold(max_wrong))
    return hashlib.sha256(repr(decides).encode()).hexdigest()[:12]


def reader_revision(settings: Settings, engine: Engine) -> str:
    """The first 12 hex digits of the sha256 of the reader's weights, empty where they aren't on this machine.

    Of a reader on a server it is what the server says of them; where the server is makes no difference.
    """
    if revision := getattr(engine, "revision", ""):
        return str(revision)
    path = status(settings.reader, settings.models).path
    if path.is_dir():
        return weights_revision(path)
    if not path.is_file():
        return ""
    with path.open("rb") as weights:
        return hashlib.file_digest(weights, "sha256").hexdigest()[:12]
