"""The page in a browser that speaks another language: nothing of its own is left in English."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from rag.types import Finished, PassagesFound, TextPiece
from tests.page import ScriptedPipeline, answer, ask, passage, refusal, served

pytestmark = pytest.mark.browser

BILL = "TikTok ist groß. TikTok zahlt Microsoft 20 Millionen Dollar im Monat. Es begann im März."
PAYS = "TikTok zahlt Microsoft 20 Millionen Dollar im Monat."
ENGLISH = re.compile(
    r"\b(the|and|of|to|ask|asks|answers?|answered|this|that|with|from|is|it|not|for|sources?|copy|found|first|library|"
    r"questions?|articles?|stop|new|conversations?|read|reading|good|bad|back|share|save|delete|partly|supported)\b",
    re.IGNORECASE,
)
"""Words by which English is known; none of them is German."""

TEXTS = """() => {
  const seen = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT);
  for (let at = walk.currentNode; at; at = walk.nextNode()) {
    if (at.matches("script, style, svg *") || !at.checkVisibility()) continue;
    for (const name of ["aria-label", "title", "placeholder"]) seen.push(at.getAttribute(name) ?? "");
    for (const child of at.childNodes) if (child.nodeType === Node.TEXT_NODE) seen.push(child.textContent.trim());
  }
  return [...new Set(seen)].filter(Boolean);
}"""


@contextmanager
def tab_in(chromium: Browser, locale: str) -> Iterator[Page]:
    context = chromium.new_context(locale=locale, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def in_english(tab: Page) -> list[str]:
    return [text for text in tab.evaluate(TEXTS) if ENGLISH.search(text)]


def test_a_german_reader_asks_and_is_answered_and_refused_in_german(chromium: Browser) -> None:
    gate = threading.Event()
    found = passage(1, BILL, "Die Rechnung", "seeds/rechnung.txt"), passage(2, "Nichts davon.", "Beiseite", "a.txt")
    given = Finished(answer("wie viel?", "Es zahlt 20 Millionen.", *found, cited=PAYS))
    pipeline = ScriptedPipeline(
        [PassagesFound(found), gate, TextPiece("Es zahlt"), given],
        [PassagesFound(found), Finished(refusal("wer?", *found))],
    )
    pipeline.beginnings, pipeline.suggestions = ("Wie viel zahlt TikTok?",), ("Wann begann es?",)
    with served(pipeline) as address, tab_in(chromium, "de-DE") as tab:
        tab.goto(address)
        expect(tab.get_by_role("button", name="Wie viel zahlt TikTok?")).to_be_visible()
        expect(tab.locator("#status")).to_have_text("Eingabe fragt, Umschalt + Eingabe beginnt eine neue Zeile.")
        expect(tab.locator("html")).to_have_attribute("lang", "de")
        assert in_english(tab) == []
        ask(tab, "wie viel?")
        expect(tab.locator(".working")).to_have_text("2 Stellen werden gelesen")
        assert in_english(tab) == []
        gate.set()
        expect(tab.locator("#current .answer")).to_have_text("Es zahlt 20 Millionen.[1]teilweise belegt")
        expect(tab.locator("#current .timings")).to_contain_text("erstes Wort 0,9 s · Antwort 3,1 s")
        expect(tab.locator("#status")).to_have_text("Aus 1 Quelle beantwortet.")
        expect(tab.get_by_role("button", name="Wann begann es?")).to_be_visible()
        tab.get_by_role("button", name="Schlechte Antwort").click()
        expect(tab.get_by_role("button", name="Sie ist falsch")).to_be_visible()
        tab.get_by_text("Diese Unterhaltung", exact=True).click()
        assert in_english(tab) == []
        tab.get_by_role("link", name="Quelle 1: Die Rechnung").click()
        expect(tab.get_by_role("button", name="Zurück zu den Quellen")).to_be_visible()
        tab.get_by_role("button", name="Unterhaltungen").click()
        expect(tab.get_by_label("Unterhaltungen durchsuchen")).to_be_visible()
        assert in_english(tab) == []
        tab.keyboard.press("Escape")
        ask(tab, "wer?")
        expect(tab.locator(".refusal h3")).to_have_text("Das sagen die Artikel nicht.")
        expect(tab.locator("#panel h2:visible")).to_have_text("Am nächsten, aber keine Antwort")
        assert in_english(tab) == []
        tab.get_by_role("tab", name="Stapel").click()
        expect(tab.get_by_role("heading", name="Auswertungen")).to_be_visible()
        assert in_english(tab) == ["question"]  # which is how a column has to be called


@pytest.mark.parametrize(("locale", "language", "heading"), [("fr-CA", "fr", "Interrogez vos articles"),
    ("es-MX", "es", "Pregunte a sus artículos"), ("pt-BR", "en", "Ask your articles")])  # fmt: skip
def test_the_browser_chooses_and_an_unknown_language_is_english(
    chromium: Browser, locale: str, language: str, heading: str
) -> None:
    with served(ScriptedPipeline()) as address, tab_in(chromium, locale) as tab:
        tab.goto(address)
        expect(tab.get_by_role("heading", name=heading)).to_be_visible()
        expect(tab.locator(".examples button").first).to_be_visible()
        expect(tab.locator("html")).to_have_attribute("lang", language)
