"""Take the pictures in docs/ of the page, with the real models and the sample articles.

python -m tools.screenshots             # all of them, into docs/
python -m tools.screenshots /tmp/pics
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from rag.indexing import index_paths
from rag.page.serving import serving
from rag.pipeline import library_identity, open_embedder
from rag.settings import load_settings
from tests.browser import ARGUMENTS, chromium_path, free_port

ROOT = Path(__file__).parent.parent
ANSWERED = "how much does TikTok pay Microsoft?"
REFUSED = "Who is the CEO of Netflix?"
PATIENCE = 600_000
"""Milliseconds for the models to load and answer."""


def ask(tab: Page, question: str, number: int) -> None:
    """Wait for the answer, exchange `number` of the conversation."""
    tab.fill("#box textarea", question)
    tab.press("#box textarea", "Enter")
    tab.wait_for_selector(f"#exchange-{number} .timings", timeout=PATIENCE)
    tab.wait_for_timeout(4000)  # the questions to go on with


def take(tab: Page, folder: Path, name: str) -> None:
    """What is in the window, once it stands still."""
    tab.wait_for_timeout(700)
    tab.screenshot(path=folder / f"{name}.png")


def walk(tab: Page, folder: Path) -> None:
    """From an answer to all that can be looked at beside it."""
    ask(tab, ANSWERED, 1)
    take(tab, folder, "page")
    tab.click("#exchange-1 .cite >> nth=0")
    tab.wait_for_selector("#reading .target")
    take(tab, folder, "article")
    tab.keyboard.press("Escape")
    tab.get_by_role("button", name="How it came about").click()
    tab.wait_for_selector("#reading .inspection", timeout=PATIENCE)
    take(tab, folder, "inspector")
    tab.keyboard.press("Escape")
    tab.emulate_media(color_scheme="dark")
    tab.reload()
    tab.wait_for_selector("#exchange-1 .timings")
    take(tab, folder, "dark")
    tab.emulate_media(color_scheme="light")
    tab.reload()
    tab.wait_for_selector("#exchange-1 .timings")
    tab.set_viewport_size({"width": 390, "height": 800})
    take(tab, folder, "phone")
    tab.set_viewport_size({"width": 1280, "height": 800})
    tab.click("#new")
    tab.wait_for_selector(".exchange", state="detached")
    ask(tab, REFUSED, 1)
    take(tab, folder, "refusal")
    tab.get_by_role("tab", name="Library").click()
    tab.wait_for_timeout(3000)
    take(tab, folder, "library")


def main() -> None:
    """Serve the sample articles and walk through the page."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs"
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        settings = load_settings(index=Path(place), port=free_port())
        embedder = open_embedder(settings)
        index_paths([ROOT / "seeds"], settings.index, library_identity(settings, embedder), embedder)
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(ARGUMENTS))
        with serving(settings) as address:
            tab = browser.new_page(viewport={"width": 1280, "height": 800})
            tab.goto(address)
            tab.wait_for_selector(".examples button", timeout=PATIENCE)
            walk(tab, folder)
        browser.close()


if __name__ == "__main__":
    main()
