"""`python -m tests.cli.with_words ARGUMENTS` is `rag ARGUMENTS` without models.

The embedder is a bag of words and the reader writes `REPLY`. The variable `PAUSING` numbers a call of the embedder in
which it writes `PAUSED` to stderr and waits to be stopped.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import rag.pipeline
from rag.cli import main
from rag.types import Progress, Vectors
from tests.fakes import ScriptedEngine, WordEmbedder

REPLY = "It cost 3 million marks [1]. Purple elephants juggle volcanoes."
YES = (0.6, 0.4)
PAUSING, PAUSED = "TEST_PAUSING", "paused"


class Words(WordEmbedder):
    """Made like `SentenceTransformerEmbedder`."""

    def __init__(self, _folder: Path, name: str, revision: str) -> None:
        self.name = name
        self.revision = revision
        self._calls = 0

    def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        self._calls += 1
        if os.environ.get(PAUSING) == str(self._calls):
            sys.stderr.write(f"{PAUSED}\n")
            sys.stderr.flush()
            time.sleep(60)
        return super().embed_passages(texts, progress)


def scripted_engine(*_: object) -> ScriptedEngine:
    """Called like `open_engine`."""
    return ScriptedEngine([REPLY], [YES])


INSTEAD = {"SentenceTransformerEmbedder": Words, "open_engine": scripted_engine}
"""Of names in `rag.pipeline`."""

if __name__ == "__main__":
    for name, fake in INSTEAD.items():
        setattr(rag.pipeline, name, fake)
    sys.argv[0] = "rag"
    main()
