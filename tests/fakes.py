"""Small real stand-ins: they obey the protocols in `rag.types` and are predictable by hand."""

import re
import zlib
from collections.abc import Iterator, Sequence
from itertools import takewhile

import numpy as np

from rag.types import Limits, Progress, Prompt, Vectors


class WordEmbedder:
    """A bag of words: each word adds 1 to the bucket its CRC-32 falls in, then the row is scaled to length 1."""

    name = "words"
    revision = "1"
    dimension = 64
    max_tokens = 256

    def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in _words(text):
                row[zlib.crc32(word.encode()) % self.dimension] += 1
            row /= max(float(np.linalg.norm(row)), 1e-9)
        if progress:
            progress(len(texts), len(texts))
        return rows

    def embed_query(self, text: str) -> Vectors:
        return self.embed_passages([text])

    def embed_tokens(self, texts: Sequence[str]) -> list[tuple[Vectors, list[tuple[int, int]]]]:
        """A word's row is that of a text of this word alone."""
        places = [[found.span() for found in re.finditer(r"\w+", text)] for text in texts]
        words = [[text[slice(*place)] for place in of] for text, of in zip(texts, places, strict=True)]
        return [(self.embed_passages(of), where) for of, where in zip(words, places, strict=True)]

    def count_tokens(self, text: str) -> int:
        return len(_words(text)) + 2


class ScriptedEngine:
    """Yields its queued replies one character at a time, and remembers every prompt it was given.

    `choose` gives each call the next queued row of probabilities, or an even chance when none is queued. `at_work` is
    true from the first step of `stream` or `warm` until that has ended or was closed.
    """

    name = "scripted"
    model = "script"
    context_tokens = 4096

    def __init__(self, replies: Sequence[str] = (), choices: Sequence[tuple[float, ...]] = ()) -> None:
        self.replies = list(replies)
        self.choices = list(choices)
        self.prompts: list[Prompt] = []
        self.warmed: list[Prompt] = []
        self.forgotten = 0
        self.stopped_early = False
        self.at_work = False
        self.closed = False

    def stream(self, prompt: Prompt, limits: Limits) -> Iterator[str]:
        self.prompts.append(prompt)
        reply = self.replies.pop(0)
        ends = [at for stop in limits.stop if (at := reply.find(stop)) >= 0]
        finished = False
        self.at_work = True
        try:
            yield from reply[: min(ends, default=len(reply))]
            finished = True
        finally:
            self.stopped_early = not finished
            self.at_work = False

    def choose(self, prompt: Prompt, options: Sequence[str]) -> tuple[float, ...]:
        self.prompts.append(prompt)
        return self.choices.pop(0) if self.choices else (1 / len(options),) * len(options)

    def warm(self, prompt: Prompt) -> Iterator[None]:
        self.warmed.append(prompt)
        self.at_work = True
        try:
            yield
        finally:
            self.at_work = False

    def forget(self) -> None:
        self.forgotten += 1

    def count_tokens(self, text: str) -> int:
        return len(_words(text))

    def close(self) -> None:
        self.closed = True


class ReusingEngine(ScriptedEngine):
    """Gives one reply to everything, and moves its probabilities a little by what it reuses, as real engines do.

    The parts with which a prompt begins like the one before are reused. Each part keeps how many were reused when it
    was computed; `choose` gives the first option `sure`, and 0.001 less for each of these.
    """

    def __init__(self, reply: str, sure: float) -> None:
        super().__init__()
        self.reply = reply
        self.sure = sure
        self._kept: list[tuple[str, int]] = []

    def stream(self, prompt: Prompt, limits: Limits) -> Iterator[str]:
        self._compute(prompt)
        self.replies.append(self.reply)
        yield from super().stream(prompt, limits)

    def choose(self, prompt: Prompt, options: Sequence[str]) -> tuple[float, ...]:
        self._compute(prompt)
        first = round(self.sure - 0.001 * sum(reused for _, reused in self._kept), 3)
        self.choices.append((first, *[(1 - first) / (len(options) - 1)] * (len(options) - 1)))
        return super().choose(prompt, options)

    def warm(self, prompt: Prompt) -> Iterator[None]:
        self._compute(prompt)
        yield from super().warm(prompt)

    def forget(self) -> None:
        super().forget()
        self._kept = []

    def _compute(self, prompt: Prompt) -> None:
        parts = [prompt.instructions, *prompt.passages, prompt.request]
        pairs = zip(parts, self._kept, strict=False)
        reused = len(list(takewhile(lambda pair: pair[0] == pair[1][0], pairs)))
        self._kept = self._kept[:reused] + [(part, reused) for part in parts[reused:]]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
