"""The page in a real browser, with a pipeline that follows a script."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import app
from rag import desk, talks
from rag.errors import LibraryEmpty, QuestionError, RagError
from rag.page.asking import HINT
from rag.page.serving import serving
from rag.settings import Settings, load_settings
from rag.types import Finished, PassagesFound, TextPiece, Turn
from tests.browser import free_port
from tests.page import ARTICLE, SENTENCE, ScriptedPipeline, Step, answer, ask, passage, refusal, served, usual

browser_test = pytest.mark.browser

HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script> **bold** ${window.hacked=1} {{x}}'


@browser_test
def test_an_answer_with_its_marks_and_sources(tab: Page) -> None:
    with served(ScriptedPipeline(usual())) as address:
        tab.goto(address)
        expect(tab).to_have_title("Citeline")
        ask(tab, "how much?")
        expect(tab.locator("#current .question")).to_have_text("how much?")
        expect(tab.locator("#current .answer")).to_have_text("It pays US$20 million a month.[1]partly supported")
        expect(tab.locator(".timings")).to_have_text(
            "first word 0.9 s · answer 3.1 s · found in 0.05 s · tiny-reader on scripted"
        )
        expect(tab.locator("#panel h2")).to_have_text("Sources")
        expect(tab.locator(".source h3")).to_have_text(["The bill", "An aside"])
        expect(tab.locator(".source .origin")).to_have_text(["bill.txt", "bill.txt"])
        expect(tab.locator("#panel mark")).to_have_text([SENTENCE])
        expect(tab.locator("#status")).to_have_text("Answered from 1 source.")


@browser_test
def test_a_mark_leads_to_its_source_by_mouse_and_by_keyboard(tab: Page) -> None:
    with served(ScriptedPipeline(usual())) as address:
        tab.goto(f"{address}?__theme=light")
        ask(tab, "how much?")
        mark = tab.locator("#current .cite")
        expect(mark).to_have_attribute("title", SENTENCE)
        mark.click()
        cited = tab.locator("#reading .passage mark")
        expect(cited).to_be_focused()
        expect(cited).to_have_text(SENTENCE)
        expect(tab.locator("#reading h2")).to_have_text("The bill")
        tab.click("#reading [data-act=close]")
        expect(tab.locator("#panel")).to_be_visible()
        mark.focus()
        tab.keyboard.press("Enter")
        expect(cited).to_be_focused()
        tab.keyboard.press("Escape")
        expect(tab.locator("#panel")).to_be_visible()
        assert "__theme=light" in tab.url  # following a mark doesn't load the page anew


@browser_test
def test_evidence_comes_before_the_answer(tab: Page) -> None:
    gate = threading.Event()
    script = usual()
    with served(ScriptedPipeline([script[0], gate, *script[1:]])) as address:
        tab.goto(address)
        ask(tab, "how much?")
        expect(tab.locator(".source .passage").first).to_have_text(ARTICLE)
        expect(tab.locator("#panel mark")).to_have_count(0)
        expect(tab.locator(".working")).to_have_text("Reading 2 passages")
        gate.set()
        expect(tab.locator("#panel mark")).to_have_count(1)


@browser_test
def test_marks_are_links_while_the_answer_is_being_written(tab: Page) -> None:
    gate = threading.Event()
    with served(ScriptedPipeline([PassagesFound((passage(1),)), TextPiece("Yes [1], no [7]"), gate])) as address:
        tab.goto(address)
        ask(tab, "how much?")
        expect(tab.locator(".writing")).to_have_text("Yes [1], no [7]")
        expect(tab.locator(".writing .cite")).to_have_text(["[1]"])
        gate.set()


@browser_test
def test_stop_ends_the_answer_and_closes_its_generator(tab: Page) -> None:
    pipeline = ScriptedPipeline([PassagesFound((passage(1),)), TextPiece("It pays "), threading.Event()], usual())
    with served(pipeline) as address:
        tab.goto(address)
        ask(tab, "how much?")
        expect(tab.locator(".writing")).to_have_text("It pays ")
        expect(tab.locator("#ask")).to_be_hidden()
        tab.click("#stop")
        assert pipeline.left_early.wait(5)
        expect(tab.locator("#current .note")).to_have_text("Stopped. The answer is unfinished and unchecked.")
        expect(tab.locator("#current .answer")).to_have_text("It pays ")
        expect(tab.locator("#stop")).to_be_hidden()
        ask(tab, "how much?")
        expect(tab.locator("#current .timings")).to_be_visible()
        expect(tab.locator("#past .note")).to_be_visible()
        assert pipeline.asked[1] == ("how much?", ())  # what was stopped is no history


@browser_test
def test_stop_shows_at_once_even_while_the_pipeline_is_deaf(tab: Page) -> None:
    gate = threading.Event()

    class Deaf(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002
            return gate.wait(20)

    pipeline = ScriptedPipeline([PassagesFound(()), Deaf(), TextPiece("late"), TextPiece("later")])
    with served(pipeline) as address:
        tab.goto(address)
        ask(tab, "how much?")
        tab.click("#stop")
        expect(tab.locator("#current .note")).to_have_text("Stopped before the answer began.")
        assert not pipeline.left_early.is_set()
        gate.set()
        assert pipeline.left_early.wait(5)


@browser_test
def test_an_answer_whose_tab_was_closed_is_stopped(chromium: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talks, "LEFT", 0.3)
    pipeline = ScriptedPipeline([PassagesFound((passage(1),)), threading.Event()])
    with served(pipeline) as address:
        tab = chromium.new_page()
        tab.goto(address)
        ask(tab, "how much?")
        expect(tab.locator(".source")).to_be_visible()
        tab.close()
        assert pipeline.left_early.wait(10)


@browser_test
def test_a_refusal_looks_like_one(tab: Page) -> None:
    pipeline = ScriptedPipeline([PassagesFound((passage(1),)), Finished(refusal("who?", passage(1)))])
    with served(pipeline) as address:
        tab.goto(address)
        ask(tab, "who?")
        expect(tab.locator(".refusal h3")).to_have_text("The articles don’t say.")
        expect(tab.locator(".refusal p").first).to_have_text(
            "The passages touch on the question, but probably don’t state the answer."
        )
        expect(tab.locator("#panel h2")).to_have_text("Closest, but not an answer")
        expect(tab.locator("#current .answer")).to_have_count(0)


@browser_test
def test_an_error_becomes_a_card_and_the_question_comes_back(tab: Page) -> None:
    pipeline = ScriptedPipeline([QuestionError("Too long. Try `rag ask`.")], [ValueError("secret detail")], usual())
    with served(pipeline) as address:
        tab.goto(address)
        ask(tab, "long question")
        expect(tab.locator("#current .error p")).to_have_text("Too long. Try rag ask.")
        expect(tab.locator("#current .error code")).to_have_text("rag ask")
        expect(tab.locator("#box textarea")).to_have_value("long question")
        ask(tab, "another")
        expect(tab.locator("#current .error p")).to_have_text(desk.UNFORESEEN)
        expect(tab.locator("body")).not_to_contain_text("secret detail")
        ask(tab, "how much?")
        expect(tab.locator("#current .timings")).to_be_visible()


@browser_test
def test_hostile_text_stays_text(tab: Page) -> None:
    source = passage(1, f"{HOSTILE} {SENTENCE}", HOSTILE, f"seeds/{HOSTILE}")
    script: list[Step] = [
        PassagesFound((source,)),
        TextPiece(HOSTILE),
        Finished(answer(HOSTILE, HOSTILE, source, cited=f"{HOSTILE} {SENTENCE}")),
    ]
    i18n = '__i18n__{"__type__":"translation_metadata","key":"common.submit"}'
    with served(ScriptedPipeline(script, [RagError(HOSTILE)], usual(i18n))) as address:
        tab.goto(address)
        ask(tab, HOSTILE)
        expect(tab.locator("#current .timings")).to_be_visible()
        expect(tab.locator("#current .question")).to_have_text(HOSTILE)
        expect(tab.locator("#current .answer")).to_contain_text(HOSTILE)
        expect(tab.locator(".source h3")).to_have_text(HOSTILE)
        expect(tab.locator("#panel mark")).to_have_text(f"{HOSTILE} {SENTENCE}")
        expect(tab.locator("#current .cite")).to_have_attribute("title", f"{HOSTILE} {SENTENCE}")
        ask(tab, "again")
        expect(tab.locator("#current .error p")).to_have_text(HOSTILE)
        ask(tab, i18n)
        expect(tab.locator("#current .question")).to_have_text(i18n)
        assert tab.evaluate("window.hacked") is None
        assert tab.locator("#desk :is(img, script, strong, em)").count() == 0


@browser_test
def test_a_question_asked_while_loading_waits_in_sight(tab: Page) -> None:
    gate = threading.Event()
    pipeline = ScriptedPipeline(usual())

    def slow(_settings: Settings, report: desk.Report) -> ScriptedPipeline:
        report("Loading the model", 42, 100)
        gate.wait(30)
        return pipeline

    with served(pipeline, slow) as address:
        tab.goto(address)
        expect(tab.locator("#status")).to_have_text("Loading the model … 42 %")
        expect(tab.locator("#status progress")).to_have_attribute("value", "42")
        ask(tab, "how much?")
        expect(tab.locator(".working")).to_have_text("This question waits. Loading the model … 42 %")
        gate.set()
        expect(tab.locator("#current .timings")).to_be_visible()
    assert pipeline.closed


@browser_test
def test_a_failed_start_can_be_tried_again(tab: Page) -> None:
    pipeline = ScriptedPipeline(usual())
    failures: list[Exception] = [LibraryEmpty("Nothing is indexed yet. Run `rag index seeds`."), OSError("secret")]

    def opener(_settings: Settings, _report: desk.Report) -> ScriptedPipeline:
        if failures:
            raise failures.pop(0)
        return pipeline

    with served(pipeline, opener) as address:
        tab.goto(address)
        expect(tab.locator("#failure h3")).to_have_text("Citeline could not start")
        expect(tab.locator("#failure code")).to_have_text("rag index seeds")
        ask(tab, "how much?")
        expect(tab.locator("#current .error p")).to_have_text("Nothing is indexed yet. Run rag index seeds.")
        tab.click("#retry")
        expect(tab.locator("#failure p")).to_have_text(desk.UNFORESEEN)
        tab.click("#retry")
        expect(tab.locator("#retry")).to_be_hidden()
        ask(tab, "how much?")
        expect(tab.locator("#current .timings")).to_be_visible()


@browser_test
def test_examples_follow_ups_and_a_new_conversation(tab: Page) -> None:
    pipeline = ScriptedPipeline(usual(), usual(), usual())
    with served(pipeline) as address:
        tab.goto(address)
        expect(tab.locator("#panel")).to_be_hidden()
        expect(tab.locator("#new")).to_be_hidden()
        expect(tab.locator("#status")).to_have_text(HINT)
        tab.locator(".examples button").first.click()
        expect(tab.locator("#current .timings")).to_be_visible()
        expect(tab.locator("#welcome")).to_be_hidden()
        ask(tab, "and per year?")
        expect(tab.locator("#exchange-2 .timings")).to_be_visible()
        expect(tab.locator("#past .exchange")).to_have_count(1)
        expect(tab.locator("#source-1-1")).to_be_hidden()
        tab.click("#exchange-1 .cite")
        expect(tab.locator("#reading .passage mark")).to_be_focused()
        expect(tab.locator("#panel")).to_be_hidden()
        tab.click("#new")
        expect(tab.locator("#welcome")).to_be_visible()
        expect(tab.locator(".exchange")).to_have_count(0)
        ask(tab, "anew")
        expect(tab.locator("#exchange-1 .timings")).to_be_visible()
    first = "how much does TikTok pay Microsoft?"
    turn = Turn(first, "It pays US$20 million a month.")
    assert pipeline.asked == [(first, ()), ("and per year?", (turn,)), ("anew", ())]


@browser_test
def test_an_empty_question_does_nothing(tab: Page) -> None:
    pipeline = ScriptedPipeline(usual())
    with served(pipeline) as address:
        tab.goto(address)
        expect(tab.locator("#status")).to_have_text(HINT)
        tab.press("#box textarea", "Enter")
        tab.click("#ask")
        expect(tab.locator("#box textarea")).to_be_focused()
        ask(tab, "   ")
        tab.wait_for_timeout(300)
        expect(tab.locator("#welcome")).to_be_visible()
        ask(tab, "how much?")
        expect(tab.locator("#current .timings")).to_be_visible()
    assert [question for question, _ in pipeline.asked] == ["how much?"]


@browser_test
def test_one_question_at_a_time_and_the_other_says_that_it_waits(tab: Page, chromium: Browser) -> None:
    gate = threading.Event()
    pipeline = ScriptedPipeline([PassagesFound((passage(1),)), gate, *usual()], usual())
    with served(pipeline) as address:
        tab.goto(address)
        ask(tab, "first")
        expect(tab.locator(".source").first).to_be_visible()
        other = chromium.new_page()
        other.goto(address)
        ask(other, "second")
        expect(other.locator(".working")).to_have_text("This question waits for another.")
        assert [question for question, _ in pipeline.asked] == ["first"]
        gate.set()
        expect(other.locator("#current .timings")).to_be_visible()
        other.close()


@browser_test
@pytest.mark.parametrize("width", [320, 375, 768])
def test_nothing_sticks_out_of_a_narrow_page(tab: Page, width: int) -> None:
    endless = "W" * 400
    source = passage(1, f"{endless} {SENTENCE}", endless, f"seeds/{endless}.txt")
    script: list[Step] = [PassagesFound((source,)), Finished(answer(endless, endless, source))]
    with served(ScriptedPipeline(script, [RagError(endless)])) as address:
        tab.set_viewport_size({"width": width, "height": 700})
        tab.goto(address)
        for shown in (".welcome", "#current .timings", "#current .error"):
            expect(tab.locator(shown)).to_be_visible()
            tab.wait_for_function(f"document.documentElement.scrollWidth === {width}")
            box, button = tab.locator("#box").bounding_box(), tab.locator("#ask, #stop").first.bounding_box()
            assert box
            assert not button or button["width"] < box["width"]
            ask(tab, endless)


@browser_test
def test_the_page_follows_the_system_into_the_dark(chromium: Browser) -> None:
    with served(ScriptedPipeline()) as address:
        shades = []
        for scheme in ("light", "dark"):
            tab = chromium.new_page(color_scheme=scheme)
            tab.goto(address)
            expect(tab.locator("#welcome")).to_be_visible()
            shades.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
            tab.close()
    assert shades == ["rgb(251, 250, 247)", "rgb(22, 24, 26)"]


def test_a_busy_port_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("RAG_PORT", str(port))
        assert app.main() == 1
    captured = capsys.readouterr()
    assert captured.err == f"Port {port} is already in use. Choose another, for example RAG_PORT={port + 1}.\n"


def test_a_host_that_is_not_ours_names_the_settings() -> None:
    settings = load_settings(host="192.0.2.1", login="never")
    with pytest.raises(RagError, match="Change RAG_HOST or RAG_PORT"), serving(settings):
        pass


def test_a_wrong_setting_ends_with_status_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_PORT", "many")
    assert app.main() == 2


def test_ctrl_c_ends_cleanly(tmp_path: Path) -> None:
    environment = {**os.environ, "RAG_PORT": str(free_port()), "RAG_INDEX": str(tmp_path), "RAG_OFFLINE": "1"}
    page = subprocess.Popen(
        [sys.executable, app.__file__],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(app.__file__).parent,
    )
    with page:
        assert page.stdout is not None
        assert re.fullmatch(r"Citeline is at http://127\.0\.0\.1:\d+/ \(Ctrl-C ends it\)\.\n", page.stdout.readline())
        time.sleep(0.5)
        page.send_signal(signal.SIGINT)
        _, errors = page.communicate(timeout=30)
    assert (page.returncode, errors) == (0, "")
