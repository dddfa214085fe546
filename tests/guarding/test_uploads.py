"""Files that readers send, through the gate and Gradio's own route behind it."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from rag.guarding import Door, Gate, Logins, Uploads, Users
from rag.guarding.bodies import BodyRefused
from rag.guarding.uploads import FORGOTTEN, MOST_FILES, MOST_SENT, Reading, files_named
from rag.page.serving import with_page

UPLOAD = "/gradio_api/upload"
JOIN = "/gradio_api/queue/join"
FORM = "multipart/form-data; boundary=cut"


@pytest.fixture
def uploads() -> Iterator[Uploads]:
    uploads = Uploads()
    yield uploads
    uploads.close()


def gate_of(door: Door) -> Gate:
    with gr.Blocks(analytics_enabled=False) as page:
        given, read = gr.File(), gr.Textbox()
        given.upload(lambda path: Path(path).read_text(), given, read)
    return Gate(with_page(page, door), door)


def visitor(gate: Gate, name: str = "") -> TestClient:
    client = TestClient(gate, "http://127.0.0.1:7860", raise_server_exceptions=False)
    if name:
        client.post("/login", data={"name": name, "password": "correct horse"})
    return client


def names(client: TestClient, path: object, session: str = "abc") -> int:
    """The status of an event that names a file."""
    body = {"session_hash": session, "fn_index": 0, "data": [{"path": path, "meta": {"_type": "gradio.FileData"}}]}
    return client.post(JOIN, json=body).status_code


def kept(uploads: Uploads) -> list[str]:
    return sorted(path.name for path in uploads.folder.rglob("*") if path.is_file())


def test_a_file_arrives_whole_in_a_folder_nobody_else_reads_and_goes_once_used(uploads: Uploads) -> None:
    client = visitor(gate_of(Door("127.0.0.1", uploads=uploads)))
    answer = client.post(f"{UPLOAD}?upload_id=a1", files={"files": ("../../bill.txt", b"It pays.")})
    [path] = answer.json()
    assert answer.status_code == 200
    assert Path(path).is_relative_to(uploads.folder)
    assert (Path(path).name, Path(path).read_text()) == ("bill.txt", "It pays.")
    assert uploads.folder.stat().st_mode & 0o077 == 0
    assert names(client, path) == 200
    uploads.discard(path, None)
    assert kept(uploads) == []
    assert names(client, path) == 403
    folder = uploads.folder
    uploads.close()
    assert not folder.exists()


@pytest.mark.parametrize("path", ["/etc/passwd", "http://169.254.169.254/latest", "", None, ["/etc/passwd"], {"a": 1}])
def test_an_event_names_no_file_that_was_not_sent(uploads: Uploads, path: object) -> None:
    client = visitor(gate_of(Door("127.0.0.1", uploads=uploads)))
    [sent] = client.post(UPLOAD, files={"files": ("bill.txt", b"It pays.")}).json()
    assert names(client, path) == 403
    assert names(client, f"{sent}/../bill.txt") == 403
    assert names(client, sent) == 200


def test_files_are_found_wherever_they_hide() -> None:
    content = {"data": [[{"a": {"path": "/a"}}], {"path": {"path": "/b"}}], "event_data": {"path": 5}, "x": None}
    found = sorted(files_named(content), key=str)
    assert found == ["/a", "/b", 5, {"path": "/b"}]
    assert list(files_named(json.loads("[" * 900 + "]" * 900))) == []


def test_a_file_is_its_senders_and_two_may_send_the_same(uploads: Uploads, tmp_path: Path) -> None:
    users = Users(tmp_path / "users.json")
    for name in ("ann", "bob"):
        users.add(name, "correct horse")
    gate = gate_of(Door("127.0.0.1", logins=Logins(users), uploads=uploads))
    ann, bob, nobody = visitor(gate, "ann"), visitor(gate, "bob"), visitor(gate)
    assert nobody.post(UPLOAD, files={"files": b"x"}).status_code == 401
    [path] = ann.post(f"{UPLOAD}?upload_id=annes", files={"files": ("bill.txt", b"It pays.")}).json()
    assert (names(ann, path, "annes1"), names(bob, path, "bobs1")) == (200, 403)
    assert bob.get("/gradio_api/upload_progress?upload_id=annes").status_code == 403
    assert bob.get("/gradio_api/queue/data?session_hash=annes1&upload_id=new").status_code == 403
    assert bob.post(UPLOAD, files={"files": ("bill.txt", b"It pays.")}).json() == [path]
    uploads.discard(path, "ann")
    assert (names(ann, path, "annes2"), names(bob, path, "bobs2")) == (403, 200)


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "multipart/form-data", "multipart/mixed;boundary=a"]
)
def test_only_a_form_is_taken_and_only_from_this_page(uploads: Uploads, kind: str) -> None:
    client = visitor(gate_of(Door("127.0.0.1", uploads=uploads)))
    assert client.post(UPLOAD, content=b"--cut--", headers={"Content-Type": kind}).status_code == 415
    assert client.get(UPLOAD).status_code == 405
    evil = client.post(UPLOAD, files={"files": b"x"}, headers={"Origin": "http://evil.example"})
    assert evil.status_code == 403
    assert kept(uploads) == []


def part(name: str, data: bytes) -> bytes:
    head = f'--cut\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    return head.encode() + data + b"\r\n"


def test_too_many_files_are_refused_while_they_arrive_and_leave_nothing(uploads: Uploads) -> None:
    client = visitor(gate_of(Door("127.0.0.1", uploads=uploads)))
    sent = []

    def endless() -> Iterator[bytes]:
        for number in range(MOST_FILES * 3):
            sent.append(number)
            yield part(f"{number}.txt", b"x")

    answer = client.post(UPLOAD, content=endless(), headers={"Content-Type": FORM})
    assert (answer.status_code, answer.json()["detail"]) == (413, "Send at most 100 files at once.")
    assert kept(uploads) == []
    assert client.post(UPLOAD, files=[("files", (f"{n}.txt", b"x")) for n in range(MOST_FILES)]).status_code == 200


def test_a_form_that_says_it_is_too_long_is_not_read(uploads: Uploads) -> None:
    client = visitor(gate_of(Door("127.0.0.1", uploads=uploads)))
    headers = {"Content-Type": FORM, "Content-Length": str(MOST_SENT + 1)}
    answer = client.post(UPLOAD, content=b"", headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (413, "Send at most 500 MB at once.")


def status_of(messages: list[Message], seconds: float = 60, pause: float = 0) -> int:
    """0 where a request that arrives so is read to its end."""
    waiting = list(messages)

    async def receive() -> Message:
        await asyncio.sleep(pause)
        return waiting.pop(0)

    async def read_all() -> None:
        counted = Reading(FORM, None, seconds).counted(receive)
        for _ in messages:
            await counted()

    try:
        asyncio.run(read_all())
    except BodyRefused as refused:
        return refused.status
    return 0


def test_bytes_and_time_are_counted_over_the_whole_request() -> None:
    piece: Message = {"type": "http.request", "body": bytes(50_000_000), "more_body": True}
    assert (status_of([piece] * 10), status_of([piece] * 11)) == (0, 413)
    assert status_of([{**piece, "body": b"x"}] * 1000, seconds=0.1, pause=0.02) == 408


def test_a_boundary_cut_in_two_by_the_network_counts_once() -> None:
    for files, status in ((MOST_FILES, 0), (MOST_FILES + 1, 413)):
        whole = part("a", b"x") * files + b"--cut--"
        assert status_of([{"body": whole[at : at + 3]} for at in range(0, len(whole), 3)]) == status


def test_what_nobody_used_goes_after_an_hour_and_no_more_than_a_few_arrive_at_once(uploads: Uploads) -> None:
    client = visitor(gate_of(Door("127.0.0.1", uploads=uploads)))
    [old] = client.post(UPLOAD, files={"files": ("old.txt", b"old")}).json()
    uploads._sweep(Path(old).stat().st_ctime + 1)  # as if FORGOTTEN seconds had gone by
    assert FORGOTTEN == 3600
    assert names(client, old) == 403
    assert kept(uploads) == []
    with uploads.arriving(), uploads.arriving(), uploads.arriving(), uploads.arriving():
        assert client.post(UPLOAD, files={"files": b"x"}).status_code == 503
    assert client.post(UPLOAD, files={"files": b"x"}).status_code == 200
