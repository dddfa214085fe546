"""Question sets as files of a temporary folder."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rag.errors import DocumentError, InputError
from rag.evaluation.results import Evidence, Gold
from rag.evaluation.sets import QuestionSet, load_set, sample, set_key
from rag.types import Document, Question

FERRY = {"id": "f", "title": "The ferry", "text": "The ferry to Langeoog leaves at noon."}
BAKERY = {"id": "b", "title": "The bakery", "text": "Ada Nyberg founded the bakery in 1950."}
WHEN = {"id": "w", "question": "When does the ferry leave?", "answers": ["noon", "12:00"]}
WHO = {"id": "a", "question": "Who founded the bakery?", "answers": ["Ada Nyberg"]}

Line = Mapping[str, Any]


def lines(*parts: Line) -> str:
    return "".join(f"{json.dumps(part)}\n" for part in parts)


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def with_questions(folder: Path, *questions: Line, documents: tuple[Line, ...] = (FERRY, BAKERY)) -> QuestionSet:
    files = {"documents.jsonl": lines(*documents), "questions.jsonl": lines(*questions)}
    return load_set(write(folder / "island", files))


def gold_of(folder: Path, **fields: object) -> tuple[Question, Gold]:
    ((question, gold),) = with_questions(folder, {"question": "When?", **fields}).golds
    return question, gold


def documents(questions: QuestionSet) -> list[Document]:
    assert questions.corpus
    return list(questions.corpus.read())


def test_a_folder_of_documents_and_questions(tmp_path: Path) -> None:
    found = with_questions(tmp_path, WHEN, WHO)
    assert (found.name, found.retrieval_only) == ("island", False)
    assert [(question.row, question.id, question.text) for question, _ in found.golds] == [
        (1, "w", "When does the ferry leave?"),
        (2, "a", "Who founded the bakery?"),
    ]
    assert [gold.answers for _, gold in found.golds] == [("noon", "12:00"), ("Ada Nyberg",)]


def test_an_answer_is_thought_possible_and_nothing_else_known_unless_the_set_says_so(tmp_path: Path) -> None:
    question, gold = gold_of(tmp_path)
    assert question == Question(1, "q1", "When?", (), {})
    assert gold == Gold((), True, (), {}, (), ())


def test_what_a_set_may_know_of_a_question(tmp_path: Path) -> None:
    question, gold = gold_of(
        tmp_path,
        id=7,
        answers=["noon"],
        answerable=False,
        evidence=[{"document": "f", "text": "leaves at noon", "start": 22, "end": 36}, {"document": "gone"}],
        wrong_answers=["dawn"],
        must_not_contain=["PWNED"],
        topic="ships",
        near_document="b",
    )
    assert gold == Gold(
        answers=("noon",),
        answerable=False,
        evidence=(Evidence("f", "leaves at noon", 22), Evidence("gone", "", None)),
        relevance={"f": 1, "gone": 1},
        wrong_answers=("dawn",),
        must_not_contain=("PWNED",),
    )
    assert question == Question(1, "7", "When?", (), {"topic": "ships", "near_document": "b"})


def test_the_offset_of_an_answer_is_not_that_of_its_sentence(tmp_path: Path) -> None:
    evidence = {"document": "f", "text": FERRY["text"], "answer_start": 32}
    _, gold = gold_of(tmp_path, evidence=[evidence])
    assert gold.evidence == (Evidence("f", FERRY["text"], None),)


def test_an_offset_without_a_text_says_nothing(tmp_path: Path) -> None:
    _, gold = gold_of(tmp_path, evidence=[{"document": "f", "start": 32}])
    assert gold.evidence == (Evidence("f", "", None),)


@pytest.mark.parametrize("field", ["documents", "candidates"])
def test_the_only_documents_to_be_searched_have_two_names(field: str, tmp_path: Path) -> None:
    question, _ = gold_of(tmp_path, **{field: ["f", "b"]})
    assert (question.documents, question.carried) == (("f", "b"), {})


def test_rows_are_lines_of_the_file_blank_ones_included(tmp_path: Path) -> None:
    text = f"{lines(WHEN)}\n{lines(WHO)}"
    found = load_set(write(tmp_path, {"documents.jsonl": lines(FERRY), "questions.jsonl": text}))
    assert [question.row for question, _ in found.golds] == [1, 3]


def test_documents_are_read_without_what_they_are_known_to_say(tmp_path: Path) -> None:
    found = with_questions(tmp_path, WHEN, documents=({**FERRY, "kind": "misinfo", "answer": "noon"},))
    (ferry,) = documents(found)
    assert (ferry.id, ferry.source, ferry.title, ferry.text) == ("f", "f", FERRY["title"], FERRY["text"])
    assert (ferry.published, ferry.author) == (None, None)
    plain = with_questions(tmp_path / "plain", WHEN, documents=(FERRY,))
    assert documents(plain) == [ferry]


@pytest.mark.parametrize(
    ("title", "text", "shown"),
    [
        (" Two\n lines ", "Text.", "Two lines"),
        ("", "A short\ntext.", "A short text."),
        (None, "Seven by seven hens sat " * 9, "Seven by seven hens sat Seven by seven hens sat Seven by…"),
        (None, "x" * 61, "x" * 60 + "…"),
        (None, "x" * 60, "x" * 60),
    ],
)
def test_a_document_without_a_title_shows_its_first_words(
    title: str | None, text: str, shown: str, tmp_path: Path
) -> None:
    (document,) = documents(with_questions(tmp_path, WHEN, documents=({"id": 1, "title": title, "text": text},)))
    assert (document.id, document.title, document.text) == ("1", shown, text)


def test_documents_differ_by_all_that_is_shown_of_them(tmp_path: Path) -> None:
    changes: list[Line] = [{}, {"title": "Other"}, {"text": "Other."}, {"published": "2024-05-01"}, {"kind": "noise"}]
    read = [
        documents(with_questions(tmp_path / str(at), WHEN, documents=({**FERRY, **change},)))[0]
        for at, change in enumerate(changes)
    ]
    assert len({document.content_hash for document in read}) == 4
    assert read[3].published == "2024-05-01"
    assert read[0] == read[4]


def test_half_a_character_becomes_a_question_mark(tmp_path: Path) -> None:
    text = '{"id": "f", "text": "half \\ud83d of it"}\n'
    (document,) = documents(load_set(write(tmp_path, {"documents.jsonl": text, "questions.jsonl": lines(WHEN)})))
    assert document.text == "half ? of it"


def test_queries_and_grades_are_about_retrieval_only(tmp_path: Path) -> None:
    files = {
        "documents.jsonl": lines(FERRY, BAKERY),
        "queries.jsonl": lines({"id": "1", "question": "ships"}, {"id": "2", "question": "bread"}),
        "qrels.tsv": "query-id\tdocument-id\tscore\n1\tf\t2\n1\tb\t0\n",
    }
    found = load_set(write(tmp_path, files))
    assert found.retrieval_only
    assert [gold for _, gold in found.golds] == [Gold((), True, (), {"f": 2}, (), ()), Gold((), True, (), {}, (), ())]


def test_grades_say_what_is_relevant_where_there_are_questions_too(tmp_path: Path) -> None:
    question = {**WHEN, "evidence": [{"document": "f"}]}
    files = {
        "documents.jsonl": lines(FERRY, BAKERY),
        "questions.jsonl": lines(question, WHO),
        "qrels.tsv": "w\tb\t1\r\n",
    }
    found = load_set(write(tmp_path, files))
    assert not found.retrieval_only
    assert [gold.relevance for _, gold in found.golds] == [{"b": 1}, {}]
    assert found.golds[0][1].evidence == (Evidence("f", "", None),)


def test_article_files_are_called_by_their_names(tmp_path: Path) -> None:
    articles = {"ferry.txt": "The ferry\n\nIt leaves at noon.", "old/bakery.md": "# The bakery\n\nIt opened in 1950."}
    found = load_set(write(tmp_path, {**articles, "questions.jsonl": lines(WHEN)}))
    assert [(document.id, document.source, document.title) for document in documents(found)] == [
        ("ferry.txt", "ferry.txt", "The ferry"),
        ("old/bakery.md", "old/bakery.md", "The bakery"),
    ]
    assert documents(found)[0].text == articles["ferry.txt"]


def test_articles_of_one_file_are_called_by_their_file_and_their_part(tmp_path: Path) -> None:
    mails = "".join(
        f"From a@b.example Mon Jan  1 09:00:00 2024\nSubject: {word}\n\nMail.\n\n" for word in ("One", "Two")
    )
    found = load_set(write(tmp_path, {"old/island.mbox": mails, "questions.jsonl": lines(WHEN)}))
    assert [(document.id, document.title) for document in documents(found)] == [
        ("old/island.mbox#1", "One"),
        ("old/island.mbox#2", "Two"),
    ]


def test_articles_beside_documents_are_no_part_of_the_set(tmp_path: Path) -> None:
    write(tmp_path / "island", {"README.md": "# A set"})
    assert [document.id for document in documents(with_questions(tmp_path, WHEN))] == ["f", "b"]


def test_a_file_of_questions_is_about_the_library_in_use(tmp_path: Path) -> None:
    write(tmp_path, {"ferry.txt": FERRY["text"], "mine.jsonl": lines(WHEN), "qrels.tsv": "no\tgrades\t1\n"})
    found = load_set(tmp_path / "mine.jsonl")
    assert (found.name, found.corpus, found.retrieval_only) == ("mine", None, False)
    assert found.golds[0][0].id == "w"


def test_a_file_of_questions_beside_documents_is_about_these(tmp_path: Path) -> None:
    whole = with_questions(tmp_path, WHEN, WHO)
    write(tmp_path / "island", {"some.jsonl": lines(WHO)})
    some = load_set(tmp_path / "island" / "some.jsonl")
    assert (some.name, len(some.golds)) == ("island-some", 1)
    assert some.corpus
    assert whole.corpus
    assert set_key(some.corpus) == set_key(whole.corpus)


def test_the_key_of_a_corpus_depends_on_its_ids_contents_and_order_alone(tmp_path: Path) -> None:
    corpora = {
        "same": (FERRY, BAKERY),
        "questioned": (FERRY, {**BAKERY, "kind": "noise"}),
        "turned": (BAKERY, FERRY),
        "fewer": (FERRY,),
        "renamed": (FERRY, {**BAKERY, "id": "c"}),
        "changed": (FERRY, {**BAKERY, "text": "Ada Nyberg sold it."}),
    }
    keys = {}
    for name, lines_of in corpora.items():
        corpus = with_questions(tmp_path / name, WHEN, documents=lines_of).corpus
        assert corpus
        keys[name] = set_key(corpus)
    assert keys["same"] == keys["questioned"]
    assert len(set(keys.values())) == 5
    assert len(keys["same"]) == 64


def test_a_sample_keeps_the_order_and_a_larger_one_contains_it(tmp_path: Path) -> None:
    golds = with_questions(tmp_path, *({"id": f"q{at}", "question": "When?"} for at in range(1, 101))).golds
    small, large = sample(golds, 10), sample(golds, 30)
    assert (len(small), len(large)) == (10, 30)
    for drawn in (small, large):
        rows = [question.row for question, _ in drawn]
        assert rows == sorted(rows)
    assert {question.id for question, _ in small} < {question.id for question, _ in large}
    assert sample(golds[::-1], 10) == small[::-1]
    assert sample(golds, 10, seed=1) != small
    assert sample(golds, 0) == ()
    assert sample(golds, 100) == sample(golds, 1000) == golds


def test_a_sample_is_the_same_for_ever(tmp_path: Path) -> None:
    golds = with_questions(tmp_path, *({"id": name, "question": "When?"} for name in "abcd")).golds
    # sha256 of "0:a" begins with 9d, of "0:b" with e0, of "0:c" with be, of "0:d" with 7d.
    assert [question.id for question, _ in sample(golds, 2)] == ["a", "d"]


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({}, r"Of a set's files, .* holds none\. A question set is a folder with questions\.jsonl, or queries\.jsonl"),
        ({"queries.jsonl": lines(WHEN)}, r"holds queries\.jsonl\. A question set is"),
        ({"documents.jsonl": lines(FERRY), "qrels.tsv": ""}, r"holds documents\.jsonl and qrels\.tsv\."),
    ],
)
def test_a_folder_that_is_no_set_is_told_what_one_is(files: dict[str, str], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=complaint):
        load_set(write(tmp_path, files))


def test_questions_without_any_articles_are_no_set(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="There is no article in"):
        load_set(write(tmp_path, {"questions.jsonl": lines(WHEN)}))


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nowhere", "There is no file or folder .*nowhere"),
        ("notes.txt", r"notes\.txt is no question file\. A question"),
    ],
)
def test_another_path_is_refused(name: str, complaint: str, tmp_path: Path) -> None:
    write(tmp_path, {"notes.txt": "?"})
    with pytest.raises(InputError, match=complaint):
        load_set(tmp_path / name)


@pytest.mark.parametrize(
    ("second", "complaint"),
    [
        ("{", r"Line 2 of .*documents\.jsonl can't be used\. It is not JSON: .* at character 2"),
        ("[1]", "Line 2 .* It is not a JSON object"),
        ('{"text": "No id."}', 'Line 2 .* "id" must be a text'),
        ('{"id": true, "text": "No id."}', '"id" must be a text'),
        ('{"id": "x"}', '"text" must be a text'),
        ('{"id": "x", "text": " "}', '"text" must be a text'),
        ('{"id": "x", "text": "T", "title": 3}', '"title" must be a text, or left out'),
        ('{"id": "f", "text": "Again."}', "The id 'f' was used before"),
    ],
)
def test_a_wrong_document_is_named_by_its_line(second: str, complaint: str, tmp_path: Path) -> None:
    files = {"documents.jsonl": f"{lines(FERRY)}{second}\n", "questions.jsonl": lines(WHEN)}
    with pytest.raises(InputError, match=complaint):
        load_set(write(tmp_path, files))


def test_documents_have_to_be_there_and_text(tmp_path: Path) -> None:
    write(tmp_path, {"documents.jsonl": "\n", "questions.jsonl": lines(WHEN)})
    with pytest.raises(InputError, match="There is no document in"):
        load_set(tmp_path)
    (tmp_path / "documents.jsonl").write_bytes(b'{"id": "\xff"}')
    with pytest.raises(InputError, match=r"documents\.jsonl isn't in UTF-8"):
        load_set(tmp_path)


@pytest.mark.parametrize(
    ("second", "complaint"),
    [
        ("{", r"Line 2 of .*questions\.jsonl can't be used\. .*not JSON"),
        ('{"id": "x"}', "Line 2 .*no question"),
        ('{"id": "w", "question": "Again?"}', "Line 2 .*'w' was used"),
        ('{"question": "When?", "answers": "noon"}', '"answers" must be a list'),
        ('{"question": "When?", "answers": [12]}', '"answers" must be a list of texts'),
        ('{"question": "When?", "answerable": "no"}', '"answerable" must be true or false'),
        ('{"question": "When?", "evidence": ["f"]}', 'Each part of "evidence" must be an object'),
        ('{"question": "When?", "evidence": [{"text": "noon"}]}', '"document" must be a text'),
        (
            '{"question": "When?", "evidence": [{"document": "f", "text": "n", "start": -1}]}',
            '"start" of evidence must',
        ),
        ('{"question": "When?", "candidates": [1]}', '"candidates" must be a list of texts'),
    ],
)
def test_a_wrong_question_is_named_by_its_line(second: str, complaint: str, tmp_path: Path) -> None:
    files = {"documents.jsonl": lines(FERRY), "questions.jsonl": f"{lines(WHEN)}{second}\n"}
    with pytest.raises(InputError, match=complaint):
        load_set(write(tmp_path, files))


@pytest.mark.parametrize(
    ("grades", "complaint"),
    [
        ("w\tf\t1\nx\tf\t1\n", r"Line 2 of .*qrels\.tsv can't be used\. There is no question 'x'"),
        ("w\tf\t1\nw\tg\t0\n", "Line 2 .* There is no document 'g'"),
        (
            "query\tdocument\tgrade\nw\tf\tmuch\n",
            "Line 2 .* Wanted a question's id, a document's id and a whole number",
        ),
        ("query\tdocument\tgrade\nw f 1\n", "Line 2 .* with tabs between them"),
        ("query\tdocument\tgrade\nw\tf\t0\n", "calls no document relevant"),
    ],
)
def test_grades_of_what_is_not_there_are_refused(grades: str, complaint: str, tmp_path: Path) -> None:
    files = {"documents.jsonl": lines(FERRY), "queries.jsonl": lines(WHEN), "qrels.tsv": grades}
    with pytest.raises(InputError, match=complaint):
        load_set(write(tmp_path, files))
