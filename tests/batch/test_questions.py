import codecs
import csv
import io
import json
import sys
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from rag.batch.questions import BadRow, read_questions
from rag.errors import InputError
from rag.types import Question

Read = Callable[..., list[Question | BadRow]]

FARE, DOGS, HARBOUR = "What does the ferry cost?", "May dogs, or cats, come along?", "Où est le port — “le vieux”?"
TEXTS = [FARE, DOGS, HARBOUR]

THREE = [
    Question(1, "fare", FARE, ("fares.txt", "old fares.txt"), {"topic": "money"}),
    Question(2, "q2", DOGS, (), {"topic": "animals"}),
    Question(3, "7", HARBOUR, ("ports.txt",), {"topic": "places"}),
]
OBJECTS = [
    {"id": "fare", "question": FARE, "documents": ["fares.txt", "old fares.txt"], "topic": "money"},
    {"Question ": f"  {DOGS}\n", "documents": None, "topic": "animals"},
    {"id": 7, "question": HARBOUR, "documents": ["ports.txt"], "topic": "places"},
]
TABLE = [
    [" ID", "Question", "topic", "Documents"],
    ["fare", FARE, "money", "fares.txt; old fares.txt"],
    ["", f" {DOGS} ", "animals", ""],
    ["7", HARBOUR, "places", "ports.txt\n"],
]


def table(rows: Sequence[Sequence[object]], delimiter: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


def excel(rows: Sequence[Sequence[Any]]) -> bytes:
    book, data = Workbook(), io.BytesIO()
    assert book.active is not None
    for row in rows:
        book.active.append(list(row))
    book.create_sheet("Another").append(["question"])
    book.save(data)
    return data.getvalue()


def json_lines(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def write_and_read(data: str | bytes, name: str) -> list[Question | BadRow]:
        (tmp_path / name).write_bytes(data.encode() if isinstance(data, str) else data)
        return list(read_questions(tmp_path / name))

    return write_and_read


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | bytes], list[Question | BadRow]]:
    def put_in_and_read(data: str | bytes) -> list[Question | BadRow]:
        data = data.encode() if isinstance(data, str) else data
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        return list(read_questions(None))

    return put_in_and_read


def questions(found: Sequence[Question | BadRow]) -> list[tuple[int, str]]:
    assert all(isinstance(one, Question) for one in found), found
    return [(one.row, one.text) for one in found if isinstance(one, Question)]


def problems(found: Sequence[Question | BadRow]) -> dict[int, str]:
    return {one.question.row: one.problem for one in found if isinstance(one, BadRow)}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", json_lines(*OBJECTS)),
        ("a.json", json.dumps(OBJECTS)),
        ("a.csv", table(TABLE)),
        ("a.CSV", table(TABLE)),
        ("a.tsv", table(TABLE, "\t")),
        ("a.xlsx", excel(TABLE)),
    ],
)
def test_every_format_reads_the_same_questions(read: Read, name: str, data: str | bytes) -> None:
    assert read(data, name) == THREE


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", "\n".join(TEXTS)),
        ("a.jsonl", json_lines(*TEXTS)),
        ("a.json", json.dumps(TEXTS)),
        ("a.csv", table([["question"], *([text] for text in TEXTS)])),
        ("a.tsv", "question\n" + "\n".join(TEXTS)),
        ("a.xlsx", excel([["question"], *([text] for text in TEXTS)])),
    ],
)
def test_a_question_alone_is_enough(read: Read, name: str, data: str | bytes) -> None:
    assert read(data, name) == [Question(row, f"q{row}", text, (), {}) for row, text in enumerate(TEXTS, start=1)]


def test_standard_input_is_read_as_lines_or_json(piped: Callable[[str | bytes], list[Question | BadRow]]) -> None:
    assert questions(piped("\n" + "\n".join(TEXTS))) == [(2, FARE), (3, DOGS), (4, HARBOUR)]
    assert questions(piped("\n  " + json_lines(*OBJECTS))) == [(2, FARE), (3, DOGS), (4, HARBOUR)]
    assert questions(piped("\n".join(TEXTS).encode("utf-16"))) == [(1, FARE), (2, DOGS), (3, HARBOUR)]
    with pytest.raises(InputError, match="no question in <standard input>"):
        piped(b" \n")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("a.txt", [FARE, " \t", "", DOGS]),
        ("a.jsonl", [json.dumps(FARE), " ", "", json.dumps({"question": DOGS})]),
        ("a.csv", ["", " ,", "question,topic", FARE, "", " , ", f'"{DOGS}",pets']),
    ],
)
def test_blank_rows_are_passed_over_but_counted(read: Read, name: str, lines: list[str], line_end: str) -> None:
    assert questions(read(line_end.join(lines), name)) == [(1, FARE), (4, DOGS)]


