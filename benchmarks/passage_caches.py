"""Whether keys and values of passages computed once, each alone, and moved to their place do as well as full reading.

    python -m benchmarks.passage_caches ../shared/benchmarks/xquad-en --limit 20
    python -m benchmarks.passage_caches SET --limit 20 --ways full "first 32" --out passage_caches.jsonl

In transformers. Of each question the passages that the pipeline would give are read behind the same instructions, each
as if it were the first: what a cache of passages would hold. A way puts these together, their keys rotated to where
they stand in the prompt, reads some of their tokens again where they stand, and then the instructions' end and all of
the question. As in the pipeline the check's Yes or No comes first and then the first word of the answer; seconds are
those to the Yes or No, the instructions known and the passages in memory, by the clock and of processor time, which
other work on the machine changes less.

Each way is compared with full reading: the Kullback-Leibler divergence (nats) of the answer's first token, how far the
check's Yes moves, whether the greedy answer is the same to the last token, and whether both contain an accepted answer.
"all again" reads every token of every passage where it stands, in one batch in place of several: what rounding changes.

Results are kept in --out, a line a question; questions there are not asked again.
"""

import argparse
import itertools
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rag import prompting
from rag.engines import share_processor_politely
from rag.engines.chat import common_beginning
from rag.engines.conversion import converted
from rag.engines.stepped import BATCH, SteppedEngine, lookup
from rag.engines.transformers_steps import TransformersSteps, open_transformers
from rag.evaluation.libraries import library_for
from rag.evaluation.sets import load_set, sample
from rag.metrics import contained
from rag.model_files import ensure
from rag.pipeline import library_identity, open_embedder
from rag.retrieval import Budget, retrieve
from rag.settings import load_settings
from rag.stores import open_library
from rag.types import Prompt

share_processor_politely()
import torch  # noqa: E402  only now, see there
import transformers  # noqa: E402

CONTEXT, ANSWER = 4096, 24
"""Tokens."""
DEVIATION_LAYER = 1
"""Where CacheBlend looks for tokens that attend much to other passages: the first layer whose input they changed."""

Tensor = torch.Tensor
State = list[tuple[Tensor, Tensor]]
"""Keys and values of every layer, each of shape (heads, tokens, size)."""


@dataclass(frozen=True)
class Encoded:
    """A prompt's tokens in the parts that are put together."""

    head: list[int]
    passages: list[list[int]]
    request: list[int]

    @property
    def tokens(self) -> list[int]:
        return [*self.head, *itertools.chain(*self.passages), *self.request]

    @property
    def starts(self) -> list[int]:
        return [len(self.head) + sum(map(len, self.passages[:number])) for number in range(len(self.passages))]


