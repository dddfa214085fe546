"""What the benchmarks share: pairs of questions, results that are kept, and questions put to a peer's process."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks.question_pairs import by_article, pairs
from benchmarks.resumable import keep, kept
from rag.evaluation.sets import QuestionSet, load_set

ROOT = Path(__file__).parent.parent


def test_what_was_kept_is_read_again_and_a_torn_line_is_taken_out(tmp_path: Path) -> None:
    file = tmp_path / "found.jsonl"
    assert kept(file) == {}
    keep(file, "first", {"seconds": 1.5})
    with file.open("a", encoding="utf-8") as opened:
        opened.write('["second", {"sec')
    assert kept(file) == {"first": {"seconds": 1.5}}
    keep(file, "second", [2])
    assert kept(file) == {"first": {"seconds": 1.5}, "second": [2]}


def test_pairs_take_a_document_of_every_article_before_the_second_of_any(tmp_path: Path) -> None:
    questions = _set(tmp_path, {"A-1": 3, "A-2": 2, "B-1": 1, "B-2": 2})
    assert [(one.id, other.id) for (one, _), (other, _) in pairs(questions)] == [
        ("A-1-0", "A-1-2"),
        ("B-2-0", "B-2-1"),
        ("A-2-0", "A-2-1"),
    ]


def test_articles_are_the_documents_of_one_title(tmp_path: Path) -> None:
    questions = _set(tmp_path, {"A-1": 1, "B-1": 2, "A-2": 1})
    found = [[[question.id for question, _ in asked] for asked in article] for article in by_article(questions)]
    assert found == [[["A-1-0"], ["A-2-0"]], [["B-1-0", "B-1-1"]]]


def test_a_peer_answers_a_question_a_line_and_what_its_libraries_print_is_no_answer() -> None:
    program = (
        "from benchmarks.peer_serving import serve\n"
        "def make(job):\n"
        "    print('loading')\n"
        "    return lambda question: [' ', f'{job.passages} about ', question + ' ']\n"
        "serve(make, ['pytest'])\n"
    )
    job = {"documents": [], "embedder": "e", "reader": "r", "threads": 1, "passages": 5, "answer_tokens": 16}
    lines = [json.dumps(line) for line in (job, {"question": "rates"}, {"question": "wages"})]
    done = subprocess.run(
        [sys.executable, "-c", program], input="\n".join(lines), capture_output=True, text=True, check=True, cwd=ROOT
    )
    told, *replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert told == {"versions": {"pytest": version("pytest")}}
    assert [reply["answer"] for reply in replies] == ["5 about rates", "5 about wages"]
    assert all(0 < reply["first"] <= reply["seconds"] for reply in replies)
    assert "loading" in done.stderr


def _set(folder: Path, documents: dict[str, int]) -> QuestionSet:
    """Of each document so many questions; its title is what stands before the hyphen."""
    articles = [{"id": name, "title": name[0], "text": f"Text of {name}."} for name in documents]
    questions = [
        {"id": f"{name}-{at}", "question": "What?", "answers": ["text"], "evidence": [{"document": name}]}
        for name, count in documents.items()
        for at in range(count)
    ]
    for name, lines in (("documents.jsonl", articles), ("questions.jsonl", questions)):
        (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return load_set(folder)
