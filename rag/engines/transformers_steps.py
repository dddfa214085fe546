"""The `transformers` engine: Hugging Face weights in PyTorch, on a CUDA device or the CPU."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from rag.engines.chat import chat_frame, encodable
from rag.engines.kept_states import KEPT_MIB
from rag.engines.stepped import Logits, SteppedEngine
from rag.errors import EngineError
from rag.model_folders import require_harmless

NAME = "transformers"

Tensors: TypeAlias = tuple[tuple[Any, Any], ...]
"""Keys and values of every layer, each of shape (1, heads, tokens, size)."""


def open_transformers(
    folder: Path, model: str, context_tokens: int, threads: int, kept_mib: float = KEPT_MIB
) -> SteppedEngine:
    """Load a folder with safetensors and a tokenizer. `kept_mib` is as in `SteppedEngine`.

    Raises EngineError when that fails, ModelError for a folder that could run code.
    """
    weights = TransformersSteps(folder, threads)
    window, frame = min(context_tokens, weights.trained_tokens), chat_frame(weights.render)
    return SteppedEngine(NAME, model, window, weights, frame, kept_mib)


class TransformersSteps:
    """Implements `StepModel` with a DynamicCache. Weights are bfloat16, as published for most models."""

    def __init__(self, folder: Path, threads: int) -> None:
        require_harmless(folder)
        import torch
        import transformers

        self._torch = torch
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        if self._device == "cpu":
            torch.set_num_threads(threads)
        transformers.utils.logging.disable_progress_bar()
        try:
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(  # nosec B615
                folder, local_files_only=True, trust_remote_code=False
            )
            model = transformers.AutoModelForCausalLM.from_pretrained(  # nosec B615
                folder, dtype=torch.bfloat16, local_files_only=True, use_safetensors=True, trust_remote_code=False
            )
        except Exception as error:  # tokenizers and safetensors raise bare ones
            raise EngineError(
                f"transformers can't load {folder}: {error}. "
                "Check it with `rag models verify`, or name another reader in RAG_READER."
            ) from error
        self._model: Any = model.to(self._device).eval()
        self.trained_tokens: int = getattr(model.config.get_text_config(), "max_position_embeddings", sys.maxsize)
        self.ends = _end_tokens(self._model, self._tokenizer)
        self.clear()

    def step(self, tokens: list[int], last_only: bool) -> Logits:
        with self._torch.inference_mode():
            output = self._model(
                input_ids=self._torch.tensor([tokens], device=self._device),
                past_key_values=self._cache,
                logits_to_keep=1 if last_only else len(tokens),
            )
        logits: Logits = output.logits[0].float().cpu().numpy()
        return logits

    def truncate(self, length: int) -> None:
        # `crop` counts from the end and takes a negative number.
        self._cache.crop(length - self._cache.get_seq_length())

    def clear(self) -> None:
        import transformers

        self._cache: Any = transformers.DynamicCache(config=self._model.config)
        # Layers with a sliding window say that they can be cropped, and then can't once the window is full.
        self.can_truncate = self._cache.is_croppable and not any(self._cache.is_sliding)

    def state(self) -> "Layers | None":
        if not self.can_truncate:
            return None
        return Layers(self, tuple((layer.keys, layer.values) for layer in self._cache.layers))

    def hold(self, tensors: Tensors, length: int) -> None:
        """Hold the first `length` tokens of a cache's keys and values, and nothing else."""
        self.clear()
        for number, (keys, values) in enumerate(tensors):
            self._cache.update(keys[:, :, :length], values[:, :, :length], number)

    def tokens(self, text: str, control: bool, begins: bool) -> list[int]:  # noqa: ARG002  templates spell out a start
        options = {"add_special_tokens": False, "split_special_tokens": not control, "verbose": False}
        tokens: list[int] = self._tokenizer(encodable(text), **options)["input_ids"]
        return tokens

    def text(self, tokens: list[int]) -> str:
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True)
        return text

    def render(self, messages: list[dict[str, str]]) -> str:
        """Apply the chat template. Raises what the template raises when it doesn't know a role."""
        rendered: str = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return rendered

    def close(self) -> None:
        self._model = None
        self._cache = None


@dataclass(frozen=True, slots=True)
class Layers:
    """Implements `State`. Steps never write into tensors but join them to longer ones, so nothing has to be copied."""

    model: TransformersSteps
    tensors: Tensors

    @property
    def bytes(self) -> int:
        return sum(one.nbytes for pair in self.tensors for one in pair)

    def restore(self, length: int) -> None:
        self.model.hold(self.tensors, length)


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    ends = model.generation_config.eos_token_id
    listed = ends if isinstance(ends, list) else [ends]
    return frozenset(token for token in [*listed, tokenizer.eos_token_id] if token is not None)
