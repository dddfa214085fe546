"""What goes wrong with a model server and may pass."""

from rag.errors import EngineError


class ServerTrouble(EngineError):
    """What may pass: the server is busy, or failed."""

    retry_after: float | None = None
    """Seconds the server asked for."""


class ServerUnreachable(ServerTrouble):
    """Nothing answers at the address, or only a gateway, or not in time."""
