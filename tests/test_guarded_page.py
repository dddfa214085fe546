"""The page with its gate: who gets in, what is served, what is logged, who has to wait."""

import http.client
import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from gradio.utils import get_upload_folder
from playwright.sync_api import Browser, Page, expect
from starlette.testclient import TestClient

from rag.conversations import Conversations
from rag.desk import Desk
from rag.documents import load
from rag.errors import QuestionError, RagError
from rag.guarding import Users
from rag.page.building import build_page
from rag.page.serving import door_of, serving, with_page
from rag.settings import load_settings
from rag.talks import Talks
from rag.types import Chunk, Finished, Passage, PassagesFound, TextPiece
from tests.browser import free_port
from tests.page import ARTICLE, ScriptedPipeline, Step, answer, ask, passage, served, usual

browser_test = pytest.mark.browser

PASSWORD = "correct horse"
SECRET = "the secret of the house"


@pytest.fixture
def users_file(tmp_path: Path) -> Path:
    users = Users(tmp_path / "users.json")
    users.add("ann", PASSWORD)
    users.add("bob", PASSWORD)
    return tmp_path / "users.json"


@pytest.fixture
def secret(tmp_path: Path) -> Iterator[Path]:
    """A file that nobody may get, and a link to it where Gradio keeps uploads."""
    file = tmp_path / "secret.txt"
    file.write_text(SECRET)
    uploads = Path(get_upload_folder())
    uploads.mkdir(parents=True, exist_ok=True)
    link = uploads / f"link-{tmp_path.name}.txt"
    link.symlink_to(file)
    yield file
    link.unlink()


def ways_to(secret: Path) -> list[str]:
    """Paths by which one might try to get at a file."""
    link = Path(get_upload_folder()) / f"link-{secret.parent.name}.txt"
    climbing = "/".join([".."] * 12) + str(secret)
    whole = str(secret)
    encoded = [
        whole,
        whole.replace("/", "%2f"),
        whole.replace("/", "%252f"),
        climbing,
        climbing.replace(".", "%2e"),
        climbing.replace("/", "%2f"),
        climbing.replace("/", "%5c"),
        f"{climbing}%00.png",
        f"/static/{climbing}",
        f"file://{whole}",
        f"/proc/self/root{whole}",
        f"//{whole}",
        f"{whole}/.",
        str(link),
        str(link).replace("/", "%2f"),
    ]
    places = ("/gradio_api/file=", "/gradio_api/file/", "/file=", "/static/", "/assets/", "/svelte/", "/cited/", "/")
    return [place + way for place in places for way in encoded]


