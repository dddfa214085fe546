import numpy as np
import pytest

from rag.index import FlatVectors, Library
from rag.types import Catalogue, Embedder, Engine, Limits, Prompt, VectorStore
from tests.fakes import ScriptedEngine, WordEmbedder

PROMPT = Prompt("", (), "")


def test_fakes_and_the_library_have_the_methods_that_the_protocols_ask_for() -> None:
    # mypy compares the signatures; the names are compared here.
    embedder: Embedder = WordEmbedder()
    engine: Engine = ScriptedEngine()
    store: type[VectorStore] = FlatVectors
    catalogue: type[Catalogue] = Library
    for part, protocol in ((embedder, Embedder), (engine, Engine), (store, VectorStore), (catalogue, Catalogue)):
        asked = [name for name in vars(protocol) if not name.startswith("_")]
        assert asked
        assert all(hasattr(part, name) for name in asked)


def test_word_vectors_are_unit_rows_that_compare_words() -> None:
    embedder = WordEmbedder()
    vectors = embedder.embed_passages(["Tea grows", "tea GROWS!", "iron"])
    assert vectors.shape == (3, embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    assert vectors[0] @ vectors[1] == pytest.approx(1)
    assert vectors[0] @ vectors[2] == pytest.approx(0)
    assert embedder.embed_query("tea").shape == (1, embedder.dimension)


def test_a_scripted_reply_ends_before_the_first_stop_and_is_used_up() -> None:
    engine = ScriptedEngine(["one\ntwo", "three"])
    assert "".join(engine.stream(PROMPT, Limits(10, stop=("w", "\n")))) == "one"
    assert "".join(engine.stream(PROMPT, Limits(10))) == "three"
    assert engine.prompts == [PROMPT, PROMPT]
    assert not engine.stopped_early


def test_scripted_choices_come_in_turn_then_evenly() -> None:
    engine = ScriptedEngine(choices=[(0.9, 0.1)])
    assert engine.choose(PROMPT, ("Yes", "No")) == (0.9, 0.1)
    assert engine.choose(PROMPT, ("Yes", "No")) == (0.5, 0.5)
