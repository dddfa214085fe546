"""Tables of questions that lie among the articles."""

import json
from pathlib import Path

import pytest

from rag.documents import FieldNames
from rag.index import open_library
from rag.indexing import index_paths
from rag.syncing import stale_files
from tests.documents.making import xlsx
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY
from tests.indexing.folders import index, names, texts

ROWS = [{"id": "q1", "question": "Who sails?", "answers": ["Ada"]}, {"id": "q2", "question": "When?", "answers": []}]
TABLES = {
    "a.csv": b"question,documents\nWho sails?,a.txt\n",
    "b.json": json.dumps(ROWS).encode(),
    "c.jsonl": "\n".join(map(json.dumps, ROWS)).encode(),
    "d.tsv": b"row\tid\tquestion\tanswer\tconfidence\n1\tq1\tWho sails?\tAda\t0.9\n",
    "e.xlsx": xlsx({"Questions": [["Question", "Category"], ["Who sails?", "sea"]]}),
}


@pytest.fixture
def asked(news: Path) -> Path:
    for name, data in TABLES.items():
        (news / name).write_bytes(data)
    return news


def stale(library: Path, mapping: str = "") -> dict[str, list[str]]:
    with open_library(library) as now:
        return {Path(one.source).name: list(one.reasons) for one in stale_files(now, {}, FieldNames.of(mapping))}


def test_they_are_no_articles_and_one_note_says_so(asked: Path, library: Path) -> None:
    for added in (3, 0):
        report = index(library, asked)
        assert (len(report.added), report.refused, report.documents) == (added, (), 3)
        (note,) = report.notes
        assert note == (
            "Not indexed, because they hold questions and no articles: "
            f"{', '.join(str(asked / name) for name in TABLES)}. Ask them with `rag batch`; "
            "if they do hold articles, say which field is their text: --set fields=text=NAME."
        )
    assert stale(library) == {}


def test_one_that_changed_or_is_gone_is_noticed(asked: Path, library: Path) -> None:
    index(library, asked)
    (asked / "a.csv").write_bytes(b"title,text\nFerry,It sails.\n")
    (asked / "b.json").unlink()
    assert stale(library) == {"a.csv": ["new"]}
    assert stale(library, "text=question") == {
        name: ["new" if name == "a.csv" else "fields changed"] for name in TABLES if name != "b.json"
    }
    report = index(library)
    assert names(report.added) == ["a.csv#1"]
    assert stale(library) == {}


def test_articles_that_became_questions_are_removed(news: Path, library: Path) -> None:
    (news / "a.csv").write_bytes(b"ship,from\nAda,Varel\n")
    index(library, news)
    (news / "a.csv").write_bytes(TABLES["a.csv"])
    report = index(library)
    assert (names(report.removed), report.documents) == (["a.csv"], 3)
    assert stale(library) == {}


def test_one_that_is_named_by_itself_is_refused_with_what_to_do(asked: Path, library: Path) -> None:
    (refused,) = index(library, asked / "a.csv").refused
    assert refused.startswith(f"{asked / 'a.csv'} holds questions, not articles. Ask them with `rag batch`")


def test_the_column_that_is_said_to_be_the_text_makes_it_articles(asked: Path, library: Path) -> None:
    fields = FieldNames.of("text=question")
    report = index_paths([asked / "c.jsonl"], library, IDENTITY, WordEmbedder(), names=fields)
    assert (len(report.added), report.notes, report.refused) == (2, (), ())
    assert texts(library) == ["When?", "Who sails?"]
