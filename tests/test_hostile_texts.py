"""Whatever articles, questions and models hold stays text: nothing of it runs in Chromium."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, expect

from rag.errors import RagError
from rag.page.asking import HINT
from rag.rendering import plain
from rag.types import Finished, Passage, PassagesFound, TextPiece
from tests.bulk.small import Shelf
from tests.page import SENTENCE, ScriptedPipeline, Step, answer, ask, passage, refusal, served
from tests.payloads import PAYLOADS, RUNS_AS_MARKUP

pytestmark = pytest.mark.browser

MARKUP = (
    "img, script, svg, iframe, video, details:not(.whole), math, style, object, b, [href*='script:'], [href^='data:']"
)
"""Nothing of this is part of the page itself."""


class Watched:
    """A tab and whatever ran in it that shouldn't."""

    def __init__(self, chromium: Browser, bypass_csp: bool) -> None:
        self.context = chromium.new_context(bypass_csp=bypass_csp, viewport={"width": 1280, "height": 800})
        self.dialogs: list[str] = []
        self.tab = self.context.new_page()
        self.tab.set_default_timeout(15_000)
        self.tab.on("dialog", self._note)

    def _note(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def ran(self) -> list[object]:
        return [*self.dialogs, *filter(None, [self.tab.evaluate("window.__xss")])]


@pytest.fixture(params=[False, True], ids=["policy", "no policy"])
def watched(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """With the page's Content-Security-Policy, and without: escaping has to hold by itself."""
    made = Watched(chromium, bypass_csp=request.param)
    yield made
    made.context.close()


def hostile(number: int, payload: str) -> Passage:
    """A passage with the payload in every field of its document."""
    made = passage(number, f"{payload} {SENTENCE} {payload}", payload, f"/news/{payload}/{payload}")
    return replace(made, document=replace(made.document, published=payload, author=payload))


def scripts(payload: str) -> tuple[Sequence[Step], ...]:
    """An answer, a refusal, an answer from the web and an error, all of them made of the payload."""
    source = hostile(1, payload)
    found = Finished(replace(answer(payload, f"{payload} [1]", source), standalone_question=payload))
    return (
        [PassagesFound((source,)), TextPiece(f"{payload} [1] "), TextPiece(payload), found],
        [PassagesFound((source,)), Finished(refusal(payload, source))],
        [RagError(f"{payload} `{payload}`")],
    )


def test_the_watch_sees_what_runs(chromium: Browser) -> None:
    for payload in RUNS_AS_MARKUP:
        watched = Watched(chromium, bypass_csp=True)
        watched.tab.set_content(f"<textarea></textarea><body>{payload}</body>")
        watched.tab.wait_for_timeout(150)
        assert watched.ran(), payload
        watched.context.close()


def test_nothing_hostile_runs_wherever_it_stands(watched: Watched) -> None:
    tab = watched.tab
    pipeline = ScriptedPipeline(*[script for payload in PAYLOADS for script in scripts(payload)])
    with served(pipeline, questions_per_minute=10_000) as address:
        tab.goto(address)
        expect(tab.locator("#status")).to_have_text(HINT)
        for payload in PAYLOADS:
            ask(tab, payload)
            expect(tab.locator("#exchange-1 .timings")).to_be_visible()
            shown = tab.locator("#exchange-1 .question").evaluate("element => element.textContent")
            assert shown == plain(payload).strip()
            tab.locator("#exchange-1 .cite").first.hover()
            tab.locator("#exchange-1 .cite").first.click()
            ask(tab, "again")
            expect(tab.locator("#exchange-2 .refusal")).to_be_visible()
            ask(tab, "and again")
            expect(tab.locator("#exchange-3 .error")).to_be_visible()
            assert tab.locator("#desk").locator(MARKUP).count() == 0, payload
            assert watched.ran() == [], payload
            assert tab.url.partition("?")[0] == address
            tab.click("#new")
            expect(tab.locator(".exchange")).to_have_count(0)


def test_nothing_hostile_runs_in_the_library_and_in_bulk(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where reports lie
    shelf = Shelf(tmp_path)
    texts = [payload for payload in PAYLOADS if "\0" not in payload]  # which would be no text file
    for number, payload in enumerate(texts):
        written = f"{number}.txt" if "/" in payload else f"{payload}.txt"
        (shelf.articles / written).write_text(f"{payload}\n\n{payload} {number}", encoding="utf-8")
    shelf.add("all.txt", "\n\n".join(texts))
    shelf.reader.reply = " ".join(RUNS_AS_MARKUP)
    asked = tmp_path / "<img src=x onerror=alert(1)>.jsonl"
    asked.write_text("\n".join(json.dumps({"question": payload}) for payload in PAYLOADS), encoding="utf-8")
    tab = watched.tab
    with shelf.page() as address:
        tab.goto(address)
        tab.get_by_role("tab", name="Library").click()
        expect(tab.locator(".articles li")).to_have_count(len(texts) + 3)
        for name in ("all.txt", "0.txt", next(path.name for path in shelf.articles.iterdir() if "<" in path.name)):
            row = tab.locator(".articles li").filter(has_text=name).last
            title = row.get_by_role("button").inner_text()
            row.get_by_role("button").click()
            expect(tab.locator(".opened h2")).to_have_text(title)
            row.get_by_role("checkbox").check()
        tab.locator("#look-for").fill(PAYLOADS[0])
        expect(tab.locator(".narrowing [role=status]")).to_contain_text("found")
        assert tab.locator(":is(#articles, #article, #work)").locator(MARKUP).count() == 0
        assert watched.ran() == []
        tab.get_by_role("tab", name="Ask", exact=True).click()
        assert tab.locator("#only-from").locator(MARKUP).count() == 0
        tab.get_by_role("tab", name="In bulk").click()
        tab.set_input_files("#bulk-file input[type=file]", str(asked))
        expect(tab.locator(".looked h3")).to_have_text("img src=x onerror=alert(1).jsonl")  # Gradio drops < and >
        assert tab.locator("#bulk-looked").locator(MARKUP).count() == 0
        tab.get_by_role("button", name="Answer them all").click()
        expect(tab.locator(".file .state")).to_have_text("Done", timeout=120_000)
        assert tab.locator(".file .row").count() > 3
        assert tab.locator(".file").locator(MARKUP.replace("details:not(.whole)", "details details")).count() == 0
        assert watched.ran() == []


@pytest.mark.parametrize(
    "scheme", ["javascript:window.__xss=1//http://", "data:text/html,<script>1</script>", "JAVASCRIPT:1"]
)
def test_only_web_addresses_and_cited_files_are_linked(watched: Watched, scheme: str) -> None:
    source = passage(1, source=scheme)
    script: list[Step] = [PassagesFound((source,)), Finished(answer("q", "It pays.", source))]
    with served(ScriptedPipeline(script)) as page:
        watched.tab.goto(page)
        ask(watched.tab, "q")
        link = watched.tab.locator("#panel .origin a")
        expect(link).to_have_attribute("href", f"cited/{source.document.id}")
        assert watched.ran() == []


def test_a_scripts_way_into_the_page_is_closed_by_its_policy(chromium: Browser) -> None:
    watched = Watched(chromium, bypass_csp=False)
    with served(ScriptedPipeline()) as address:
        watched.tab.goto(address)
        expect(watched.tab.locator("#welcome")).to_be_visible()
        blocked = watched.tab.evaluate(
            """payloads => new Promise(done => {
                const met = new Set();
                document.addEventListener("securitypolicyviolation", (event) => met.add(event.effectiveDirective));
                for (const payload of payloads) {
                    const place = document.createElement("div");
                    document.body.append(place);
                    place.innerHTML = payload;
                }
                const script = document.createElement("script");
                script.textContent = "window.__xss = 2";
                document.body.append(script);
                const link = document.createElement("a");
                link.href = "javascript:window.__xss=3";
                document.body.append(link);
                link.click();
                fetch("http://elsewhere.example/").catch(() => 0);
                new Image().src = "http://elsewhere.example/x.png";
                setTimeout(() => done([...met].sort()), 500);
            })""",
            list(RUNS_AS_MARKUP),
        )
        assert watched.ran() == []
        assert blocked == ["connect-src", "img-src", "script-src-attr", "script-src-elem"]
    watched.context.close()


def test_no_other_page_can_frame_it(chromium: Browser) -> None:
    context = chromium.new_context()
    tab = context.new_page()
    with served(ScriptedPipeline()) as address:
        frame = f"<iframe src='{address}'></iframe>"
        tab.route("http://elsewhere.example/", lambda route: route.fulfill(body=frame, content_type="text/html"))
        tab.goto("http://elsewhere.example/")
        tab.wait_for_timeout(500)
        assert [frame.url for frame in tab.frames[1:]] != [address]
        assert tab.frames[1].locator("#welcome").count() == 0
    context.close()
