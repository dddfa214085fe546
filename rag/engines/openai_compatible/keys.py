"""The key of a model server: from the environment or the system's keyring, and where it may be sent.

A key is in no setting, file, flag, log, message or record of Citeline's.
"""

import ipaddress
import os
from urllib.parse import urlsplit

from rag.errors import EngineError

KEY_VARIABLE, OPENAI_VARIABLE = "RAG_SERVER_KEY", "OPENAI_API_KEY"
OPENAI_HOST = "api.openai.com"
KEYRING_SERVICE = "citeline"


def origin(url: str) -> str:
    """ "https://models.example:8443/v1" -> "https://models.example:8443"."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def server_key(url: str) -> str | None:
    """The key for the server at `url`: `RAG_SERVER_KEY`, or what the keyring holds for its origin, or None.

    `OPENAI_API_KEY`, which many programs set, counts only for OpenAI itself: a `rag.toml` that came with a folder of
    articles can't have it sent elsewhere.
    """
    names = [KEY_VARIABLE, *([OPENAI_VARIABLE] if urlsplit(url).hostname == OPENAI_HOST else [])]
    given = next((value for name in names if (value := os.environ.get(name, "").strip())), None)
    key = given or _from_keyring(url)
    if key is not None and not (key.isascii() and key.isprintable()):
        raise EngineError(f"The key for {origin(url)} has characters that no key can have. Set {KEY_VARIABLE} again.")
    return key


def check_transport(url: str, key: str | None, plain_http: bool) -> None:
    """Raises EngineError where the key would cross a network unencrypted, unless that is meant."""
    if key and not plain_http and urlsplit(url).scheme == "http" and not is_loopback(url):
        raise EngineError(
            f"The key would go to {origin(url)} unencrypted, for all on the way to read. Use https://, leave the key "
            "out, or, where the network is private, set RAG_SERVER_PLAIN_HTTP=true."
        )


def is_loopback(url: str) -> bool:
    """Whether the address is this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _from_keyring(url: str) -> str | None:
    try:
        import keyring  # an extra
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        held: str | None = keyring.get_password(KEYRING_SERVICE, origin(url))
    except KeyringError:  # there is none on this system, or it is locked
        return None
    return held
