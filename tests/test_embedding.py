import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.embedding import SLICE_TEXTS, Precision, SentenceTransformerEmbedder
from rag.errors import ModelError
from rag.types import Embedder, Vectors

QUESTION = "How much does TikTok pay Microsoft?"
TEXTS = [
    "Simmer the onions in butter until they are golden, then add the stock.",
    "TikTok is said to spend some twenty million dollars a month on Microsoft's cloud.",
    "",
    "船は月曜日に港を出た。",
]


@pytest.fixture(scope="module", params=[Precision.FLOAT32, Precision.BFLOAT16, Precision.INT8])
def embedder(request: pytest.FixtureRequest, embedder_folder: Path) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(embedder_folder, "all-MiniLM-L6-v2", "1", request.param)


def assert_unit_rows(vectors: Vectors, count: int) -> None:
    assert vectors.shape == (count, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


@pytest.mark.models
def test_it_says_what_it_is(embedder: SentenceTransformerEmbedder) -> None:
    protocol: Embedder = embedder
    assert (protocol.name, protocol.revision, protocol.dimension, protocol.max_tokens) == (
        "all-MiniLM-L6-v2",
        "1",
        384,
        256,
    )


@pytest.mark.models
def test_rows_have_length_one_in_float32(embedder: SentenceTransformerEmbedder) -> None:
    assert_unit_rows(embedder.embed_passages(TEXTS), len(TEXTS))
    assert_unit_rows(embedder.embed_query(QUESTION), 1)
    assert embedder.embed_passages([]).shape == (0, 384)


@pytest.mark.models
def test_a_question_is_nearer_to_what_it_is_about(embedder: SentenceTransformerEmbedder) -> None:
    cooking, payments, *_ = embedder.embed_passages(TEXTS) @ embedder.embed_query(QUESTION)[0]
    assert payments > cooking + 0.3


@pytest.mark.models
def test_one_text_has_one_row_whatever_it_is_embedded_with(embedder: SentenceTransformerEmbedder) -> None:
    passages = [f"{text} {number}" for number in range(SLICE_TEXTS // 2) for text in TEXTS]
    rows = embedder.embed_passages(passages)
    alone = np.vstack([embedder.embed_passages([text]) for text in passages[:8]])
    assert np.all(np.sum(rows[:8] * alone, axis=1) > 0.999)


@pytest.mark.models
def test_progress_counts_the_texts_up_to_all_of_them(embedder: SentenceTransformerEmbedder) -> None:
    calls: list[tuple[int, int]] = []
    embedder.embed_passages(["a ferry"] * (SLICE_TEXTS + 1), lambda done, total: calls.append((done, total)))
    embedder.embed_passages([], lambda done, total: calls.append((done, total)))
    assert calls == [(SLICE_TEXTS, SLICE_TEXTS + 1), (SLICE_TEXTS + 1, SLICE_TEXTS + 1), (0, 0)]


@pytest.mark.models
def test_of_a_longer_text_the_rest_is_ignored(embedder: SentenceTransformerEmbedder) -> None:
    longest = "ferry " * 254  # 256 word pieces with the special ones
    rows = embedder.embed_passages([longest, longest + "pancake " * 5000])
    assert_unit_rows(rows, 2)
    assert rows[0] @ rows[1] > 0.9999


@pytest.mark.models
def test_every_word_piece_has_a_row_and_a_place(embedder: SentenceTransformerEmbedder) -> None:
    [(none, nowhere), (rows, places)] = embedder.embed_tokens(["", "The ferry left."])
    assert (none.shape, nowhere) == ((0, 384), [])
    assert_unit_rows(rows, 4)
    assert places == [(0, 3), (4, 9), (10, 14), (14, 15)]
    assert embedder.embed_tokens([]) == []


@pytest.mark.models
def test_a_piece_is_like_itself_in_another_sentence(embedder: SentenceTransformerEmbedder) -> None:
    [(one, _), (other, _)] = embedder.embed_tokens(["The ferry left.", "A cook waits for the ferry with butter."])
    cosines = one[1] @ other.T
    assert int(np.argmax(cosines)) == 5
    assert cosines[5] > cosines[1] + 0.2  # than the cook


@pytest.mark.models
def test_pieces_are_the_same_whatever_is_read_with_them(embedder: SentenceTransformerEmbedder) -> None:
    together = embedder.embed_tokens([*TEXTS, "ferry \ud800"])
    for text, (rows, places) in zip(TEXTS, together, strict=False):
        [(alone, at)] = embedder.embed_tokens([text])
        assert at == places
        assert np.all(np.sum(alone * rows, axis=1) > 0.99)
        assert len(rows) == embedder.count_tokens(text) - 2


@pytest.mark.models
def test_of_a_longer_text_only_the_pieces_read_have_rows(embedder: SentenceTransformerEmbedder) -> None:
    [(rows, places)] = embedder.embed_tokens(["ferry " * 300])
    assert_unit_rows(rows, 254)
    assert (places[0], places[-1]) == ((0, 5), (253 * 6, 253 * 6 + 5))


@pytest.mark.models
def test_count_tokens_counts_word_pieces_and_the_two_special_ones(embedder: SentenceTransformerEmbedder) -> None:
    assert embedder.count_tokens("") == 2
    assert embedder.count_tokens("The ferry left.") == 6
    assert embedder.count_tokens("ferry " * 1000) == 1002
    ids = embedder._model.tokenizer(TEXTS[1])["input_ids"]
    assert embedder.count_tokens(TEXTS[1]) == len(ids)


@pytest.mark.models
def test_text_that_has_no_utf8_form_is_embedded_all_the_same(embedder: SentenceTransformerEmbedder) -> None:
    assert_unit_rows(embedder.embed_query("ferry \ud800"), 1)
    assert_unit_rows(embedder.embed_passages(["ferry \ud800"]), 1)
    assert embedder.count_tokens("\ud800") > 2


@pytest.mark.models
def test_many_threads_may_ask_at_once(embedder: SentenceTransformerEmbedder) -> None:
    failures: list[BaseException] = []

    def ask(length: int) -> None:
        try:
            for _ in range(5):
                assert_unit_rows(embedder.embed_query("ferry " * length), 1)
                assert embedder.count_tokens("ferry " * length) == length + 2
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask, args=(length,)) for length in (1, 5, 20, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.models
def test_both_precisions_give_vectors_that_may_share_a_library(embedder_folder: Path) -> None:
    plain, short = (
        SentenceTransformerEmbedder(embedder_folder, "m", "1", precision).embed_passages(TEXTS)
        for precision in (Precision.FLOAT32, Precision.BFLOAT16)
    )
    assert np.all(np.sum(plain * short, axis=1) > 0.999)


@pytest.mark.models
def test_a_cpu_without_the_instructions_computes_in_float32(
    embedder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def incapable() -> Mapping[str, Any]:
        return {"avx2": True}

    monkeypatch.setattr(torch.cpu, "get_capabilities", incapable)
    for choice in (Precision.AUTO, Precision.FASTEST):
        assert SentenceTransformerEmbedder(embedder_folder, "m", "1", choice, "cpu").precision is Precision.FLOAT32


@pytest.mark.models
def test_loading_says_nothing(embedder_folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    SentenceTransformerEmbedder(embedder_folder, "m", "1").embed_passages(TEXTS)
    assert capfd.readouterr() == ("", "")


@pytest.mark.models
@pytest.mark.parametrize("damaged", ["model.safetensors", "tokenizer.json", "modules.json", "config.json"])
def test_a_damaged_file_is_named_with_its_folder_and_the_way_out(
    embedder_folder: Path, tmp_path: Path, damaged: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(embedder_folder, folder)
    data = (folder / damaged).read_bytes()
    (folder / damaged).unlink()
    (folder / damaged).write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match=r"model can't be loaded: .*rag models verify"):
        SentenceTransformerEmbedder(folder, "m", "1")


def test_a_folder_without_a_model_is_refused_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"modules\.json is missing\. Run `rag models fetch mini`"):
        SentenceTransformerEmbedder(tmp_path, "mini", "1")


def test_importing_the_module_imports_no_pytorch() -> None:
    code = "import sys, rag.embedding; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
