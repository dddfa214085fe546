"""The gate in front of an application that would answer anything."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from rag.guarding import USER, Door, Gate, Logins, Rates, Users
from rag.guarding.gate import MOST_BYTES
from rag.guarding.headers import ALWAYS, NOTHING, source_of

HERE = "http://127.0.0.1:7860"
PASSWORD = "correct horse"
JOIN = "/gradio_api/queue/join"


class Behind:
    """Answers everything, and remembers what got through to it."""

    def __init__(self) -> None:
        self.seen: list[Request] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.seen.append(request)
        self.bodies.append(await request.body())
        response: Response = JSONResponse({"user": scope[USER]})
        if request.url.path == "/":
            response = HTMLResponse("<script>one()</script>", headers={"content-security-policy": "default-src *"})
        if b"fail" in self.bodies[-1]:
            raise ValueError(f"cannot answer {self.bodies[-1]!r}")
        await response(scope, receive, send)


class Visitor(TestClient):
    """A client without redirects that speaks JSON as the page does."""

    def __init__(self, door: Door, address: str = "192.0.2.7", base_url: str = HERE, gate: Gate | None = None) -> None:
        self.behind = Behind()
        self.gate = gate or Gate(self.behind, door)
        super().__init__(self.gate, base_url, follow_redirects=False, client=(address, 5000))

    def join(self, session: str = "abc", **more: object) -> Any:
        return self.post(JOIN, json={"session_hash": session, **more})


def visitor(**rules: object) -> Visitor:
    return Visitor(Door("127.0.0.1", **rules))  # type: ignore[arg-type]


def log_in(client: TestClient, name: str = "ann", password: str = PASSWORD) -> int:
    return client.post("/login", data={"name": name, "password": password}).status_code


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/assets/index-a1.js",
        "/static/js/iframeResizer.contentWindow.min.js",
        "/theme.css",
        "/gradio_api/heartbeat/abc123",
        "/gradio_api/queue/data?session_hash=abc",
        "/gradio_api/startup-events",
        "/gradio_api/upload_progress?upload_id=1",
    ],
)
def test_what_the_page_asks_for_gets_through(path: str) -> None:
    client = visitor()
    assert client.get(path).status_code == 200
    assert len(client.behind.seen) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file/etc/passwd",
        "/file=/etc/passwd",
        "/gradio_api/file=http://169.254.169.254/latest",
        "/gradio_api/proxy=https://example.hf.space/x",
        "/gradio_api/stream/abc/1/2/playlist.m3u8",
        "/gradio_api/custom_component/x/client/component/..%2f..%2fapp.py",
        "/gradio_api/info",
        "/gradio_api/openapi.json",
        "/gradio_api/token",
        "/gradio_api/deep_link?session_hash=abc",
        "/gradio_api/runs",
        "/gradio_api/vibe-code/",
        "/gradio_api/mcp",
        "/gradio_api/dev/reload",
        "/gradio_api/heartbeat/a%2fb",
        "/config",
        "/monitoring",
        "/docs",
        "/openapi.json",
        "/pwa_icon",
        "/svelte/../../etc/passwd",
        "/static/../app.py",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static/..%2f..%2fetc/passwd",
        "/static/..%5c..%5cetc/passwd",
        "/static//etc/passwd",
        "/static/%252e%252e/etc/passwd",
        "/assets/....//....//etc/passwd",
        "/cited/../etc/passwd",
        "/cited//etc/passwd",
        "/cited/%2fetc%2fpasswd",
        "/handed/../etc/passwd",
        "/handed/%2fetc%2fpasswd",
        "/%2e%2e/etc/passwd",
    ],
)
def test_nothing_else_gets_through(path: str) -> None:
    client = visitor()
    assert client.get(path).status_code == 404
    assert client.behind.seen == []


@pytest.mark.parametrize("path", ["/gradio_api/run/predict", "/gradio_api/call/ask", "/login"])
def test_the_api_is_closed(path: str) -> None:
    client = visitor()
    assert client.post(path, files={"files": b"x"}).status_code == 404
    assert client.post(path, json={"data": []}).status_code == 404
    assert client.behind.seen == []


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/"), ("GET", JOIN), ("DELETE", "/"), ("PUT", JOIN), ("OPTIONS", JOIN)]
)
def test_methods_the_page_does_not_use_are_refused(method: str, path: str) -> None:
    client = visitor()
    assert client.request(method, path).status_code == 405
    assert client.behind.seen == []


def test_another_name_for_this_machine_is_refused_before_anything_else() -> None:
    client = visitor()
    assert client.get("/", headers={"Host": "rebound.example:7860"}).status_code == 421
    assert client.post(JOIN, json={"session_hash": "a"}, headers={"Host": "rebound.example"}).status_code == 421
    assert client.get("/", headers=[("Host", "127.0.0.1:7860"), ("Host", "evil.example")]).status_code == 421
    assert client.behind.seen == []


def test_what_another_site_sends_is_refused() -> None:
    client = visitor()
    for origin in ("http://evil.example", "null", "http://127.0.0.1:8000"):
        assert client.post(JOIN, json={"session_hash": "a"}, headers={"Origin": origin}).status_code == 403
        preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        answer = client.options(JOIN, headers=preflight)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    assert client.post(JOIN, json={"session_hash": "a"}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.behind.seen == []
    assert client.post(JOIN, json={"session_hash": "a"}, headers={"Origin": HERE}).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_form_of_another_site_is_no_json(kind: str) -> None:
    client = visitor()
    answer = client.post(JOIN, content=b'{"session_hash": "a"}', headers={"Content-Type": kind})
    assert answer.status_code == 415
    assert client.behind.seen == []


def test_a_body_is_counted_while_it_arrives() -> None:
    client = visitor()
    room = MOST_BYTES - len(json.dumps({"session_hash": "abc", "data": [""]}, separators=(",", ":")))
    assert client.join(data=["x" * room]).status_code == 200
    assert client.join(data=["x" * (room + 1)]).status_code == 413
    assert len(client.behind.bodies[0]) == MOST_BYTES
    sent = []

    def endless() -> Iterator[bytes]:
        for _ in range(1000):
            sent.append(1)
            yield b" " * 1000

    answer = client.post(JOIN, content=endless(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert len(client.behind.seen) == 1


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '"text"', "{}", '{"session_hash": 1}', '{"session_hash": "../x"}', "[" * 60_000]
)
def test_a_body_that_names_no_session_is_refused(body: str) -> None:
    client = visitor()
    assert client.post(JOIN, content=body, headers={"Content-Type": "application/json"}).status_code == 400
    assert client.behind.seen == []


def test_the_body_reaches_the_page_as_it_was_sent() -> None:
    client = visitor()
    client.join(data=["how much?", None])
    assert json.loads(client.behind.bodies[0]) == {"session_hash": "abc", "data": ["how much?", None]}


def test_pressing_too_often_is_refused_for_a_while_and_for_that_client_only() -> None:
    door = Door("127.0.0.1", questions=Rates(6, 2))
    client, other = Visitor(door), Visitor(door, "192.0.2.8")
    assert [client.join().status_code for _ in range(3)] == [200, 200, 429]
    assert "Wait 10 s" in client.join().text
    assert other.join().status_code == 200
    assert client.get("/").status_code == 200  # the page itself still opens


def test_what_is_told_while_a_question_is_typed_is_no_press_and_has_a_rate_of_its_own() -> None:
    door = Door("127.0.0.1", questions=Rates(6, 1), typing=Rates(6, 2))
    client = Visitor(door, gate=Gate(Behind(), door, typing=(7,)))
    assert [client.join(fn_index=7).status_code for _ in range(3)] == [200, 200, 429]
    assert [client.join(fn_index=8).status_code for _ in range(2)] == [200, 429]


def test_any_request_has_its_rate_and_says_when_to_come_back() -> None:
    client = visitor(requests=Rates(60, 2))
    answers = [client.get("/nothing") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [404, 404, 429]
    assert answers[2].headers["retry-after"] == "1"


def test_the_addresses_of_one_ipv6_network_are_one_client() -> None:
    door = Door("127.0.0.1", questions=Rates(6, 1))
    statuses = [Visitor(door, host).join().status_code for host in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")]
    assert statuses == [200, 429, 200]


def test_every_answer_carries_the_headers_and_the_page_its_own_policy() -> None:
    client = visitor()
    for path in ("/", "/theme.css", "/gradio_api/file=/etc/passwd"):
        headers = client.get(path).headers
        assert {name: headers[name] for name in ALWAYS} == dict(ALWAYS)
    policy = client.get("/").headers["content-security-policy"]
    assert source_of(b"one()") in policy
    assert "default-src 'none'" in policy
    assert client.get("/theme.css").headers["content-security-policy"] == NOTHING
    assert client.get("/nothing").headers["content-security-policy"] == NOTHING


def test_a_client_cannot_claim_to_be_another_or_have_the_page_name_another_host() -> None:
    client = visitor()
    lies = {"X-Forwarded-Host": "evil.example", "X-Forwarded-For": "1.2.3.4", "Forwarded": "host=evil.example"}
    client.get("/", headers={**lies, "X-Real-IP": "1.2.3.4", "Accept": "text/html"})
    passed = client.behind.seen[0].headers
    assert passed["accept"] == "text/html"
    assert not {name for name in passed if "forward" in name or name == "x-real-ip"}


def test_websockets_are_closed() -> None:
    client = visitor()
    with pytest.raises(WebSocketDisconnect) as caught, client.websocket_connect("/"):
        pass
    assert caught.value.code == 1008
    assert client.behind.seen == []


def test_without_a_login_nothing_but_the_form_is_to_be_had(users: Users) -> None:
    client = visitor(logins=Logins(users))
    form = client.get("/")
    assert (form.status_code, 'name="password"' in form.text) == (200, True)
    for path in ("/assets/index.js", "/theme.css", "/gradio_api/startup-events", "/gradio_api/queue/data", "/config"):
        assert client.get(path).status_code == 401
    assert client.join().status_code == 401
    assert client.get("/cited/" + "0" * 16).status_code == 401
    assert client.behind.seen == []


def test_login_and_logout(users: Users) -> None:
    client = visitor(logins=Logins(users))
    assert log_in(client, password="wrong horse") == 401
    assert log_in(client, name="bob") == 401
    assert client.cookies == {}
    answer = client.post("/login", data={"name": "ann", "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert client.get("/theme.css").json() == {"user": "ann"}
    token = client.cookies["citeline-7860"]
    assert client.post("/logout").status_code == 303
    client.cookies.set("citeline-7860", token)
    assert client.get("/theme.css").status_code == 401


def test_a_login_over_https_is_sent_over_https_only(users: Users) -> None:
    client = Visitor(Door("127.0.0.1", logins=Logins(users)), base_url="https://127.0.0.1")
    answer = client.post("/login", data={"name": "ann", "password": PASSWORD})
    assert "secure" in answer.headers["set-cookie"].lower()


def test_another_site_can_neither_log_in_nor_out(users: Users) -> None:
    client = visitor(logins=Logins(users))
    evil = {"Origin": "http://evil.example"}
    assert client.post("/login", data={"name": "ann", "password": PASSWORD}, headers=evil).status_code == 403
    assert log_in(client) == 303
    assert client.post("/logout", headers=evil).status_code == 403
    assert client.get("/logout").status_code == 401  # by a link neither
    assert client.get("/theme.css").status_code == 200


def test_guessing_passwords_is_slowed_down(users: Users) -> None:
    client = visitor(logins=Logins(users), attempts=Rates(1, 2))
    assert [log_in(client, password="guess") for _ in range(3)] == [401, 401, 429]
    assert log_in(client) == 429


def test_a_login_form_of_any_size_or_kind_is_survived(users: Users) -> None:
    client = visitor(logins=Logins(users))
    assert client.post("/login", content=b"x" * 5000).status_code == 413
    assert client.post("/login", content=b"&".join([b"a=b"] * 9)).status_code == 400
    assert client.post("/login", content=b"\xff\xfe\x00").status_code == 401
    assert log_in(client) == 303


def test_a_session_belongs_to_who_began_it(users: Users) -> None:
    users.add("bob", PASSWORD)
    door = Door("127.0.0.1", logins=Logins(users))
    ann = Visitor(door)
    bob = Visitor(door, gate=ann.gate)
    log_in(ann)
    log_in(bob, "bob")
    assert ann.join("annes").status_code == 200
    assert bob.join("annes").status_code == 403
    assert bob.get("/gradio_api/queue/data?session_hash=annes").status_code == 403
    assert bob.get("/gradio_api/heartbeat/annes").status_code == 403
    assert bob.post("/gradio_api/cancel", json={"session_hash": "annes", "fn_index": 0}).status_code == 403
    assert bob.join("bobs").status_code == 200
    assert ann.get("/gradio_api/queue/data?session_hash=annes").status_code == 200


def test_a_failure_behind_the_gate_is_logged_without_what_it_failed_on(caplog: pytest.LogCaptureFixture) -> None:
    client = visitor()
    with caplog.at_level(logging.DEBUG):
        answer = client.join(data=["fail: my secret question"])
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "A request could not be answered: builtins.ValueError" in caplog.text
    assert "test_gate.py" in caplog.text
    assert "secret" not in caplog.text


def test_a_log_that_may_hold_texts_says_all(caplog: pytest.LogCaptureFixture) -> None:
    visitor(log_texts=True).join(data=["fail: my secret question"])
    assert "my secret question" in caplog.text
