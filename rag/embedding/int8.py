"""BERT's encoder with the weights of its linear layers in int8: one text at a time, so no padding, and one a core.

What goes into a linear layer is rounded to 256 steps between its least and its greatest value, the weights of each of
its outputs to 255 about zero; sums, normalisation and attention stay in float32. Nothing has to be calibrated, and a
text's vector doesn't depend on what is embedded along with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.embedding.precision import NATIVE_INT8, has_any
from rag.errors import ModelError
from rag.types import Vectors

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

PROBE = (
    "The ferry to the islands leaves the harbour at half past seven, and on Sundays an hour later. Tickets are sold on "
    "board; children under six travel free, and a bicycle costs four euros each way. In storms of force nine or more "
    "the crossing is cancelled, which the company says on its page by six in the morning. "
) * 2
"""Of about the length of a chunk."""

ALIKE = 0.97
"""Inner product that the vectors of `PROBE` in int8 and in float have at least, or int8 isn't computed right here."""

LEVELS = 255
HALF = 127


class Int8Passages:
    """Embeds passages as the model does that it is made of, in int8. Not safe to call from several threads at once."""

    def __init__(self, model: SentenceTransformer, tokenizer: Any) -> None:
        """In some 0.1 s. `tokenizer` is a `tokenizers.Tokenizer` that neither cuts nor pads, and becomes this one's.

        Raises ModelError, which says why, where the model or this machine can't do it.
        """
        import torch

        reason = next(_hindrances(model), None)
        if reason:
            raise ModelError(f"Passages can't be embedded in int8: {reason}. Other precisions can.")
        self._tokenizer = tokenizer
        self._tokenizer.enable_truncation(model.max_seq_length)
        self._then: list[Any] = list(model)[1:]
        self._threads = torch.get_num_threads()
        self._workers: ThreadPoolExecutor | None = None
        transformer: Any = model[0]
        try:
            with torch.inference_mode():
                self._encoder = _Encoder(transformer.auto_model)
            vector, wanted = self.embed_one(PROBE), model.encode([PROBE], show_progress_bar=False)[0]
        except (AttributeError, RuntimeError, ValueError, TypeError) as error:  # PyTorch's operators differ by version
            raise ModelError(f"Passages can't be embedded in int8: {error}. Other precisions can.") from error
        likeness = float(vector @ wanted) / float(np.linalg.norm(vector) * np.linalg.norm(wanted))
        if not likeness >= ALIKE:
            raise ModelError(
                f"Passages can't be embedded in int8: a vector's inner product with what it should be is "
                f"{likeness:.3f} instead of {ALIKE} or more. Other precisions can."
            )

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dimension), float32, as the model's last layer leaves them; as many at once as cores."""
        if self._threads == 1 or len(texts) == 1:
            return np.stack([self.embed_one(text) for text in texts])
        self._workers = self._workers or _workers(self._threads)
        return np.stack(list(self._workers.map(self.embed_one, texts)))

    def embed_one(self, text: str) -> Vectors:
        """Shape (dimension,), float32, computed in the threads that PyTorch has for this one."""
        import torch

        ids = torch.tensor(self._tokenizer.encode(text).ids)
        with torch.inference_mode():
            features: dict[str, Any] = {
                "token_embeddings": self._encoder(ids)[None],
                "attention_mask": torch.ones(1, len(ids), dtype=torch.int64),
            }
            for module in self._then:
                features = module(features)
            vector: Vectors = features["sentence_embedding"][0].float().numpy()
        return vector


def _hindrances(model: SentenceTransformer) -> Iterator[str]:
    import torch

    bert: Any = getattr(model[0], "auto_model", None)
    if model.device.type != "cpu" or not has_any(NATIVE_INT8):
        yield f"this processor has none of the instructions {', '.join(NATIVE_INT8)}"
    if type(bert).__name__ != "BertModel":
        yield "the model isn't BERT's kind"
    elif bert.config.hidden_act != "gelu" or getattr(bert.config, "is_decoder", False):
        yield "the model isn't BERT's encoder with its usual activation"
    if any(model.prompts.values()):
        yield "the model puts a prompt in front of passages"
    if not hasattr(torch.ops.onednn, "qlinear_pointwise"):
        yield "this PyTorch has no operator for it"


