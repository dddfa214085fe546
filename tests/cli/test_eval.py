"""`rag eval` and `rag compare` on small sets: what is written and printed, complaints, exit statuses."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rag.evaluation import read_report
from tests.cli.conftest import Rag
from tests.cli.with_words import Reader

QUESTIONS = (
    {
        "id": "cost",
        "question": "What did the harbour of Varel cost?",
        "answers": ["3 million marks"],
        "evidence": [{"document": "harbour.txt", "text": "It cost 3 million marks."}],
    },
    {
        "id": "founder",
        "question": "Who sweeps and cleans the bakery?",
        "answers": ["Olaf Lund"],
        "evidence": [{"document": "bakery.txt", "text": "Ada Nyberg founded the bakery in 1950."}],
    },
    {"id": "mayor", "question": "Who is the mayor of Varel?", "answerable": False},
)
"""The reader says what the harbour cost, whatever it is asked: right once, wrong twice."""

NAMES = ("report.html", "report.json", "report.md")


@pytest.fixture
def rag(rag_: Rag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rag:
    """The command with a cache of its own."""
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_: tmp_path / "cache")
    return rag_


@pytest.fixture
def questions(articles: Path) -> Path:
    """A set, named after the folder of its articles."""
    lines = "".join(json.dumps(question) + "\n" for question in QUESTIONS)
    (articles / "questions.jsonl").write_text(lines, encoding="utf-8")
    return articles


def cells(out: str, name: str) -> list[str]:
    """What a table says of a score."""
    (line,) = [line for line in out.splitlines() if f"| {name} " in line]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    return cells[cells.index(name) + 1 :]


def test_an_evaluation_is_printed_and_written_as_page_numbers_and_markdown(
    rag: Rag, questions: Path, tmp_path: Path
) -> None:
    out = rag("eval", questions).done
    assert out.startswith("## articles, normal\n\n3 questions, ")
    assert f"\n    rag eval {questions}\n" in out
    assert cells(out, "hit@1")[0] == "100.0 %"
    assert cells(out, "answer contained") == ["50.0 %", "0.0 to 100.0 %", "2", "higher"]
    assert cells(out, "refused as it should")[0] == "0.0 %"
    assert "2 of 3 (66.7 %) went wrong: 1 read wrongly, 1 should have refused." in out
    assert out.endswith("Report: reports/articles/report.html\n")
    folder = tmp_path / "reports" / "articles"
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    assert out.startswith((folder / "report.md").read_text(encoding="utf-8").rstrip())
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    numbers = read_report((folder / "report.json").read_text(encoding="utf-8"))
    assert (numbers.name, numbers.mode, numbers.command) == ("articles", "normal", f"rag eval {questions}")
    assert [(question.id, question.right) for question in numbers.questions] == [
        ("cost", True),
        ("founder", False),
        ("mayor", False),
    ]


def test_what_was_asked_before_is_only_judged_again(rag: Rag, questions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readers = [Reader(), Reader()]
    opened = iter(readers)
    monkeypatch.setattr("rag.pipeline.opening.open_engine", lambda *_: next(opened))
    first, second = (rag("eval", questions, "--limit", "2").done for _ in range(2))
    assert cells(first, "answer contained") == cells(second, "answer contained")
    assert [len(reader.prompts) for reader in readers] == [2 * 3, 0]
    assert [reader.closed for reader in readers] == [True, True]


def test_a_limit_asks_so_many(rag: Rag, questions: Path, tmp_path: Path) -> None:
    for limit, asked in ((1, 1), (2, 2), (100, 3)):
        out = rag("eval", questions, "--retrieval-only", "--limit", str(limit), "-o", "out").done
        assert f"\n{asked} questions, " in out
        assert len(json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["questions"]) == asked
    done = rag("eval", questions, "--limit", "0")
    assert done.status == 2
    assert "Invalid value for '--limit'" in done.err


def test_retrieval_alone_opens_no_reader(
    rag: Rag, questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a reader was opened")

    monkeypatch.setattr("rag.pipeline.opening.open_engine", refused)
    out = rag("eval", questions, "--retrieval-only").done
    assert out.startswith("## articles, retrieval only\n")
    assert cells(out, "hit@1")[0] == "100.0 %"
    assert "answer contained" not in out
    assert out.endswith("Report: reports/articles-retrieval-only/report.html\n")
    assert (tmp_path / "reports" / "articles-retrieval-only" / "report.html").exists()


@pytest.mark.parametrize(
    ("option", "mode", "documents"), [("--closed-book", "closed book", 0), ("--oracle", "oracle", 1)]
)
def test_other_modes_are_written_beside_and_give_other_things_to_read(
    option: str, mode: str, documents: int, rag: Rag, questions: Path, tmp_path: Path
) -> None:
    out = rag("eval", questions, option).done
    assert out.startswith(f"## articles, {mode}\n")
    assert (tmp_path / "reports" / f"articles-{mode.replace(' ', '-')}" / "report.json").exists()
    (run_file,) = (tmp_path / "cache" / "evaluations" / "answers").glob("*.jsonl")
    first = json.loads(run_file.read_text(encoding="utf-8").splitlines()[0])
    assert len({passage["document"]["source"] for passage in first["passages"]}) == documents


def test_questions_of_ones_own_are_about_the_library_in_use(rag: Rag, articles: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    own.write_text(json.dumps({"question": "What did it cost?", "answers": ["3 million"]}), encoding="utf-8")
    done = rag("eval", own)
    assert done.status == 1
    assert "Run `rag index FOLDER`" in done.complaint
    rag("index", articles)
    out = rag("eval", own, "-o", tmp_path / "out").done
    assert cells(out, "answer contained")[0] == "100.0 %"
    assert out.endswith(f"Report: {tmp_path / 'out' / 'report.html'}\n")
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("articles", "--oracle", "--closed-book"), "exclude one another. Give one of them."),
        (("articles", "--retrieval-only", "--closed-book"), "exclude one another. Give one of them."),
        (("nowhere",), "There is no file or folder nowhere. A question set is a folder with questions.jsonl"),
        (("empty",), "holds none. A question set is a folder with questions.jsonl"),
        (("articles/harbour.txt",), "articles/harbour.txt is no question file. A question set is"),
        (("broken.jsonl",), "Line 2 of broken.jsonl can't be used."),
        (("articles", "-o", "broken.jsonl"), "broken.jsonl can't be written (File exists). Name another folder"),
        (("articles", "-o", "broken.jsonl/x"), "broken.jsonl/x can't be written (Not a directory). Name another"),
    ],
)
def test_what_can_not_be_evaluated_is_said_before_anything_is_loaded(
    arguments: tuple[str, ...], complaint: str, rag: Rag, questions: Path, tmp_path: Path
) -> None:
    assert questions.name == "articles"
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.jsonl").write_text('{"question": "Why?"}\n{"question": \n', encoding="utf-8")
    done = rag("eval", *arguments)
    assert done.status == 2
    assert complaint in done.complaint
    assert (done.out, done.err) == ("", f"rag: {done.complaint}\n")
    assert not (tmp_path / "reports").exists()


def test_in_a_terminal_there_are_tables_instead_of_markdown(
    rag: Rag, questions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    out = rag("eval", questions, "--retrieval-only").done
    assert "hit@1" in out
    assert "|---" not in out
    assert "##" not in out


def report(folder: Path, right: Sequence[bool], name: str = "harbours", **settings: int) -> Path:
    """A folder with the report of a set of questions q1, q2, … that have one measure."""
    found: dict[str, Any] = {
        "format": 1,
        "name": name,
        "mode": "normal",
        "made": "2026-01-02T03:04:05+00:00",
        "command": f"rag eval {name}",
        "conditions": {
            "settings": settings or {"passages": 4},
            "models": {"embedder": "words", "reader": "script", "engine": "scripted"},
            "revisions": {},
            "library": "abc",
        },
        "scores": [],
        "questions": [
            {
                "id": f"q{row}",
                "row": row,
                "right": is_right,
                "stage": None,
                "measures": {"answer contained": float(is_right)},
                "answerable": True,
                "confidence": None,
                "abstained": False,
            }
            for row, is_right in enumerate(right, start=1)
        ],
    }
    folder.mkdir()
    (folder / "report.json").write_text(json.dumps(found), encoding="utf-8")
    return folder


def test_a_comparison_gives_each_score_a_verdict_and_names_the_questions_that_flipped(rag: Rag, tmp_path: Path) -> None:
    before = report(tmp_path / "before", [True] * 9 + [False])
    after = report(tmp_path / "after", [False] * 9 + [True], passages=6)
    done = rag("compare", before, after / "report.json").done
    assert done.splitlines()[:6] == [
        "## harbours: 10 questions in both",
        "",
        "- Before: harbours, normal, 10 questions, 2026-01-02 03:04 UTC",
        "- After: harbours, normal, 10 questions, 2026-01-02 03:04 UTC",
        "- Changed: passages 4 (now 6)",
        "",
    ]
    before_, after_, difference, _, count, verdict = cells(done, "answer contained")
    assert (before_, after_, difference, count, verdict) == ("90.0 %", "10.0 %", "-80.0 points", "10", "**worse**")
    assert done.splitlines()[-2:] == ["- Now right: q10", "- Now wrong: q1, q2, q3, q4, q5, q6, q7, q8, q9"]


@pytest.mark.parametrize(
    ("before", "after", "verdict", "status"),
    [
        ([True] * 10, [False] * 10, "**worse**", 1),
        ([False] * 10, [True] * 10, "**better**", 0),
        ([True, False] * 5, [False, True] * 5, "can't tell", 0),
        ([True] * 4, [False] * 4, "can't tell", 0),
        ([True, False] * 5, [True, False] * 5, "the same", 0),
    ],
)
def test_a_score_that_must_not_drop_fails_the_command_where_it_is_surely_worse(
    before: list[bool], after: list[bool], verdict: str, status: int, rag: Rag, tmp_path: Path
) -> None:
    folders = report(tmp_path / "before", before), report(tmp_path / "after", after)
    assert cells(rag("compare", *folders).done, "answer contained")[-1] == verdict
    done = rag("compare", *folders, "--must-not-drop", "answer contained")
    assert done.status == status
    assert cells(done.out, "answer contained")[-1] == verdict
    if status:
        assert done.complaint == "Significantly worse: answer contained."
    else:
        assert done.err == ""


def test_what_can_not_be_compared_is_named(rag: Rag, tmp_path: Path) -> None:
    good = report(tmp_path / "good", [True] * 8)
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.json").write_text("[1]", encoding="utf-8")
    for bad, complaint in (
        ("nowhere", "nowhere can't be read. Give the folder or the report.json that `rag eval` wrote."),
        ("empty", "empty/report.json can't be read. Give the folder or the report.json"),
        ("other.json", "other.json: This is no report of an evaluation."),
        (report(tmp_path / "none", []), "The reports of harbours and harbours have no question in common."),
    ):
        for pair in ((good, bad), (bad, good)):
            done = rag("compare", *pair)
            assert done.status == 2
            assert complaint in done.complaint
            assert done.out == ""
    done = rag("compare", good, good, "--must-not-drop", "answers contained")
    assert done.status == 2
    assert "no score 'answers contained'" in done.complaint
    assert "answer contained" in done.complaint
    assert done.out == ""


def test_names_that_would_move_the_cursor_or_make_a_heading_are_tamed(rag: Rag, tmp_path: Path) -> None:
    folders = report(tmp_path / "a", [True] * 8, "one\n# two\x1b[2J"), report(tmp_path / "b", [True] * 8)
    out = rag("compare", *folders).done
    assert out.startswith("## one # two\\[2J and harbours: 8 questions in both\n")
    assert "\x1b" not in out
