"""Files of questions and evaluations in a real browser, on a small library with a reader that follows a gate."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Locator, Page, expect

from rag.batch import LibraryAsker, read_questions, read_records, run_batch, write_table
from rag.bulk import Reports
from tests.bulk.small import COST, KEPT, Shelf, questions
from tests.evaluation.samples import evaluation, judged
from tests.test_accessibility import faults

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """Of what is expected: files are looked through and answered meanwhile."""
    expect.set_options(timeout=30_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    monkeypatch.chdir(tmp_path)
    return Shelf(tmp_path)


def opened(tab: Page, address: str) -> None:
    tab.goto(address)
    tab.get_by_role("tab", name="In bulk").click()


def hand_in(tab: Page, file: Path) -> None:
    tab.set_input_files("#bulk-file input[type=file]", str(file))


def choose(tab: Page, box: str, name: str) -> None:
    found = tab.get_by_role("combobox", name=box)
    found.click()
    tab.locator(f'[id^="{found.get_attribute("aria-controls")}-option"][aria-label="{name}"]').click()


def downloaded(tab: Page, link: Locator, folder: Path) -> Path:
    with tab.expect_download() as begun:
        link.click()
    path = folder / "downloads" / begun.value.suggested_filename
    begun.value.save_as(path)
    return path


def test_a_file_is_handed_in_answered_stopped_gone_on_with_and_downloaded(
    tab: Page, shelf: Shelf, tmp_path: Path
) -> None:
    file = questions(tmp_path, 5, "costs.csv")
    with shelf.page() as address:
        opened(tab, address)
        hand_in(tab, file)
        looked = tab.locator(".looked")
        expect(looked.locator("h3")).to_have_text("costs.csv")
        expect(looked).to_contain_text("5 questions")
        expect(looked).to_contain_text("Row 2: The question is empty. Write one, or remove the row.")
        expect(tab.get_by_label("Score the answers and make a report")).to_be_hidden()
        expect(tab.get_by_label("Leave out sentences that no article supports")).to_be_checked()
        assert faults(tab) == []
        shelf.reader.hold()
        tab.get_by_role("button", name="Answer them all").click()
        shelf.reader.let(2)
        running = tab.locator(".running")
        assert faults(tab) == []
        expect(running).to_contain_text("3 of 6 · 2 answered, 1 not asked · less than a minute left")
        expect(running.locator(".said")).to_have_text(
            [KEPT, KEPT, "The question is empty. Write one, or remove the row."]
        )
        tab.reload()  # the work goes on, and shows again
        tab.get_by_role("tab", name="In bulk").click()
        expect(running).to_contain_text("3 of 6")
        shelf.reader.let(1)
        expect(running).to_contain_text("4 of 6")
        tab.get_by_role("button", name="Stop").last.click()
        stopped = tab.locator(".file")
        expect(stopped.locator(".state")).to_have_text("Stopped")
        assert faults(tab) == []
        expect(running).to_have_count(0)
        shelf.reader.held = False
        stopped.get_by_role("button", name="Go on").click()
        expect(stopped.locator(".state")).to_have_text("Done")
        expect(stopped).to_contain_text("6 of 6 · 5 answered, 1 not asked")
        found = {
            suffix: downloaded(tab, stopped.get_by_role("link", name=name), tmp_path)
            for suffix, name in ((".csv", "CSV"), (".xlsx", "Excel"), (".jsonl", "JSONL with everything"))
        }
        assert [path.name for path in found.values()] == [f"costs-answers{suffix}" for suffix in found]
        stopped.get_by_role("button", name="Remove").click()
        expect(stopped).to_have_count(0)
    run_file = tmp_path / "by-command.jsonl"
    pipeline = shelf.pipeline(strict=True)
    run_batch(LibraryAsker(pipeline), read_questions(file), run_file)
    pipeline.library.close()

    def content(path: Path) -> list[object]:
        return [json.loads(line) | {"timings": None} for line in path.read_text(encoding="utf-8").splitlines()]

    assert content(found[".jsonl"]) == content(run_file)
    table = tmp_path / "table.csv"
    write_table(read_records(found[".jsonl"]), table, ["topic"])
    assert found[".csv"].read_bytes() == table.read_bytes()
    [sheet] = load_workbook(found[".xlsx"]).worksheets
    assert sheet.max_row == 7


def test_a_bad_file_is_refused_and_says_what_would_do(tab: Page, shelf: Shelf, tmp_path: Path) -> None:
    bad = tmp_path / "prices.csv"
    bad.write_text("topic,price\nport,3\n", encoding="utf-8")
    with shelf.page() as address:
        opened(tab, address)
        hand_in(tab, bad)
        card = tab.locator("#bulk-trouble .card")
        expect(card).to_contain_text("prices.csv has no column called question, only: topic, price.")
        expect(card).to_contain_text("Rename one of them to question.")
        expect(tab.locator(".looked")).to_have_count(0)
        assert faults(tab) == []
        hand_in(tab, questions(tmp_path, 1))
        expect(tab.locator(".looked")).to_contain_text("1 question")
        expect(card).to_have_count(0)
        tab.get_by_role("button", name="Choose another file").click()
        expect(tab.locator("#bulk-file")).to_be_visible()


def test_a_file_that_knows_its_answers_is_scored_and_two_reports_are_compared(
    tab: Page, shelf: Shelf, tmp_path: Path
) -> None:
    reports = Reports(tmp_path / "reports")
    rows = [judged(row, right=row > 6, F1=float(row > 6)) for row in range(1, 13)]
    reports.write(replace(evaluation(rows), name="before"))
    reports.write(replace(evaluation([replace(row, measures={"F1": 1.0}) for row in rows]), name="after"))
    gold = tmp_path / "rates.jsonl"
    gold.write_text(json.dumps({"id": "cost", "question": COST, "answers": ["3 million"]}), encoding="utf-8")
    with shelf.page() as address:
        opened(tab, address)
        expect(tab.locator(".report h3")).to_have_text(["before", "after"])
        hand_in(tab, gold)
        expect(tab.get_by_label("Score the answers and make a report")).to_be_checked()
        tab.get_by_role("button", name="Answer them all").click()
        expect(tab.locator(".report h3").first).to_have_text("rates")
        report = tab.locator(".report").first
        expect(report).to_contain_text("100.0 %")
        with tab.context.expect_page() as popup:
            report.get_by_role("link", name="Open").click()
        page = popup.value
        expect(page.locator("h1")).to_have_text("rates")
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).fontFamily").lower().count("serif")
        expect(page.locator("#count")).to_have_text(re.compile("1 of 1"))  # its own script runs
        page.close()
        choose(tab, "Before", "before")
        choose(tab, "After", "after")
        tab.get_by_role("button", name="Compare").click()
        compared = tab.locator(".compared")
        expect(compared.locator("h3")).to_have_text("Better: F1.")
        expect(compared.locator("tbody tr").first).to_contain_text("+50.0 points")
        assert faults(tab) == []
        choose(tab, "After", "rates")
        tab.get_by_role("button", name="Compare").click()
        expect(tab.locator("#bulk-compared .card")).to_contain_text("have no question in common")
