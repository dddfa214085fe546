"""Passages embedded in int8. What holds in every precision is tested in test_embedding.py."""

import json
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.embedding import Precision, SentenceTransformerEmbedder
from rag.errors import ModelError

TEXTS = [
    "Simmer the onions in butter until they are golden, then add the stock.",
    "TikTok is said to spend some twenty million dollars a month on Microsoft's cloud. " * 9,
    "Tickets are sold on board; children under six travel free. " * 40,
    "",
    "ferry",
    "船は月曜日に港を出た。",
]

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def short(embedder_folder: Path) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(embedder_folder, "all-MiniLM-L6-v2", "1", Precision.INT8, "cpu")


@pytest.fixture(scope="module")
def exact(embedder_folder: Path) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(embedder_folder, "all-MiniLM-L6-v2", "1", Precision.FLOAT32, "cpu")


def test_passages_are_nearly_what_they_are_in_float32(
    short: SentenceTransformerEmbedder, exact: SentenceTransformerEmbedder
) -> None:
    assert short.precision is Precision.INT8
    likeness = np.sum(short.embed_passages(TEXTS) * exact.embed_passages(TEXTS), axis=1)
    assert np.all(likeness > 0.98)
    assert np.all(likeness < 0.99999)  # or it wasn't int8


def test_a_row_depends_on_its_text_alone(short: SentenceTransformerEmbedder) -> None:
    together = short.embed_passages(TEXTS * 3)
    alone = np.vstack([short.embed_passages([text]) for text in TEXTS])
    assert np.allclose(together, np.tile(alone, (3, 1)), atol=1e-5)


def test_questions_are_embedded_as_without_int8(
    short: SentenceTransformerEmbedder, exact: SentenceTransformerEmbedder
) -> None:
    question = "When does the ferry leave?"
    assert short.embed_query(question) @ exact.embed_query(question)[0] > 0.999


def test_threads_that_begin_later_still_compute_on_all_cores(short: SentenceTransformerEmbedder) -> None:
    import torch

    short.embed_passages(TEXTS)
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert seen == [torch.get_num_threads()]


def test_fastest_takes_what_it_measures_to_be_faster(embedder_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rag.embedding import embedder as module

    chosen = []
    for faster in (True, False):
        monkeypatch.setattr(module, "is_faster", lambda *_, faster=faster: faster)
        monkeypatch.setattr(module, "fastest_float", lambda _device: Precision.FLOAT32)
        made = SentenceTransformerEmbedder(embedder_folder, "m", "1", Precision.FASTEST, "cpu")
        chosen.append(made.precision)
    assert chosen == [Precision.INT8, Precision.FLOAT32]


def test_where_the_processor_lacks_the_instructions_it_says_so(
    embedder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def incapable() -> Mapping[str, Any]:
        return {"avx2": True}

    monkeypatch.setattr(torch.cpu, "get_capabilities", incapable)
    with pytest.raises(ModelError, match="in int8: this processor has none of the instructions avx512_vnni"):
        SentenceTransformerEmbedder(embedder_folder, "m", "1", Precision.INT8, "cpu")


def test_an_operator_that_computes_something_else_is_not_trusted(
    embedder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def zeros(levels: Any, _step: float, _zero: int, _weights: Any, scales: Any, *_others: Any) -> Any:
        return torch.zeros(len(levels), len(scales))

    monkeypatch.setattr(torch.ops.onednn, "qlinear_pointwise", zeros)
    with pytest.raises(ModelError, match=r"inner product with what it should be is .* instead of 0\.97"):
        SentenceTransformerEmbedder(embedder_folder, "m", "1", Precision.INT8, "cpu")
    made = SentenceTransformerEmbedder(embedder_folder, "m", "1", Precision.FASTEST, "cpu")
    assert made.precision is not Precision.INT8


def test_a_model_that_wants_a_prompt_before_its_passages_is_left_in_float(
    embedder_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(embedder_folder, folder)
    settings = folder / "config_sentence_transformers.json"
    content = json.loads(settings.read_text()) | {"prompts": {"document": "passage: ", "query": "query: "}}
    settings.unlink()
    settings.write_text(json.dumps(content))
    with pytest.raises(ModelError, match="puts a prompt in front of passages"):
        SentenceTransformerEmbedder(folder, "m", "1", Precision.INT8, "cpu")
    assert SentenceTransformerEmbedder(folder, "m", "1", Precision.FASTEST, "cpu").precision is not Precision.INT8
