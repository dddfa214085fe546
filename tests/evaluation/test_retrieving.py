from pathlib import Path

from rag.evaluation.retrieving import rank_documents
from rag.index import open_library
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY, make_library

HILLS = {
    "tea": "Tea grows on hills.\nPickers of tea walk the hills.",
    "goats": "Goats like hills.",
    "iron": "Iron rusts in wet air.",
}


def test_each_search_and_both_fused_rank_documents_by_their_best_chunk(tmp_path: Path) -> None:
    with open_library(make_library(tmp_path, HILLS), IDENTITY) as library:
        ranked = rank_documents("Tea on hills?", WordEmbedder(), library)
    assert set(ranked) == {"words", "dense", "fused"}
    assert ranked["words"] == ["tea", "goats"]  # nothing of the question stands in "iron"
    assert ranked["dense"][0] == ranked["fused"][0] == "tea"
    assert sorted(ranked["dense"]) == sorted(ranked["fused"]) == ["goats", "iron", "tea"]


def test_no_more_documents_than_asked_for_though_they_have_several_chunks(tmp_path: Path) -> None:
    with open_library(make_library(tmp_path, HILLS), IDENTITY) as library:
        assert rank_documents("Tea on hills?", WordEmbedder(), library, depth=2)["words"] == ["tea", "goats"]
        assert rank_documents("Tea on hills?", WordEmbedder(), library, depth=1)["words"] == ["tea"]


def test_only_the_documents_named_are_ranked(tmp_path: Path) -> None:
    with open_library(make_library(tmp_path, HILLS), IDENTITY) as library:
        ranked = rank_documents("Tea on hills?", WordEmbedder(), library, documents=frozenset({"goats", "iron"}))
    assert ranked["words"] == ["goats"]
    assert sorted(ranked["dense"]) == ["goats", "iron"]
