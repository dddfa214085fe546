import csv
import errno
import tracemalloc
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from rag.batch.tables import carried_names, write_table
from rag.errors import DiskFull, InputError
from rag.types import (
    Answer,
    Chunk,
    Citation,
    Claim,
    Conditions,
    Document,
    Failure,
    Models,
    Passage,
    Question,
    Reason,
    RunRecord,
    Timings,
    Verdict,
)

TEXT = "Fares\n\nThe ferry is\nfree. Dogs need a lead."
DOCUMENT = Document("d1", "Fares", TEXT, "/news/fares.txt", None, None, "00ff")
FIRST = Passage(1, Chunk("d1:7-43", "d1", 7, 43), DOCUMENT, TEXT[7:43])
SECOND = Passage(2, Chunk("d1:26-43", "d1", 26, 43), DOCUMENT, TEXT[26:43])
FREE, LEAD = Citation(FIRST, 7, 25), Citation(SECOND, 26, 43)
MODELS = Models("words", "script", "scripted")
CONDITIONS = Conditions({}, MODELS, {}, "abc")
ANSWER = Answer(
    question="What does the ferry cost?",
    standalone_question="What does the ferry cost?",
    text="It is free. Dogs need a lead, and it is free.\nFish fly.",
    claims=(
        Claim("It is free.", 0, 11, (FREE,), Verdict.SUPPORTED, 1.0),
        Claim("Dogs need a lead, and it is free.", 12, 45, (LEAD, FREE), Verdict.SUPPORTED, 1.0),
        Claim("Fish fly.", 46, 55, (), Verdict.UNSUPPORTED, 0.0),
    ),
    passages=(FIRST, SECOND),
    abstained=False,
    reason=Reason.ANSWERED,
    confidence=0.75,
    timings=Timings(total=2.5),
    models=MODELS,
)
REFUSAL = replace(
    ANSWER, text="The articles don't say.", claims=(), abstained=True, reason=Reason.UNLIKELY, confidence=0.125
)
ASKED = Question(1, "fare", "What does the ferry cost?", (), {"topic": "money", "weight": 2})
RECORDS = [
    RunRecord(ASKED, ANSWER, CONDITIONS),
    RunRecord(replace(ASKED, row=3, id="q3", carried={"tags": ["é", 1]}), REFUSAL, CONDITIONS),
    RunRecord(replace(ASKED, row=4, id="q4", text="", carried={}), Failure("The question is empty."), CONDITIONS),
]
HEADER = [
    *("row", "id", "question", "topic", "weight", "tags"),
    *("answer", "abstained", "reason", "confidence", "citations", "seconds", "error"),
]
WITH_MARKS = "It is free. [1] Dogs need a lead, and it is free. [1][2]\nFish fly."
CITATIONS = '[1] Fares (/news/fares.txt): "The ferry is free."\n[2] Fares (/news/fares.txt): "Dogs need a lead."'
UNLIKELY = "the passages probably don't state the answer"


def carrying(carried: Mapping[str, object]) -> RunRecord:
    return RunRecord(replace(ASKED, carried=carried), ANSWER, CONDITIONS)


def csv_rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, strict=True))


def excel_cells(path: Path) -> list[list[Any]]:
    book = load_workbook(path)
    assert book.active is not None
    return [list(row) for row in book.active.iter_rows()]


def test_the_carried_columns_in_the_order_in_which_they_turn_up() -> None:
    assert carried_names(RECORDS) == ["topic", "weight", "tags"]
    assert carried_names([]) == []


def test_a_csv_file_has_a_row_for_each_record(tmp_path: Path) -> None:
    write_table(iter(RECORDS), tmp_path / "a.csv", carried_names(RECORDS))
    question = "What does the ferry cost?"
    assert csv_rows(tmp_path / "a.csv") == [
        HEADER,
        ["1", "fare", question, "money", "2", "", WITH_MARKS, "False", "answered", "0.75", CITATIONS, "2.5", ""],
        ["3", "q3", question, "", "", '["é", 1]', REFUSAL.text, "True", UNLIKELY, "0.125", "", "2.5", ""],
        ["4", "q4", "", "", "", "", "", "", "", "", "", "", "The question is empty."],
    ]


