"""An engine made of single steps of a model, for bindings that run in this process.

The decoding loop is our own, because transformers' `generate` can neither be stopped between two steps of reading a
prompt nor combine prompt lookup with a cache that already holds the prompt's beginning.

Prompt lookup (Saxena 2023, https://github.com/apoorvumang/prompt-lookup-decoding): answers repeat their sources, so
what followed the last few tokens the last time they occurred is proposed as a draft, and one step of the model checks
all of it. The answer is the one greedy decoding gives.
"""

import threading
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.engines.chat import ChatFrame, PromptEncoder, check_fit, common_beginning, first_tokens
from rag.engines.kept_states import KEPT_MIB, WORTH_KEEPING, KeptStates, State
from rag.engines.stopping import until_stop
from rag.errors import EngineError
from rag.types import Limits, Prompt

BATCH = 128
"""Prompt tokens read between two looks at whether the reader pressed Stop."""

DRAFT = 8
"""Tokens proposed at once. Longer drafts are seldom right to the end, and each token costs a little."""

NGRAMS = (3, 2)
"""Lengths of the endings looked for in what was read before, the surer one first."""

Logits = NDArray[np.float32]
"""Shape (n, vocabulary)."""


class StepModel(Protocol):
    """Weights, tokenizer and a cache of the tokens read so far."""

    ends: frozenset[int]
    """Tokens that end an answer."""
    can_truncate: bool
    """Whether `truncate` works; caches with a sliding window or a running state can only be emptied."""

    def step(self, tokens: list[int], last_only: bool) -> Logits:
        """Append `tokens` to the cache. Logits after each of them, or after the last one only."""
        ...

    def truncate(self, length: int) -> None:
        """Keep the first `length` tokens of the cache."""
        ...

    def clear(self) -> None: ...

    def state(self) -> State | None:
        """The cache as it is now, to be restored later; None where that can't be done."""
        ...

    def tokens(self, text: str, control: bool, begins: bool) -> list[int]:
        """Tokenize; `control` lets text such as `<|im_end|>` become a control token, `begins` may add a first one."""
        ...

    def text(self, tokens: list[int]) -> str: ...

    def close(self) -> None: ...


