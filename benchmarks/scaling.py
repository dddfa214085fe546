"""What a library of some size, and so many readers, need and cost: the tables of docs/scaling.md.

    python -m benchmarks.scaling                          # the tables
    python -m benchmarks.scaling --set gpu_hour=2.5       # with another price
    python -m benchmarks.scaling --inputs                 # what they are made from, and where each figure comes from
    python -m benchmarks.scaling --measure                # disk a chunk, of a library of 9,000 made-up chunks

Every figure is an input with a name. Those of `Measured` were measured, by the command that stands beside each; those
of `Assumed` are prices, sizes and speeds that nobody measured here and that everybody has to set to their own.
"""

import argparse
import math
import random
import tempfile
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from benchmarks.capacity import Shape, expected
from benchmarks.scale import IDENTITY, made_up
from rag.index import open_writer
from rag.types import Chunk, Document

HOURS = 730
"""Of a month."""
GB = 1e9
SEEDS = Path(__file__).parent.parent / "seeds"
PAGE = Path(__file__).parent.parent / "docs" / "scaling.md"


def _by(value: float, source: str) -> float:
    made: float = field(default=value, metadata={"source": source})
    return made


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured on two cores of a Xeon with AVX-512, busy with other work."""

    chunks_second: float = _by(20, "benchmarks.indexing_speed: chunks embedded a second and core, float32")
    scan_chunks_second: float = _by(7e6, "benchmarks.scale --sizes 100000: chunks compared a second and core")
    prompt_tokens: float = _by(600, "rag eval seeds: tokens of passages (p95 400), instructions, question and checks")
    answer_tokens: float = _by(20, "rag eval seeds: tokens of an answer, p50 17 to 21")
    answer_seconds_cpu: float = _by(16.5, "rag eval seeds: seconds in all, p50, qwen2.5-coder-1.5b on two cores")
    reader_gb: float = _by(2.3, "benchmarks.engines: GB at the peak, reader in the process")
    worker_gb: float = _by(0.5, "benchmarks.load: GB (PSS) of a worker whose reader is on a server")
    row_bytes: float = _by(
        2900, "benchmarks.scaling --measure: bytes of library.sqlite a chunk, text and words included"
    )
    vector_bytes: float = _by(1544, "benchmarks.scaling --measure: bytes of the vector files a chunk")


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is assumed; prices in US dollars."""

    article_characters: float = _by(5_000, "an article of some 850 words")
    chunk_characters: float = _by(600, "160 word pieces at most, whole sentences, one shared with the neighbour")
    questions_hour: float = _by(6, "questions of a reader in the busiest hour")
    busy_hours: float = _by(160, "hours of a month that are as busy as that")
    gpu_answer_seconds: float = _by(2.0, "an answer of a 7-billion reader in vLLM on one card, many at once")
    gpu_at_once: float = _by(16, "answers that one card writes at once at that speed")
    load: float = _by(0.6, "share of the slots that are busy in the busiest hour")
    core_hour: float = _by(0.05, "a core with 4 GB, an hour")
    gpu_hour: float = _by(0.8, "a card with 24 GB, an hour")
    memory_gb_hour: float = _by(0.006, "a GB of memory beyond the cores', an hour")
    disk_gb_month: float = _by(0.1, "a GB of fast disk, a month")
    index_overhead: float = _by(1.5, "disk of PostgreSQL and Milvus against that of the files")
    search_seconds: float = _by(0.5, "in which a search has to be done")
    own_gb: float = _by(4, "memory of PostgreSQL, or of Milvus beside its vectors")


@dataclass(frozen=True, slots=True)
class Size:
    """How many articles, and readers at work."""

    articles: int
    readers: int


SIZES = (Size(10_000, 10), Size(1_000_000, 200), Size(100_000_000, 2_000))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a size needs. Money a month."""

    chunks: float
    embedding_hours: float
    """Of one core; with forty there's a fortieth of it."""
    disk_gb: float
    vectors_gb: float
    """In memory, for an exact search."""
    search_cores: int
    """That compare all vectors in the time a search may take, for as many searches as come at once."""
    questions_hour: float
    tokens_month: float
    slots: int
    """Answers at once."""
    cards: int
    """0 where the processor answers."""
    wait_p95: float
    """Seconds a question waits in the busiest hour, simulated."""
    memory_gb: float
    machines: float
    disk: float
    reading: float

    @property
    def money(self) -> float:
        return self.machines + self.disk + self.reading


@lru_cache
def plan(size: Size, cost: Measured, price: Assumed) -> Plan:
    """What the size needs, at these costs and prices."""
    servers = size.articles > 100_000
    chunks = size.articles * math.ceil(price.article_characters / price.chunk_characters)
    asked = size.readers * price.questions_hour
    seconds = price.gpu_answer_seconds if servers else cost.answer_seconds_cpu
    slots = max(1, math.ceil(asked * seconds / 3600 / price.load))
    cards = math.ceil(slots / price.gpu_at_once) if servers else 0
    think = max(1.0, 3600 / price.questions_hour - seconds)
    wait = expected(Shape(size.readers, slots, 3600, think), [0.7 * seconds, seconds, 1.5 * seconds], runs=5).p95
    vectors_gb = chunks * cost.vector_bytes / GB
    scan = chunks / cost.scan_chunks_second
    searches = asked / 3600 * scan
    cores = math.ceil(max(scan / price.search_seconds, searches / price.load)) if servers else 2
    disk = chunks * (cost.row_bytes + cost.vector_bytes) / GB * (price.index_overhead if servers else 1)
    memory = vectors_gb + (slots * cost.worker_gb + 2 * price.own_gb if servers else cost.reader_gb + cost.worker_gb)
    machines = HOURS * (cores * price.core_hour + max(0.0, memory - 4 * cores) * price.memory_gb_hour)
    return Plan(
        chunks=chunks,
        embedding_hours=chunks / cost.chunks_second / 3600,
        disk_gb=disk,
        vectors_gb=vectors_gb,
        search_cores=cores,
        questions_hour=asked,
        tokens_month=asked * price.busy_hours * (cost.prompt_tokens + cost.answer_tokens),
        slots=slots,
        cards=cards,
        wait_p95=wait,
        memory_gb=memory,
        machines=machines,
        disk=disk * price.disk_gb_month,
        reading=cards * price.gpu_hour * HOURS,
    )


