"""From Enter to the first passage in the browser, and whether a stream of words blocks the page.

    python -m benchmarks.page_speed --index FOLDER               # a library that was indexed before, with its reader
    python -m benchmarks.page_speed                              # one of the sample articles
    python -m benchmarks.page_speed --tokens 300 --rate 25       # words a second of the stream, which is scripted

`rag --set index=FOLDER index ARTICLES`, or `python -m benchmarks.many_articles --keep FOLDER`, makes a library.
Questions are those of seeds/questions.jsonl, each asked once, cold, in a conversation of its own. The page is the real
one in Chromium; the answer to a question is stopped once its first passage is on the screen.

A task blocks the page while it keeps Chromium's main thread for longer than 50 ms ("long task"). Chromium, the page's
server and the reader share the processors.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from rag.page.serving import serving
from rag.pipeline import index_articles, open_pipeline
from rag.settings import Settings, load_settings
from rag.types import Event, Finished, PassagesFound, TextPiece
from tests.browser import ARGUMENTS, chromium_path, free_port
from tests.page import ScriptedPipeline, Step, answer, passage, served

ROOT = Path(__file__).parent.parent
BOX = "#box textarea"

WATCH_PASSAGES = """() => {
    window.shown = null;
    document.querySelector("#box textarea").addEventListener("keydown", ({ key }) => {
        if (key !== "Enter") return;
        const pressed = performance.now();
        const look = () => document.querySelector("article.source")
            ? requestAnimationFrame(() => { window.shown = performance.now() - pressed; })
            : requestAnimationFrame(look);
        requestAnimationFrame(look);
    }, { capture: true, once: true });
}"""
WATCH_TASKS = """() => {
    window.tasks = [];
    new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((one) => one.duration)))
        .observe({ type: "longtask" });
}"""
SHOWN = "() => window.shown"


def first_passages(browser: Browser, settings: Settings, questions: Sequence[str]) -> list[float]:
    """Milliseconds from Enter to the frame that shows the first passage, of each question."""
    taken = []
    with serving(settings, lambda given, _report: open_pipeline(given)) as address, tab_of(browser) as tab:
        for number, question in enumerate(
            ["How long is a piece of string?", *questions]
        ):  # the first loads what is late
            opened(tab, address)
            tab.evaluate(WATCH_PASSAGES)
            tab.fill(BOX, question)
            tab.press(BOX, "Enter")
            tab.wait_for_function(SHOWN, timeout=300_000)
            if number:
                taken.append(float(tab.evaluate(SHOWN)))
                print(f"{taken[-1]:8.0f} ms  {question}", flush=True)
            tab.press(BOX, "Escape")
            tab.wait_for_selector("#stop", state="hidden", timeout=300_000)
    return taken


def streamed(browser: Browser, tokens: int, rate: float) -> tuple[list[float], list[float]]:
    """Milliseconds of the long tasks: in three seconds with nothing to do, and while so many words are written."""
    given, words = passage(1), [f"word{number} " for number in range(tokens)]
    finished = Finished(answer("how much?", "".join(words), given))
    pipeline = Paced(rate, [PassagesFound((given,)), *map(TextPiece, words), finished])
    with served(pipeline) as address, tab_of(browser) as tab:
        opened(tab, address)
        tab.wait_for_timeout(3000)
        tab.evaluate(WATCH_TASKS)
        tab.wait_for_timeout(3000)
        idle = [float(one) for one in tab.evaluate("() => window.tasks.splice(0)")]
        tab.fill(BOX, "how much?")
        tab.press(BOX, "Enter")
        tab.wait_for_selector("#current .timings", timeout=600_000)
        return idle, [float(one) for one in tab.evaluate("() => window.tasks")]


class Paced(ScriptedPipeline):
    """Writes at the rate of a reader, in words a second."""

    def __init__(self, rate: float, script: Sequence[Step]) -> None:
        super().__init__(script)
        self._rate = rate

    def stream_answer(self, *given: Any, **named: Any) -> Generator[Event, None, None]:
        for event in super().stream_answer(*given, **named):
            if isinstance(event, TextPiece):
                time.sleep(1 / self._rate)
            yield event


@contextmanager
def tab_of(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    try:
        yield context.new_page()
    finally:
        context.close()


def opened(tab: Page, address: str) -> None:
    """The page, ready for a question."""
    tab.goto(address)
    tab.wait_for_function("() => document.querySelector('#box textarea')?.disabled === false", timeout=300_000)


def table(what: str, values: Sequence[float]) -> None:
    median, late = np.percentile(values, [50, 95])
    print(f"{what}: {len(values)} questions, p50 {median:.0f} ms, p95 {late:.0f} ms, most {max(values):.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, help="folder of an index")
    parser.add_argument("--questions", type=int, default=20)
    parser.add_argument("--tokens", type=int, default=300)
    parser.add_argument("--rate", type=float, default=25)
    options = parser.parse_args()
    lines = (ROOT / "seeds" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line)["question"] for line in lines][: options.questions]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(ARGUMENTS))
        idle, tasks = streamed(browser, options.tokens, options.rate)
        for what, found in (("with nothing to do", idle), (f"while {options.tokens} words were written", tasks)):
            print(
                f"tasks longer than 50 ms {what}: {len(found)}, the longest {max(found, default=0):.0f} ms", flush=True
            )
        settings = load_settings(
            index=options.index or Path(folder) / "index",
            conversations=Path(folder) / "conversations",
            port=free_port(),
            questions_per_minute=10_000,
        )
        if not options.index:
            index_articles(settings, [ROOT / "seeds"])
        table("from Enter to the first passage", first_passages(browser, settings, questions))
        browser.close()


if __name__ == "__main__":
    main()
