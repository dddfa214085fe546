"""Many readers at once: do they all get their own answers, how long do they wait, and what breaks when something dies?

    python -m benchmarks.load                             # 50 readers, five minutes, a worker and the reader killed
    python -m benchmarks.load --calm --record calm.jsonl  # nothing killed: what benchmarks.capacity compares with
    python -m benchmarks.load --database                  # the library on PostgreSQL and Milvus Lite, both killed too

Real servers on this machine: `rag serve --workers 2` with the real embedder, and llama.cpp's server with a reader of
135 million parameters. Nine readers of ten ask through /v1/chat/completions as streams, the tenth through the page's
API; each asks, reads, thinks and asks again. A question names a mark that only one article has, which alone may be
read and cited. Needs the models (`RAG_MODELS`, `rag models fetch smollm2-135m-instruct`). Ends with status 1 where
something was lost, mixed up or failed without reason. On a machine that has other work to do, `--scripted` puts a
model server in the reader's place that takes time but no processor, and repeats what it was asked about.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.load_stage import Marked, furnish, marked, servers, settings_in
from benchmarks.load_trouble import KILLED, RECOVERING, Disturbed, Watched, disturb, stores, watch
from rag.service.workers import LOST

TURN = "Searching the articles"
"""What is told when a question's turn has come."""
LONGEST = 900.0
"""Seconds after which an answer is lost."""
PAGE_SHARE = 10
"""Every so many readers one asks the page."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and what became of it; times in seconds since the test began."""

    reader: int
    way: str
    """chat or page"""
    asked: float
    turn: float
    """When its turn came; 0 where it never did."""
    ended: float
    outcome: str
    """answered, refused, turned away, failed, lost or mixed"""
    why: str = ""

    @property
    def waited(self) -> float:
        return self.turn - self.asked

    @property
    def served(self) -> float:
        return self.ended - self.turn


async def chat_events(client: httpx.AsyncClient, question: str) -> AsyncIterator[tuple[str, Any]]:
    """("doing", text), ("finished", fields) and ("failed", message) of a question to the chat API."""
    body = {"model": "citeline", "stream": True, "messages": [{"role": "user", "content": question}]}
    async with client.stream("POST", "v1/chat/completions", json=body) as response:
        if not response.is_success:
            yield "refused", (response.status_code, (await response.aread()).decode())
            return
        async for line in response.aiter_lines():
            if not line.startswith("data: {"):
                continue
            chunk = json.loads(line.removeprefix("data: "))
            if error := chunk.get("error"):
                yield "failed", error["message"]
                return
            choice = chunk["choices"][0]
            yield "doing", choice["delta"].get("reasoning_content") or ""
            if choice["finish_reason"]:
                yield "finished", chunk["citeline"]
                return


async def page_events(client: httpx.AsyncClient, question: str) -> AsyncIterator[tuple[str, Any]]:
    """The same of the page's API."""
    begun = await client.post("gradio_api/call/v2/ask", json={"question": question})
    if not begun.is_success:
        yield "refused", (begun.status_code, begun.text)
        return
    kind = ""
    async with client.stream("GET", f"gradio_api/call/ask/{begun.json()['event_id']}") as response:
        async for line in response.aiter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data" and kind == "error":
                yield "failed", value
                return
            elif name == "data" and kind in ("generating", "complete"):
                told = json.loads(value)[0]
                yield ("finished", told) if kind == "complete" else ("doing", told.get("doing", ""))


def mixed_up(article: Marked, answer: dict[str, Any]) -> str:
    """What in an answer belongs to another question; empty where nothing does."""
    cited = {citation["source"] for sentence in answer["sentences"] for citation in sentence["citations"]}
    read = {passage["source"] for passage in answer["passages"]}
    if answer["question"] != article.question:
        return f"asked {article.question!r}, answered {answer['question']!r}"
    if answer["reader"] == "scripted" and not answer["abstained"] and article.keeper not in answer["text"]:
        return f"of {article.keeper} it was to speak, and said {answer['text']!r}"
    if not read | cited <= {article.file}:
        return f"of {article.file} it was asked, {sorted(read | cited)} it read and cited"
    return ""


class Load:
    """The readers, and what they saw."""

    def __init__(
        self,
        address: str,
        tokens: list[str],
        articles: list[Marked],
        seconds: float,
        think: float,
        keep: Callable[[Asked], object],
    ) -> None:
        """`keep` is told of each question as soon as it has ended."""
        self.asked: list[Asked] = []
        self.began = time.monotonic()
        self._address, self._tokens, self._articles = address, tokens, articles
        self._seconds, self._think, self._keep = seconds, think, keep

    def now(self) -> float:
        """Seconds since the test began."""
        return time.monotonic() - self.began

    async def run(self) -> None:
        """Until all have stopped asking and have heard the end of what they asked."""
        self.began = time.monotonic()
        await asyncio.gather(*(self._read(number) for number in range(len(self._tokens))))

    async def _read(self, reader: int) -> None:
        chance = random.Random(reader)
        headers = {"Authorization": f"Bearer {self._tokens[reader]}"}
        page = reader % PAGE_SHARE == PAGE_SHARE - 1
        async with httpx.AsyncClient(base_url=self._address, headers=headers, timeout=LONGEST, verify=False) as client:
            await asyncio.sleep(chance.expovariate(1 / self._think))
            while self.now() < self._seconds:
                self.asked.append(await self._ask(client, reader, page, chance.choice(self._articles)))
                self._keep(self.asked[-1])
                await asyncio.sleep(chance.expovariate(1 / self._think))

    async def _ask(self, client: httpx.AsyncClient, reader: int, page: bool, article: Marked) -> Asked:
        asked, turn = self.now(), 0.0
        outcome, why = "lost", "the stream ended without an end"
        try:
            async with asyncio.timeout(LONGEST):
                async for kind, told in (page_events if page else chat_events)(client, article.question):
                    if kind == "doing" and TURN in told:
                        turn = turn or self.now()
                    elif kind == "finished":
                        why = mixed_up(article, told)
                        outcome = "mixed" if why else "refused" if told["abstained"] else "answered"
                    elif kind == "refused":
                        outcome, why = (
                            ("turned away" if told[0] == httpx.codes.TOO_MANY_REQUESTS else "failed"),
                            told[1],
                        )
                    elif kind == "failed":
                        outcome, why = "failed", told
        except (httpx.HTTPError, TimeoutError) as error:
            why = f"{type(error).__name__}: {error}"
        return Asked(reader, "page" if page else "chat", asked, turn, self.now(), outcome, why)


