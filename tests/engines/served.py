"""A real llama.cpp server on a port of this machine, as others would start it with `llama-server`."""

from pathlib import Path
from typing import Any

from rag.engines.openai_compatible.engine import OpenAICompatibleEngine
from rag.engines.openai_compatible.probing import look
from rag.engines.openai_compatible.server import Server

KEY = "sesame-open-7f3a"
BATCH = 64
PATIENCE = 120.0


def start_llama(gguf_file: Path, context_tokens: int, threads: int = 1) -> Any:
    """Serves until nobody holds it; `listening_address` is its URL."""
    import torch  # noqa: F401  as in rag.engines: brings the OpenMP library that xllamacpp needs
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = str(gguf_file)
    settings.n_ctx = context_tokens
    settings.n_parallel = 1
    settings.n_batch = settings.n_ubatch = BATCH
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
    settings.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE
    settings.hostnames = ["127.0.0.1"]
    settings.port = 0
    settings.api_keys = [KEY]
    settings.ui = False
    settings.verbosity = -1
    return xllamacpp.Server(settings)


class ServedEngine(OpenAICompatibleEngine):
    """The engine with a server of its own, which ends with it."""

    def __init__(self, gguf_file: Path, context_tokens: int) -> None:
        self.llama = start_llama(gguf_file, context_tokens)
        server = Server(self.llama.listening_address, KEY, PATIENCE)
        super().__init__(server, look(server, ""), context_tokens)

    def close(self) -> None:
        super().close()
        self.llama = None
