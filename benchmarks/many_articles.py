"""Seconds to index made-up articles, to look at them again unchanged, and to ask what is stale.

    python -m benchmarks.many_articles                               # 10,000 articles, the embedder of the settings
    python -m benchmarks.many_articles --count 2000 --embedder words # an embedder that only counts words
    python -m benchmarks.many_articles --keep FOLDER                 # and leave the library there, for other measures

Every twentieth article is another's copy with some words changed. The library lies in a temporary folder otherwise.
"""

import argparse
import random
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rag.cli.progress import ProgressLines
from rag.index import Identity, check_library, open_library, restore_backup, write_backup
from rag.indexing import index_paths
from rag.pipeline import library_identity, open_embedder
from rag.settings import load_settings
from rag.syncing import note_marks, stale_files, sync_folders
from rag.types import Embedder
from tests.fakes import WordEmbedder

COPIED = 20
"""One article of so many is a copy."""
CHANGED = 0.04
"""Of the words of a copy."""

SEEDS = Path(__file__).parent.parent / "seeds"
"""Its articles lend their words, so that an embedder's tokenizer meets words it knows."""


def write_articles(folder: Path, count: int, seed: int = 0) -> int:
    """Write them into folders of a hundred, and return how many are copies."""
    chosen = random.Random(seed)
    text = " ".join(file.read_text(encoding="utf-8") for file in sorted(SEEDS.glob("*.txt")))
    words = sorted(set(re.findall(r"[a-z]{2,}", text)))
    chosen.shuffle(words)
    weights = [1 / (rank + 1) ** 0.9 for rank in range(len(words))]
    originals: list[str] = []
    copies = 0
    for number in range(count):
        if originals and number % COPIED == 0:
            text = _edited(chosen.choice(originals), words, chosen)
            copies += 1
        else:
            text = "\n\n".join(_paragraph(words, weights, chosen) for _ in range(chosen.randint(2, 6)))
            originals.append(text)
        file = folder / f"{number // 100:03}" / f"{number:06}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"# Report {number}\n\n{text}\n", encoding="utf-8")
    return copies


def _paragraph(words: list[str], weights: list[float], chosen: random.Random) -> str:
    sentences = (chosen.choices(words, weights, k=chosen.randint(8, 20)) for _ in range(chosen.randint(3, 6)))
    return " ".join(f"{' '.join(sentence).capitalize()}." for sentence in sentences)


def _edited(text: str, words: list[str], chosen: random.Random) -> str:
    return " ".join(chosen.choice(words) if chosen.random() < CHANGED else word for word in text.split(" "))


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds: by the clock on the wall, and of processors, which other programs on the machine don't lengthen."""

    clock: float
    processors: float


@contextmanager
def timed(what: str, seconds: dict[str, Taken]) -> Iterator[None]:
    clock, processors = time.perf_counter(), time.process_time()
    yield
    seconds[what] = Taken(time.perf_counter() - clock, time.process_time() - processors)
    print(f"{what:34}{seconds[what].clock:10.2f} s{seconds[what].processors:10.2f} s of processors", flush=True)


def measure(place: Path, count: int, embedder: Embedder, identity: Identity) -> None:
    news, index = place / "news", place / "index"
    seconds: dict[str, Taken] = {}
    with timed("writing the articles", seconds):
        copies = write_articles(news, count)
    with ProgressLines() as report, timed("first run", seconds):
        index_paths([news], index, identity, embedder, report=report)
    with timed("second run, unchanged", seconds):
        done = sync_folders(index, identity, embedder)
    assert done.unchanged == count
    with timed("third run, unchanged", seconds):
        sync_folders(index, identity, embedder)
    time.sleep(3)  # files touched a moment ago are not noted
    note_marks(index, identity)
    with open_library(index, identity) as library:
        with timed("what is stale, noted before", seconds):
            assert stale_files(library, {}) == []
        listed = library.documents()
        with timed("duplicates of all", seconds):
            families = [library.duplicates_of(one.id) for one in listed]
        chunks = library.count().chunks
    for folder in sorted(news.iterdir())[:1]:
        folder.rename(news / "moved")
    with timed("sync after a hundred were moved", seconds):
        assert len(sync_folders(index, identity, embedder).moved) == min(count, 100)
    with timed("check", seconds):
        assert check_library(index).faults == ()
    with timed("backup", seconds):
        write_backup(index, place / "backup")
    with timed("restore", seconds):
        restore_backup(index, place / "backup")
    size = sum(path.stat().st_size for path in index.iterdir() if path.is_file()) / 1e6
    print(f"{chunks:,} chunks; {size:,.1f} MB; the backup {(place / 'backup').stat().st_size / 1e6:,.1f} MB")
    found = sum(1 for family in families if family)
    print(f"{copies:,} copies made, {found:,} articles with a duplicate found")
    first, second = seconds["first run"], seconds["second run, unchanged"]
    print(f"second run / first: {second.clock / first.clock:.2%} of the time")
    print(f"                    {second.processors / first.processors:.2%} of the processors' time")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--embedder", choices=["settings", "words"], default="settings")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the library is left")
    options = parser.parse_args()
    settings = load_settings()
    embedder: Embedder = WordEmbedder() if options.embedder == "words" else open_embedder(settings)
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.count, embedder, library_identity(settings, embedder))
        if options.keep:
            shutil.copytree(Path(folder) / "index", options.keep)


if __name__ == "__main__":
    main()
