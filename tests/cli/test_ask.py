"""`rag ask` with a scripted reader: what it prints, and its exit status."""

import json
from dataclasses import fields
from pathlib import Path

import pytest

from rag.types import Answer
from tests.cli.conftest import HARBOUR, Rag
from tests.fakes import ScriptedEngine

QUESTION = "What did the harbour of Varel cost?"


@pytest.fixture
def asked(rag_: Rag, articles: Path) -> Rag:
    """The command with a library."""
    assert rag_("index", articles).status == 0
    return rag_


def test_an_answer_comes_once_with_its_doubts_and_sources(asked: Rag) -> None:
    assert asked("ask", QUESTION).done.splitlines() == [
        "It cost 3 million marks. [1] Purple elephants juggle volcanoes. (not supported)",
        "",
        "Sources",
        "[1] Harbour · harbour.txt",
        "    “It cost 3 million marks.”",
    ]


def test_a_refusal_exits_3_with_the_closest_passages(asked: Rag) -> None:
    done = asked("--set", "max_wrong=0.05", "ask", QUESTION)
    assert done.status == 3
    assert done.out.splitlines() == [
        "The articles don’t say. The passages touch on the question, but probably don’t state the answer.",
        f"Looked for: {QUESTION}",
        "",
        "Closest, but not an answer",
        "[1] Harbour · harbour.txt",
        "[2] Bakery · bakery.txt",
    ]
    assert "rag: " not in done.err


def test_json_holds_the_whole_answer(asked: Rag, articles: Path) -> None:
    answer = json.loads(asked("ask", "--json", QUESTION).done)
    assert set(answer) == {field.name for field in fields(Answer)}
    assert answer["question"] == answer["standalone_question"] == QUESTION
    assert answer["text"] == "It cost 3 million marks. Purple elephants juggle volcanoes."
    assert (answer["abstained"], answer["reason"]) == (False, "answered")
    assert answer["confidence"] == pytest.approx(0.69, abs=0.005)  # expit(2 * 0.7 + 2 * 0.7 - 2)
    supported, unsupported = answer["claims"]
    assert supported["citations"] == [
        {
            "passage": 1,
            "document": answer["passages"][0]["document"]["id"],
            "source": str(articles / "harbour.txt"),
            "start": 37,
            "end": 61,
            "text": "It cost 3 million marks.",
            "page": None,
        },
    ]
    assert HARBOUR[37:61] == "It cost 3 million marks."
    assert (supported["start"], supported["end"], supported["verdict"]) == (0, 24, "supported")
    assert (unsupported["citations"], unsupported["verdict"]) == ([], "unsupported")
    passage = answer["passages"][0]
    assert (passage["number"], passage["text"]) == (1, HARBOUR)
    assert passage["document"]["source"] == str(articles / "harbour.txt")
    assert "text" not in passage["document"]
    assert answer["models"]["engine"] == "scripted"
    assert answer["timings"]["total"] > 0


def test_json_of_a_refusal_holds_its_reason(asked: Rag) -> None:
    done = asked("--set", "max_wrong=0.05", "ask", "--json", QUESTION)
    assert done.status == 3
    answer = json.loads(done.out)
    assert (answer["abstained"], answer["claims"]) == (True, [])
    assert answer["reason"] == "the passages probably don't state the answer"


def test_a_dash_reads_the_question_from_standard_input(asked: Rag) -> None:
    answer = json.loads(asked("ask", "--json", "-", stdin=f"\n{QUESTION}\n".encode()).done)
    assert answer["question"] == QUESTION
    answer = json.loads(asked("ask", "--json", "-", stdin=b"caf\xe9 in Varel?").done)
    assert answer["question"] == "caf\ufffd in Varel?"


@pytest.mark.parametrize("given", ["argument", "standard input"])
@pytest.mark.parametrize(
    ("question", "complaint"),
    [("", "The question is empty."), (" \n ", "The question is empty."), ("x" * 100_000, "has 100,000 characters")],
    ids=["empty", "blank", "long"],
)
def test_a_question_that_is_none_is_refused(question: str, complaint: str, given: str, rag_: Rag) -> None:
    done = rag_("ask", question) if given == "argument" else rag_("ask", "-", stdin=question.encode())
    assert done.status == 2
    assert complaint in done.complaint
    assert done.out == ""


def test_without_a_library_the_command_that_makes_one_is_named(rag_: Rag) -> None:
    done = rag_("ask", QUESTION)
    assert done.status == 1
    assert "Run `rag index FOLDER`" in done.complaint


def test_without_models_and_network_what_is_missing_is_named(asked: Rag) -> None:
    done = asked("--set", "reader=smollm2-135m-instruct", "ask", QUESTION)
    assert done.status == 1
    assert "smollm2-135m-instruct isn't in " in done.complaint
    assert "Run `rag models fetch smollm2-135m-instruct`" in done.complaint


def test_the_reader_is_closed_when_an_answer_fails(asked: Rag, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(ScriptedEngine):
        def count_tokens(self, text: str) -> int:
            raise KeyboardInterrupt(text)

    engine = Interrupted()
    monkeypatch.setattr("rag.pipeline.opening.open_engine", lambda *_: engine)
    done = asked("ask", QUESTION)
    assert (done.status, done.out) == (130, "")
    assert done.err.endswith("Stopped.\n")
    assert engine.closed


def test_explain_adds_how_the_answer_came_about(asked: Rag) -> None:
    lines = asked("ask", "--explain", QUESTION).done.splitlines()
    why = lines.index("Why")
    assert lines[0] == "It cost 3 million marks. [1] Purple elephants juggle volcanoes. (not supported)"
    assert lines[why + 1].startswith("Given: it is 69 % sure to be right.")
    assert {"Decision", "Timings", "Search", "Prompts"} <= set(lines)
    assert '    | Passage [1], from "Harbour":' in lines
    assert not [line for line in lines if line.startswith("! ")]


def test_explain_and_json_exclude_one_another(asked: Rag) -> None:
    done = asked("ask", "--json", "--explain", QUESTION)
    assert (done.status, done.out) == (2, "")
    assert done.complaint == "--json and --explain exclude one another. Give one of them."