def raw_get(address: str, path: str) -> tuple[int, bytes]:
    """Without the tidying that a client's library does to a path."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_no_path_leads_to_a_file(secret: Path) -> None:
    with served(ScriptedPipeline()) as address:
        for path in ways_to(secret):
            status, body = raw_get(address, path)
            assert status in (400, 403, 404, 421), path
            assert SECRET.encode() not in body, path


def test_behind_the_gate_gradio_gives_no_file_either(secret: Path, tmp_path: Path) -> None:
    door = door_of(load_settings())
    desk = Desk(load_settings(), lambda _settings, _report: ScriptedPipeline())
    page = build_page(desk, Talks(desk, Conversations(tmp_path)), door)
    client = TestClient(with_page(page, door), raise_server_exceptions=False)
    assert client.get("/").status_code == 200
    for path in ways_to(secret):
        assert SECRET not in client.get(f"http://testserver{path}").text, path


@pytest.mark.parametrize("api", [True, False])
def test_gradios_other_routes_are_closed(api: bool) -> None:
    with served(ScriptedPipeline(), api=api) as address:
        assert httpx.post(f"{address}gradio_api/run/predict", json={"data": []}).status_code == 404
        assert httpx.get(f"{address}gradio_api/info").status_code == (200 if api else 404)
        assert httpx.get(f"{address}config").status_code == (200 if api else 404)
        assert httpx.get(f"{address}gradio_api/proxy=https://example.org").status_code == 404


def test_another_host_name_or_origin_is_refused_and_answers_say_no_server() -> None:
    with served(ScriptedPipeline()) as address:
        assert httpx.get(address, headers={"Host": "rebound.example"}).status_code == 421
        join = f"{address}gradio_api/queue/join"
        evil = httpx.post(join, json={"session_hash": "a"}, headers={"Origin": "http://evil.example"})
        assert evil.status_code == 403
        page = httpx.get(address, headers={"X-Forwarded-Host": "evil.example"})
        assert (page.status_code, "evil.example" in page.text, "server" in page.headers) == (200, False, False)


def test_odd_events_of_hand_made_requests_harm_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with served(ScriptedPipeline(*[[QuestionError("odd")]] * 5), questions_per_minute=10_000) as address:
        odd: list[object] = [{"value": {"a": 1}}, {"value": 5}, [], None, "x"]
        for number, event_data in enumerate(odd):
            for fn_index in (0, 1, 2, 3, 4, 99, -1, "0", None):
                event = {"data": [{"x": 1}, None], "event_data": event_data, "fn_index": fn_index, "trigger_id": 5}
                body = {**event, "session_hash": f"odd{number}"}
                answer = httpx.post(f"{address}gradio_api/queue/join", json=body, timeout=20)
                assert "Traceback" not in answer.text
        assert httpx.get(address).status_code == 200
    assert "odd0" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_a_page_open_to_others_needs_somebody_with_a_password(tmp_path: Path, host: str) -> None:
    settings = load_settings(host=host, port=free_port(), users=tmp_path / "none.json")
    with pytest.raises(RagError, match="rag user add NAME"), serving(settings):
        pass


@pytest.mark.parametrize(
    ("given", "asked"), [({"hosts": "news.example"}, True), ({"login": "always"}, True), ({}, False)]
)
def test_who_opens_the_page_by_a_name_or_asks_for_a_login_gets_one(
    users_file: Path, given: dict[str, str], asked: bool
) -> None:
    door = door_of(load_settings(users=users_file, **given))
    assert (door.logins is not None) is asked


def test_everyone_is_let_in_only_where_a_setting_says_so(users_file: Path) -> None:
    assert door_of(load_settings(host="0.0.0.0", login="never", users=users_file)).logins is None
    assert door_of(load_settings(host="0.0.0.0", users=users_file)).logins is not None


def log_in(tab: Page, address: str, name: str, password: str = PASSWORD) -> None:
    tab.goto(address)
    tab.fill("input[name=name]", name)
    tab.fill("input[name=password]", password)
    tab.press("input[name=password]", "Enter")


@browser_test
def test_login_ask_read_the_source_and_log_out(tab: Page, users_file: Path, tmp_path: Path) -> None:
    article = tmp_path / "bill.txt"
    article.write_text(ARTICLE)
    [document] = load(article).documents
    source = Passage(1, Chunk("c1", document.id, 0, len(ARTICLE)), document, ARTICLE)
    script: list[Step] = [PassagesFound((source,)), Finished(answer("how much?", "It pays.", source))]
    pipeline = ScriptedPipeline(script)
    with served(pipeline, host="0.0.0.0", users=users_file) as address:
        address = address.replace("localhost", "127.0.0.1")
        log_in(tab, address, "ann", "wrong horse")
        expect(tab.get_by_role("alert")).to_have_text("The name and the password don’t go together.")
        log_in(tab, address, "ann")
        ask(tab, "how much?")
        expect(tab.locator("#current .timings")).to_be_visible()
        link = tab.locator("#panel .origin a")
        expect(link).to_have_attribute("href", f"cited/{document.id}")
        with tab.context.expect_page() as opened:
            link.click()
        assert opened.value.inner_text("body") == ARTICLE
        opened.value.close()
        tab.get_by_role("button", name="Log out").click()
        expect(tab.locator("input[name=password]")).to_be_visible()
        assert httpx.get(f"{address}cited/{document.id}").status_code == 401


@browser_test
def test_users_see_nothing_of_each_other(chromium: Browser, users_file: Path) -> None:
    pipeline = ScriptedPipeline(usual("annes"), usual("bobs"))
    with served(pipeline, login="always", users=users_file) as address:
        tabs = {}
        for name in ("ann", "bob"):
            tabs[name] = chromium.new_context().new_page()
            log_in(tabs[name], address, name)
            ask(tabs[name], f"{name}s question")
            expect(tabs[name].locator("#current .timings")).to_be_visible()
        assert "anns question" not in tabs["bob"].content()
        cookies = {cookie["name"]: cookie["value"] for cookie in tabs["bob"].context.cookies()}
        asked = tabs["ann"].evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
        session = next(found[1] for name in asked if (found := re.search(r"session_hash=(\w+)", name)))
        with httpx.Client(cookies=cookies, base_url=address) as bob:
            assert bob.get(f"gradio_api/queue/data?session_hash={session}").status_code == 403
            assert bob.get(f"gradio_api/heartbeat/{session}").status_code == 403
            assert bob.get("gradio_api/startup-events").status_code == 200
        for tab in tabs.values():
            tab.context.close()
    assert [history for _, history in pipeline.asked] == [(), ()]


@browser_test
def test_a_page_reached_by_its_own_address_on_the_network_works(tab: Page, users_file: Path) -> None:
    with served(ScriptedPipeline(usual()), host="0.0.0.0", users=users_file) as address:
        log_in(tab, address.replace("localhost", "127.0.0.1"), "ann")
        ask(tab, "how much?")
        expect(tab.locator("#current .timings")).to_be_visible()


@browser_test
def test_a_refused_press_says_why(tab: Page) -> None:
    with served(ScriptedPipeline(usual(), usual(), usual()), questions_per_minute=6) as address:
        tab.goto(address)  # counts as one
        ask(tab, "how much?")
        expect(tab.locator("#current .timings")).to_be_visible()
        ask(tab, "how much?")
        expect(tab.get_by_text(re.compile(r"That is too much at once\. Wait \d+ s\."))).to_be_visible()


@browser_test
def test_a_reader_who_closes_the_tab_soon_frees_the_engine_for_those_who_wait(chromium: Browser) -> None:
    pipeline = ScriptedPipeline([PassagesFound((passage(1),)), threading.Event()], usual())
    with served(pipeline) as address:
        leaving, staying = chromium.new_page(), chromium.new_page()
        leaving.goto(address)
        staying.goto(address)
        ask(leaving, "first")
        expect(leaving.locator(".source")).to_be_visible()
        ask(staying, "second")
        expect(staying.locator(".working")).to_have_text("This question waits for another.")
        leaving.close()
        assert pipeline.left_early.wait(10)
        expect(staying.locator("#current .timings")).to_be_visible()
        staying.close()


class Everything(logging.Handler):
    """Keeps all that any part of the program logs, whatever its level."""

    def __init__(self) -> None:
        super().__init__(0)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@browser_test
@pytest.mark.parametrize("log_texts", [False, True])
def test_logs_hold_no_question_and_no_text_unless_asked(
    tab: Page, capfd: pytest.CaptureFixture[str], log_texts: bool
) -> None:
    everything = Everything()
    root = logging.getLogger()
    level = root.level
    root.addHandler(everything)
    root.setLevel(logging.DEBUG)
    question, words = "quokkaquestion", "wombatarticle"
    source = passage(1, f"{words} pays.", words, f"/news/{words}.txt")
    failing: list[Step] = [PassagesFound((source,)), TextPiece(words), ValueError(f"{question} met {words}")]
    answered: list[Step] = [PassagesFound((source,)), Finished(answer(question, "It.", source, cited=f"{words} pays."))]
    try:
        with served(ScriptedPipeline(answered, failing, [RagError(words)]), log_texts=log_texts) as address:
            tab.goto(address)
            for _ in range(3):
                ask(tab, question)
                expect(tab.locator("#box textarea")).to_be_enabled()
                expect(tab.locator(".pending")).to_have_count(0)
                expect(tab.locator("#current :is(.timings, .error)")).to_be_visible()
                tab.click("#new")
                expect(tab.locator(".exchange")).to_have_count(0)
    finally:
        root.removeHandler(everything)
        root.setLevel(level)
    out, errors = capfd.readouterr()
    logged = "\n".join([*everything.lines, out, errors])
    assert "A question could not be answered" in logged
    assert (question in logged, words in logged) == (log_texts, log_texts)
