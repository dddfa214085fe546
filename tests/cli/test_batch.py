"""`rag batch` and `rag replay` with a reader that always says the same: files, summaries, complaints, exit statuses."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from tests.cli.conftest import Rag

COST = "What did the harbour of Varel cost?"
ROWS = (
    ("topic", "question", "id", "documents"),
    ("port", COST, "cost", ""),
    ("bread", "Who founded the bakery?", "founder", "bakery.txt"),
    ("town", "Who is the mayor?", "mayor", "mayors.txt"),
)
"""One question that is answered, one that is refused because nothing supports the answer, and one that can't be asked.
"""

SENTENCES = "It cost 3 million marks. [1]"
UNSUPPORTED = "nothing in the passages supports the answer"
UNKNOWN = "The library has no article 'mayors.txt'. Name articles by path, file name or id, or index it first."
SUMMARY = "1 answered, 1 refused, 1 failed"


@pytest.fixture
def rag(rag_: Rag, small_library: object) -> Rag:  # noqa: ARG001
    """The command with a library."""
    return rag_


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    file = tmp_path / "questions.csv"
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(ROWS)
    return file


def lines_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def csv_cells(file: Path) -> list[list[str]]:
    with file.open(newline="", encoding="utf-8-sig") as stream:
        return list(csv.reader(stream))


def excel_cells(file: Path) -> list[list[str]]:
    (sheet,) = load_workbook(file).worksheets
    return [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]


def test_a_run_file_holds_every_question_in_its_order_with_its_own_columns(
    rag: Rag, questions: Path, tmp_path: Path
) -> None:
    done = rag("batch", questions, "-o", "answers.jsonl")
    assert done.done == f"{SUMMARY}: answers.jsonl\n"
    answered, refused, failed = lines_of(tmp_path / "answers.jsonl")
    assert (answered["row"], answered["id"], answered["question"], answered["topic"]) == (1, "cost", COST, "port")
    assert answered["answer"] == "It cost 3 million marks."
    assert answered["claims"][0]["citations"][0]["text"] == "It cost 3 million marks."
    assert (refused["row"], refused["topic"], refused["abstained"], refused["reason"]) == (
        2,
        "bread",
        True,
        UNSUPPORTED,
    )
    assert (failed["row"], failed["topic"], failed["answer"], failed["error"]) == (3, "town", None, UNKNOWN)
    assert [path.name for path in tmp_path.glob("*answers*")] == ["answers.jsonl"]


@pytest.mark.parametrize(("suffix", "cells"), [(".csv", csv_cells), (".xlsx", excel_cells)])
def test_a_table_has_a_row_for_every_question_and_a_run_file_beside_it(
    suffix: str, cells: Callable[[Path], list[list[str]]], rag: Rag, questions: Path, tmp_path: Path
) -> None:
    table = tmp_path / f"answers{suffix}"
    assert rag("batch", questions, "-o", table).done == f"{SUMMARY}: {table}\n"
    header, answered, refused, failed = cells(table)
    assert header[:4] == ["row", "id", "question", "topic"]
    assert header[4:] == ["answer", "abstained", "reason", "confidence", "citations", "seconds", "error"]
    citation = f'[1] Harbour ({tmp_path / "articles" / "harbour.txt"}): "It cost 3 million marks."'
    assert answered[:7] == ["1", "cost", COST, "port", SENTENCES, "False", "answered"]
    assert float(answered[7]) == pytest.approx(0.69, abs=0.005)
    assert answered[8] == citation
    assert refused[:4] == ["2", "founder", "Who founded the bakery?", "bread"]
    assert refused[4:7] == ["The articles don't say.", "True", UNSUPPORTED]
    assert failed[:4] == ["3", "mayor", "Who is the mayor?", "town"]
    assert failed[4:] == ["", "", "", "", "", "", UNKNOWN]
    assert sorted(path.name for path in tmp_path.glob("*answers*")) == [table.name, f"{table.name}.run.jsonl"]


def test_a_dash_reads_the_questions_from_standard_input(rag: Rag, tmp_path: Path) -> None:
    as_lines = f"{COST}\n\nWho founded the bakery?\n".encode()
    assert rag("batch", "-", "-o", "lines.jsonl", stdin=as_lines).done.startswith("2 answered, 0 refused, 0 failed: ")
    assert [line["row"] for line in lines_of(tmp_path / "lines.jsonl")] == [1, 3]
    as_json = json.dumps({"question": COST, "id": 7, "page": 12}).encode()
    assert rag("batch", "-", "-o", "objects.jsonl", stdin=as_json).status == 0
    (line,) = lines_of(tmp_path / "objects.jsonl")
    assert (line["id"], line["question"], line["page"]) == ("7", COST, 12)
    assert rag("batch", "-", "-o", "lines.jsonl", stdin=as_json).status == 2


def test_the_same_command_again_asks_nothing_and_makes_a_table_that_is_gone(
    rag: Rag, questions: Path, tmp_path: Path
) -> None:
    rag("batch", questions, "-o", "answers.csv")
    table = (tmp_path / "answers.csv").read_bytes()
    run_file = (tmp_path / "answers.csv.run.jsonl").read_bytes()
    (tmp_path / "answers.csv").unlink()
    assert rag("batch", questions, "-o", "answers.csv").done == f"{SUMMARY} (3 kept from before): answers.csv\n"
    assert (tmp_path / "answers.csv").read_bytes() == table
    assert (tmp_path / "answers.csv.run.jsonl").read_bytes() == run_file


def test_questions_that_were_added_are_answered_and_ones_that_were_taken_away_are_noticed(
    rag: Rag, tmp_path: Path
) -> None:
    questions = tmp_path / "questions.txt"
    questions.write_text(f"{COST}\nWhy?\n", encoding="utf-8")
    rag("batch", questions, "-o", "answers.csv")
    questions.write_text(f"{COST}\nWhy?\nHow?\n", encoding="utf-8")
    assert "3 answered, 0 refused, 0 failed (2 kept from before)" in rag("batch", questions, "-o", "answers.csv").done
    before = (tmp_path / "answers.csv").read_bytes()
    questions.write_text(f"{COST}\nWhy?\n", encoding="utf-8")
    done = rag("batch", questions, "-o", "answers.csv")
    assert done.status == 2
    assert done.complaint.startswith("answers.csv.run.jsonl goes on with row 3, which isn't the next one")
    assert (tmp_path / "answers.csv").read_bytes() == before


def test_an_output_begun_with_other_settings_is_left_alone_unless_told_what_to_do(rag: Rag, tmp_path: Path) -> None:
    questions, answers = tmp_path / "questions.txt", tmp_path / "answers.jsonl"
    questions.write_text(COST, encoding="utf-8")
    rag("batch", questions, "-o", answers)
    questions.write_text(f"{COST}\nWhy?\n", encoding="utf-8")
    before = answers.read_bytes()
    done = rag("--set", "passages=1", "batch", questions, "-o", answers)
    assert done.status == 2
    assert done.complaint == (
        f"{answers} was begun with passages 4 (now 1). "
        "Start over with --replace, go on all the same with --mix, or name another file with -o."
    )
    assert answers.read_bytes() == before
    mixed = rag("--set", "passages=1", "batch", questions, "-o", answers, "--mix").done
    assert mixed == f"1 answered, 1 refused, 0 failed (1 kept from before): {answers}\n"
    assert [line["conditions"]["settings"]["passages"] for line in lines_of(answers)] == [4, 1]
    assert "was begun with passages 4 (now 1)" in rag("--set", "passages=1", "batch", questions, "-o", answers).err
    replaced = rag("--set", "passages=1", "batch", questions, "-o", answers, "--replace").done
    assert replaced == f"1 answered, 1 refused, 0 failed: {answers}\n"
    assert [line["conditions"]["settings"]["passages"] for line in lines_of(answers)] == [1, 1]


def test_an_output_begun_with_other_articles_is_left_alone(rag: Rag, questions: Path, articles: Path) -> None:
    rag("batch", questions, "-o", "answers.csv")
    (articles / "mill.txt").write_text("The mill burned down.", encoding="utf-8")
    rag("index", articles)
    done = rag("batch", questions, "-o", "answers.csv")
    assert done.status == 2
    assert "was begun with other articles in the library. Start over with --replace" in done.complaint


@pytest.mark.parametrize("replace", [False, True])
def test_an_output_that_is_something_else_is_written_over_only_with_replace(
    replace: bool, rag: Rag, questions: Path, tmp_path: Path
) -> None:
    for name, content in (("diary.jsonl", "Dear diary\n"), ("sums.csv", "a,b\n")):
        (tmp_path / name).write_text(content, encoding="utf-8")
        done = rag("batch", questions, "-o", name, *(["--replace"] if replace else []))
        if replace:
            assert done.done == f"{SUMMARY}: {name}\n"
            continue
        assert done.status == 2
        assert done.err == f"rag: {done.complaint}\n"
        assert (tmp_path / name).read_text(encoding="utf-8") == content
        assert len(list(tmp_path.glob(f"*{name}*"))) == 1
    if not replace:
        assert "sums.csv exists without sums.csv.run.jsonl, from which a run would go on." in done.complaint


def test_a_table_goes_where_an_unfinished_run_with_replace_left_its_run_file(
    rag: Rag, questions: Path, tmp_path: Path
) -> None:
    (tmp_path / "answers.csv").write_text("old\n", encoding="utf-8")
    (tmp_path / "answers.csv.run.jsonl").write_bytes(b"")
    assert rag("batch", questions, "-o", "answers.csv").done == f"{SUMMARY}: answers.csv\n"
    assert len(csv_cells(tmp_path / "answers.csv")) == 4


@pytest.mark.parametrize(
    ("given", "output", "complaint"),
    [
        ("questions.jsonl", "questions.jsonl", "questions.jsonl holds the questions."),
        ("questions.jsonl", "articles/../questions.jsonl", "questions.jsonl holds the questions."),
        ("answers.csv.run.jsonl", "answers.csv", "answers.csv.run.jsonl holds the questions."),
        ("questions.jsonl", "answers.txt", "answers.txt can't be written: accepted are .jsonl, .csv, .xlsx."),
        ("questions.jsonl", "answers", "answers can't be written: accepted are .jsonl, .csv, .xlsx."),
        ("questions.jsonl", "folder.jsonl", "folder.jsonl is a folder. Name a file with -o."),
        ("questions.jsonl", "folder.csv", "folder.csv is a folder. Name a file with -o."),
        ("questions.jsonl", "questions.jsonl/answers.csv", "answers.csv.run.jsonl can't be written ("),
        (
            "nowhere.csv",
            "a.jsonl",
            "There is no file nowhere.csv. Give a .csv, .tsv or .xlsx file with a column called",
        ),
        ("articles", "a.jsonl", "articles is a folder. Give a .csv"),
        ("slides.pptx", "a.jsonl", "slides.pptx is in a format that can't be read. Give a .csv"),
        ("empty.csv", "a.jsonl", "empty.csv is empty"),
        ("header.csv", "a.jsonl", "There is no question in header.csv."),
        ("blank.txt", "a.jsonl", "There is no question in blank.txt."),
        ("other.csv", "a.jsonl", "other.csv has no column called question, only: id, text. Rename one of them"),
        ("damaged.xlsx", "a.jsonl", "damaged.xlsx is no Excel file, or damaged."),
        ("-", "a.jsonl", "There is no question in <standard input>."),
    ],
)
@pytest.mark.parametrize("option", [(), ("--replace",)])
def test_unfit_files_are_named_before_anything_is_loaded_or_changed(
    given: str, output: str, complaint: str, option: tuple[str, ...], rag: Rag, tmp_path: Path
) -> None:
    for name, content in (
        ("questions.jsonl", f'{{"question": "{COST}"}}\n'),
        ("answers.csv.run.jsonl", f'{{"question": "{COST}"}}\n'),
        ("slides.pptx", "PK"),
        ("empty.csv", ""),
        ("header.csv", "id,question\n"),
        ("blank.txt", "\n \n"),
        ("other.csv", "id,text\n1,Why?\n"),
        ("damaged.xlsx", "PK no more"),
    ):
        (tmp_path / name).write_text(content, encoding="utf-8")
    for name in ("folder.jsonl", "folder.csv"):
        (tmp_path / name).mkdir()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = rag("batch", given, "-o", output, *option)
    assert done.status == 2
    assert complaint in done.complaint
    assert done.err == f"rag: {done.complaint}\n"
    assert done.out == ""
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_sheet_that_turns_out_damaged_in_its_middle_is_refused_before_anything_is_loaded(
    rag: Rag, tmp_path: Path
) -> None:
    book = Workbook()
    for row in range(1000):
        book.worksheets[0].append(["question" if row == 0 else f"What is {row}?"])
    book.save(tmp_path / "questions.xlsx")
    content = bytearray((tmp_path / "questions.xlsx").read_bytes())
    at = content.index(b"xl/worksheets/sheet1.xml") + 2000
    content[at : at + 50] = bytes(50)
    (tmp_path / "questions.xlsx").write_bytes(content)
    done = rag("batch", "questions.xlsx", "-o", "answers.jsonl")
    assert (done.status, done.out, done.err) == (2, "", f"rag: {done.complaint}\n")


def test_folders_on_the_way_to_the_output_are_made(rag: Rag, questions: Path, tmp_path: Path) -> None:
    assert rag("batch", questions, "-o", "deep/down/answers.csv").done == f"{SUMMARY}: deep/down/answers.csv\n"
    assert len(csv_cells(tmp_path / "deep" / "down" / "answers.csv")) == 4


def test_without_a_library_the_command_that_makes_one_is_named_and_no_output_is_begun(
    rag_: Rag, questions: Path, tmp_path: Path
) -> None:
    done = rag_("batch", questions, "-o", "answers.csv")
    assert done.status == 1
    assert "Run `rag index FOLDER`" in done.complaint
    assert list(tmp_path.glob("answers*")) == []


def test_a_replay_shows_what_ask_did_and_what_it_was_made_with(rag: Rag, questions: Path) -> None:
    asked = rag("--set", "strict=true", "ask", COST).done
    refused = rag("ask", "Who founded the bakery?")
    assert refused.status == 0  # it may be answered from the other article
    rag("batch", questions, "-o", "answers.csv")
    for given in ((), ("answers.csv",), ("answers.csv.run.jsonl",)):
        shown = rag("replay", "cost", *given).done
        assert shown.startswith(f"{COST}\n\n{asked}\nMade with embedder ")
        assert "passages 4" in shown
        assert "engine scripted, library " in shown
        assert shown.splitlines()[-1].startswith("Confidence 0.69, ")


def test_a_replay_shows_refusals_and_failures(rag: Rag, questions: Path) -> None:
    rag("batch", questions, "-o", "answers.jsonl")
    lines = rag("replay", "founder").done.splitlines()
    assert lines[:2] == ["Who founded the bakery?", ""]
    assert lines[2].startswith("The articles don’t say.")
    assert "[1] Bakery · bakery.txt" in lines
    assert rag("replay", "mayor").done.splitlines()[:3] == ["Who is the mayor?", "", UNKNOWN]


def test_a_replay_is_of_the_last_batch_of_the_library_unless_told_otherwise(rag: Rag, tmp_path: Path) -> None:
    for name, question in (("one", "Why?"), ("two", COST)):
        (tmp_path / f"{name}.txt").write_text(question, encoding="utf-8")
        rag("batch", f"{name}.txt", "-o", f"{name}.jsonl")
    assert rag("replay", "q1").done.startswith(COST)
    assert rag("replay", "q1", "one.jsonl").done.startswith("Why?")


def test_what_can_not_be_replayed_is_named(rag: Rag, questions: Path, tmp_path: Path) -> None:
    done = rag("replay", "cost")
    assert done.status == 2
    assert done.complaint.startswith("No batch has been run with this library yet.")
    rag("batch", questions, "-o", "answers.jsonl")
    done = rag("replay", "coast")
    assert done.status == 2
    assert done.complaint == (
        f"{tmp_path / 'answers.jsonl'} has no question with the id 'coast'. Its ids are in the column id."
    )
    for file, complaint in (
        ("nowhere.csv", "nowhere.csv.run.jsonl can't be read (No such file or directory)."),
        ("questions.csv", "questions.csv.run.jsonl can't be read (No such file or directory)."),
        ("articles/harbour.txt", "harbour.txt.run.jsonl can't be read (No such file or directory)."),
    ):
        done = rag("replay", "cost", file)
        assert done.status == 2
        assert complaint in done.complaint
    (tmp_path / "diary.jsonl").write_text("Dear diary\n", encoding="utf-8")
    done = rag("replay", "cost", "diary.jsonl")
    assert (done.status, "diary.jsonl isn't a file that `rag batch` wrote" in done.complaint) == (2, True)
    (tmp_path / "answers.jsonl").unlink()
    done = rag("replay", "cost")
    assert (done.status, "answers.jsonl can't be read" in done.complaint) == (2, True)


def test_hostile_text_moves_no_cursor_in_a_replay(rag: Rag, tmp_path: Path) -> None:
    (tmp_path / "questions.jsonl").write_text(json.dumps({"question": "What\x1b[2J cost?"}), encoding="utf-8")
    rag("batch", "questions.jsonl", "-o", "answers.jsonl")
    assert rag("replay", "q1").done.startswith("What[2J cost?\n")
