"""Tokens that a reader has to read: what answers cost before a word is written, on however busy a machine.

    python -m benchmarks.tokens_read SET                  # 24 pairs of questions, 20 articles of 10 questions
    python -m benchmarks.tokens_read SET --pairs 10 --articles 5

SET is a folder as `rag eval` takes it, with a document a paragraph. No reader is asked; of it only the tokenizer is
used, which has to be converted already (see `rag.engines.conversion`). Counted are Citeline's prompts, with the check
whether the passages hold the answer, and a prompt with the five documents whose vectors are nearest; of a second
question about the same document, what doesn't begin as the first one's prompt; and of a batch, what doesn't begin as
the prompt before it in the order in which `rag batch` asks.
"""

import argparse
import statistics
from collections.abc import Callable, Sequence
from itertools import chain, islice, pairwise
from pathlib import Path

import numpy as np

from benchmarks.question_pairs import by_article, pairs
from rag import prompting
from rag.engines.chat import common_beginning
from rag.evaluation.libraries import library_for
from rag.evaluation.sets import load_set
from rag.model_files import ensure
from rag.pipeline import library_identity, open_embedder
from rag.retrieval import Budget, retrieve
from rag.settings import load_settings
from rag.stores import open_library
from rag.types import Passage, Prompt

NEAREST = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("set", type=Path)
    parser.add_argument("--pairs", type=int, default=24)
    parser.add_argument("--articles", type=int, default=20)
    parser.add_argument("--questions", type=int, default=10, help="about each article")
    options = parser.parse_args()
    questions, settings = load_set(options.set), load_settings()
    assert questions.corpus is not None, "the set has to bring its documents along"
    tokens = tokenizer(ensure(settings.reader, settings.models).with_suffix(".bf16") / "tokenizer.json")
    embedder = open_embedder(settings)
    budget = Budget(settings.passages, settings.passage_tokens, lambda text: len(tokens(text)))
    texts = [f"{document.title}\n{document.text}" for document in questions.corpus.read()]
    vectors = embedder.embed_passages(texts)
    place = library_for(questions, settings, embedder)
    with open_library(place, library_identity(settings, embedder)) as library, library.snapshot() as catalogue:

        def found(question: str) -> tuple[Passage, ...]:
            return retrieve(question, embedder, catalogue, budget, settings.candidates, None).passages

        def ours(question: str) -> list[int]:
            return tokens(as_text(prompting.check_prompt(question, found(question))))

        def whole(question: str) -> list[int]:
            nearest = np.argsort(-(vectors @ embedder.embed_query(question)[0]))[:NEAREST]
            return tokens("\n\n".join([*(texts[at] for at in nearest), question]))

        chosen = [(one.text, other.text) for (one, _), (other, _) in islice(pairs(questions), options.pairs)]
        for name, prompt in (("Citeline", ours), (f"{NEAREST} whole", whole)):
            both = [(prompt(one), prompt(other)) for one, other in chosen]
            cold = statistics.median(len(first) for first, _ in both)
            seen = statistics.median(len(second) - common_beginning(first, second) for first, second in both)
            print(f"{name:10} cold {cold:.0f} tokens, seen {seen:.0f} of {len(both)} questions each", flush=True)

        gains = []
        for article in islice(by_article(questions), options.articles):
            asked = [question.text for question, _ in chain(*article)][: options.questions]
            ordered = sorted(asked, key=lambda text: [passage.chunk.id for passage in found(text)])
            gains.append(share_read([ours(text) for text in ordered]))
        share, least, most = statistics.median(gains), min(gains), max(gains)
        print(f"batch      {share:.2f} of the tokens of one by one ({least:.2f} to {most:.2f})")


def share_read(prompts: Sequence[Sequence[int]]) -> float:
    """Of the tokens of all prompts, those that don't begin as the prompt before."""
    shared = sum(common_beginning(one, other) for one, other in pairwise(prompts))
    return 1 - shared / sum(map(len, prompts))


def as_text(prompt: Prompt) -> str:
    return "\n\n".join([prompt.instructions, *prompt.passages, prompt.request])


def tokenizer(file: Path) -> Callable[[str], list[int]]:
    from tokenizers import Tokenizer

    loaded = Tokenizer.from_file(str(file))
    return lambda text: loaded.encode(text, add_special_tokens=False).ids


if __name__ == "__main__":
    main()
