"""The whole product at once: real models, a real library, the page in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from rag.indexing import index_paths
from rag.page.serving import serving
from rag.pipeline import library_identity, open_embedder
from rag.settings import load_settings
from tests.browser import free_port

pytestmark = [pytest.mark.browser, pytest.mark.models]

SEEDS = Path(__file__).parent.parent / "seeds"
PATIENCE_MS = 300_000
"""The models load and read on whatever machine this is."""


def test_a_reader_asks_what_tiktok_pays_and_sees_the_answer_its_citation_and_the_sentence(
    tab: Page, tmp_path: Path, reader_file: Path
) -> None:
    assert reader_file.is_file()
    settings = load_settings(index=tmp_path, port=free_port())
    embedder = open_embedder(settings)
    index_paths([SEEDS], settings.index, library_identity(settings, embedder), embedder)
    with serving(settings) as address:
        tab.goto(address)
        tab.get_by_role("textbox", name="Question").fill("how much does TikTok pay Microsoft?")
        tab.keyboard.press("Enter")

        answer = tab.locator("#current .answer")
        expect(answer).to_contain_text("US$20 million", timeout=PATIENCE_MS)
        expect(tab.locator("#current .timings")).to_be_visible(timeout=PATIENCE_MS)
        citation = answer.get_by_role("link").first
        expect(citation).to_have_text("[1]")

        highlighted = tab.locator("#panel mark").first
        expect(highlighted).to_contain_text("US$20 million a month")
        citation.click()
        expect(highlighted).to_be_in_viewport()
