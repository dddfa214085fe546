"""Language models behind one protocol, `rag.types.Engine`.

`open_engine` is the way in to what runs here: a GGUF file runs in llama.cpp as it is and in transformers after a
one-off conversion; a folder of Hugging Face weights runs in transformers. `open_remote` is the way in to a server, and
`FallbackEngine` joins the two.
"""

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from rag.engines.choosing import EngineChoice, choose_engine, graphics, remember, remembered, situation
from rag.engines.conversion import converted
from rag.engines.falling_back import FallbackEngine
from rag.engines.kept_states import KEPT_MIB
from rag.engines.llama_process import LlamaProcess
from rag.engines.openai_compatible import Remote, has_key, open_remote
from rag.errors import EngineError
from rag.types import Engine

__all__ = [
    "EngineChoice",
    "FallbackEngine",
    "LlamaProcess",
    "Remote",
    "begin_engine",
    "has_key",
    "note_of",
    "open_engine",
    "open_remote",
    "remembered_choice",
    "share_processor_politely",
]

Report = Callable[[str, int, int], None]

SPIN_COUNT = "10000"
"""Turns an OpenMP thread waits busily before it sleeps. The default of some milliseconds is fine on an idle machine,
but with one other busy process on two cores an answer could come ten times slower (RESULTS.md, "Sharing cores")."""


def share_processor_politely() -> None:
    """Keep waiting threads from starving working ones. Call it before PyTorch or llama.cpp is first imported."""
    os.environ.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)


def open_engine(
    choice: str,
    model_path: Path,
    model: str,
    context_tokens: int,
    threads: int | None,
    report: Report,
    repeatable: bool = False,
    begun: LlamaProcess | None = None,
) -> Engine:
    """Load `model_path`, a GGUF file or a folder of Hugging Face weights, into the engine of that name.

    `choice` is "llama_cpp", "transformers" or "auto". A `repeatable` engine keeps nothing but the last prompt, so that
    after `forget` equal questions in equal order get equal answers to the last digit. `begun` is what `begin_engine`
    made of the same arguments. Raises EngineError when the two don't go together or loading fails, DiskFull when there
    is no room for the conversion.
    """
    threads = threads or os.cpu_count() or 1
    if model_path.is_dir():
        if choice == "llama_cpp":
            raise EngineError(
                f"llama_cpp runs GGUF files, and {model} is a folder of Hugging Face weights. "
                "Set RAG_ENGINE=transformers, or name a GGUF file in RAG_READER."
            )
        return _open_transformers(model_path, model, context_tokens, threads, repeatable)
    if choice == "transformers":
        return _open_converted(model_path, model, context_tokens, threads, report, repeatable)
    if choice == "llama_cpp":
        return _open_llama_cpp(model_path, model, context_tokens, threads, repeatable, begun)
    if choice == "auto":
        if begun:
            return _open_llama_cpp(model_path, model, context_tokens, threads, repeatable, begun)
        return _open_fastest(model_path, model, context_tokens, threads, report, repeatable)
    raise EngineError(f"There is no engine {choice!r}. RAG_ENGINE takes auto, llama_cpp or transformers.")


def begin_engine(
    choice: str, model_path: Path, context_tokens: int, threads: int | None, repeatable: bool = False
) -> LlamaProcess | None:
    """Have another process begin to load what `open_engine` will open, where it is known that one will.

    It loads beside whatever this process does until then. Raises EngineError when no process can be started.
    """
    threads = threads or os.cpu_count() or 1
    if model_path.is_dir() or find_spec("llama_cpp") is not None or choice not in ("llama_cpp", "auto"):
        return None
    if choice == "auto":
        known = remembered_choice(model_path, threads)
        if known is None or known.engine != "llama_cpp" or known.graphics != graphics():
            return None
    return LlamaProcess(model_path, context_tokens, threads, _kept_prompts(repeatable))


def remembered_choice(gguf_file: Path, threads: int | None) -> EngineChoice | None:
    """What "auto" settled on for this file on this machine, or None where it hasn't been measured yet."""
    return remembered(note_of(gguf_file), situation(gguf_file, threads or os.cpu_count() or 1))


def _open_fastest(
    gguf_file: Path, model: str, context_tokens: int, threads: int, report: Report, repeatable: bool
) -> Engine:
    key = situation(gguf_file, threads)
    choice = remembered(note_of(gguf_file), key)
    if choice is None or choice.graphics != graphics():
        what = "Measuring which engine is faster here (once)"
        report(what, 0, 2)
        llama_cpp = _open_llama_cpp(gguf_file, model, context_tokens, threads, repeatable)
        report(what, 1, 2)
        choice = choose_engine(llama_cpp, gguf_file)
        remember(note_of(gguf_file), key, choice)
        report(what, 2, 2)
        if choice.engine == "llama_cpp":
            return llama_cpp
        llama_cpp.close()
    if choice.engine == "llama_cpp":
        return _open_llama_cpp(gguf_file, model, context_tokens, threads, repeatable)
    return _open_converted(gguf_file, model, context_tokens, threads, report, repeatable)


def _open_llama_cpp(
    gguf_file: Path,
    model: str,
    context_tokens: int,
    threads: int,
    repeatable: bool,
    begun: LlamaProcess | None = None,
) -> Engine:
    if find_spec("llama_cpp") is not None:  # compiled on this machine, so it uses all the processor can do
        from rag.engines.llama_steps import open_llama_steps

        return open_llama_steps(gguf_file, model, context_tokens, threads)
    from rag.engines.llama_server import LlamaServerEngine

    return LlamaServerEngine(gguf_file, model, context_tokens, threads, _kept_prompts(repeatable), begun)


def _kept_prompts(repeatable: bool) -> int:
    """Mebibytes."""
    return 0 if repeatable else KEPT_MIB


def _open_converted(
    gguf_file: Path, model: str, context_tokens: int, threads: int, report: Report, repeatable: bool
) -> Engine:
    folder = converted(gguf_file, gguf_file.with_suffix(".bf16"), report)
    return _open_transformers(folder, model, context_tokens, threads, repeatable)


def _open_transformers(folder: Path, model: str, context_tokens: int, threads: int, repeatable: bool) -> Engine:
    from rag.engines.transformers_steps import open_transformers

    return open_transformers(folder, model, context_tokens, threads, 0 if repeatable else KEPT_MIB)


def note_of(gguf_file: Path) -> Path:
    """The file in which it is remembered what "auto" settled on."""
    return gguf_file.with_suffix(".engine.json")