class SteppedEngine:
    """Runs any `StepModel`. Implements `rag.types.Engine`."""

    def __init__(
        self,
        name: str,
        model: str,
        context_tokens: int,
        weights: StepModel,
        frame: ChatFrame,
        kept_mib: float = KEPT_MIB,
    ) -> None:
        """`kept_mib` is what the states of earlier prompts may take in memory, besides that of the last one."""
        self.name = name
        self.model = model
        self.context_tokens = context_tokens
        self._weights: StepModel | None = weights
        self._seen: list[int] = []
        self._kept = KeptStates(int(kept_mib * 2**20))
        self._turn = threading.Lock()
        self._step_at_hand = threading.Lock()
        self._encoder = PromptEncoder(frame, self._plain, self._template)

    def stream(self, prompt: Prompt, limits: Limits) -> Iterator[str]:
        """See `Engine.stream`; an empty piece after every batch of the prompt lets the caller stop early."""
        tokens = check_fit(self._encoder.whole(prompt), limits.max_tokens, self.context_tokens)
        with self._turn:
            for _ in self._read(tokens[:-1]):
                yield ""
            yield from until_stop(self._pieces(tokens, limits.max_tokens), limits.stop)

    def choose(self, prompt: Prompt, options: Sequence[str]) -> tuple[float, ...]:
        """See `Engine.choose`."""
        wanted = first_tokens(self._plain, options)
        tokens = check_fit(self._encoder.whole(prompt), 1, self.context_tokens)
        with self._turn:
            for _ in self._read(tokens[:-1]):
                pass
            logits = self._step(tokens[-1:])[-1, wanted].astype(np.float64)
        odds = np.exp(logits - logits.max())
        return tuple((odds / odds.sum()).tolist())

    def warm(self, prompt: Prompt) -> Iterator[None]:
        """See `Engine.warm`."""
        with self._turn:
            yield from self._read(self._encoder.beginning(prompt)[: self.context_tokens - 1])

    def forget(self) -> None:
        """See `Engine.forget`."""
        with self._turn:
            self._open().clear()
            self._seen.clear()
            self._kept.clear()

    def count_tokens(self, text: str) -> int:
        """See `Engine.count_tokens`."""
        return len(self._plain(text))

    def close(self) -> None:
        """See `Engine.close`."""
        weights, self._weights = self._weights, None
        if weights is not None:
            with self._step_at_hand:  # of another thread, which would go on in memory that is freed
                weights.close()
                self._kept.clear()

    def _pieces(self, tokens: list[int], max_tokens: int) -> Iterator[str]:
        """Yield the answer's text as it grows; half a character (a cut UTF-8 sequence) waits for its other half."""
        written = 0
        answer: list[int] = []
        for token in self._decode(tokens, max_tokens):
            answer.append(token)
            text = self._open().text(answer)
            if not text.endswith("\ufffd"):
                yield text[written:]
                written = len(text)

    def _decode(self, tokens: list[int], max_tokens: int) -> Iterator[int]:
        """Yield the likeliest continuation of `tokens`, whose all but last are in the cache."""
        known = list(tokens)
        while (left := max_tokens - (len(known) - len(tokens))) > 0:
            draft = lookup(known)[: left - 1] if self._open().can_truncate else []
            best = self._step([known[-1], *draft]).argmax(axis=-1).tolist()
            accepted = common_beginning(draft, best)
            self._truncate(len(known) + accepted)
            for token in best[: accepted + 1]:
                if token in self._open().ends:
                    return
                known.append(token)
                yield token

    def _read(self, tokens: list[int]) -> Iterator[None]:
        """Bring the cache to hold exactly `tokens`, keeping the beginning it already has."""
        shared = common_beginning(tokens, self._seen)
        if shared < len(self._seen) and not self._open().can_truncate:
            shared = 0
        shared = self._exchange(tokens, shared)
        if not shared:
            self._open().clear()
            self._seen.clear()
        self._truncate(shared)
        for start in range(shared, len(tokens), BATCH):
            self._step(tokens[start : start + BATCH], last_only=True)
            yield

    def _exchange(self, tokens: list[int], shared: int) -> int:
        """Keep what would be lost, and go on from what was kept where that saves more than the `shared` tokens.

        Returns how many of `tokens` the cache begins with then.
        """
        with self._step_at_hand:
            if len(self._seen) - shared >= WORTH_KEEPING and (state := self._open().state()) is not None:
                self._kept.keep(self._seen, state)
            found = self._kept.closest(tokens, more_than=shared)
            if found is None:
                return shared
            self._seen = []
            state, shared = found
            state.restore(shared)
            self._seen = tokens[:shared]
            return shared

    def _step(self, tokens: list[int], last_only: bool = False) -> Logits:
        # A step that is broken off, by Ctrl-C say, leaves the cache in no known state: then nothing of it is reused.
        seen, self._seen = self._seen, []
        with self._step_at_hand:
            logits = self._open().step(tokens, last_only)
        self._seen = seen + tokens
        return logits

    def _truncate(self, length: int) -> None:
        if length < len(self._seen):
            self._open().truncate(length)
            del self._seen[length:]

    def _plain(self, text: str) -> list[int]:
        return self._open().tokens(text, control=False, begins=False)

    def _template(self, text: str, begins: bool) -> list[int]:
        return self._open().tokens(text, control=True, begins=begins)

    def _open(self) -> StepModel:
        if self._weights is None:
            raise EngineError("The reader has been closed. Start Citeline again.")
        return self._weights


def lookup(tokens: list[int]) -> list[int]:
    """What followed the latest earlier occurrence of the last few tokens, at most `DRAFT` long.

    [7, 8, 9, 5, 7, 8] -> [9, 5, 7, 8]: the ending (7, 8) stood before 9, 5, 7, 8.
    """
    for length in NGRAMS:
        ending = tokens[-length:]
        for start in range(len(tokens) - length - 1, -1, -1):
            if tokens[start : start + length] == ending:
                return tokens[start + length : start + length + DRAFT]
    return []
