"""Caches of several kinds, under the loop that wants to cut and reuse them."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from rag.engines.conversion import converted
from rag.engines.stepped import Logits
from rag.engines.transformers_steps import TransformersSteps, open_transformers
from rag.errors import EngineError
from rag.types import Engine, Limits, Prompt
from tests.engines.helpers import answer
from tests.engines.runtimes import THREADS, silent
from tests.engines.tiny_gguf import write_tiny_gguf

SIZES: dict[str, Any] = {
    "vocab_size": 260,
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "bos_token_id": 257,
    "eos_token_id": 258,
    "pad_token_id": 258,
    "initializer_range": 1.0,
}
"""Weights large enough for odds far apart: nothing hangs by a hair."""

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "full": ("Qwen2", {}),
    "sliding": ("Mistral", {"sliding_window": 16}),
    "sliding and full": ("Qwen2", {"use_sliding_window": True, "sliding_window": 16, "max_window_layers": 1}),
    "full and convolution": ("Lfm2", {"layer_types": ["full_attention", "conv"], "block_auto_adjust_ff_dim": False}),
}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    return converted(write_tiny_gguf(folder / "tiny.gguf", {}), folder / "tiny.bf16", silent)


@pytest.fixture(params=KINDS)
def folder(request: pytest.FixtureRequest, tokenizer: Path, tmp_path: Path) -> Path:
    """A reader of random weights."""
    import torch
    import transformers

    family, options = KINDS[request.param]
    torch.manual_seed(7)
    config = getattr(transformers, f"{family}Config")(**SIZES, **options)
    getattr(transformers, f"{family}ForCausalLM")(config).to(torch.bfloat16).save_pretrained(tmp_path)
    for file in [*tokenizer.glob("tokenizer*"), *tokenizer.glob("*.jinja")]:
        shutil.copy(file, tmp_path)
    return tmp_path


def opened(folder: Path) -> Engine:
    return open_transformers(folder, "random", 512, THREADS)


def prompt(request: str) -> Prompt:
    return Prompt("Be kind.", ("The grey boat left the harbour at noon with nine sailors.",), request)


LIMITS = Limits(40)


def test_answers_dont_depend_on_what_was_asked_before(folder: Path) -> None:
    requests = ["Who left?", "Who left when?", "Who left?", "And the cargo?"]
    used = opened(folder)
    fresh = [answer(opened(folder), prompt(request), LIMITS) for request in requests]
    assert [answer(used, prompt(request), LIMITS) for request in requests] == fresh
    assert fresh[0] == fresh[2] != fresh[3]


def test_a_prompt_that_was_warmed_is_answered_alike(folder: Path) -> None:
    warmed = opened(folder)
    list(warmed.warm(prompt("")))
    assert answer(warmed, prompt("Who left?"), LIMITS) == answer(opened(folder), prompt("Who left?"), LIMITS)


def test_going_back_to_an_earlier_conversation_changes_no_answer(folder: Path) -> None:
    articles = [f"Article {number}: the grey boat left at noon. " * 4 for number in range(3)]
    prompts = [
        Prompt("Be kind.", (article,), request) for request in ("Who left?", "When did it?") for article in articles
    ]
    used = opened(folder)
    fresh = [answer(opened(folder), one, LIMITS) for one in prompts]
    assert [answer(used, one, LIMITS) for one in prompts] == fresh
    assert len(set(fresh)) > 1


def test_a_full_cache_that_is_returned_to_is_not_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    step = TransformersSteps.step

    def counted(self: TransformersSteps, tokens: list[int], last_only: bool) -> Logits:
        read.append(len(tokens))
        return step(self, tokens, last_only)

    monkeypatch.setattr(TransformersSteps, "step", counted)
    engine = opened(folder)
    passages = ("The grey boat left the harbour at noon with nine sailors. " * 4,)
    for instructions in ("Be kind.", "You rewrite questions.", "Be kind."):
        read.clear()
        engine.choose(Prompt(instructions, passages, "Who left?"), ("a", "b"))
    assert (sum(read) < 10) == _keeps(folder)


def _keeps(folder: Path) -> bool:
    """Whether the weights' cache can be cut, and so kept."""
    return TransformersSteps(folder, THREADS).can_truncate


DAMAGES = {
    "model.safetensors": b"half of it",
    "config.json": b"{",
    "tokenizer.json": b"{}",
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_folder_is_refused_by_name(name: str, tokenizer: Path, tmp_path: Path) -> None:
    shutil.copytree(tokenizer, tmp_path, dirs_exist_ok=True)
    (tmp_path / name).write_bytes(DAMAGES[name])
    with pytest.raises(EngineError, match=r"transformers can't load .*rag models verify") as caught:
        open_transformers(tmp_path, "damaged", 512, THREADS)
    assert str(tmp_path) in str(caught.value)
