"""The `openai_compatible` engine: a reader on a server that speaks OpenAI's chat API, on this machine or another.

vLLM, SGLang, llama.cpp's server, Ollama, LM Studio and others do; docs/servers.md says how to run them. `open_remote`
is the way in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.engines.openai_compatible.keys import check_transport, server_key
from rag.engines.openai_compatible.trouble import ServerUnreachable
from rag.errors import EngineError

if TYPE_CHECKING:
    from rag.engines.openai_compatible.engine import OpenAICompatibleEngine

__all__ = ["Remote", "ServerUnreachable", "has_key", "open_remote"]


@dataclass(frozen=True, slots=True)
class Remote:
    """Which server, and how to use it."""

    url: str
    """http or https, without name or password; "/v1" is added where it has no path."""
    model: str
    """As the server calls it; empty for the only one it has."""
    context_tokens: int | None
    """At most so many tokens of prompt and answer together; None for what the server says."""
    patience: float
    """Seconds without a sign of an answer after which it is given up."""
    plain_http: bool
    """Whether a key may be sent to another machine without encryption."""


def has_key(url: str) -> bool:
    """Whether a key is known for the server."""
    return server_key(url) is not None


def open_remote(remote: Remote) -> OpenAICompatibleEngine:
    """Reach the server and ask it about the model.

    Raises ServerUnreachable where nothing answers, and EngineError where the key, the model or the address won't do.
    """
    if not remote.url:
        raise EngineError(
            "The engine openai_compatible needs a server. Set its address, as in RAG_SERVER=http://127.0.0.1:8000."
        )
    # httpx and anyio: only for who has a server.
    from rag.engines.openai_compatible.engine import OpenAICompatibleEngine
    from rag.engines.openai_compatible.probing import look
    from rag.engines.openai_compatible.server import Server

    key = server_key(remote.url)
    check_transport(remote.url, key, remote.plain_http)
    server = Server(remote.url, key, remote.patience)
    try:
        return OpenAICompatibleEngine(server, look(server, remote.model), remote.context_tokens)
    except BaseException:
        server.close()
        raise
