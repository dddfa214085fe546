"""`rag` with a real embedder and the tiny reader: the exit statuses, and what an unchanged folder costs."""

import json
from pathlib import Path

import pytest

from rag.settings import load_settings
from tests.calibrated import write_calibration
from tests.cli.commands import RAG, ROOT, run
from tests.conftest import TINY_READER

pytestmark = pytest.mark.models

FRANCE = "Paris is the capital of France. The Eiffel Tower was built in 1889."
QUESTION = "What is the capital of France?"
"""A model of 135 million parameters gets this right."""

Settings = dict[str, str | Path]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory, embedder_folder: Path, tiny_reader_file: Path) -> Settings:
    """The settings of a library that `rag index` has made."""
    folder = tmp_path_factory.mktemp("articles")
    (folder / "france.txt").write_text(FRANCE, encoding="utf-8")
    (folder / "bakery.txt").write_text("Ada Nyberg founded the bakery in 1950.", encoding="utf-8")
    settings: Settings = {
        "RAG_INDEX": tmp_path_factory.mktemp("library"),
        "RAG_MODELS": load_settings().models,
        "RAG_EMBEDDER": embedder_folder.name,
        "RAG_READER": TINY_READER,
        "RAG_ENGINE": "llama_cpp",
        "RAG_OFFLINE": "1",
    }
    assert tiny_reader_file.is_file()
    done = run(RAG, "index", folder, settings=settings)
    assert "2 added, 0 updated, 0 removed, 0 unchanged, 0 refused: 2 articles in the library." in done.done
    return settings


def test_an_answer_exits_0_and_lists_the_sentence_it_rests_on(indexed: Settings) -> None:
    lines = run(RAG, "--set", "max_wrong=1", "ask", QUESTION, settings=indexed).done.splitlines()
    assert "Paris" in lines[0]
    assert "[1]" in lines[0]
    assert lines[lines.index("Sources") + 1 :][:2] == [
        "[1] France · france.txt",
        "    “Paris is the capital of France.”",
    ]


def test_a_refusal_exits_3_also_as_json_of_a_question_from_standard_input(indexed: Settings, tmp_path: Path) -> None:
    done = run(
        RAG,
        "--set",
        f"calibration={write_calibration(tmp_path)}",
        "--set",
        "max_wrong=0",
        "ask",
        "--json",
        "-",
        settings=indexed,
        stdin=QUESTION.encode(),
    )
    assert done.status == 3
    assert "Traceback" not in done.err
    answer = json.loads(done.out)
    assert answer["question"] == QUESTION
    assert answer["abstained"]
    assert 0 < answer["confidence"] < 1
    assert answer["passages"][0]["document"]["title"] == "France"
    assert answer["models"] == {"embedder": "all-MiniLM-L6-v2", "reader": TINY_READER, "engine": "llama_cpp"}


def test_a_library_of_another_embedder_exits_1_and_a_wrong_setting_2(indexed: Settings) -> None:
    done = run(RAG, "--set", "embedder=all-mpnet-base-v2", "ask", QUESTION, settings=indexed)
    assert done.status == 1
    assert "made with embedder all-MiniLM-L6-v2, but now it is embedder all-mpnet-base-v2" in done.complaint
    assert run(RAG, "--set", "passages=none", "ask", QUESTION, settings=indexed).status == 2


def test_indexing_what_has_not_changed_loads_no_model(indexed: Settings) -> None:
    command = (
        *RAG[:2],
        "import sys\nfrom rag.cli import main\ntry: main()\nfinally: print('torch' in sys.modules)",
    )
    assert run(command, "index", settings=indexed, cwd=ROOT).done.splitlines() == [
        "0 added, 0 updated, 0 removed, 2 unchanged, 0 refused: 2 articles in the library.",
        "False",
    ]