def test_blank_rows_of_excel_files_are_counted_too(read: Read) -> None:
    rows = [[], [None, "question", "topic"], [None, FARE], [], [None, " "], [None, DOGS, "pets"]]
    assert questions(read(excel(rows), "a.xlsx")) == [(1, FARE), (4, DOGS)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json", "a.txt"])
def test_every_encoding_reads_the_same(read: Read, name: str, encoding: str) -> None:
    text = {
        "a.csv": table(TABLE),
        "a.jsonl": "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in OBJECTS),
        "a.json": json.dumps(OBJECTS, ensure_ascii=False),
        "a.txt": "\n".join(TEXTS),
    }[name]
    assert questions(read(text.encode(encoding), name)) == [(1, FARE), (2, DOGS), (3, HARBOUR)]


def test_the_encoding_shows_far_down_in_the_file(read: Read) -> None:
    lines = [FARE] * 20_000 + [HARBOUR]
    assert questions(read("\n".join(lines).encode("cp1252"), "a.txt"))[-1] == (20_001, HARBOUR)
    assert questions(read("\n".join(lines).encode(), "a.txt"))[-1] == (20_001, HARBOUR)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Когда паром снова выйдет в море после ремонта?"),
        ("shift_jis", "これは日本語の文章です。天気がいいですね。東京で会いましょう。"),
        ("gb18030", "渡船什么时候恢复航行？今天北京的天气怎么样？"),
    ],
)
def test_legacy_encodings_are_recognised(read: Read, encoding: str, text: str) -> None:
    data = table([["id", "question"], ["a", text], ["b", text]]).encode(encoding)
    assert questions(read(data, "a.csv")) == [(1, text), (2, text)]


@pytest.mark.parametrize("between", [1, 20_000])
def test_a_stray_byte_in_utf_8_is_refused_rather_than_all_letters_misread(read: Read, between: int) -> None:
    lines = [HARBOUR.encode()] * 3 + [FARE.encode()] * between + [b"Where is Orl\xe9ans?"]
    with pytest.raises(InputError, match=r"a\.txt is in UTF-8 except for some bytes"):
        read(b"\n".join(lines), "a.txt")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_the_delimiter_is_the_one_that_gives_a_question_column(read: Read, name: str, delimiter: str) -> None:
    assert read(table(TABLE, delimiter), name) == THREE


def test_a_header_may_have_delimiters_and_line_ends_in_a_cell(read: Read) -> None:
    (found,) = read('"by; or\nfor";question\nme;Why?\n', "a.csv")
    assert found == Question(1, "q1", "Why?", (), {"by; or\nfor": "me"})


def test_what_json_carries_comes_as_it_came_but_for_what_json_cannot_say(read: Read) -> None:
    line = (
        '{"question": "Why?", "Weight": 2, "share": 0.5, "ok": true, "none": null, '
        '"tags": ["a", {"b": [NaN, -Infinity]}], "huge": 1e999, "half": "\\ud800!", "pair": "\\ud83d\\ude00"}'
    )
    (found,) = read(line, "a.jsonl")
    assert isinstance(found, Question)
    assert found.carried == {
        "Weight": 2,
        "share": 0.5,
        "ok": True,
        "none": None,
        "tags": ["a", {"b": [None, None]}],
        "huge": None,
        "half": "?!",
        "pair": "😀",
    }


def test_excel_cells_become_values_that_json_can_hold(read: Read) -> None:
    cells: dict[str, object] = {
        "n": 2,
        "x": 0.5,
        "ok": True,
        "none": None,
        "day": date(2024, 5, 1),
        "moment": datetime(2024, 5, 1, 13, 30),
        "noon": time(12),
        "span": timedelta(hours=1, minutes=30),
        "error": "#N/A",
        "formula": "=1+1",
    }
    rows: list[list[Any]] = [["question", *cells], ["Why?", *cells.values()]]
    (found,) = read(excel(rows), "a.xlsx")
    assert isinstance(found, Question)
    assert found.carried == cells | {
        "day": "2024-05-01",
        "moment": "2024-05-01T13:30:00",
        "noon": "12:00:00",
        "span": "PT5400S",
        "formula": None,  # nothing has computed it since openpyxl wrote it
    }


