"""A web address → its bytes, without becoming a way into the network this machine stands in.

Whoever names an address, or answers with a redirect, chooses where this machine connects to. So the name is resolved
here, every address it stands for must be a public one, and the connection goes to the very address that was checked:
a name that stands for another address a moment later changes nothing. Each redirect is a new connection, checked anew.
Proxies of the environment are left out, for behind one nobody could say where a connection ends.
"""

import ipaddress
import re
import socket
import threading
import time
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from ssl import SSLContext
from typing import Any, NamedTuple

import httpcore
import httpx

from rag.errors import DocumentError

REDIRECTS = (301, 302, 303, 307, 308)
HEADERS = {"User-Agent": "Citeline", "Accept": "*/*", "Accept-Encoding": "gzip"}
LONGEST_ADDRESS = 2_000
"""Characters."""

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Where a network without IPv4 puts the addresses of IPv4, in the last four bytes (RFC 6052)."""

Resolve = Callable[[str, int], Sequence[str]]
"""(host, port) → the IP addresses it stands for. Raises OSError where it stands for none."""

Answered = Callable[[int, Mapping[str, str]], None]
"""Called with the status and the headers (of names in any case) after the last redirect, before anything else is read
or said of them. What it raises ends the fetching."""


class Fetched(NamedTuple):
    """What came back."""

    data: bytes
    url: str
    """After the last redirect."""
    content_type: str
    """As the server says it, such as "text/html; charset=utf-8"; empty where it says nothing."""


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """When to give up."""

    size: int = 20_000_000
    """Bytes, after they were unpacked."""
    seconds: float = 30.0
    """For everything together: names, redirects and content."""
    redirects: int = 5


def resolved(host: str, port: int) -> list[str]:
    """What the system's resolver says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def fetch(
    url: str,
    limits: FetchLimits | None = None,
    *,
    resolve: Resolve = resolved,
    backend: httpcore.NetworkBackend | None = None,
    headers: Mapping[str, str] | None = None,
    answered: Answered | None = None,
) -> Fetched:
    """Get a page from the public web; nothing of it is kept for the next one, cookies neither.

    `backend` makes the connections; `headers` are sent besides `HEADERS`. Raises DocumentError for an address that
    isn't http or https, holds a password, or leads to anything but public addresses; and for an answer that isn't 200,
    takes too long, is too large or is packed in a way other than gzip or deflate.
    """
    limits = limits or FetchLimits()
    deadline = _Deadline(url, limits.seconds)
    checked = _CheckedBackend(backend or httpcore.SyncBackend(), resolve, deadline)
    address = parsed_address(url)
    with _said_plainly(url), httpcore.ConnectionPool(httpx.create_ssl_context(), network_backend=checked) as pool:
        for _ in range(limits.redirects + 1):
            sent = [("Host", _host(address)), *HEADERS.items(), *(headers or {}).items()]
            with pool.stream("GET", _target(address), headers=sent) as response:
                received = httpx.Headers(response.headers)
                if response.status not in REDIRECTS or "location" not in received:
                    if answered:
                        answered(response.status, received)
                    data = _content(address, response, received, limits.size, deadline)
                    return Fetched(data, str(address), received.get("content-type", ""))
                address = parsed_address(_joined(address, received["location"]))
    raise DocumentError(f"{url} redirects more than {limits.redirects} times. Name the address it should end at.")


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet.

    >>> [is_public(address) for address in ("93.184.215.14", "10.0.0.1", "::ffff:127.0.0.1", "169.254.169.254")]
    [True, False, False, False]
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in NAT64:
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip.ipv4_mapped or ip.sixtofour or ip.teredo or ip.is_site_local:  # another address in disguise
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


