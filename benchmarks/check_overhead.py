"""How much longer an answer takes for being checked: the questions put to the reader about it, and its grounding.

    python -m benchmarks.check_overhead                  # six of the seeds' questions
    python -m benchmarks.check_overhead --questions 2

Each question is answered by the pipeline, and by the reader alone from the same passages with the same prompt, each
time with nothing read before. Two shares are printed of each: that of the pair, which moves with whatever else the
machine does, and that of the time spent on checks within the one run, which hardly does. Tokens are those read by each
question to the reader that the one before it hadn't read. Searching is part of neither.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag import prompting
from rag.pipeline import Pipeline, index_articles, open_pipeline
from rag.settings import Settings, load_settings
from rag.types import Answer, Engine, Limits, Prompt

SEEDS = Path(__file__).parent.parent / "seeds"
QUESTIONS = (
    "how much does TikTok pay Microsoft?",
    "Which project is Apple abandoning to focus on AI?",
    "When did Liang Rubo become chief executive of ByteDance?",
    "Why did Kelly Zhang resign as chief executive of Douyin?",
    "What is Boximator?",
    "Why did OpenAI suspend ByteDance's account?",
)


@dataclass(frozen=True, slots=True)
class Call:
    """Something that the reader was asked."""

    what: str
    """ "warm", "choose" or "stream"."""
    seconds: float
    tokens: int
    """Of the prompt that the reader hadn't just read."""


@dataclass(slots=True)
class Watched:
    """An engine that keeps what it was asked. Implements `rag.types.Engine`."""

    engine: Engine
    calls: list[Call] = field(default_factory=list)
    _read: str = ""

    @property
    def name(self) -> str:
        return self.engine.name

    @property
    def model(self) -> str:
        return self.engine.model

    @property
    def context_tokens(self) -> int:
        return self.engine.context_tokens

    def stream(self, prompt: Prompt, limits: Limits) -> Iterator[str]:
        tokens, begun = self._unread(prompt), time.perf_counter()
        for piece in self.engine.stream(prompt, limits):
            self._read += piece
            yield piece
        self.calls.append(Call("stream", time.perf_counter() - begun, tokens))

    def choose(self, prompt: Prompt, options: Sequence[str]) -> tuple[float, ...]:
        tokens, begun = self._unread(prompt), time.perf_counter()
        chosen = self.engine.choose(prompt, options)
        self.calls.append(Call("choose", time.perf_counter() - begun, tokens))
        return chosen

    def warm(self, prompt: Prompt) -> Iterator[None]:
        tokens, begun = self._unread(prompt), time.perf_counter()
        yield from self.engine.warm(prompt)
        self.calls.append(Call("warm", time.perf_counter() - begun, tokens))

    def forget(self) -> None:
        self._read = ""
        self.calls.clear()
        self.engine.forget()

    def count_tokens(self, text: str) -> int:
        return self.engine.count_tokens(text)

    def close(self) -> None:
        self.engine.close()

    def _unread(self, prompt: Prompt) -> int:
        text = "\n\n".join([prompt.instructions, *prompt.passages, prompt.request])
        shared = next((at for at, pair in enumerate(zip(text, self._read, strict=False)) if pair[0] != pair[1]), None)
        shared = min(len(text), len(self._read)) if shared is None else shared
        self._read = text
        return self.engine.count_tokens(text[shared:])


@dataclass(frozen=True, slots=True)
class Measured:
    """One question."""

    checked: float
    """Seconds of an answer with all its checks."""
    alone: float
    checking: float
    """Seconds of the first that were spent on checks."""
    calls: tuple[Call, ...]

    @property
    def of_the_pair(self) -> float:
        return self.checked / self.alone - 1

    @property
    def within(self) -> float:
        return self.checking / (self.checked - self.checking)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=len(QUESTIONS))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings().model_copy(update={"index": Path(folder)})
        index_articles(settings, [SEEDS])
        opened = open_pipeline(settings)
        measured = [one for text in QUESTIONS[: given.questions] if (one := _measure(settings, opened, text))]
        opened.close()
    if not measured:
        print("None of the questions was answered.")
        return
    for name in ("of_the_pair", "within"):
        shares = [getattr(one, name) for one in measured]
        print(f"{name}: median {statistics.median(shares):.1%} ({min(shares):.1%} to {max(shares):.1%})")


def _measure(settings: Settings, opened: Pipeline, question: str) -> Measured | None:
    """None where the answer was refused: then less is done than an answer takes."""
    watched = Watched(opened.engine)
    watched.forget()
    answer = Pipeline(settings, opened.library, opened.embedder, watched).answer(question)
    calls = tuple(watched.calls)
    print(f"{question}\n  {' '.join(answer.text.split())[:100]}", flush=True)
    print("  " + ", ".join(f"{one.what} {one.tokens} tokens {one.seconds:.2f} s" for one in calls), flush=True)
    if answer.abstained:
        return None
    checked = answer.timings.total - answer.timings.retrieval
    alone = _alone(opened.engine, settings, answer)
    asked = sum(one.seconds for one in calls if one.what == "choose")
    between = checked - sum(one.seconds for one in calls)
    found = Measured(checked, alone, asked + between, calls)
    print(
        f"  {checked:.1f} s, alone {alone:.1f} s: {found.of_the_pair:+.1%}; "
        f"asked {asked:.2f} s, grounding and the rest {between:.2f} s: {found.within:.1%}",
        flush=True,
    )
    return found


def _alone(engine: Engine, settings: Settings, answer: Answer) -> float:
    engine.forget()
    begun = time.perf_counter()
    prompt = prompting.answer_prompt(answer.standalone_question, answer.passages)
    for _ in engine.stream(prompt, Limits(settings.answer_tokens)):
        pass
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