class Reader:
    """The transformers engine's model, with states that can be taken, moved and put together."""

    def __init__(self, engine: SteppedEngine) -> None:
        assert isinstance(engine._weights, TransformersSteps)
        self.steps = engine._weights
        self.model = self.steps._model
        self.encoder = engine._encoder
        self.plain = engine._plain

    def encode(self, prompt: Prompt) -> Encoded:
        tokens = self.encoder.whole(prompt)
        borders = [len(self.encoder._head(prompt))]
        for number in range(len(prompt.passages)):
            # Not always all of the beginning's tokens: some tokenizers join blank lines to what follows.
            beginning = self.encoder.beginning(replace(prompt, passages=prompt.passages[: number + 1], request=""))
            borders.append(common_beginning(beginning, tokens))
        passages = [tokens[start:end] for start, end in itertools.pairwise(borders)]
        return Encoded(tokens[: borders[0]], passages, tokens[borders[-1] :])

    def read(self, tokens: list[int], behind: State | None) -> State:
        """The state of `tokens` read behind those of another."""
        self.restore(behind)
        known = behind[0][0].shape[1] if behind else 0
        for start in range(0, len(tokens), BATCH):
            self.steps.step(tokens[start : start + BATCH], last_only=True)
        return [(layer.keys[0, :, known:].clone(), layer.values[0, :, known:].clone()) for layer in self.layers]

    def restore(self, state: State | None) -> None:
        self.steps.clear()
        if state:
            for number, (keys, values) in enumerate(state):
                self.steps._cache.update(keys[None], values[None], number)

    @property
    def layers(self) -> list[Any]:
        layers: list[Any] = self.steps._cache.layers
        return layers

    def moved(self, keys: Tensor, by: int) -> Tensor:
        """Keys as if their tokens stood `by` tokens further on."""
        if not by:
            return keys
        inverse = self.model.model.rotary_emb.inv_freq.float()
        angles = torch.cat((inverse, inverse)) * by
        half = keys.shape[-1] // 2
        turned = torch.cat((-keys[..., half:], keys[..., :half]), dim=-1).float()
        return (keys.float() * angles.cos() + turned * angles.sin()).to(keys.dtype)

    def place(self, head: State, passages: Sequence[State], room: int) -> State:
        """One state of all, with `room` for that many tokens more."""
        begins, placed = head[0][0].shape[1], []
        for number, (keys, values) in enumerate(head):
            at, all_keys, all_values = begins, [keys], [values]
            for passage in passages:
                all_keys.append(self.moved(passage[number][0], at - begins))
                all_values.append(passage[number][1])
                at += passage[number][0].shape[1]
            empty = keys.new_zeros((keys.shape[0], room, keys.shape[2]))
            placed.append((torch.cat([*all_keys, empty], 1), torch.cat([*all_values, empty], 1)))
        return placed

    def reread(self, tokens: list[int], where: list[int], placed: State, layers: int | None = None) -> Tensor:
        """Read the tokens at `where` again, each behind all that stand before it; they replace what was `placed`.

        Returns the logits after the last one. With `layers`, only so many of the model's take part.
        """
        at = torch.tensor(where)
        cache = Placed(placed, at)
        config = self.model.config
        deep, config.num_hidden_layers = config.num_hidden_layers, layers or config.num_hidden_layers
        try:
            with torch.inference_mode():
                output = self.model(
                    input_ids=torch.tensor([[tokens[one] for one in where]]),
                    position_ids=at[None],
                    attention_mask=(torch.arange(len(tokens))[None] <= at[:, None])[None, None],
                    past_key_values=cache,
                    logits_to_keep=1,
                )
        finally:
            config.num_hidden_layers = deep
        logits: Tensor = output.logits[0, -1].float()
        return logits