def test_a_citation_says_all_that_is_known_of_its_source(tmp_path: Path) -> None:
    document = replace(FIRST.document, pages=(0, 1), published="2024-03-14", author="Joan Doe")
    read = replace(FIRST, document=document, copies=("/x/a.txt", "https://b.org/c"), stale="missing")
    claims = (replace(ANSWER.claims[0], citations=(replace(FREE, passage=read),)),)
    write_table([RunRecord(ASKED, replace(ANSWER, claims=claims), CONDITIONS)], tmp_path / "a.csv")
    assert csv_rows(tmp_path / "a.csv")[1][HEADER.index("citations") - 3] == (
        '[1] Fares (/news/fares.txt, page 2, 2024-03-14, Joan Doe): "The ferry is free." '
        "Also in /x/a.txt, https://b.org/c. But its file is gone."
    )


def test_a_csv_file_is_made_for_excel_and_rfc_4180(tmp_path: Path) -> None:
    write_table(RECORDS, tmp_path / "a.csv")
    data = (tmp_path / "a.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbfrow,id,question,answer,")
    assert data.endswith(b",The question is empty.\r\n")
    assert b'"[1] Fares (/news/fares.txt): ""The ferry is free.""\n' in data


def test_an_excel_file_has_a_row_for_each_record_and_keeps_numbers(tmp_path: Path) -> None:
    write_table(iter(RECORDS), tmp_path / "a.XLSX", carried_names(RECORDS))
    question = "What does the ferry cost?"
    assert [[cell.value for cell in row] for row in excel_cells(tmp_path / "a.XLSX")] == [
        HEADER,
        [1, "fare", question, "money", 2, None, WITH_MARKS, False, "answered", 0.75, CITATIONS, 2.5, None],
        [3, "q3", question, None, None, '["é", 1]', REFUSAL.text, True, UNLIKELY, 0.125, None, 2.5, None],
        [4, "q4", None, None, None, None, None, None, None, None, None, None, "The question is empty."],
    ]


