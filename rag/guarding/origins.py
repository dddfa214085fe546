"""Is the request meant for this page, and does it come from it?

A browser lets any web page send requests to this machine. The Host header gives away one that reached us under a name
of its own (DNS rebinding), Origin and Sec-Fetch-Site one that another site sent (cross-site request forgery).
"""

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")


def may_be_called(host: str, listening: str, names: Collection[str]) -> bool:
    """Whether the page that listens on the address `listening` may be addressed by the Host header `host`.

    `names` may be, with any port, and so may addresses that lead here: a name can be made to stand for another address,
    an address can't.

    >>> may_be_called("localhost:7860", "127.0.0.1", ()), may_be_called("evil.example:7860", "127.0.0.1", ())
    (True, False)
    """
    found = _HOST.fullmatch(host)
    if not found:
        return False
    name = found["name"].lower().rstrip(".")
    if name in {known.lower() for known in names}:
        return True
    if name == "localhost":
        return is_loopback(listening) or is_wildcard(listening)
    try:
        called = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    if called.is_unspecified:
        return False
    if is_wildcard(listening):
        return True
    return called.is_loopback if is_loopback(listening) else called == _address(listening)


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach what listens there."""
    parsed = _address(address)
    return address.lower() == "localhost" if parsed is None else parsed.is_loopback


def is_wildcard(address: str) -> bool:
    """Whether that means all addresses of this machine."""
    parsed = _address(address)
    return parsed is not None and parsed.is_unspecified


def comes_from_here(headers: Headers, method: str) -> bool:
    """Whether no other site sent the request. Following a link from elsewhere to read the page is fine."""
    origin = headers.get("origin")
    if origin is not None:
        return _names_one_host(origin, headers.get("host", ""))
    site = headers.get("sec-fetch-site", "none")  # programs that aren't browsers send neither
    if site in ("none", "same-origin"):
        return True
    return method in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate"


def _names_one_host(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
