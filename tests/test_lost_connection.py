"""A connection that is lost for a while: the open tab takes everything up again by itself."""

import threading

import pytest
from playwright.sync_api import Browser, Page, expect

from rag.types import Finished, PassagesFound, TextPiece
from tests.page import ScriptedPipeline, Step, answer, ask, passage, served, usual
from tests.relay import relayed

pytestmark = pytest.mark.browser

TEXT = "It pays US$20 million a month."


def test_ten_seconds_without_a_connection_lose_nothing_though_others_wait(tab: Page, chromium: Browser) -> None:
    gate, end, first = threading.Event(), threading.Event(), passage(1)
    finished = Finished(answer("how much?", TEXT, first))
    script: list[Step] = [PassagesFound((first,)), TextPiece("It pays"), gate, TextPiece(" US$20"), end, finished]
    pipeline = ScriptedPipeline(script, usual())
    with served(pipeline) as page, relayed(page) as relay:
        tab.goto(relay.address)
        ask(tab, "how much?")
        expect(tab.locator("#current .answer")).to_have_text("It pays")
        tab.fill("#box textarea", "and per year?")
        other = chromium.new_page()
        other.goto(page)
        ask(other, "mine?")
        expect(other.locator(".working")).to_have_text("This question waits for another.")
        relay.cut()
        line = tab.get_by_text("The connection is lost. The answer goes on")
        expect(line).to_be_visible()
        expect(tab.locator("[data-testid=toast-body]")).to_be_hidden()
        gate.set()
        tab.wait_for_timeout(10_000)
        expect(line).to_be_visible()
        relay.mend()
        expect(tab.locator("#current .answer")).to_have_text("It pays US$20", timeout=60_000)
        expect(line).to_have_count(0)
        expect(tab.locator("#box textarea")).to_have_value("and per year?")
        end.set()
        expect(tab.locator("#current .answer")).to_contain_text(TEXT)
        expect(tab.locator("#current .timings")).to_be_visible()
        expect(other.locator("#current .timings")).to_be_visible()
        other.close()
    assert [question for question, _ in pipeline.asked] == ["how much?", "mine?"]


def test_a_question_that_could_not_be_sent_is_still_there_when_the_connection_is_back(tab: Page) -> None:
    with served(ScriptedPipeline(usual())) as page, relayed(page) as relay:
        tab.goto(relay.address)
        expect(tab.locator(".examples button").first).to_be_visible()
        relay.cut()
        ask(tab, "how much?")
        expect(tab.get_by_text("The connection is lost. This page goes on")).to_be_visible()
        relay.mend()
        expect(tab.locator("#lost")).to_have_count(0, timeout=60_000)
        expect(tab.locator("#box textarea")).to_have_value("how much?")
        tab.press("#box textarea", "Enter")
        expect(tab.locator("#current .timings")).to_be_visible()
