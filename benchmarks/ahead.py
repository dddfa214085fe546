"""Seconds from Enter to the first word, for questions that were typed and for the same ones cold.

    python -m benchmarks.ahead                       # 6 questions of seeds/questions.jsonl, 40 words a minute
    python -m benchmarks.ahead --questions 12 --pauses 0.5 10

A round types one question letter by letter through the page's desk, telling what is typed when the page's own script
would, and presses Enter some seconds after the last letter; and asks it once with nothing read before. Each time the
instructions begin with another number, so that nothing read before can be reused. Ways take turns in going first.
Questions that are refused before a word is written count to the refusal. Tokens are what llama.cpp says that it read
from Enter to there.
"""

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.engines import SEEDS, make_unseen
from rag.desk import Desk
from rag.engines.llama_server import LlamaServerEngine
from rag.indexing import index_paths
from rag.pipeline import library_identity, open_embedder, open_pipeline
from rag.settings import load_settings
from rag.types import Finished, TextPiece
from tests.engines.counting import Reading

LETTERS_PER_WORD = 6
"""Of a typist's word, the blank included."""
PAUSE, BETWEEN, WORDS = 0.3, 0.7, 3
"""As in rag/rendering/ahead.js."""
CLIENT = "tab"


@dataclass(frozen=True, slots=True)
class Asked:
    """What one question took from Enter on."""

    seconds: float
    tokens: int
    refused: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=6)
    parser.add_argument("--words-per-minute", type=float, default=40)
    parser.add_argument("--pauses", type=float, nargs="*", default=[0.5, 3.0], help="seconds from last letter to Enter")
    options = parser.parse_args()
    lines = (SEEDS / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [json.loads(line)["question"] for line in lines if json.loads(line)["answerable"]]
    questions = asked[:: max(1, len(asked) // options.questions)][: options.questions]
    letter = 60 / options.words_per_minute / LETTERS_PER_WORD
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(index=Path(folder), engine="llama_cpp")
        embedder = open_embedder(settings)
        index_paths([SEEDS], settings.index, library_identity(settings, embedder), embedder)
        pipeline = open_pipeline(settings)
        assert isinstance(pipeline.engine, LlamaServerEngine), "tokens are counted in the xllamacpp wheel only"
        desk = Desk(settings, lambda _settings, _report: pipeline)
        desk.open()
        while desk.pipeline is None:
            time.sleep(0.01)
        pipeline.answer(questions[0])  # whatever is loaded only when it is needed
        table(desk, Reading(pipeline.engine), questions, letter, options.pauses)
        desk.close()


def table(desk: Desk, reading: Reading, questions: list[str], letter: float, pauses: list[float]) -> None:
    ways: dict[str, float | None] = {"cold": None} | {f"typed, Enter after {pause} s": pause for pause in pauses}
    rows: dict[str, list[Asked]] = {way: [] for way in ways}
    for number, question in enumerate(questions):
        names = list(ways)
        for way in names[number % len(names) :] + names[: number % len(names)]:
            make_unseen()
            if (pause := ways[way]) is not None:
                type_in(desk, question, letter, pause)
            rows[way].append(ask(desk, reading, question))
            print(f"{way:26} {rows[way][-1].seconds:6.2f} s {rows[way][-1].tokens:5} tokens  {question}", flush=True)
    print(f"\n{'medians of ' + str(len(questions)):26}{'seconds':>10}{'tokens':>10}{'of cold':>10}{'refused':>10}")
    for way, row in rows.items():
        pairs = zip(row, rows["cold"], strict=True)
        share = statistics.median(one.seconds / cold.seconds for one, cold in pairs)
        seconds, tokens = (
            statistics.median(values) for values in zip(*((a.seconds, a.tokens) for a in row), strict=True)
        )
        print(f"{way:26}{seconds:10.2f}{tokens:10.0f}{share:10.2f}{sum(one.refused for one in row):10}")


def type_in(desk: Desk, question: str, letter: float, pause: float) -> None:
    """Type it, then wait for `pause` seconds."""
    started = time.perf_counter()

    def wait_until(moment: float) -> None:
        time.sleep(max(0.0, started + moment - time.perf_counter()))

    for moment, text in tellings(question, letter, pause):
        wait_until(moment)
        threading.Thread(target=deque, args=(desk.prepare(text, (), CLIENT), 0), daemon=True).start()
    wait_until(len(question) * letter + pause)


def tellings(question: str, letter: float, pause: float) -> Iterator[tuple[float, str]]:
    """(seconds from the beginning, what the page tells then), see rag/rendering/ahead.js."""
    told, when = "", -BETWEEN
    for end in range(1, len(question) + 1):
        typed, now = question[:end], end * letter
        ended = typed[-1] in ".?!" or (typed[-1] == " " and now - when >= BETWEEN)
        moment = now if ended else now + PAUSE
        following = now + (letter if end < len(question) else pause)
        if moment < following and len(typed.split()) >= WORDS and typed.strip() != told:
            told, when = typed.strip(), moment
            yield moment, told


def ask(desk: Desk, reading: Reading, question: str) -> Asked:
    before, started = reading.tokens, time.perf_counter()
    measured: Asked | None = None
    with closing(desk.ask(question, (), threading.Event(), CLIENT)) as events:
        for event in events:
            first = isinstance(event, TextPiece) and bool(event.text)
            if measured is None and (first or isinstance(event, Finished)):
                measured = Asked(time.perf_counter() - started, reading.tokens - before, not first)
    assert measured is not None
    return measured


if __name__ == "__main__":
    main()