def _workers(threads: int) -> ThreadPoolExecutor:
    """Threads in each of which PyTorch computes on one core.

    Their number of threads is also what PyTorch gives to threads that begin later, so it is put back.
    """
    import torch

    started = Barrier(threads + 1)

    def begin() -> None:
        torch.set_num_threads(1)
        started.wait()

    pool = ThreadPoolExecutor(threads, "embedding", begin)
    for _ in range(threads):
        pool.submit(int)
    started.wait()
    torch.set_num_threads(threads)
    return pool


class _Linear:
    """y = x Wᵀ + b, with W in int8 and x rounded to uint8 when it is there; afterwards GELU where that is said."""

    def __init__(self, layers: Sequence[Any], activation: str = "none") -> None:
        """`layers` are `torch.nn.Linear`s of one input, whose outputs are put side by side."""
        import torch

        weights = torch.cat([layer.weight.float() for layer in layers])
        self._bias = torch.cat([layer.bias.float() for layer in layers])
        self._scales = weights.abs().amax(1).clamp_(min=1e-12) / HALF
        rounded = (weights / self._scales[:, None]).round_().to(torch.int8)
        self._weights = torch.ops.onednn.qlinear_prepack(rounded, None)
        self._zeros = torch.zeros(len(weights), dtype=torch.int32)
        self._activation = activation
        self._kind = torch.float32
        self._multiply: Callable[..., torch.Tensor] = torch.ops.onednn.qlinear_pointwise

    def __call__(self, inputs: torch.Tensor) -> torch.Tensor:
        """(n, inputs) → (n, outputs), float32."""
        import torch

        step, zero = _steps(*(value.item() for value in torch.aminmax(inputs)))
        levels = torch.add(torch.tensor(zero + 0.5), inputs, alpha=1 / step).to(torch.uint8)
        return self._multiply(
            *(levels, step, zero, self._weights, self._scales, self._zeros, self._bias),
            *(1.0, 0, self._kind, self._activation, [], "none"),
        )


def _steps(least: float, greatest: float) -> tuple[float, int]:
    """Width of a step and the level of zero for values in [least, greatest]; the larger one has a level to itself.

    (-1.0, 1.5) → (1.5 / 153, 102). Half a step of the largest would be felt: with models of BERT's kind it is always
    the same few inputs of a layer that are large. No value gets a level below 0 or above 255.
    """
    least, greatest = min(least, 0.0), max(greatest, 1e-9)
    larger = max(-least, greatest)
    levels = math.floor(LEVELS * larger / (greatest - least))
    return larger / levels, LEVELS - levels if larger == greatest else levels


class _Encoder:
    """Word pieces → their states, as `transformers.BertModel` computes them for one text."""

    def __init__(self, bert: Any) -> None:
        embeddings = bert.embeddings
        self._words = embeddings.word_embeddings.weight.float()
        self._places = (embeddings.position_embeddings.weight + embeddings.token_type_embeddings.weight[0]).float()
        self._first = _norm(embeddings.LayerNorm)
        self._layers = [_Layer(layer, bert.config.num_attention_heads) for layer in bert.encoder.layer]

    def __call__(self, ids: torch.Tensor) -> torch.Tensor:
        """(n,) → (n, width), float32."""
        states = self._first(self._words[ids] + self._places[: len(ids)])
        for layer in self._layers:
            states = layer(states)
        return states


class _Layer:
    def __init__(self, layer: Any, heads: int) -> None:
        attention, own = layer.attention, layer.attention.self
        self._heads = heads
        self._project = _Linear([own.query, own.key, own.value])
        self._join = _Linear([attention.output.dense])
        self._widen = _Linear([layer.intermediate.dense], "gelu")
        self._narrow = _Linear([layer.output.dense])
        self._norm_attended, self._norm_computed = _norm(attention.output.LayerNorm), _norm(layer.output.LayerNorm)

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        """(n, width) → (n, width), float32."""
        import torch

        count, width = states.shape
        projected = self._project(states).view(1, count, 3, self._heads, width // self._heads)
        queries, keys, values = projected.permute(2, 0, 3, 1, 4)
        attended = torch.nn.functional.scaled_dot_product_attention(queries, keys, values)
        joined = self._join(attended.transpose(1, 2).reshape(count, width))
        states = self._norm_attended(joined.add_(states))
        return self._norm_computed(self._narrow(self._widen(states)).add_(states))


def _norm(layer: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    import torch

    shape, weight, bias, least = layer.normalized_shape, layer.weight.float(), layer.bias.float(), layer.eps
    return lambda states: torch.nn.functional.layer_norm(states, shape, weight, bias, least)