ROWS = (
    ("chunks", "{0.chunks:,.0f}"),
    ("hours of one core to embed them once", "{0.embedding_hours:,.1f}"),
    ("disk, GB", "{0.disk_gb:,.1f}"),
    ("vectors in memory, GB", "{0.vectors_gb:,.2f}"),
    ("memory in all, GB", "{0.memory_gb:,.1f}"),
    ("cores for searching and the rest", "{0.search_cores:,}"),
    ("questions in the busiest hour", "{0.questions_hour:,.0f}"),
    ("tokens a month, million", "{0.tokens_month:,.1f}"),
    ("answers at once (workers)", "{0.slots:,}"),
    ("graphics cards", "{0.cards:,}"),
    ("a question waits, seconds, p95", "{0.wait_p95:,.1f}"),
    ("machines, $ a month", "{0.machines:,.0f}"),
    ("disk, $ a month", "{0.disk:,.2f}"),
    ("reading, $ a month", "{0.reading:,.0f}"),
    ("all, $ a month", "{0.money:,.0f}"),
)


def table(cost: Measured, price: Assumed) -> str:
    """The table of all sizes, in Markdown."""
    plans = [plan(size, cost, price) for size in SIZES]
    shown = [replace(one, tokens_month=one.tokens_month / 1e6) for one in plans]
    heads = [f"{size.articles:,} articles, {size.readers:,} readers" for size in SIZES]
    lines = [f"| | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    return "\n".join(lines + [f"| {name} | {' | '.join(form.format(one) for one in shown)} |" for name, form in ROWS])


def inputs(*groups: Measured | Assumed) -> str:
    """A table of what the other is made from."""
    lines = ["| input | value | what, or measured by |", "|---|---|---|"]
    for group in groups:
        lines += [
            f"| `{one.name}` | {getattr(group, one.name):,g} | {one.metadata['source']} |" for one in fields(group)
        ]
    return "\n".join(lines)


def with_given(given: list[str]) -> tuple[Measured, Assumed]:
    """Both groups of inputs, with NAME=VALUE in place of what they have."""
    cost, price = Measured(), Assumed()
    pairs = {name: float(value) for name, value in (one.split("=", 1) for one in given)}
    measured, assumed = ({one.name for one in fields(group)} for group in (cost, price))
    if unknown := sorted(pairs.keys() - measured - assumed):
        raise SystemExit(f"There is no input called {unknown[0]!r}. Known: {', '.join(sorted(measured | assumed))}.")
    return (
        replace(cost, **{name: value for name, value in pairs.items() if name in measured}),
        replace(price, **{name: value for name, value in pairs.items() if name in assumed}),
    )


def bytes_a_chunk(folder: Path, articles: int = 1000, chunks: int = 9, characters: int = 600) -> tuple[float, float]:
    """(of SQLite, of the vector files): a library whose articles say at random what those of `seeds/` say."""
    words = " ".join(file.read_text(encoding="utf-8") for file in sorted(SEEDS.glob("*.*"))).split()
    chance, vectors = random.Random(0), made_up(articles * chunks, 1, articles * chunks)
    rows = np.concatenate(list(vectors))
    with open_writer(folder, IDENTITY) as writer:
        for number in range(articles):
            text = " ".join(chance.choices(words, k=chunks * characters // 4))[: chunks * characters]
            name = f"{number:016x}"
            document = Document(name, f"Report {number}", text, f"reports/{number}.txt", None, None, f"{number:064}")
            starts = range(0, chunks * characters, characters)
            spans = [Chunk(f"{name}:{start}", name, start, start + characters) for start in starts]
            writer.put(document, spans, rows[number * chunks : (number + 1) * chunks])
        writer.commit()
    sizes = {file.name: file.stat().st_size for file in folder.iterdir()}
    rest = sum(size for name, size in sizes.items() if name.startswith("library.sqlite"))
    return rest / (articles * chunks), (sum(sizes.values()) - rest) / (articles * chunks)


def with_tables(text: str, cost: Measured, price: Assumed) -> str:
    """The page of the documentation, with both tables between their marks."""
    for mark, made in (("table", table(cost, price)), ("inputs", inputs(cost, price))):
        before, rest = text.split(f"<!-- {mark} -->\n", 1)
        text = f"{before}<!-- {mark} -->\n{made}\n<!-- end -->{rest.split('<!-- end -->', 1)[1]}"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--inputs", action="store_true")
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--write", action="store_true", help="put both tables into docs/scaling.md")
    options = parser.parse_args()
    if options.measure:
        with tempfile.TemporaryDirectory() as folder:
            print("bytes a chunk: library.sqlite {:.0f}, vectors {:.0f}".format(*bytes_a_chunk(Path(folder))))
        return
    cost, price = with_given(options.set)
    if options.write:
        PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), cost, price), encoding="utf-8")
    else:
        print(inputs(cost, price) if options.inputs else table(cost, price))


if __name__ == "__main__":
    main()
