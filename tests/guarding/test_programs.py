"""What the gate lets programs do, where it is open to them."""

from pathlib import Path

import pytest

from rag.guarding import Door, Gate, Logins, Rates, Users
from tests.guarding.test_gate import JOIN, PASSWORD, Behind, Visitor, log_in

CALL = "/gradio_api/call/v2/ask"
STREAM = "/gradio_api/call/ask/0123456789abcdef"
MCP = "/gradio_api/mcp/"
TOOL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "ask", "arguments": {}}}


def door(**rules: object) -> Door:
    return Door("127.0.0.1", api=("ask", "search"), **rules)  # type: ignore[arg-type]


@pytest.fixture
def users(tmp_path: Path) -> Users:
    users = Users(tmp_path / "users.json")
    users.add("ann", PASSWORD)
    users.add("bob", PASSWORD)
    return users


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_programs_may_call_the_functions_that_are_named_and_nothing_else() -> None:
    client = Visitor(door())
    for path in ("/config", "/gradio_api/info", STREAM, "/gradio_api/call/v2/search/0123456789abcdef"):
        assert client.get(path).status_code == 200, path
    for path in (CALL, "/gradio_api/call/v2/search", MCP, "/gradio_api/mcp"):
        assert client.post(path, json={}).status_code == 200, path
    passed = len(client.behind.seen)
    for path in (
        "/gradio_api/call/ask",  # takes its parameters by position: closed
        "/gradio_api/call/v2/read_source",
        "/gradio_api/call/v2/page",
        "/gradio_api/call/v2/ask/x/y",
        "/gradio_api/run/ask",
        "/gradio_api/api/ask",
        "/gradio_api/mcp/sse",
        "/gradio_api/mcp/messages/",
        "/gradio_api/mcp/schema",
        "/gradio_api/openapi.json",
    ):
        assert client.post(path, json={}).status_code == 404, path
        assert client.get(path).status_code == 404, path
    for path in (MCP, CALL):
        assert client.get(path).status_code == client.delete(path).status_code == 405
    assert len(client.behind.seen) == passed


def test_what_gradio_takes_from_the_query_of_its_configuration_is_dropped() -> None:
    client = Visitor(door())
    client.get("/config?deep_link=../../secret&page=x")
    client.get("/gradio_api/info?all_endpoints=True")
    assert [str(request.url.query) for request in client.behind.seen] == ["", ""]


def test_a_program_names_no_origin_and_what_another_site_sends_is_refused() -> None:
    client = Visitor(door())
    for path in (CALL, MCP):
        assert client.post(path, json={}).status_code == 200
        for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            assert client.post(path, json={}, headers=headers).status_code == 403
        assert client.post(path, json={}, headers={"Host": "rebound.example:7860"}).status_code == 421
        assert client.post(path, content=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
    assert client.get(STREAM, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert len(client.behind.seen) == 2


@pytest.mark.parametrize("path", [CALL, MCP])
def test_what_programs_send_has_a_length_and_is_one_object(path: str) -> None:
    client = Visitor(door())
    assert client.post(path, json={"question": "x" * 70_000}).status_code == 413
    assert client.post(path, json=[TOOL, TOOL]).status_code == 400
    assert client.post(path, json={"session_hash": "../x"}).status_code == 400
    assert client.behind.seen == []


@pytest.mark.parametrize("path", [CALL, MCP, JOIN])
def test_a_call_names_no_file_that_its_user_has_not_sent(path: str) -> None:
    client = Visitor(door())
    for named in ({"path": "/etc/passwd"}, [{"path": 5, "meta": {"_type": "gradio.FileData"}}]):
        assert client.post(path, json={"question": named}).status_code == 403
        assert client.post(path, json={"session_hash": "a", "question": named}).status_code == 403
    assert client.behind.seen == []


def test_calls_have_the_rate_of_questions_and_greetings_have_not() -> None:
    client = Visitor(door(questions=Rates(6, 2)))
    assert [client.post(MCP, json=TOOL | {"method": "initialize"}).status_code for _ in range(3)] == [200, 200, 200]
    assert client.post(MCP, json=TOOL).status_code == 200
    assert client.post(CALL, json={}).status_code == 200
    assert [client.post(path, json=TOOL).status_code for path in (MCP, CALL)] == [429, 429]


def test_a_token_opens_what_programs_need_and_not_the_page(users: Users) -> None:
    token = users.give_token("ann")
    client = Visitor(door(logins=Logins(users)))
    for method, path in (("GET", "/config"), ("GET", STREAM), ("POST", CALL), ("POST", MCP)):
        refused = client.request(method, path, json={})
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert "rag user token NAME" in refused.json()["detail"]
        assert client.request(method, path, json={}, headers=bearer(token + "x")).status_code == 401
        assert client.request(method, path, json={}, headers={"Authorization": f"Basic {token}"}).status_code == 401
    assert client.behind.seen == []
    for path in (CALL, MCP):
        assert client.post(path, json={}, headers=bearer(token)).json() == {"user": "ann"}
    assert "authorization" not in client.behind.seen[0].headers
    assert 'name="password"' in client.get("/", headers=bearer(token)).text
    assert client.get("/cited/" + "0" * 16, headers=bearer(token)).status_code == 401
    assert client.get("/theme.css", headers=bearer(token)).status_code == 401
    assert client.post("/gradio_api/upload", files={"files": b"x"}, headers=bearer(token)).status_code == 401


def test_a_token_starts_no_other_event_of_the_page_and_a_login_does(users: Users) -> None:
    token = users.give_token("ann")
    rules = door(logins=Logins(users))
    client = Visitor(rules, gate=Gate(Behind(), rules, functions=(7, 8)))
    join = {"session_hash": "0-1"}
    assert client.post(JOIN, json=join | {"fn_index": 7}, headers=bearer(token)).status_code == 200
    for other in ({"fn_index": 3}, {"fn_index": "7"}, {"fn_index": [7]}, {}):
        assert client.post(JOIN, json=join | other, headers=bearer(token)).status_code == 403
    log_in(client)
    assert client.post(JOIN, json=join | {"fn_index": 3}).status_code == 200


def test_a_token_opens_nothing_where_programs_may_call_nothing(users: Users) -> None:
    token = users.give_token("ann")
    client = Visitor(Door("127.0.0.1", logins=Logins(users)))
    for path in ("/config", "/gradio_api/queue/data?session_hash=a", "/gradio_api/startup-events"):
        assert client.get(path, headers=bearer(token)).status_code == 401
    assert client.post(JOIN, json={"session_hash": "a"}, headers=bearer(token)).status_code == 401


def test_an_answer_belongs_to_the_user_who_reads_it_first(users: Users) -> None:
    ann, bob = (bearer(users.give_token(name)) for name in ("ann", "bob"))
    client = Visitor(door(logins=Logins(users)))
    assert client.get(STREAM, headers=ann).status_code == 200
    assert client.get(STREAM, headers=bob).status_code == 403
    assert client.post(CALL, json={"session_hash": STREAM.rpartition("/")[2]}, headers=bob).status_code == 403


def test_a_cookie_of_a_login_opens_the_functions_to_the_page_as_well(users: Users) -> None:
    client = Visitor(door(logins=Logins(users)))
    log_in(client)
    assert client.post(CALL, json={}).json() == {"user": "ann"}
    assert client.post(CALL, json={}, headers={"Origin": "http://evil.example"}).status_code == 403
