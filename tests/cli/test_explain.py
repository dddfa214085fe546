"""`rag explain`: how an answer of a file came about."""

from pathlib import Path

import pytest

from tests.cli.conftest import Rag

COST = "What did the harbour of Varel cost?"


@pytest.fixture
def answered(rag_: Rag, small_library: object, tmp_path: Path) -> Rag:  # noqa: ARG001
    """The command with a library and the answers to two questions about it."""
    rows = f"id,question,documents\ncost,{COST},harbour.txt\nmayor,Who is the mayor?,mayors.txt\n"
    (tmp_path / "questions.csv").write_text(rows, encoding="utf-8")
    rag_("batch", "questions.csv", "-o", "answers.jsonl")
    return rag_


def section(lines: list[str], title: str) -> list[str]:
    """The lines below a title, up to the next empty one."""
    rest = lines[lines.index(title) + 1 :]
    return rest[: rest.index("")] if "" in rest else rest


def test_an_answer_is_shown_with_all_that_led_to_it(answered: Rag) -> None:
    lines = answered("explain", "cost").done.splitlines()
    assert lines[:3] == [COST, "", "It cost 3 million marks. [1]"]
    assert section(lines, "Why") == [
        "Given: it is 69 % sure to be right. Answers are given from 60 % on, so that at most 38 % of them are wrong."
    ]
    assert section(lines, "Search")[0].startswith("Chunks found: 1, given to the reader: 1, joined into passages: 1.")
    assert section(lines, "Decision")[-1].endswith("Sentences that nothing supports are left out.")
    assert '    | Passage [1], from "Harbour":' in lines


def test_what_has_changed_since_is_said(answered: Rag, articles: Path) -> None:
    (articles / "harbour.txt").write_text("The harbour of Varel cost 4 million marks.", encoding="utf-8")
    assert answered("index").status == 0
    lines = answered("--set", "passages=2", "explain", "cost", "answers.jsonl").done.splitlines()
    assert section(lines, "Why")[1:] == [
        "! “Harbour” has changed since.",
        "! The searches now bring other passages than those the answer was made from.",
        "! Settings that have changed since: passages.",
        "! Articles were added to the library, changed or removed since.",
    ]


def test_a_question_that_failed_has_only_its_message(answered: Rag) -> None:
    out = answered("explain", "mayor").done
    assert out.startswith("Who is the mayor?\n\nThe library has no article 'mayors.txt'.")
    assert "Why" not in out.splitlines()


def test_an_unknown_question_is_named_before_a_model_is_loaded(answered: Rag) -> None:
    done = answered("--set", "reader=smollm2-135m-instruct", "explain", "coast")
    assert done.status == 2
    assert "has no question with the id 'coast'" in done.complaint
