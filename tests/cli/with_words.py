"""`python -m tests.cli.with_words ARGUMENTS` is `rag ARGUMENTS` without models.

The embedder is a bag of words and the reader writes `REPLY` to everything. Each of the variables `PAUSING`,
`PAUSING_ANSWER` and `PAUSING_SYNC` numbers a call: of the embedder, of the reader, and of what waits until a file is on
the disk. In that call the command writes `PAUSED` to stderr and waits to be stopped.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import rag.pipeline.opening
from rag.cli import main
from rag.types import Limits, Progress, Prompt, Vectors
from tests.fakes import ReusingEngine, WordEmbedder

REPLY = "It cost 3 million marks [1]. Purple elephants juggle volcanoes."
SURE = 0.7
PAUSING, PAUSING_ANSWER, PAUSING_SYNC, PAUSED = "TEST_PAUSING", "TEST_PAUSING_ANSWER", "TEST_PAUSING_SYNC", "paused"


class Pause:
    """To be called in each call of something; waits in the one that the variable numbers."""

    def __init__(self, variable: str) -> None:
        self._wanted = os.environ.get(variable)
        self._calls = 0

    def __call__(self) -> None:
        self._calls += 1
        if self._wanted == str(self._calls):
            sys.stderr.write(f"{PAUSED}\n")
            sys.stderr.flush()
            time.sleep(60)


class Words(WordEmbedder):
    """Made like `SentenceTransformerEmbedder`."""

    def __init__(self, _folder: Path, name: str, revision: str, *_: object) -> None:
        self.name = name
        self.revision = revision
        self._pause = Pause(PAUSING)

    def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        self._pause()
        return super().embed_passages(texts, progress)


class Reader(ReusingEngine):
    """Made like what `open_engine` makes."""

    def __init__(self, *_: object) -> None:
        super().__init__(REPLY, SURE)
        self._pause = Pause(PAUSING_ANSWER)

    def stream(self, prompt: Prompt, limits: Limits) -> Iterator[str]:
        self._pause()
        return super().stream(prompt, limits)


def pausing(sync: Callable[..., None]) -> Callable[..., None]:
    """`os.fsync` that pauses before it does its work."""
    pause = Pause(PAUSING_SYNC)

    def paused(file: object) -> None:
        pause()
        sync(file)

    return paused


INSTEAD = {"SentenceTransformerEmbedder": Words, "begin_engine": lambda *_: None, "open_engine": Reader}
"""Of names in `rag.pipeline.opening`."""

if __name__ == "__main__":
    for name, fake in INSTEAD.items():
        setattr(rag.pipeline.opening, name, fake)
    os.fsync = pausing(os.fsync)
    sys.argv[0] = "rag"
    main()
