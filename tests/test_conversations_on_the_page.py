"""Conversations on the page: kept, found again, shared, taken up where a reader left them."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from rag.types import Finished, PassagesFound, TextPiece
from tests.page import SENTENCE, ScriptedPipeline, Step, answer, ask, passage, served, usual

pytestmark = pytest.mark.browser


@pytest.fixture
def reader(chromium: Browser) -> Iterator[Page]:
    """A tab in a browser that keeps its cookies, and may open others."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def finished(tab: Page, number: int = 1) -> None:
    expect(tab.locator(f"#exchange-{number} .timings")).to_be_visible()


def test_a_page_loaded_anew_in_the_middle_of_an_answer_shows_it_finished_afterwards(reader: Page) -> None:
    gate, first = threading.Event(), passage(1)
    text = "It pays US$20 million a month."
    script: list[Step] = [
        PassagesFound((first,)),
        TextPiece("It pays"),
        gate,
        Finished(answer("how much?", text, first)),
    ]
    pipeline = ScriptedPipeline(script)
    with served(pipeline) as address:
        reader.goto(address)
        ask(reader, "how much?")
        expect(reader.locator("#current .answer")).to_have_text("It pays")
        reader.wait_for_url("**/?c=*")
        reader.reload()
        expect(reader.locator("#current .answer")).to_have_text("It pays")
        gate.set()
        finished(reader)
        expect(reader.locator("#current .answer")).to_contain_text(text)
        reader.reload()
        finished(reader)
        expect(reader.locator("#panel mark")).to_have_text(SENTENCE)
    assert len(pipeline.asked) == 1


def test_conversations_survive_a_restart_and_stay_with_their_browser(
    reader: Page, chromium: Browser, tmp_path: Path
) -> None:
    with served(ScriptedPipeline(usual()), conversations=tmp_path) as address:
        reader.goto(address)
        ask(reader, "how much?")
        finished(reader)
        port = int(address.rstrip("/").rpartition(":")[2])
        there = reader.url
    with served(ScriptedPipeline(), conversations=tmp_path, port=port):
        reader.goto(there)
        finished(reader)
        stranger = chromium.new_context().new_page()
        stranger.goto(there)
        expect(stranger.locator("#status")).to_have_text("That conversation isn’t here.")
        expect(stranger.locator(".exchange")).to_have_count(0)
        stranger.context.close()


def test_two_tabs_do_not_mix_their_conversations(reader: Page) -> None:
    gate, one = threading.Event(), passage(1)
    slow: list[Step] = [PassagesFound((one,)), gate, Finished(answer("first?", "It is first.", one))]
    with served(ScriptedPipeline(slow, usual(), usual())) as address:
        other = reader.context.new_page()
        reader.goto(address)
        other.goto(address)
        ask(reader, "first?")
        expect(reader.locator("#current .working")).to_be_visible()
        ask(other, "second?")
        gate.set()
        finished(reader)
        finished(other)
        expect(reader.locator(".question")).to_have_text(["first?"])
        expect(other.locator(".question")).to_have_text(["second?"])
        assert reader.url != other.url


def test_an_answer_goes_on_while_its_reader_looks_at_another_conversation(reader: Page) -> None:
    gate, one = threading.Event(), passage(1)
    slow: list[Step] = [PassagesFound((one,)), gate, Finished(answer("slow?", "It is slow.", one))]
    with served(ScriptedPipeline(usual(), slow)) as address:
        reader.goto(address)
        ask(reader, "quick?")
        finished(reader)
        reader.click("#new")
        expect(reader.locator(".exchange")).to_have_count(0)
        ask(reader, "slow?")
        expect(reader.locator("#current .working")).to_be_visible()
        reader.get_by_role("button", name="Conversations").click()
        reader.locator(".saved button", has_text="quick?").click()
        expect(reader.locator(".question")).to_have_text(["quick?"])
        gate.set()
        reader.get_by_role("button", name="Conversations").click()
        reader.locator(".saved button", has_text="slow?").click()
        expect(reader.locator("#current .answer")).to_contain_text("It is slow.")


def test_a_question_is_asked_again_and_edited_and_what_followed_goes(reader: Page) -> None:
    pipeline = ScriptedPipeline(*[usual() for _ in range(4)])
    with served(pipeline) as address:
        reader.goto(address)
        ask(reader, "one?")
        finished(reader, 1)
        ask(reader, "two?")
        finished(reader, 2)
        reader.locator("#exchange-2").get_by_role("button", name="Ask again").click()
        expect(reader.locator("#exchange-2.pending")).to_have_count(0)
        finished(reader, 2)
        reader.locator("#exchange-1").get_by_role("button", name="Edit question").click()
        expect(reader.locator("#box textarea")).to_have_value("one?")
        ask(reader, "uno?")
        expect(reader.locator(".question")).to_have_text(["uno?"])
        finished(reader, 1)
        reader.reload()
        expect(reader.locator(".question")).to_have_text(["uno?"])
    assert [question for question, _ in pipeline.asked] == ["one?", "two?", "two?", "uno?"]