FORMULAS = [
    '=HYPERLINK("http://evil.example","x")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "=",
    "＝1+1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_becomes_a_formula(tmp_path: Path, text: str) -> None:
    document = replace(DOCUMENT, title=text, text=text * 40)
    evil = replace(ANSWER, text=text, claims=(Claim(text, 0, len(text), (), Verdict.UNSUPPORTED, 0.0),))
    cited = (Citation(replace(FIRST, document=document), 0, len(text)),)
    evil = replace(evil, claims=(replace(evil.claims[0], citations=cited),))
    records = [
        RunRecord(Question(1, text, text, (), {text: text}), evil, CONDITIONS),
        RunRecord(Question(2, "q2", text, (), {}), Failure(text), CONDITIONS),
    ]
    write_table(records, tmp_path / "a.csv", [text])
    write_table(records, tmp_path / "a.xlsx", [text])

    rows = csv_rows(tmp_path / "a.csv")
    assert (rows[0][3], rows[1][1], rows[1][3], rows[2][2], rows[2][-1]) == ("'" + text,) * 5
    assert not any(cell.startswith(tuple("=+-@\t\r\n＝")) for row in rows for cell in row)

    cells = excel_cells(tmp_path / "a.xlsx")
    assert {cell.data_type for row in cells for cell in row} <= {"s", "n", "b"}
    for cell in (cells[0][3], cells[1][1], cells[1][3], cells[2][2], cells[2][-1]):
        assert (cell.value, cell.data_type, bool(cell.quotePrefix)) == (text, "s", True)


def test_numbers_are_no_formulas(tmp_path: Path) -> None:
    record = carrying({"number": -5, "text": "-0.5", "phone": "+49", "share": -0.25})
    for name in ("a.csv", "a.xlsx"):
        write_table([record], tmp_path / name, ["number", "text", "phone", "share"])
    assert csv_rows(tmp_path / "a.csv")[1][3:7] == ["-5", "-0.5", "+49", "-0.25"]
    assert [cell.value for cell in excel_cells(tmp_path / "a.xlsx")[1][3:7]] == [-5, "-0.5", "+49", -0.25]


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_characters_that_no_table_can_hold_are_left_out(tmp_path: Path, name: str) -> None:
    write_table([carrying({"a\x00": "\x00=1+1\x0b\x1f b\ud800\uffff\tc\n😀"})], tmp_path / name, ["a\x00"])
    if name == "a.csv":
        assert [row[3] for row in csv_rows(tmp_path / name)] == ["a", "'=1+1 b\tc\n😀"]
    else:
        assert [row[3].value for row in excel_cells(tmp_path / name)] == ["a", "=1+1 b\tc\n😀"]


def test_an_excel_cell_is_cut_where_excel_ends_it(tmp_path: Path) -> None:
    whole, long, wide = "x" * 32_767, "x" * 32_768, "😀" * 16_384
    write_table([carrying({"a": whole, "b": long, "c": wide})], tmp_path / "a.xlsx", ["a", "b", "c"])
    cells = [cell.value for cell in excel_cells(tmp_path / "a.xlsx")[1][3:6]]
    assert cells == [whole, "x" * 32_766 + "…", "😀" * 16_383 + "…"]


def test_numbers_that_excel_would_round_are_text_and_infinity_is_nothing(tmp_path: Path) -> None:
    record = carrying({"a": 10**15 - 1, "b": -(10**15), "c": float("inf"), "d": False})
    write_table([record], tmp_path / "a.xlsx", list("abcd"))
    assert [cell.value for cell in excel_cells(tmp_path / "a.xlsx")[1][3:7]] == [
        10**15 - 1,
        str(-(10**15)),
        None,
        False,
    ]


def test_carried_columns_never_share_a_name_with_the_tables_own(tmp_path: Path) -> None:
    names = ["answer", "citations", "seconds", "input_seconds", "passages", "topic"]
    write_table([carrying(dict.fromkeys(names, "x"))], tmp_path / "a.csv", names)
    header, row = csv_rows(tmp_path / "a.csv")
    assert header[3:9] == [
        "input_answer",
        "input_citations",
        "input_seconds",
        "input_input_seconds",
        "input_passages",
        "topic",
    ]
    assert row[3:9] == ["x"] * 6
    assert len(set(header)) == len(header)


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_a_table_takes_the_place_of_an_older_one_whole_or_not_at_all(tmp_path: Path, name: str) -> None:
    def interrupted() -> Iterator[RunRecord]:
        yield RECORDS[0]
        raise KeyboardInterrupt

    (tmp_path / name).write_text("the older one")
    with pytest.raises(KeyboardInterrupt):
        write_table(interrupted(), tmp_path / name)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(name, "the older one")]

    write_table(RECORDS, tmp_path / name)
    assert [file.name for file in tmp_path.iterdir()] == [name]
    rows = csv_rows(tmp_path / name) if name == "a.csv" else excel_cells(tmp_path / name)
    assert len(rows) == 4


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
@pytest.mark.parametrize(
    ("number", "error", "message"),
    [
        (errno.ENOSPC, DiskFull, r"No room left on the disk of .* for a\.\w+\. Free some"),
        (errno.EACCES, InputError, r"a\.\w+ can't be written: Permission denied\. Close it elsewhere"),
    ],
)
def test_a_disk_that_is_full_or_closed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int, error: type[Exception], message: str
) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, {errno.ENOSPC: "No space left on device", errno.EACCES: "Permission denied"}[number])

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(error, match=message):
        write_table(RECORDS, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_a_folder_that_is_not_there_or_in_the_way_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="can't be written: No such file or directory"):
        write_table(RECORDS, tmp_path / "gone" / name)
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match="can't be written: Is a directory"):
        write_table(RECORDS, tmp_path / name)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_another_format_is_refused_before_any_record_is_read(tmp_path: Path) -> None:
    def never() -> Iterator[RunRecord]:
        pytest.fail("a record was read")
        yield RECORDS[0]

    with pytest.raises(InputError, match=r"a\.ods would be in a format .* Accepted: \.csv, \.xlsx"):
        write_table(never(), tmp_path / "a.ods")


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_many_records_take_hardly_more_memory_than_few(tmp_path: Path, name: str) -> None:
    def peak(count: int) -> int:
        records = (carrying({"notes": f"{row} " + "x" * 5_000}) for row in range(count))
        tracemalloc.start()
        try:
            write_table(records, tmp_path / name, ["notes"])
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)  # so that what is imported on the way isn't counted
    short, long = peak(10), peak(500)
    assert long - short < 250_000  # of 2.5 MB