def test_columns_without_a_name_are_called_after_their_place(read: Read) -> None:
    assert read(",question,,,\n0,Why?,,,,\n", "a.csv") == [Question(1, "q1", "Why?", (), {"column 1": "0"})]


def test_missing_cells_are_none_and_ids_are_text(read: Read) -> None:
    rows: list[list[Any]] = [
        ["question", "id", "topic"],
        ["A?"],
        ["B?", 7.0, ""],
        ["C?", "  ", "x"],
        ["D?", 0.5],
        ["E?", " e "],
    ]
    found = read(excel(rows), "a.xlsx")
    assert [one.id for one in found if isinstance(one, Question)] == ["q1", "7", "q3", "0.5", "e"]
    found = read("question,topic\nA?\nB?,\n", "a.csv")
    assert [one.carried for one in found if isinstance(one, Question)] == [{"topic": None}, {"topic": ""}]


def test_bad_lines_of_json_stand_in_their_places(read: Read) -> None:
    lines = [
        '{"question": "Why?"',
        "[1, 2]",
        "null",
        "[" * 100_000,
        '{"id": "a", "q": "Why?", "topic": "x"}',
        '{"id": "b", "question": "  "}',
        '{"question": null}',
        '{"question": 42}',
        '{"question": "Why?", "documents": "a.txt"}',
        '{"question": "Why?", "documents": ["a.txt", 1]}',
        '{"question": "Why?", "id": ["c"]}',
        "{}",
        '""',
        '{"question": "Why?"}',
    ]
    found = read("\n".join(lines), "a.jsonl")
    expected = {
        1: "This line is not JSON: Expecting ',' delimiter at character 21.",
        2: "Here stands [1, 2], not an object with a question, nor a question itself.",
        3: "Here stands None, not an object with a question, nor a question itself.",
        4: "This line is not JSON: it is nested too deeply.",
        5: "There is no question here, only: id, q, topic. Call it question.",
        6: "The question is empty. Write one, or remove the row.",
        7: "The question is empty. Write one, or remove the row.",
        8: "The question must be text, not 42.",
        9: "The documents must be a list of names, not 'a.txt'.",
        10: "The documents must be a list of names, not ['a.txt', 1].",
        11: "The id must be text or a number, not ['c'].",
        12: "There is no question here, only: nothing. Call it question.",
        13: "The question is empty. Write one, or remove the row.",
    }
    assert problems(found) == expected
    assert found[4] == BadRow(Question(5, "a", "", (), {"q": "Why?", "topic": "x"}), expected[5])
    assert found[9] == BadRow(Question(10, "q10", "Why?", (), {}), expected[10])
    assert found[13] == Question(14, "q14", "Why?", (), {})


def test_bad_items_of_a_json_list_stand_in_their_places(read: Read) -> None:
    found = read('["Why?", null, {"question": ""}, "How?"]', "a.json")
    assert list(problems(found)) == [2, 3]
    assert [found[0], found[3]] == [Question(1, "q1", "Why?", (), {}), Question(4, "q4", "How?", (), {})]


def test_bad_rows_of_a_table_stand_in_their_places(read: Read) -> None:
    data = 'question,id\nWhy?,a, oh why?,\n"To be" or not?,b\n,c\nHow?,d\n"never closed,\nWho?,e\n'
    found = read(data, "a.csv")
    assert problems(found) == {
        1: "This row has 3 cells, the header 2. Put quotation marks around cells with commas.",
        2: "This row can't be read: ',' expected after '\"'. Check the quotation marks in it.",
        3: "The question is empty. Write one, or remove the row.",
        5: "This row can't be read: unexpected end of data. Check the quotation marks in it.",
    }
    assert [one.question.id for one in found if isinstance(one, BadRow)] == ["a", "q2", "c", "q5"]
    assert found[3] == Question(4, "d", "How?", (), {})


