"""Fetching from the web: against a real server on this machine that a made-up resolver puts on the public internet."""

import gzip
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpcore
import pytest

from rag.documents.web import Fetched, FetchLimits, fetch, is_public
from rag.errors import DocumentError

PUBLIC = "93.184.215.14"
Answer = Callable[[BaseHTTPRequestHandler], None]


class Detour(httpcore.SyncBackend):
    """Connects to the server on this machine whatever address is asked for, and notes that address."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: list[tuple[str, int]] = []

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        self.asked.append((host, port))
        return super().connect_tcp("127.0.0.1", self.port, timeout, local_address, socket_options)


class Web:
    """Names and pages: `names` says which addresses each host has at each look-up, the last for all later ones."""

    def __init__(self, port: int, pages: dict[str, Answer], names: dict[str, list[list[str]]]) -> None:
        self.pages = pages
        self.names = names
        self.looked_up: list[str] = []
        self.requests: list[BaseHTTPRequestHandler] = []
        self.backend = Detour(port)

    def resolve(self, host: str, _port: int) -> list[str]:
        self.looked_up.append(host)
        turns = self.names.get(host, [[PUBLIC]])
        return turns.pop(0) if len(turns) > 1 else turns[0]

    def fetch(self, url: str, limits: FetchLimits | None = None) -> Fetched:
        return fetch(url, limits, resolve=self.resolve, backend=self.backend)

    def refusal(self, url: str, limits: FetchLimits | None = None) -> str:
        with pytest.raises(DocumentError) as caught:
            self.fetch(url, limits)
        return str(caught.value)


@contextmanager
def web(pages: dict[str, Answer] | None = None, names: dict[str, list[list[str]]] | None = None) -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.requests.append(self)
            made.pages[self.path](self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        made = Web(server.server_address[1], pages or {"/": page(b"hello")}, names or {})
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


def page(data: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Type": "text/html", "Content_Length": str(len(data)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def redirect(location: str, status: int = 302) -> Answer:
    return page(b"", status, Location=location)


def test_a_page_its_final_address_and_its_type() -> None:
    pages = {
        "/old": redirect("/new?a=1", 301),
        "/new?a=1": page(b"caf\xc3\xa9", Content_Type="text/plain; charset=utf-8"),
    }
    with web(pages) as internet:
        fetched = internet.fetch("http://news.example/old#part")
    assert fetched == (b"caf\xc3\xa9", "http://news.example/new?a=1", "text/plain; charset=utf-8")
    assert [request.headers["Host"] for request in internet.requests] == ["news.example"] * 2
    assert set(internet.backend.asked) == {(PUBLIC, 80)}  # the checked address itself, not the name


def test_the_port_and_a_name_in_another_script_are_understood() -> None:
    with web() as internet:
        assert internet.fetch("http://bücher.example:8080").data == b"hello"
    assert internet.backend.asked == [(PUBLIC, 8080)]
    assert internet.requests[0].headers["Host"] == "xn--bcher-kva.example:8080"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # where clouds keep the credentials of a machine
        "100.64.0.1",
        "192.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001::1",
        "2001:db8::1",
        "fc00::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_that_is_not_public_is_refused_before_anything_connects(address: str) -> None:
    assert not is_public(address)
    with web(names={"inside.example": [[PUBLIC, address]]}) as internet:
        message = internet.refusal("http://inside.example/")
        assert f"inside.example, which is {address}, isn’t on the public internet" in message
        assert internet.backend.asked == []


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_a_public_address_is_let_through(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0", "010.0.0.1", "1.2.3.4.5", "127.0.0.1."]
)
def test_a_number_in_disguise_is_no_host_name(host: str) -> None:
    with web() as internet:
        assert "is no" in internet.refusal(f"http://{host}/")
        assert (internet.looked_up, internet.backend.asked) == ([], [])


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://localhost/"]
)
def test_with_the_systems_own_resolver_this_machine_is_refused(url: str) -> None:
    with pytest.raises(DocumentError, match="isn’t on the public internet"):
        fetch(url)


def test_every_redirect_is_checked_anew() -> None:
    names = {"inside.example": [["10.0.0.1"]]}
    with web({"/": redirect("http://inside.example/secret")}, names) as internet:
        assert "inside.example, which is 10.0.0.1" in internet.refusal("http://news.example/")
        assert len(internet.requests) == 1


def test_a_name_that_changes_its_address_after_the_check_changes_nothing() -> None:
    with web(names={"news.example": [[PUBLIC], ["127.0.0.1"]]}) as internet:
        assert internet.fetch("http://news.example/").data == b"hello"
        assert internet.backend.asked == [(PUBLIC, 80)]
        assert internet.looked_up == ["news.example"]  # once: what was checked is what is connected to
        assert "which is 127.0.0.1" in internet.refusal("http://news.example/")


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("file:///etc/passwd", "is no web address"),
        ("gopher://news.example/", "is no web address"),
        ("http://user:secret@news.example/", "user name or password"),
        ("http://0x7f.1/", "is no host name"),
        ("http://[::1]/", "isn’t on the public internet"),
        ("//169.254.169.254/latest", "isn’t on the public internet"),
    ],
)
def test_a_redirect_to_what_is_no_plain_web_address_is_refused(location: str, reason: str) -> None:
    names = {"::1": [["::1"]], "169.254.169.254": [["169.254.169.254"]]}
    with web({"/": redirect(location)}, names) as internet:
        assert reason in internet.refusal("http://news.example/")
        assert len(internet.requests) == 1


def test_redirects_in_a_circle_end() -> None:
    with web({"/": redirect("/")}) as internet:
        message = internet.refusal("http://news.example/", FetchLimits(redirects=3))
        assert "redirects more than 3 times" in message
        assert len(internet.requests) == 4


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://news.example/", "is no web address"),
        ("file:///etc/passwd", "is no web address"),
        ("javascript:alert(1)", "is no web address"),
        ("news.example/page", "is no web address"),
        ("http:///page", "is no web address"),
        ("http://127.0.0.1:6666\\@1.1.1.1/", "is no web address"),  # where two parsers see two hosts
        ("http://news.example\\.inside.example/", "is no web address"),
        ("http://news.example/a b", "is no web address"),
        ("http://news.example:99999/", "is no host name"),
        ("http://news.example/\x00", "is no web address"),
        ("http://news.example/" + "a" * 3000, "is no web address"),
        ("http://me:secret@news.example/", "holds a user name or password"),
        ("http://me@news.example/", "holds a user name or password"),
        ("http://news.example:0/", "is no host name"),
    ],
)
def test_what_is_no_plain_web_address_is_refused_and_no_password_repeated(url: str, reason: str) -> None:
    with web() as internet:
        message = internet.refusal(url)
    assert reason in message
    assert "secret" not in message
    assert (internet.looked_up, len(message) < 400) == ([], True)


def test_no_cookie_is_kept_and_no_credential_sent() -> None:
    pages = {"/": page(b"", 302, Location="/second", Set_Cookie="id=1"), "/second": page(b"done")}
    with web(pages) as internet:
        assert internet.fetch("http://news.example/").data == b"done"
        internet.fetch("http://news.example/second")
    sent = [set(request.headers) & {"Cookie", "Authorization", "Referer"} for request in internet.requests]
    assert sent == [set(), set(), set()]


def test_a_page_larger_than_the_limit_is_refused_whether_it_says_so_or_not() -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            try:
                handler.wfile.write(b"x" * 1000)
            except OSError:
                return

    with web({"/said": page(b"x" * 1001), "/endless": endless, "/fits": page(b"x" * 1000)}) as internet:
        limits = FetchLimits(size=1000)
        assert "more than the 0.001 MB" in internet.refusal("http://news.example/said", limits)
        assert "more than the 0.001 MB" in internet.refusal("http://news.example/endless", limits)
        assert len(internet.fetch("http://news.example/fits", limits).data) == 1000


def test_size_is_counted_after_unpacking() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 60_000
    with web({"/": page(bomb, Content_Encoding="gzip")}) as internet:
        assert "more than the 1 MB" in internet.refusal("http://news.example/", FetchLimits(size=1_000_000))


@pytest.mark.parametrize(
    ("packed", "encoding"), [(gzip.compress(b"text"), "gzip"), (zlib.compress(b"text"), "deflate")]
)
def test_packed_pages_are_unpacked(packed: bytes, encoding: str) -> None:
    with web({"/": page(packed, Content_Encoding=encoding)}) as internet:
        assert internet.fetch("http://news.example/").data == b"text"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (page(b"gone", 404), "answered 404"),
        (page(b"", 304), "answered 304"),
        (page(b"x", Content_Encoding="br"), "packed as 'br'"),
        (page(b"no gzip", Content_Encoding="gzip"), "is damaged"),
        (lambda handler: handler.wfile.write(b"nonsense\r\n\r\n"), "can’t be fetched"),
        (lambda handler: handler.connection.close(), "can’t be fetched"),
    ],
)
def test_an_answer_that_is_no_page_is_refused(answer: Answer, reason: str) -> None:
    with web({"/": answer}) as internet:
        assert reason in internet.refusal("http://news.example/")


def test_time_is_counted_over_the_whole_however_steadily_it_drips() -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        try:
            for _ in range(100):
                handler.wfile.write(b"H")
                handler.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass

    with web({"/": drip}) as internet:
        began = time.monotonic()
        assert "took" in internet.refusal("http://news.example/", FetchLimits(seconds=0.4))
        assert time.monotonic() - began < 2


def test_a_resolver_that_never_answers_is_given_up() -> None:
    def never(_host: str, _port: int) -> list[str]:
        threading.Event().wait(20)
        return []

    with pytest.raises(DocumentError, match=r"took more than 0\.2 seconds"):
        fetch("http://news.example/", FetchLimits(seconds=0.2), resolve=never)


def test_a_name_nobody_knows_is_said() -> None:
    def nobody(_host: str, _port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(DocumentError, match="Nobody knows an address of news"):
        fetch("http://news.example/", resolve=nobody)


def test_proxies_of_the_environment_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with web() as internet:
        assert internet.fetch("http://news.example/").data == b"hello"
        assert internet.backend.asked == [(PUBLIC, 80)]