def test_a_vote_with_its_reason_is_kept_and_can_be_taken_back(reader: Page) -> None:
    with served(ScriptedPipeline(usual())) as address:
        reader.goto(address)
        ask(reader, "how much?")
        finished(reader)
        bad = reader.get_by_role("button", name="Bad answer")
        bad.click()
        reader.get_by_role("button", name="It is wrong").click()
        expect(reader.get_by_role("button", name="It is wrong")).to_have_attribute("aria-pressed", "true")
        reader.reload()
        expect(bad).to_have_attribute("aria-pressed", "true")
        bad.click()
        expect(bad).to_have_attribute("aria-pressed", "false")
        expect(reader.get_by_role("button", name="It is wrong")).to_have_count(0)


def test_a_conversation_is_renamed_found_exported_shared_and_deleted(reader: Page, chromium: Browser) -> None:
    with served(ScriptedPipeline(usual())) as address:
        reader.goto(address)
        ask(reader, "how much?")
        finished(reader)
        reader.get_by_text("This conversation").click()
        reader.get_by_label("Title").fill("The bill of TikTok")
        reader.get_by_role("button", name="Rename").click()
        expect(reader.locator(".saved")).to_contain_text("The bill of TikTok")
        with reader.expect_download() as download:
            reader.get_by_role("button", name="Markdown").click()
        written = Path(download.value.path()).read_text(encoding="utf-8")
        assert "The bill of TikTok" in written
        assert SENTENCE in written
        reader.get_by_role("button", name="Share a link").click()
        link = reader.locator("a.shared")
        expect(link).to_be_visible()
        shared = f"{address}{link.get_attribute('href')}"
        stranger = chromium.new_context().new_page()
        stranger.goto(shared)
        finished(stranger)
        expect(stranger.locator("#composer")).to_be_hidden()
        expect(stranger.locator(".tools")).to_have_count(0)
        reader.get_by_role("button", name="Stop sharing").click()
        expect(link).to_have_count(0)
        stranger.reload()
        expect(stranger.locator("#status")).to_have_text("That conversation isn’t here.")
        stranger.context.close()
        reader.get_by_role("button", name="Conversations").click()
        reader.get_by_label("Search conversations").fill("million")
        expect(reader.locator(".saved small mark")).to_have_text("million")
        reader.get_by_label("Search conversations").fill("billion")
        expect(reader.locator("#saved")).to_have_text("Nothing found.")
        reader.keyboard.press("Escape")
        delete = reader.locator("[data-act=delete]")
        delete.click()
        expect(delete).to_have_text("Delete for good?")
        delete.click()
        expect(reader.locator(".exchange")).to_have_count(0)
        reader.get_by_role("button", name="Conversations").click()
        reader.get_by_label("Search conversations").fill("")
        expect(reader.locator("#saved")).to_have_text("Conversations are kept here.")


def test_an_answer_is_copied_and_its_suggestions_are_asked(reader: Page) -> None:
    pipeline = ScriptedPipeline(usual(), usual())
    pipeline.suggestions = ("Who pays Microsoft?",)
    with served(pipeline) as address:
        reader.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
        reader.goto(address)
        ask(reader, "how much?")
        finished(reader)
        reader.get_by_role("button", name="Copy with sources").click()
        expect(reader.get_by_role("button", name="Copied")).to_be_visible()
        copied = reader.evaluate("navigator.clipboard.readText()")
        assert "It pays US$20 million a month. [1]" in copied
        assert f"“{SENTENCE}”" in copied
        reader.locator("#suggested").get_by_role("button", name="Who pays Microsoft?").click()
        finished(reader, 2)
    assert [question for question, _ in pipeline.asked] == ["how much?", "Who pays Microsoft?"]


def test_the_keyboard_reaches_everything_without_a_mouse(reader: Page) -> None:
    with served(ScriptedPipeline(usual(), [threading.Event()])) as address:
        reader.goto(address)
        ask(reader, "how much?")
        finished(reader)
        reader.locator("#source-1-1").focus()
        reader.keyboard.press("ArrowDown")
        expect(reader.locator("#source-1-2")).to_be_focused()
        reader.keyboard.press("ArrowUp")
        expect(reader.locator("#source-1-1")).to_be_focused()
        reader.keyboard.press("/")
        expect(reader.locator("#box textarea")).to_be_focused()
        ask(reader, "and then?")
        expect(reader.locator("#current .working")).to_be_visible()
        reader.keyboard.press("Escape")
        expect(reader.locator("#status")).to_have_text("Stopped.")