class _Deadline:
    """The moment by which everything must be done."""

    def __init__(self, url: str, seconds: float) -> None:
        self._url = url
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self, wanted: float | None = None) -> float:
        """Seconds left, or `wanted` where that is less. Raises DocumentError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.passed()
        return left if wanted is None else min(left, wanted)

    def passed(self) -> DocumentError:
        return DocumentError(f"{self._url} took more than {self._seconds:g} seconds. Try again, or save it as a file.")


class _CheckedBackend(httpcore.NetworkBackend):
    """Connects to public addresses only, each time to one that was checked for this very connection."""

    def __init__(self, backend: httpcore.NetworkBackend, resolve: Resolve, deadline: _Deadline) -> None:
        self._backend = backend
        self._resolve = resolve
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = DocumentError(f"Nobody knows an address of {host}. Correct the name.")
        for address in self._public_addresses(host, port):
            try:
                left = self._deadline.left(timeout)
                stream = self._backend.connect_tcp(address, port, left, local_address, socket_options)
                return _TimedStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def _public_addresses(self, host: str, port: int) -> Sequence[str]:
        addresses = self._look_up(host, port)
        for address in addresses:
            if not is_public(address):
                shown = "" if address == host else f", which is {address},"
                raise DocumentError(
                    f"{host}{shown} isn’t on the public internet, so nothing is fetched from it. "
                    "Save the page as a file and index that."
                )
        return addresses

    def _look_up(self, host: str, port: int) -> Sequence[str]:
        answer: SimpleQueue[Sequence[str] | Exception] = SimpleQueue()

        def look_up() -> None:
            try:
                answer.put(self._resolve(host, port))
            except Exception as error:
                answer.put(error)

        # On a thread of its own because no timeout covers the look-up of a host's name.
        threading.Thread(target=look_up, name="look-up", daemon=True).start()
        try:
            found = answer.get(timeout=self._deadline.left())
        except Empty:
            raise self._deadline.passed() from None
        if isinstance(found, (OSError, UnicodeError)):
            raise DocumentError(f"Nobody knows an address of {host}. Correct the name.") from found
        if isinstance(found, Exception):
            raise found
        return found


class _TimedStream(httpcore.NetworkStream):
    """A connection on which nothing waits beyond the deadline, however slowly the other side drips."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left(timeout))
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def parsed_address(text: str) -> httpx.URL:
    """Without its fragment. Raises DocumentError for all but plain http and https addresses."""
    if re.search(r"[\\\s\x00-\x1f\x7f]", text.strip()):  # what one parser takes for a host and another for a path
        raise DocumentError(f"{text[:200]!r} is no web address. Write it as https://example.org/news.")
    try:
        url = httpx.URL(text.strip())
    except (httpx.InvalidURL, ValueError) as error:
        raise DocumentError(
            f"{text[:200]!r} is no web address: {error}. Write it as https://example.org/news."
        ) from error
    if url.scheme not in ("http", "https") or not url.host or len(text) > LONGEST_ADDRESS:
        raise DocumentError(f"{text[:200]!r} is no web address. Write it as https://example.org/news.")
    if url.userinfo:
        raise DocumentError(f"The address for {url.host} holds a user name or password. Leave them out.")
    port = 80 if url.port is None else url.port
    if not 0 < port < 65_536 or _is_number_in_disguise(url.host):
        raise DocumentError(f"{url.host} is no host name. Write the address as https://example.org/news.")
    return url.copy_with(fragment=None)


def _is_number_in_disguise(host: str) -> bool:
    """Whether a system might read the host as an IP address that isn't written as one: 2130706433, 0x7f.1, 127.1."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        last = host.rstrip(".").rpartition(".")[2]
        return re.fullmatch(r"\d+|0x[\da-f]*", last, re.IGNORECASE) is not None
    return False


def _joined(address: httpx.URL, location: str) -> str:
    try:
        return str(address.join(location))
    except (httpx.InvalidURL, ValueError) as error:
        raise DocumentError(f"{address} redirects to {location[:200]!r}, which is no web address.") from error


def _target(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _host(url: httpx.URL) -> str:
    return url.netloc.decode("ascii")


def _content(
    address: httpx.URL, response: httpcore.Response, headers: httpx.Headers, size: int, deadline: _Deadline
) -> bytes:
    if response.status != 200:
        raise DocumentError(f"{address} answered {response.status} instead of a page. Correct the address.")
    data = bytearray()
    with closing(_unpacked(address, response.iter_stream(), headers.get("content-encoding", ""), size)) as pieces:
        for piece in pieces:
            deadline.left()
            data += piece
            if len(data) > size:
                raise DocumentError(
                    f"{address} has more than the {size / 1e6:g} MB that are fetched. Save it as a file, and split it."
                )
    return bytes(data)


def _unpacked(address: httpx.URL, pieces: Iterable[bytes], encoding: str, size: int) -> Generator[bytes, None, None]:
    """Never more than about `size` bytes at once, however well they were packed."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        yield from pieces
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise DocumentError(f"{address} came packed as {encoding[:40]!r}, not as gzip. Save the page as a file.")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: the header says whether it is gzip or zlib
    try:
        for piece in pieces:
            while piece:
                yield unpacker.decompress(piece, size + 1)
                piece = unpacker.unconsumed_tail
        yield unpacker.flush()
    except zlib.error as error:
        raise DocumentError(f"{address} is damaged: {error}. Try again, or save the page as a file.") from error


@contextmanager
def _said_plainly(url: str) -> Iterator[None]:
    """Turn what can go wrong on a network into a DocumentError."""
    try:
        yield
    except (httpcore.TimeoutException, TimeoutError) as error:
        raise DocumentError(f"{url} took too long to answer. Try again, or save it as a file.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        reason = str(error) or type(error).__name__
        raise DocumentError(
            f"{url} can’t be fetched: {reason}. Correct the address, or save the page as a file."
        ) from error