def test_a_number_where_text_belongs_is_refused(read: Read) -> None:
    found = read(excel([["question", "documents"], [42, None], ["Why?", 7]]), "a.xlsx")
    assert problems(found) == {
        1: "The question must be text, not 42.",
        2: "The documents must be a list of names, not 7.",
    }


def test_an_id_is_given_once(read: Read) -> None:
    found = read("question,id\nA?,x\nB?,y\nC?,x\nD?,q5\nE?,\n", "a.csv")
    assert problems(found) == {
        3: "The id 'x' was used by row 1 already. Give every question an id of its own.",
        5: "The id 'q5' was used by row 4 already. Give every question an id of its own.",
    }


def test_a_cell_of_a_megabyte_is_read_and_one_over_the_limit_is_not(read: Read) -> None:
    found = read(f"question,notes\nA?,{'x' * 1_000_000}\nB?,{'x' * 10_000_001}\nC?,x\n", "a.csv")
    assert [one.question.row if isinstance(one, BadRow) else one.text for one in found] == ["A?", 2, "C?"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", "id,q,topic\n1,Why?,x\n", "no column called question, only: id, q, topic"),
        ("a.csv", "id;q\n1;Why?\n", "only: id, q. Rename"),
        ("a.xlsx", excel([["id", 2024], [1, "Why?"]]), "only: id, 2024. Rename"),
        ("a.csv", "question,Question\nA?,B?\n", "two columns called question"),
        ("a.csv", "question,x,x\nA?,1,2\n", "two columns called x"),
        ("a.csv", "", "is empty"),
        ("a.csv", '"question\nWhy?\n', "its first row can't be read"),
        ("a.csv", "question,id\n", "no question in"),
        ("a.xlsx", excel([]), "is empty"),
        ("a.xlsx", excel([["question"]]), "no question in"),
        ("a.txt", " \n\t\n", "no question in"),
        ("a.jsonl", "\n", "no question in"),
        ("a.json", "", "no question in"),
        ("a.json", "[]", "no question in"),
        ("a.json", '{"question": "Why?"}', r"must hold a list .* Put \[ and \] around"),
        ("a.json", '["Why?",', r"is not JSON: .* line 1"),
        ("a.xlsx", "question\nWhy?\n", "no Excel file, or damaged"),
        ("a.xlsx", excel(TABLE)[:-300], "no Excel file, or damaged"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "is not text"),
        ("a.csv", bytes(range(1, 256)) * 20, "is not text"),
        ("a.csv", codecs.BOM_UTF16_LE + b"odd", "is not text"),
        ("a.txt", "Why?\0".encode("utf-16"), "is not text"),
        ("a.pdf", "question\nWhy?\n", r"format that can't be read\. Give a \.csv, \.tsv or \.xlsx file"),
        ("a", "question\nWhy?\n", "format that can't be read"),
    ],
)
def test_a_file_without_questions_is_refused(read: Read, name: str, data: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(data, name)


def test_a_folder_or_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=r"folder\.csv is a folder"):
        next(read_questions(tmp_path / "folder.csv"))
    with pytest.raises(InputError, match=r"There is no file .*gone\.csv"):
        next(read_questions(tmp_path / "gone.csv"))


def test_an_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.txt").write_text(FARE)
    monkeypatch.setattr(Path, "open", refuse)  # root, who may run the tests, can read every real file
    with pytest.raises(InputError, match=r"a\.txt can't be read: Permission denied"):
        next(read_questions(tmp_path / "a.txt"))


def test_a_damaged_file_is_refused_before_its_first_question(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(("Why?\n" * 100_000).encode("utf-16") + b"!")
    with pytest.raises(InputError, match="is not text"):
        next(read_questions(tmp_path / "a.txt"))


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.txt"])
def test_a_long_file_takes_hardly_more_memory_than_a_short_one(tmp_path: Path, name: str) -> None:
    def peak(count: int) -> int:
        with (tmp_path / name).open("w", newline="") as file:
            file.write("question,notes\n" if name == "a.csv" else "")
            file.writelines(f'"Why {row}? {"x" * 600}"\n' for row in range(count))
        tracemalloc.start()
        try:
            assert sum(isinstance(one, Question) for one in read_questions(tmp_path / name)) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(10)  # so that what is imported on the way isn't counted
    short, long = peak(10), peak(10_000)
    assert (tmp_path / name).stat().st_size > 6_000_000
    assert long - short < 2_000_000  # the ids, and the piece of the file that is being looked at
