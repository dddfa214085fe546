"""The `llama_cpp` engine on llama-cpp-python, for those who have compiled it.

A build made on the machine it runs on uses instructions that the portable wheel leaves out, and reads prompts about
one and a half times as fast on a processor with AVX-512. Loading, tokens and the cache go through llama.cpp's C API, as
`Llama.eval` can give logits after the last token only, and a checked draft needs them after each.
"""

from pathlib import Path
from typing import Any

import numpy as np

from rag.engines.chat import chat_frame, encodable
from rag.engines.stepped import BATCH, Logits, SteppedEngine
from rag.errors import EngineError

NAME = "llama_cpp"


def open_llama_steps(model_file: Path, model: str, context_tokens: int, threads: int) -> SteppedEngine:
    """Load a GGUF file. Raises EngineError when that fails."""
    weights = LlamaSteps(model_file, context_tokens, threads)
    return SteppedEngine(NAME, model, min(context_tokens, weights.trained_tokens), weights, chat_frame(weights.render))


class LlamaSteps:
    """Implements `StepModel` with one sequence of llama.cpp's cache."""

    can_truncate = True

    def __init__(self, model_file: Path, context_tokens: int, threads: int) -> None:
        import llama_cpp

        self._api: Any = llama_cpp
        try:
            self._llama: Any = llama_cpp.Llama(
                str(model_file),
                n_ctx=context_tokens,
                n_batch=BATCH,
                n_ubatch=BATCH,
                n_threads=threads,
                n_threads_batch=threads,
                use_mmap=False,  # weights are repacked for the CPU; a mapped file would stay in memory next to the copy
                verbose=False,
            )
        except (ValueError, RuntimeError, OSError) as error:
            raise EngineError(
                f"llama.cpp can't load {model_file}: {error}. "
                "Check the file with `rag models verify`, or name another GGUF file in RAG_READER."
            ) from error
        self.trained_tokens: int = llama_cpp.llama_model_n_ctx_train(self._llama.model)
        vocabulary = llama_cpp.llama_model_get_vocab(self._llama.model)
        self._vocabulary_size = self._llama.n_vocab()
        self.ends = frozenset(
            token for token in range(self._vocabulary_size) if llama_cpp.llama_vocab_is_eog(vocabulary, token)
        )
        self._batch: Any = llama_cpp.llama_batch_init(BATCH, 0, 1)
        self._length = 0

    def step(self, tokens: list[int], last_only: bool) -> Logits:
        batch, count = self._batch, len(tokens)
        wanted = [count - 1] if last_only else list(range(count))
        batch.n_tokens = count
        for at, token in enumerate(tokens):
            batch.token[at] = token
            batch.pos[at] = self._length + at
            batch.n_seq_id[at] = 1
            batch.seq_id[at][0] = 0
            batch.logits[at] = at >= wanted[0]
        if status := self._api.llama_decode(self._llama.ctx, batch):
            raise EngineError(f"llama.cpp failed with status {status}. Start Citeline again.")
        self._length += count
        rows = [self._api.llama_get_logits_ith(self._llama.ctx, at) for at in wanted]
        # Copied at once: llama.cpp overwrites them with the next step.
        return np.stack([np.ctypeslib.as_array(row, shape=(self._vocabulary_size,)).copy() for row in rows])

    def truncate(self, length: int) -> None:
        self._api.llama_memory_seq_rm(self._api.llama_get_memory(self._llama.ctx), 0, length, -1)
        self._length = length

    def clear(self) -> None:
        self.truncate(0)

    def state(self) -> None:
        """None: one sequence is all there is, and what it holds is lost when it is cut."""

    def tokens(self, text: str, control: bool, begins: bool) -> list[int]:
        tokens: list[int] = self._llama.tokenize(encodable(text).encode(), add_bos=begins, special=control)
        return tokens

    def text(self, tokens: list[int]) -> str:
        return bytes(self._llama.detokenize(tokens)).decode(errors="replace")

    def render(self, messages: list[dict[str, str]]) -> str:
        """Apply the chat template in the file. Raises what the template raises when it doesn't know a role."""
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        formatter = Jinja2ChatFormatter(
            template=self._llama.metadata["tokenizer.chat_template"],
            eos_token="",  # nosec B106
            bos_token="",
            add_generation_prompt=True,
        )
        rendered: str = formatter(messages=messages).prompt
        return rendered

    def close(self) -> None:
        self._api.llama_batch_free(self._batch)
        self._llama.close()
