"""What axe-core finds on every view, light and dark: nothing serious."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from rag.errors import RagError
from rag.page.asking import HINT
from rag.types import Finished, PassagesFound
from tests.page import ScriptedPipeline, Step, ask, passage, refusal, served, usual
from tests.page_library.shelved import BILL, filled, settings_for, shown, written

pytestmark = pytest.mark.browser


def faults(tab: Page) -> list[str]:
    """Serious and critical violations, each with the elements that show it."""
    found = Axe().run(tab).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def nothing(tab: Page) -> None:
    """The empty conversation, once it offers examples."""
    expect(tab.locator(".examples button").first).to_be_visible()


def an_answer(tab: Page) -> None:
    ask(tab, "how much?")
    expect(tab.locator("#current .timings")).to_be_visible()


def a_bad_answer(tab: Page) -> None:
    an_answer(tab)
    tab.get_by_role("button", name="Bad answer").click()
    expect(tab.get_by_role("button", name="It is wrong")).to_be_visible()
    tab.get_by_text("This conversation").click()


def an_article(tab: Page) -> None:
    an_answer(tab)
    tab.locator("#current .cite").click()
    expect(tab.locator("#reading h2")).to_be_visible()


def a_refusal(tab: Page) -> None:
    ask(tab, "who?")
    expect(tab.locator(".refusal")).to_be_visible()


def an_error(tab: Page) -> None:
    ask(tab, "fail?")
    expect(tab.locator("#current .error")).to_be_visible()


def the_drawer(tab: Page) -> None:
    an_answer(tab)
    tab.get_by_role("button", name="Conversations").click()
    expect(tab.locator(".saved button")).to_be_visible()


def the_library(tab: Page) -> None:
    tab.get_by_role("tab", name="Library").click()
    tab.wait_for_timeout(1000)


def files_of_questions(tab: Page) -> None:
    tab.get_by_role("tab", name="In bulk").click()
    expect(tab.locator("#bulk-intro h2, #bulk-reports *").first).to_be_visible()
    tab.wait_for_timeout(1000)


REFUSED: list[Step] = [PassagesFound((passage(1),)), Finished(refusal("who?", passage(1)))]
FAILED: list[Step] = [RagError("The model’s file is gone. Run `rag models fetch`.")]

VIEWS: dict[str, tuple[Callable[[Page], None], list[Step]]] = {
    "nothing": (nothing, []),
    "answer": (an_answer, usual()),
    "bad answer": (a_bad_answer, usual()),
    "article": (an_article, usual()),
    "refusal": (a_refusal, REFUSED),
    "error": (an_error, FAILED),
    "drawer": (the_drawer, usual()),
    "library": (the_library, []),
    "bulk": (files_of_questions, []),
}


def an_opened_article(tab: Page) -> None:
    tab.get_by_role("tab", name="Library").click()
    tab.get_by_role("button", name="The bill").click()
    expect(tab.get_by_role("heading", name="The bill")).to_be_focused()
    tab.get_by_role("button", name="Remove …").click()
    expect(tab.get_by_role("alertdialog")).to_be_visible()


def an_inspection(tab: Page) -> None:
    ask(tab, "how much does TikTok pay Microsoft?")
    tab.get_by_role("button", name="How it came about").click()
    for part in ("Search", "Prompts"):
        tab.locator(".inspection-part").get_by_text(part, exact=True).click()
    expect(tab.locator(".inspection table").last).to_be_visible()


@pytest.mark.parametrize("show", [an_opened_article, an_inspection])
def test_axe_finds_nothing_serious_with_a_real_library(
    show: Callable[[Page], None], chromium: Browser, tmp_path: Path
) -> None:
    settings = filled(settings_for(tmp_path), written(tmp_path / "news", bill=f"The bill\n\n{BILL}"))
    found: dict[str, list[str]] = {}
    with shown(settings) as address:
        for scheme in ("light", "dark"):
            tab = chromium.new_page(color_scheme="dark" if scheme == "dark" else "light")
            tab.goto(address)
            expect(tab.locator("#status")).to_have_text(HINT)
            show(tab)
            found[scheme] = faults(tab)
            tab.close()
    assert found == {"light": [], "dark": []}


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_serious(view: str, chromium: Browser) -> None:
    show, script = VIEWS[view]
    found: dict[str, list[str]] = {}
    for scheme in ("light", "dark"):
        with served(ScriptedPipeline(script)) as address:
            tab = chromium.new_page(color_scheme="dark" if scheme == "dark" else "light")
            tab.goto(address)
            nothing(tab)
            show(tab)
            found[scheme] = faults(tab)
            tab.close()
    assert found == {"light": [], "dark": []}
