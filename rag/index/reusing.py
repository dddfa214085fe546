"""Vectors that the library holds already, so that no text is embedded twice."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from rag.late import Late
from rag.types import Embedder, Progress, Vectors

if TYPE_CHECKING:
    import numpy as np
else:
    np = Late("numpy")


def embed_new(
    texts: Sequence[str],
    known: Callable[[Sequence[str]], Mapping[str, Vectors]],
    embedder: Embedder,
    progress: Progress | None = None,
) -> Vectors:
    """Shape (len(texts), dimension): from `known` (text → vector) what it has, and the rest, each once, embedded."""
    vectors = dict(known(texts))
    missing = [text for text in dict.fromkeys(texts) if text not in vectors]
    if missing:
        vectors |= dict(zip(missing, embedder.embed_passages(missing, progress), strict=True))
    elif progress:
        progress(len(texts), len(texts))
    if not texts:
        return np.empty((0, embedder.dimension), dtype=np.float32)
    return np.stack([vectors[text] for text in texts])
