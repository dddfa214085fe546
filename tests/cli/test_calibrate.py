"""`rag calibrate` on small sets: what is fitted, written and printed, and what is complained about beforehand."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from rag.calibration import load
from tests.cli.conftest import Rag

RIGHT, WRONG = 20, 20
"""The reader says what the harbour cost, whatever it is asked. Signals can tell that this is no answer to the rest."""

NUMBERED = 100
"""Questions count from here: no article holds such a number."""


def cost(number: int) -> dict[str, Any]:
    question = f"What did the harbour of Varel cost, in million marks, says clerk {NUMBERED + number}?"
    return {"id": f"cost-{number}", "question": question, "answers": ["3 million marks"]}


def mayor(number: int) -> dict[str, Any]:
    question = f"Who was the {NUMBERED + number}th mayor of Varel?"
    return {"id": f"mayor-{number}", "question": question, "answerable": False}


def written(file: Path, *questions: dict[str, Any]) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(json.dumps(question) + "\n" for question in questions), encoding="utf-8")
    return file


@pytest.fixture
def rag(rag_: Rag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rag:
    """The command with a cache of its own."""
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_: tmp_path / "cache")
    return rag_


@pytest.fixture
def library(rag: Rag, articles: Path, tmp_path: Path) -> Path:
    """Folder of a library of the articles."""
    assert rag("index", articles).status == 0
    return tmp_path / "index"


@pytest.fixture
def costs(tmp_path: Path) -> Path:
    return written(tmp_path / "costs.jsonl", *map(cost, range(RIGHT)))


@pytest.fixture
def mayors(tmp_path: Path) -> Path:
    return written(tmp_path / "mayors.jsonl", *map(mayor, range(WRONG)))


def test_a_calibration_is_fitted_to_several_sets_and_written_beside_the_library(
    rag: Rag, library: Path, costs: Path, mayors: Path
) -> None:
    out = rag("calibrate", costs, mayors).done
    assert out.startswith("## Calibration on costs, mayors\n\n- 40 questions: 40 answered (20 right, 20 wrong)\n")
    assert "- Cross-validated: AUC 1.000, Brier score 0." in out
    for max_wrong in (5, 10, 20):
        (line,) = [line for line in out.splitlines() if line.startswith(f"| {max_wrong} % |")]
        answered, wrong = (float(cell.strip(" %")) for cell in line.strip("|").split("|")[2:])
        assert answered >= 50
        assert wrong <= max_wrong
    found = load(library / "calibration.json")
    assert found.questions == 40
    assert found.fitted == (f"rag calibrate {costs} {mayors}: answers of script to questions of costs, mayors")
    assert found.working_point(0).risk == 0
    assert found.working_point(0).coverage == 0.5
    assert out.splitlines()[-3:] == [
        f"Calibration: {library / 'calibration.json'}",
        f"Curve: {library / 'calibration.svg'}",
        f'To use it, put this line into rag.toml: calibration = "{library / "calibration.json"}"',
    ]


def test_the_curve_is_a_picture_of_its_own(rag: Rag, library: Path, costs: Path, mayors: Path) -> None:
    assert rag("calibrate", costs, mayors).status == 0
    text = (library / "calibration.svg").read_text(encoding="utf-8")
    assert "var(" not in text
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root[0].attrib["fill"] == "#ffffff"
    words = [part.text for part in root.iter() if part.tag.endswith("}text")]
    assert "Share of questions answered" in words
    assert "Share of answers that is wrong" in words


def test_the_line_it_prints_makes_it_the_one_in_use(
    rag: Rag, library: Path, costs: Path, mayors: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAG_CALIBRATION")
    out = rag("calibrate", costs, mayors, "-o", "my own/mine.json").done
    line = out.splitlines()[-1].partition("rag.toml: ")[2]
    assert line == 'calibration = "my own/mine.json"'
    assert (tmp_path / "my own" / "mine.svg").exists()
    assert not (library / "calibration.json").exists()
    (tmp_path / "rag.toml").write_text(f"{line}\nmax_wrong = 0.05\n", encoding="utf-8")
    assert rag("ask", "What did the harbour of Varel cost, in million marks?").status == 0
    assert rag("ask", "Who was the 103th mayor of Varel?").status == 3


def test_nothing_is_refused_and_nothing_asked_twice_whichever_settings_are_in_use(
    rag: Rag, library: Path, costs: Path, mayors: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = rag("calibrate", costs, mayors).done
    monkeypatch.setenv("RAG_MAX_WRONG", "0.01")
    monkeypatch.setenv("RAG_CALIBRATION", str(library / "calibration.json"))
    monkeypatch.setattr("tests.cli.with_words.Reader.stream", None)
    assert rag("calibrate", costs, mayors).done == first


def test_a_set_given_twice_counts_once(rag: Rag, library: Path, costs: Path, mayors: Path) -> None:
    assert "- 40 questions: " in rag("calibrate", costs, mayors, costs).done
    assert load(library / "calibration.json").questions == 40


def test_a_limit_asks_so_many_of_each_set(rag: Rag, library: Path, costs: Path, mayors: Path) -> None:
    assert library.is_dir()
    assert "- 32 questions: 32 answered (16 right, 16 wrong)\n" in rag("calibrate", costs, mayors, "--limit", "16").done


def test_answers_that_are_too_few_of_a_kind_are_counted_before_it_is_said(
    rag: Rag, library: Path, costs: Path, tmp_path: Path
) -> None:
    few = written(tmp_path / "few.jsonl", *map(cost, range(100, 110)), *map(mayor, range(5)))
    done = rag("calibrate", costs, few)
    assert done.status == 2
    assert done.out.endswith("\n- 35 questions: 35 answered (30 right, 5 wrong)\n")
    assert "needs 3 more wrong ones" in done.complaint
    assert not (library / "calibration.json").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("costs.jsonl",),
            "Of 20 questions it is known what a right answer is; a calibration needs 30 at least. Give 10",
        ),
        (("costs.jsonl", "costs.jsonl"), "Of 20 questions it is known"),
        (("costs.jsonl", "mayors.jsonl", "--limit", "14"), "Of 28 questions it is known"),
        (("costs.jsonl", "open.jsonl"), "Of 20 questions it is known"),
        (("costs.jsonl", "mayors.jsonl", "nowhere"), "There is no file or folder nowhere."),
        (("costs.jsonl", "mayors.jsonl", "ranked"), "ranked says nothing about answers. Give a set with answers"),
        (("costs.jsonl", "mayors.jsonl", "-o", "costs.jsonl"), "costs.jsonl can't be the calibration: its name must"),
        (("costs.jsonl", "mayors.jsonl", "-o", "x.json"), "x.json is a folder. Name a file with -o."),
        (("costs.jsonl", "mayors.jsonl", "-o", "costs.jsonl/x.json"), "costs.jsonl can't be written (File exists)."),
    ],
)
def test_what_can_not_be_fitted_is_said_before_anything_is_loaded(
    arguments: tuple[str, ...], complaint: str, rag: Rag, costs: Path, mayors: Path, tmp_path: Path
) -> None:
    assert costs.parent == mayors.parent == tmp_path
    written(tmp_path / "open.jsonl", *({"question": f"Why {at}?"} for at in range(30)))
    written(tmp_path / "ranked" / "queries.jsonl", {"id": "q", "question": "Why?"})
    written(tmp_path / "ranked" / "documents.jsonl", {"id": "d", "text": "So."})
    (tmp_path / "ranked" / "qrels.tsv").write_text("q\td\t1\n", encoding="utf-8")
    (tmp_path / "x.json").mkdir()
    done = rag("calibrate", *arguments)
    assert done.status == 2
    assert complaint in done.complaint
    assert (done.out, done.err) == ("", f"rag: {done.complaint}\n")


def test_questions_about_a_library_that_is_not_there_say_how_to_make_one(rag: Rag, costs: Path, mayors: Path) -> None:
    done = rag("calibrate", costs, mayors)
    assert done.status == 1
    assert "Run `rag index FOLDER`" in done.complaint


def test_answers_recorded_before_are_judged_without_asking_again(
    rag: Rag, library: Path, costs: Path, mayors: Path, tmp_path: Path
) -> None:
    first = rag("calibrate", costs, mayors).done
    recorded = tmp_path / "recorded.jsonl"
    kept = sorted((tmp_path / "cache").rglob("answers/*.jsonl"))
    recorded.write_text("".join(file.read_text(encoding="utf-8") for file in kept), encoding="utf-8")
    for file in kept:
        file.unlink()
    again = rag("calibrate", costs, mayors, "--recorded", recorded).done
    weights = [[line for line in out.splitlines() if line.startswith("- ")] for out in (first, again)]
    assert weights[0] == weights[1]
    assert not list((tmp_path / "cache").rglob("answers/*.jsonl"))
    assert load(library / "calibration.json").questions == 40
