"""Chromium for tests of the page.

The program is the one that CHROMIUM names, else the first of a few usual names on PATH; without one the tests
fail.
"""

import gc
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOCAL_SCHEMES = ("data", "blob", "about")


def chromium_path() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def foreign(address: str) -> bool:
    """Whether fetching the address would leave this machine."""
    parts = urlsplit(address)
    return parts.scheme not in LOCAL_SCHEMES and parts.hostname != "127.0.0.1"


@pytest.fixture(scope="module")  # not the session: while Playwright's loop lives, other tests can't run asyncio
def chromium() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        pytest.fail("These tests need Chromium: install it, name it in CHROMIUM, or run `pytest -m 'not browser'`.")
    with sync_playwright() as playwright:
        expect.set_options(timeout=15_000)  # the machine may have other work to do
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()
    gc.collect()  # CPython 3.11's compiler fails when Playwright's greenlets are collected while it works


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Page]:
    """An empty tab.

    When the test ends, none of its requests may have left the machine, no script have failed, and nothing have met the
    page's Content-Security-Policy.
    """
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(15_000)
    requests: list[str] = []
    failures: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.on("console", lambda said: failures.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    page.close()
    assert [address for address in requests if foreign(address)] == []
    assert failures == []
