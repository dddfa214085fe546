"""A question that is being typed, in a real browser: it is prepared, nothing of that shows, and asking ends it."""

import threading
import time

import pytest
from playwright.sync_api import Browser, Page, expect

from rag.types import Turn
from tests.page import ScriptedPipeline, ask, served, usual
from tests.test_desk import until
from tests.test_desk_ahead import ENDLESS

pytestmark = pytest.mark.browser

TYPED = "how much does TikTok pay Microsoft a month?"


def test_what_is_typed_is_prepared_until_it_is_asked_and_the_box_keeps_every_letter(tab: Page) -> None:
    pipeline = ScriptedPipeline(usual(TYPED), usual())
    pipeline.work = ENDLESS
    with served(pipeline) as address:
        tab.goto(address)
        box = tab.locator("#box textarea")
        expect(tab.locator("#welcome .examples button").first).to_be_visible()
        place = tab.locator("#question").bounding_box()
        box.press_sequentially(TYPED, delay=60)
        until(lambda: bool(pipeline.typed) and pipeline.typed[-1] == (TYPED, (), None))
        assert all(len(text.split()) >= 3 and TYPED.startswith(text) for text, _, _ in pipeline.typed)
        assert 2 <= len(pipeline.typed) <= 6  # as words were ended, not as letters were typed
        assert pipeline.typed_ended == [text for text, _, _ in pipeline.typed[:-1]]  # the newest goes on
        expect(box).to_have_value(TYPED)
        assert tab.locator("#question").bounding_box() == place
        box.press("Enter")
        expect(tab.locator("#current .answer")).to_contain_text("It pays US$20 million a month.")
        assert pipeline.asked == [(TYPED, ())]
        assert [given.question for given in pipeline.given] == [TYPED]
        assert pipeline.typed_ended == [text for text, _, _ in pipeline.typed]
        expect(box).to_have_value("")

        pipeline.typed.clear()
        box.press_sequentially("and since when?", delay=60)  # after an answer it comes with what was said before
        history = (Turn(TYPED, "It pays US$20 million a month."),)
        until(lambda: ("and since when?", history, None) in pipeline.typed)
        box.press("Control+A")
        box.press("Delete")
        until(lambda: len(pipeline.typed_ended) > 0 and pipeline.typed_ended[-1] == "and since when?")


def test_a_closed_tab_and_another_readers_question_end_the_preparing(chromium: Browser) -> None:
    found, *rest = usual()
    answering = threading.Event()
    pipeline = ScriptedPipeline([found, answering, *rest])
    pipeline.work = ENDLESS
    with served(pipeline) as address:
        first, second = chromium.new_page(), chromium.new_page()
        for tab in (first, second):
            tab.goto(address)
            expect(tab.locator("#welcome .examples button").first).to_be_visible()
            tab.locator("#box textarea").fill("who pays whom")
            until(lambda: len(pipeline.typed) > len(pipeline.typed_ended))
            if tab is first:
                tab.close()
                until(lambda: len(pipeline.typed_ended) == 1)
        third = chromium.new_page()
        third.goto(address)
        ask(third, "how much?")
        until(lambda: len(pipeline.typed_ended) == 2)
        answering.set()
        expect(third.locator("#current .answer")).to_contain_text("It pays")
        for tab in (second, third):
            tab.close()


def test_nothing_is_told_where_that_is_turned_off(tab: Page) -> None:
    pipeline = ScriptedPipeline(usual())
    with served(pipeline, ahead=False) as address:
        tab.goto(address)
        expect(tab.locator("#welcome .examples button").first).to_be_visible()
        tab.locator("#box textarea").press_sequentially(TYPED, delay=20)
        time.sleep(1)
        tab.locator("#box textarea").press("Enter")
        expect(tab.locator("#current .answer")).to_contain_text("It pays")
        assert (pipeline.typed, pipeline.given[0].question) == ([], "")
