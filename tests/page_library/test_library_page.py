"""The library's view in a browser, with a real library, real indexing and the embedder of words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from rag.guarding import Users
from rag.index import writer_lock
from rag.settings import Settings
from tests.page import ask
from tests.page_library.shelved import BILL, HARBOUR, HOSTILE, filled, settings_for, shown, sources, written

pytestmark = pytest.mark.browser

ZEBRAS = "Zebras\n\nZebras graze in the savannah of Kenya. They are striped."
DROP = "#files input[type=file]"


@pytest.fixture
def news(tmp_path: Path) -> Path:
    hostile = f"{HOSTILE}\n\nNothing here but text. It is fine."
    return written(tmp_path / "news", bill=f"The bill\n\n{BILL}", harbour=f"Harbour\n\n{HARBOUR}", evil=hostile)


@contextmanager
def library_page(tab: Page, settings: Settings) -> Iterator[str]:
    with shown(settings) as address:
        tab.goto(address)
        open_library_view(tab)
        yield address


def open_library_view(tab: Page) -> None:
    tab.get_by_role("tab", name="Library").click()
    expect(tab.locator(".holdings")).to_be_visible()


def drop(tab: Page, *files: Path) -> None:
    tab.set_input_files(DROP, [str(file) for file in files])
    expect(tab.locator(".work:not(.running) .said")).to_be_visible()


def test_what_is_dropped_is_listed_with_a_result_each_and_asked_about(tab: Page, news: Path, tmp_path: Path) -> None:
    settings = filled(settings_for(tmp_path), news)
    new, bad, same = tmp_path / "zebras.txt", tmp_path / "broken.pdf", tmp_path / "again.txt"
    new.write_text(ZEBRAS)
    bad.write_bytes(b"nothing at all")
    same.write_text(f"The bill\n\n{BILL}")
    with library_page(tab, settings):
        expect(tab.locator(".holdings")).to_contain_text("3 articles in 3 passages · everything up to date")
        drop(tab, new, bad, same)
        results = tab.locator(".results li")
        expect(results).to_have_count(3)
        expect(results.nth(0)).to_contain_text("broken.pdf refused It is named .pdf but is no PDF")
        expect(tab.locator(".results")).to_contain_text("again.txt unchanged It is here already: The bill")
        expect(tab.locator(".results")).to_contain_text("zebras.txt added")
        expect(tab.locator(".work .said")).to_have_text("1 added, 1 unchanged, 1 refused.")
        tab.locator("#look-for").fill("savan")
        expect(tab.locator(".articles li")).to_have_count(1)
        tab.get_by_role("button", name="Zebras").click()
        expect(tab.locator(".opened .text")).to_contain_text("They are striped.")
        with tab.context.expect_page() as original:
            tab.get_by_role("link", name="Open the original").click()
        assert original.value.inner_text("body").startswith("Zebras")
        original.value.close()
        tab.get_by_role("button", name="Ask only this article").click()
        expect(tab.locator(".only-from")).to_have_text(re.compile("Only from: Zebras"))
        ask(tab, "how much does TikTok pay Microsoft?")
        expect(tab.locator("#current .timings")).to_be_visible()
        expect(tab.locator("#panel .source h3")).to_have_text(["Zebras"])
        tab.get_by_role("button", name="Ask all articles").click()
        expect(tab.locator(".only-from")).to_have_count(0)
        ask(tab, "how much does TikTok pay Microsoft?")
        expect(tab.locator("#panel .evidence:not([hidden]) .source h3").first).to_have_text("The bill")
    assert sources(settings) == ["bill.txt", "evil.txt", "harbour.txt", "zebras.txt"]
    assert [path.name for path in (settings.index / "uploads").iterdir()] == ["zebras.txt"]


def test_an_article_is_removed_after_a_question_and_its_upload_with_it(tab: Page, news: Path, tmp_path: Path) -> None:
    settings = filled(settings_for(tmp_path), news)
    new = tmp_path / "zebras.txt"
    new.write_text(ZEBRAS)
    with library_page(tab, settings):
        drop(tab, new)
        for title, promise in (("Zebras", "is deleted"), ("Harbour", "stays where it is")):
            tab.get_by_role("button", name=title, exact=True).click()
            tab.get_by_role("button", name="Remove …").click()
            expect(tab.get_by_role("alertdialog")).to_contain_text(promise)
            expect(tab.get_by_role("button", name="Keep it")).to_be_focused()
            tab.get_by_role("button", name="Remove it").click()
            expect(tab.locator(".opened")).to_have_count(0)
            expect(tab.locator(".results")).to_contain_text(title)
        tab.get_by_role("button", name="Sync").click()
        expect(tab.locator(".work .said")).to_contain_text("Nothing changed")
        expect(tab.locator(".articles li")).to_have_count(2)
    assert (news / "harbour.txt").exists()
    assert list((settings.index / "uploads").iterdir()) == []
    assert sources(settings) == ["bill.txt", "evil.txt"]


def test_what_changed_on_the_disk_is_said_and_synced_and_titles_are_only_text(
    tab: Page, news: Path, tmp_path: Path
) -> None:
    settings = filled(settings_for(tmp_path), news)
    (news / "bill.txt").write_text(f"The new bill\n\n{BILL} It ended in May.")
    (news / "harbour.txt").unlink()
    with library_page(tab, settings):
        expect(tab.locator(".holdings")).to_contain_text("2 not up to date")
        expect(tab.locator(".articles .stale")).to_have_text(["missing", "changed"])
        tab.get_by_role("button", name="Only not up to date").click()
        expect(tab.locator(".articles li")).to_have_count(2)
        tab.get_by_role("button", name="All", exact=True).click()
        tab.get_by_role("button", name="Sync").click()
        expect(tab.locator(".work .said")).to_have_text("1 updated, 1 removed.")
        expect(tab.locator(".holdings")).to_contain_text("2 articles in 2 passages · everything up to date")
        expect(tab.locator(".articles button")).to_have_text(["<img src=x onerror=alert(1)> gnp", "The new bill"])
        tab.get_by_label("Ask this article: <img src=x").check()
        expect(tab.locator(".articles li img")).to_have_count(0)
        with writer_lock(settings.index, "rag sync"):
            tab.get_by_role("button", name="Sync").click()
            expect(tab.locator(".work .trouble")).to_contain_text("Another `rag sync` (process")
        tab.get_by_role("tab", name="Ask").click()
        expect(tab.locator(".only-from bdi")).to_have_text("<img src=x onerror=alert(1)> gnp")


def test_the_first_article_makes_a_library(tab: Page, tmp_path: Path, news: Path) -> None:
    settings = filled(settings_for(tmp_path), news)
    with library_page(tab, settings):
        for _ in range(3):
            tab.locator(".articles button").first.click()
            tab.get_by_role("button", name="Remove …").click()
            tab.get_by_role("button", name="Remove it").click()
            expect(tab.locator(".opened")).to_have_count(0)
            expect(tab.locator(".work:not(.running)")).to_contain_text("1 removed.")
            tab.get_by_role("button", name="Dismiss").click()
            expect(tab.locator(".work")).to_have_count(0)
        expect(tab.get_by_role("heading", name="Add the first article")).to_be_visible()
        drop(tab, news / "bill.txt")
        expect(tab.locator(".articles button")).to_have_text(["The bill"])
        tab.locator("#address-box textarea, #address-box input").fill("http://127.0.0.1/x ftp://a.example")
        tab.get_by_role("button", name="Add", exact=True).click()
        expect(tab.locator(".results li.refused")).to_have_count(2)


def test_only_editors_change_the_library_where_some_are_named(tab: Page, news: Path, tmp_path: Path) -> None:
    users = Users(tmp_path / "users.json")
    users.add("ann", "correct horse")
    settings = filled(settings_for(tmp_path, login="always", users=tmp_path / "users.json", editors="bob"), news)
    with shown(settings) as address:
        tab.goto(address)
        tab.fill("input[name=name]", "ann")
        tab.fill("input[name=password]", "correct horse")
        tab.press("input[name=password]", "Enter")
        open_library_view(tab)
        expect(tab.locator(".articles li")).to_have_count(3)
        expect(tab.locator("#files")).to_be_hidden()
        expect(tab.get_by_role("button", name="Sync")).to_have_count(0)
        tab.get_by_role("button", name="The bill").click()
        expect(tab.locator(".opened .place")).to_contain_text("news/bill.txt")
        assert str(tmp_path) not in tab.content()
        expect(tab.get_by_role("button", name="Remove …")).to_have_count(0)
        tab.evaluate("document.querySelector('.opened .close').dataset.act = 'sync'")
        tab.locator(".opened .close").click()
        expect(tab.locator("#shelf-trouble")).to_contain_text("Only those named in the setting")
        assert httpx.get(f"{address}cited/{'0' * 16}").status_code == 401
