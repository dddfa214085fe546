"""Text → unit vectors, by sentence-transformers on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.embedding.int8 import PROBE, Int8Passages
from rag.embedding.precision import Precision, fastest_float, is_faster
from rag.errors import ModelError
from rag.model_folders import require_harmless
from rag.types import Progress, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BATCH_TEXTS = 16
"""Texts that go through the model together: more is no faster on a CPU, and takes more memory."""

SLICE_TEXTS = 64
"""Texts between two calls of `progress`: a few seconds' work on a slow machine."""

TIMINGS = 3
"""Of a passage in each precision, when the fastest is to be found: 0.1 to 0.5 s in all."""


class SentenceTransformerEmbedder:
    """Implements `rag.types.Embedder`. Safe to call from several threads, one of which computes at a time."""

    def __init__(
        self,
        folder: Path,
        name: str,
        revision: str,
        precision: Precision = Precision.AUTO,
        device: str | None = None,
    ) -> None:
        """Load the model in `folder`, in about a second after PyTorch has been imported. Fetches nothing.

        `revision` names the weights and doesn't depend on `precision`. `device` is PyTorch's name of one; without it, a
        CUDA device is taken where there is one, else the CPU. `self.precision` says what was chosen. Raises
        ModelError when the folder can't be loaded or could run code, or passages are to be in INT8 and can't.
        """
        self.name = name
        self.revision = revision
        if not (folder / "modules.json").is_file():
            raise ModelError(
                f"{folder} holds no sentence-transformers model: modules.json is missing. "
                f"Run `rag models fetch {name}`, or name another embedder in RAG_EMBEDDER."
            )
        require_harmless(folder)
        # Importing PyTorch takes seconds, and only who embeds should wait for it.
        import torch

        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        exact = precision in (Precision.FLOAT32, Precision.BFLOAT16)
        self.precision = precision if exact else fastest_float(device)
        try:
            self._model = _load(folder, device, self.precision)
            self.dimension = _number(self._model.get_embedding_dimension(), "dimension")
            self.max_tokens = _number(self._model.get_max_seq_length(), "longest input")
            self._tokenizer = _tokenizer_of(self._model)
        except Exception as error:  # what the libraries beneath raise for a damaged file is no closed set
            raise ModelError(
                f"{folder} can't be loaded: {error}. Run `rag models verify`, or name another embedder in RAG_EMBEDDER."
            ) from error
        self._int8 = _in_int8(self._model, precision)
        self.precision = Precision.INT8 if self._int8 else self.precision
        self._lock = threading.Lock()

    def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Shape (len(texts), dimension), float32, unit rows in the order of `texts`; a slice at a time.

        Of a text with more than `max_tokens` word pieces the rest is ignored.
        """
        rows = np.empty((len(texts), self.dimension), dtype=np.float32)
        # Texts of like length in one batch waste no work on padding; the longest first, so that time left is no less
        # than it seems and memory runs out at once if it does.
        order = sorted(range(len(texts)), key=lambda at: -len(texts[at]))
        for done in range(0, len(texts), SLICE_TEXTS):
            chosen = order[done : done + SLICE_TEXTS]
            with self._lock:
                rows[chosen] = _unit(self._passages([_encodable(texts[at]) for at in chosen]))
            if progress:
                progress(done + len(chosen), len(texts))
        if progress and not texts:
            progress(0, 0)
        return rows

    def _passages(self, texts: list[str]) -> Vectors:
        if self._int8:
            return self._int8.embed(texts)
        vectors = self._model.encode_document(
            texts, batch_size=BATCH_TEXTS, show_progress_bar=False, convert_to_tensor=True
        )
        rows: Vectors = vectors.float().cpu().numpy()
        return rows

    def embed_query(self, text: str) -> Vectors:
        """Shape (1, dimension), float32, a unit row."""
        with self._lock:
            vectors = self._model.encode_query([_encodable(text)], show_progress_bar=False, convert_to_tensor=True)
        return _unit(vectors.float().cpu().numpy())

    def embed_tokens(self, texts: Sequence[str]) -> list[tuple[Vectors, list[tuple[int, int]]]]:
        """Of each text: a unit row for every word piece, read in its context, and where the pieces stand in the text.

        "The ferry left." → rows of shape (4, dimension), float32, and [(0, 3), (4, 9), (10, 14), (14, 15)]. Special
        tokens and what is beyond `max_tokens` are left out, so "" has no rows.
        """
        encodable = [_encodable(text) for text in texts]
        with self._lock:
            # No prompt: it would have word pieces of its own in front.
            states = self._model.encode(
                encodable,
                prompt="",
                batch_size=BATCH_TEXTS,
                show_progress_bar=False,
                output_value="token_embeddings",
            )
        return [self._pieces(text, rows.float().cpu().numpy()) for text, rows in zip(encodable, states, strict=True)]

    def _pieces(self, text: str, states: Vectors) -> tuple[Vectors, list[tuple[int, int]]]:
        """`states` has a row for each token read, the special ones too; those at the end come after the cut."""
        encoded = self._tokenizer.encode(text)
        special = encoded.special_tokens_mask
        closing = len(list(takewhile(bool, reversed(special))))
        kept = [at for at in range(len(states) - closing) if not special[at]]
        return _unit(states[kept]), [encoded.offsets[at] for at in kept]

    def count_tokens(self, text: str) -> int:
        """Word pieces of `text` however long it is, special tokens included: "" → 2 for models of BERT's kind."""
        return len(self._tokenizer.encode(_encodable(text)))


def _load(folder: Path, device: str, precision: Precision) -> SentenceTransformer:
    import torch
    from sentence_transformers import SentenceTransformer

    with _quiet():
        return SentenceTransformer(
            str(folder),
            device=device,
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"dtype": getattr(torch, precision), "use_safetensors": True},  # never unpickle weights
        )


def _in_int8(model: SentenceTransformer, precision: Precision) -> Int8Passages | None:
    """What embeds passages in int8, where `precision` asks for it; for FASTEST only where it can and is the faster."""
    if precision not in (Precision.INT8, Precision.FASTEST):
        return None
    try:
        passages = Int8Passages(model, _tokenizer_of(model))
    except ModelError:
        if precision is Precision.INT8:
            raise
        return None
    if precision is Precision.INT8:
        return passages
    faster = is_faster(
        lambda: passages.embed_one(PROBE), lambda: model.encode([PROBE], show_progress_bar=False), TIMINGS
    )
    return passages if faster else None


def _tokenizer_of(model: SentenceTransformer) -> Any:
    """A tokenizer of its own: the model's switches cutting and padding on and off, which isn't thread-safe."""
    tokenizer = type(model.tokenizer.backend_tokenizer).from_str(model.tokenizer.backend_tokenizer.to_str())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _number(value: int | None, meaning: str) -> int:
    if not value:
        raise ValueError(f"it doesn't state its {meaning}")
    return value


def _unit(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1 in float32; what a model scaled in bfloat16 is off by up to 1 %."""
    lengths: Vectors = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


def _encodable(text: str) -> str:
    """The tokenizer refuses lone surrogates, which JSON lets into a question."""
    return text.encode("utf-8", "replace").decode("utf-8")


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars or advice from transformers while a model loads."""
    import transformers

    logging: Any = transformers.utils.logging  # its functions have no annotations
    verbosity, had_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if had_bars:
            logging.enable_progress_bar()