def told(asked: list[Asked], watched: Watched, disturbed: list[Disturbed]) -> list[str]:
    """The results, a line each."""
    lines = [f"{kind:<28} {count}" for kind, count in Counter(one.outcome for one in asked).most_common()]
    for way in ("chat", "page"):
        turns = [one for one in asked if one.way == way and one.turn and one.outcome in ("answered", "refused")]
        if len(turns) > 1:
            for name in ("waited", "served"):
                values = sorted(getattr(one, name) for one in turns)
                p50, p95 = statistics.median(values), values[int(0.95 * (len(values) - 1))]
                lines.append(f"{way}: seconds {name:<17} p50 {p50:6.2f}   p95 {p95:6.2f}   of {len(values)}")
    for name, memory in watched.memory.items():
        at, last = memory[len(memory) // 2], memory[-1]
        lines.append(f"MB of {name:<22} {memory[0][1]:6.1f} at first, {at[1]:6.1f} halfway, {last[1]:6.1f} at the end")
    lines += [f"{at:6.1f} s  readyz: {status}" for at, status in watched.ready]
    lines += [f"{one.at:6.1f} s  {one.what}; back after {one.back - one.at:.1f} s" for one in disturbed]
    for one in asked:
        if one.outcome not in ("answered", "refused"):
            lines.append(f"{one.asked:6.1f} to {one.ended:.1f} s  {one.way} {one.outcome}: {one.why[:160]}")
    return lines


def unexplained(asked: list[Asked], disturbed: list[Disturbed]) -> list[Asked]:
    """What was lost, mixed up, or failed though all that it needs was there; a killed worker excuses one answer."""
    killed = sum(one.what == KILLED for one in disturbed)
    disturbed = [one for one in disturbed if one.what != KILLED]

    def excused(one: Asked) -> bool:
        return one.outcome == "failed" and any(
            one.ended >= away.at and one.asked <= away.back + RECOVERING for away in disturbed
        )

    bad = [one for one in asked if one.outcome in ("lost", "mixed", "failed") and not excused(one)]
    broken_off = [one for one in bad if LOST in one.why]
    return [one for one in bad if one not in broken_off[:killed]]


async def _play(load: Load, watched: Watched, citeline: Any, troubles: Any, seconds: float) -> list[Disturbed]:
    watching = asyncio.create_task(watch(watched, citeline, load.now))
    disturbing = asyncio.create_task(disturb(troubles, load.now, seconds))
    await load.run()
    disturbed = await disturbing
    await asyncio.sleep(2)
    watching.cancel()
    return disturbed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument(
        "--think", type=float, default=10.0, help="seconds between answer and next question, on average"
    )
    parser.add_argument("--calm", action="store_true", help="kill nothing")
    parser.add_argument("--database", action="store_true", help="library on PostgreSQL and Milvus Lite")
    parser.add_argument("--scripted", action="store_true", help="a model server that needs no processor")
    parser.add_argument("--record", type=Path, help="file to which every question is written")
    options = parser.parse_args()
    head = {name: getattr(options, name) for name in ("readers", "workers", "seconds", "think")}
    lines = [json.dumps(head)]

    def keep(asked: Asked) -> None:
        lines.append(json.dumps(asdict(asked)))
        if options.record:
            options.record.write_text("\n".join(lines))

    with tempfile.TemporaryDirectory(prefix="citeline-load-") as place, stores(options.database) as held:
        folder, articles = Path(place), marked(options.readers)
        settings = settings_in(folder, options.readers, **held.settings)
        tokens = furnish(folder, settings, articles, options.readers)
        with servers(folder, settings, options.workers, not options.scripted) as (citeline, model):
            address = f"http://127.0.0.1:{settings.port}/"
            load = Load(address, tokens, articles, options.seconds, options.think, keep)
            watched = Watched()
            troubles = [] if options.calm else held.troubles(citeline, model)
            disturbed = asyncio.run(_play(load, watched, citeline, troubles, options.seconds))
            well = watched.ready[-1][1] == "ready"
            for line in told(load.asked, watched, disturbed):
                print(line, flush=True)
    bad = unexplained(load.asked, disturbed)
    print(f"lost, mixed up or failed without a reason: {len(bad)}; ready at the end: {well}")
    sys.exit(bool(bad) or not well)


if __name__ == "__main__":
    main()
