"""The ways a GGUF file is run, opened side by side."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rag.engines.conversion import converted
from rag.types import Engine

RUNTIMES = ["xllamacpp", "transformers", "openai_compatible"]
if find_spec("llama_cpp") is not None:
    RUNTIMES.append("llama-cpp-python")

THREADS = 1
"""With more, llama.cpp adds up one token in another order than many, and answers that hang by a hair differ."""


def silent(*_: Any) -> None:
    pass


def open_runtime(runtime: str, gguf_file: Path, folder: Path, context_tokens: int = 2048) -> Engine:
    """Open `gguf_file`; `folder` keeps what it is converted to."""
    import torch  # noqa: F401  as in rag.engines: brings the OpenMP library that xllamacpp needs

    if runtime == "transformers":
        from rag.engines.transformers_steps import open_transformers

        weights = converted(gguf_file, folder / gguf_file.with_suffix(".bf16").name, silent)
        return open_transformers(weights, gguf_file.stem, context_tokens, THREADS)
    if runtime == "llama-cpp-python":
        from rag.engines.llama_steps import open_llama_steps

        return open_llama_steps(gguf_file, gguf_file.stem, context_tokens, THREADS)
    if runtime == "openai_compatible":
        from tests.engines.served import ServedEngine

        return ServedEngine(gguf_file, context_tokens)
    from rag.engines.llama_server import LlamaServerEngine

    return LlamaServerEngine(gguf_file, gguf_file.stem, context_tokens, THREADS)
