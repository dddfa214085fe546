"""Text → unit vectors, by sentence-transformers on this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.errors import ModelError
from rag.model_folders import require_harmless
from rag.types import Progress, Vectors

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

BATCH_TEXTS = 16
"""Texts that go through the model together: more is no faster on a CPU, and takes more memory."""

SLICE_TEXTS = 64
"""Texts between two calls of `progress`: a few seconds' work on a slow machine."""

NATIVE_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")
"""PyTorch's names for the instructions of x86 and ARM processors that multiply bfloat16."""

TIMINGS = 6
WORTH_IT = 1.2
"""How many times as fast as float32 bfloat16 must be to be chosen."""


class Precision(StrEnum):
    """Number format of the weights while they compute. Vectors are float32 whatever it is.

    Vectors of one text computed in two precisions have an inner product of more than 0.999: they can share a library.
    """

    AUTO = "auto"
    """BFLOAT16 on a CPU that is faster with it, else FLOAT32."""
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


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
        CUDA device is taken where there is one, else the CPU. Raises ModelError when the folder can't be loaded
        or could run code.
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
        self.precision = _fastest(device) if precision is Precision.AUTO else precision
        try:
            self._model = _load(folder, device, self.precision)
            self.dimension = _number(self._model.get_embedding_dimension(), "dimension")
            self.max_tokens = _number(self._model.get_max_seq_length(), "longest input")
            # A tokenizer of its own: the model's switches cutting and padding on and off, which isn't thread-safe.
            self._tokenizer = type(self._model.tokenizer.backend_tokenizer).from_str(
                self._model.tokenizer.backend_tokenizer.to_str()
            )
        except Exception as error:  # what the libraries beneath raise for a damaged file is no closed set
            raise ModelError(
                f"{folder} can't be loaded: {error}. Run `rag models verify`, or name another embedder in RAG_EMBEDDER."
            ) from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
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
                vectors = self._model.encode_document(
                    [_encodable(texts[at]) for at in chosen],
                    batch_size=BATCH_TEXTS,
                    show_progress_bar=False,
                    convert_to_tensor=True,
                )
            rows[chosen] = _unit(vectors.float().cpu().numpy())
            if progress:
                progress(done + len(chosen), len(texts))
        if progress and not texts:
            progress(0, 0)
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


def _fastest(device: str) -> Precision:
    """BFLOAT16 where the CPU multiplies it in hardware and is the faster for it, by a timing of some 0.1 s.

    The instructions alone promise nothing: with them bfloat16 embeds at 3 times the speed of float32 on an AMD Zen 4,
    and at 0.7 times on an Intel Xeon whose AMX units are switched off.
    """
    import torch

    if device != "cpu" or not any(torch.cpu.get_capabilities().get(name, False) for name in NATIVE_BFLOAT16):
        return Precision.FLOAT32
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        rounds = [(_layer_seconds(torch.float32), _layer_seconds(torch.bfloat16)) for _ in range(TIMINGS)]
    finally:
        torch.set_num_threads(threads)
    plain, short = (min(seconds) for seconds in zip(*rounds, strict=True))
    return Precision.BFLOAT16 if plain > WORTH_IT * short else Precision.FLOAT32


def _layer_seconds(dtype: torch.dtype) -> float:
    """What the widest layer of MiniLM, where most of the time goes, takes for 4 passages of 128 word pieces.

    It is the time this thread has run, which other programs don't lengthen as they do that on the wall.
    """
    import torch

    inputs, weights = torch.ones(512, 384, dtype=dtype), torch.ones(1536, 384, dtype=dtype)
    began = time.thread_time()
    torch.nn.functional.linear(inputs, weights)
    return time.thread_time() - began


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