class Placed(transformers.DynamicCache):  # type: ignore[misc]
    """Puts what is computed into given places of a state that is there already."""

    def __init__(self, state: State, where: Tensor) -> None:
        super().__init__()
        self._state = state
        self._where = where

    def update(self, keys: Tensor, values: Tensor, number: int, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        known_keys, known_values = self._state[number]
        known_keys[:, self._where] = keys[0]
        known_values[:, self._where] = values[0]
        return known_keys[None], known_values[None]

    def get_seq_length(self, layer_idx: int = 0) -> int:  # noqa: ARG002
        return int(self._where[0])


@dataclass(frozen=True)
class Question:
    """Its two prompts and what was read of its passages beforehand."""

    check: Encoded
    answer: Encoded
    head: State
    passages: list[State]


Again = Callable[[Reader, Question], list[int]]
"""Which of the passages' tokens to read again, as places in the prompt."""


def first(count: int) -> Again:
    """The first tokens of each passage but the first, which nothing is amiss with: EPIC (Hu 2024)."""

    def again(_: Reader, question: Question) -> list[int]:
        ranges = zip(question.check.starts[1:], question.check.passages[1:], strict=True)
        return [start + at for start, tokens in ranges for at in range(min(count, len(tokens)))]

    return again


def last(count: int) -> Again:
    """All of the last passage, and the first tokens of the others."""

    def again(reader: Reader, question: Question) -> list[int]:
        begins = question.check.starts[-1]
        others = [at for at in first(count)(reader, question) if at < begins]
        return [*others, *range(begins, begins + len(question.check.passages[-1]))]

    return again


def deviating(share: float) -> Again:
    """The tokens whose keys and values change most in an early layer: CacheBlend (Yao 2024)."""

    def again(reader: Reader, question: Question) -> list[int]:
        check = question.check
        begins, ends = len(check.head), len(check.tokens) - len(check.request)
        alone = reader.place(question.head, question.passages, 0)
        together = [(keys.clone(), values.clone()) for keys, values in alone[: DEVIATION_LAYER + 1]]
        reader.reread(check.tokens[:ends], list(range(begins, ends)), together, DEVIATION_LAYER + 1)
        pairs = zip(alone[DEVIATION_LAYER], together[DEVIATION_LAYER], strict=True)
        off = sum((one.float() - other.float()).square().sum((0, 2)) for one, other in pairs)
        assert isinstance(off, Tensor)
        chosen = off.topk(int(share * (ends - begins))).indices
        return sorted(int(at) for at in chosen if at >= begins)

    return again


WAYS: dict[str, Again | None] = {
    "full": None,
    "all again": first(CONTEXT),
    "as they are": first(0),
    "first 8": first(8),
    "first 32": first(32),
    "last in full": last(0),
    "last, first 32": last(32),
    "deviating 15 %": deviating(0.15),
    "deviating 40 %": deviating(0.4),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--reader", default="", help="another than that of the settings")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, default=Path("passage_caches.jsonl"))
    options = parser.parse_args()
    ways = ["full", *(way for way in options.ways if way != "full")]
    settings = load_settings(**({"reader": options.reader} if options.reader else {}))
    embedder = open_embedder(settings)
    questions = load_set(options.set)
    gguf = ensure(settings.reader, settings.models, offline=settings.offline, report=lambda *_: None)
    folder = gguf if gguf.is_dir() else converted(gguf, gguf.with_suffix(".bf16"), lambda *_: None)
    engine = open_transformers(folder, settings.reader, CONTEXT, options.threads)
    reader = Reader(engine)
    budget = Budget(settings.passages, settings.passage_tokens, engine.count_tokens)
    done = [json.loads(line) for line in options.out.read_text().splitlines()] if options.out.exists() else []
    place = library_for(questions, settings, embedder)
    with open_library(place, library_identity(settings, embedder)) as library, options.out.open("a") as lines:
        for question, gold in sample(questions.golds, options.limit):
            if question.id in {record["id"] for record in done}:
                continue
            with library.snapshot() as catalogue:
                found = retrieve(question.text, embedder, catalogue, budget, settings.candidates)
            prepared = prepare(reader, question.text, found.passages)
            rows = ask(reader, prepared, ways)
            for row in rows.values():
                row["contained"] = contained(row["text"], gold.answers) if gold.answers else None
            done.append({"id": question.id, "tokens": len(prepared.check.tokens), "ways": rows})
            lines.write(json.dumps(done[-1]) + "\n")
            lines.flush()
            print(
                question.text,
                {
                    way: (round(row["processor"], 1), row["answer"] == rows["full"]["answer"])
                    for way, row in rows.items()
                },
                flush=True,
            )
    table(done, ways)


def prepare(reader: Reader, text: str, passages: Sequence[Any]) -> Question:
    check = reader.encode(prompting.check_prompt(text, passages))
    head = reader.read(check.head, None)
    read = [reader.read(tokens, head) for tokens in check.passages]
    return Question(check, reader.encode(prompting.answer_prompt(text, passages)), head, read)


def ask(reader: Reader, question: Question, ways: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What each way gave; `ways` begin with full reading, whose answer the others are handed as a draft."""
    yes_no = [reader.plain(option)[0] for option in prompting.YES_NO]
    rows: dict[str, dict[str, Any]] = {}
    firsts: dict[str, Tensor] = {}
    for way in ways:
        wall, processor = time.perf_counter(), time.process_time()
        check, again = begin(reader, question, way)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        answer, firsts[way] = decode(reader, question, rows["full"]["answer"] if rows else [])
        rows[way] = {
            "seconds": wall,
            "processor": processor,
            "again": again,
            "yes": float(torch.softmax(check[yes_no], 0)[0]),
            "answer": answer,
            "text": reader.steps.text(answer),
            "divergence": float(
                torch.nn.functional.kl_div(firsts[way], firsts["full"], log_target=True, reduction="sum")
            ),
        }
    return rows


def begin(reader: Reader, question: Question, way: str) -> tuple[Tensor, int]:
    """Read the check's prompt: its logits, and how many of the passages' tokens were read."""
    check, again = question.check, WAYS[way]
    if again is None:
        reader.restore(question.head)
        tokens = check.tokens[len(check.head) :]
        for start in range(0, len(tokens), BATCH):
            read = reader.steps.step(tokens[start : start + BATCH], last_only=True)
        return torch.from_numpy(read[-1]), len(tokens) - len(check.request)
    where = again(reader, question)
    placed = reader.place(question.head, question.passages, len(check.request))
    end = len(check.tokens)
    logits = reader.reread(check.tokens, [*where, *range(end - len(check.request), end)], placed)
    reader.restore(placed)
    return logits, len(where)


def decode(reader: Reader, question: Question, draft: list[int]) -> tuple[list[int], Tensor]:
    """The greedy answer after the check's prompt, and the logarithms of the probabilities of its first token.

    A `draft` that is right to the end takes one step; from where it isn't, its pieces are looked up in it, too.
    """
    known, reference = list(question.answer.tokens), list(draft)
    begins = len(known)
    read = common_beginning(question.check.tokens, known)
    reader.steps.truncate(read)
    first_token: Tensor | None = None
    while True:
        logits = reader.steps.step([*known[read:], *draft], last_only=False)[len(known) - read - 1 :]
        if first_token is None:
            first_token = torch.log_softmax(torch.from_numpy(logits[0]), 0)
        best = logits.argmax(-1).tolist()
        accepted = common_beginning(draft, best)
        read = len(known) + accepted
        reader.steps.truncate(read)
        known += best[: accepted + 1]
        answer = known[begins:][:ANSWER]
        ends = [at for at, token in enumerate(answer) if token in reader.steps.ends]
        if ends or len(answer) == ANSWER:
            return answer[: min(ends, default=ANSWER)], first_token
        draft = lookup([*question.answer.tokens, *reference, *known[begins:]])


def table(records: Sequence[dict[str, Any]], ways: Sequence[str]) -> None:
    tokens = statistics.median(record["tokens"] for record in records)
    print(f"\n{len(records)} questions, prompts of {tokens:.0f} tokens in the middle")
    names = ("seconds", "processor", "of full", "read", "KL", "KL p90", "yes off", "same", "right")
    print(" " * 18 + "".join(f"{name:>10}" for name in names))
    for way in ways:
        rows = [(record["ways"][way], record["ways"]["full"]) for record in records if way in record["ways"]]
        divergences = sorted(row["divergence"] for row, _ in rows)
        judged = [row["contained"] for row, _ in rows if row["contained"] is not None]
        values = (
            f"{statistics.median(row['seconds'] for row, _ in rows):.2f}",
            f"{statistics.median(row['processor'] for row, _ in rows):.2f}",
            f"{statistics.median(row['processor'] / full['processor'] for row, full in rows):.2f}",
            f"{statistics.median(row['again'] for row, _ in rows):.0f}",
            f"{statistics.median(divergences):.4f}",
            f"{divergences[int(0.9 * (len(divergences) - 1))]:.4f}",
            f"{statistics.mean(abs(row['yes'] - full['yes']) for row, full in rows):.3f}",
            f"{sum(row['answer'] == full['answer'] for row, full in rows)}/{len(rows)}",
            f"{sum(judged)}/{len(judged)}",
        )
        print(f"{way:18}" + "".join(f"{value:>10}" for value in values))


if __name__ == "__main__":
    main()
