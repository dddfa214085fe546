"""A reader who has never seen the page finds the way by what can be read on it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.page import ScriptedPipeline, served
from tests.page_library.shelved import BILL, HARBOUR, filled, settings_for, shown, written

pytestmark = pytest.mark.browser


def test_by_visible_labels_alone_an_article_is_added_asked_checked_and_the_answer_saved(
    tab: Page, tmp_path: Path
) -> None:
    article = tmp_path / "bill.txt"
    article.write_text(f"The bill\n\nA note of the office. {BILL}", encoding="utf-8")
    settings = filled(settings_for(tmp_path), written(tmp_path / "news", harbour=f"Harbour\n\n{HARBOUR}"))
    with shown(settings) as address:
        tab.goto(address)
        tab.get_by_role("tab", name="Library").click()
        with tab.expect_file_chooser() as chooser:
            tab.get_by_text("Click to Upload").click()
        chooser.value.set_files(article)
        expect(tab.get_by_text("1 added.")).to_be_visible()
        expect(tab.get_by_role("button", name="The bill")).to_be_visible()
        tab.get_by_role("tab", name="Ask").click()
        tab.get_by_placeholder("Ask a question").fill("How much does TikTok pay Microsoft?")
        tab.get_by_role("button", name="Ask", exact=True).click()
        expect(tab.get_by_text("Answered from 1 source.")).to_be_visible()
        tab.get_by_role("link", name="Source 1: The bill").click()
        opened = tab.get_by_role("region", name="Article")
        expect(opened.get_by_role("heading", name="The bill")).to_be_visible()
        sentence = opened.locator("mark")
        expect(sentence).to_have_text("TikTok pays Microsoft twenty million dollars a month.")
        expect(sentence).to_be_focused()
        expect(sentence).to_be_in_viewport()
        tab.get_by_text("This conversation").click()
        with tab.expect_download() as download:
            tab.get_by_role("button", name="Markdown").click()
        saved = Path(download.value.path()).read_text(encoding="utf-8")
    assert download.value.suggested_filename.endswith(".md")
    assert "TikTok pays Microsoft twenty million dollars a month. [1]" in saved
    assert "1. **The bill**" in saved or "[1] **The bill**" in saved


def test_the_line_for_a_first_visit_goes_for_good_once_it_was_read(tab: Page) -> None:
    with served(ScriptedPipeline()) as address:
        tab.goto(address)
        line = tab.get_by_text("New here?")
        expect(line).to_be_visible()
        height = line.evaluate(
            "line => line.getBoundingClientRect().height / parseFloat(getComputedStyle(line).lineHeight)"
        )
        assert height < 2  # it is one line
        tab.get_by_role("button", name="Got it").click()
        expect(line).to_be_hidden()
        expect(tab.get_by_placeholder("Ask a question")).to_be_focused()
        expect(tab.get_by_role("heading", name="Ask your articles")).to_be_visible()  # it was no question
        tab.reload()
        expect(tab.get_by_role("button", name="how much does TikTok pay Microsoft?")).to_be_visible()
        expect(line).to_be_hidden()
