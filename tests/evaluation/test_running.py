"""Question sets from their files to the report: real libraries, a bag of words, a reader with an answer to each."""

import json
import sys
from pathlib import Path

import pytest

from rag.batch import read_records
from rag.errors import InputError
from rag.evaluation import (
    Mode,
    compare,
    read_report,
    report_html,
    report_json,
    report_markdown,
)
from rag.evaluation.results import Stage
from rag.indexing import index_paths
from rag.pipeline import library_identity
from rag.types import Failure
from tests.evaluation.bench import (
    COST,
    DOCUMENTS,
    FOUNDER,
    MAYOR,
    QUESTIONS,
    REPLIES,
    TRAINS,
    Bench,
    Knowing,
    answer_of,
    by_id,
    evidence,
    read,
    values,
    without_timings,
    write_lines,
    write_set,
)
from tests.fakes import WordEmbedder

pytestmark = pytest.mark.usefixtures("few_draws")


def test_a_set_is_asked_and_judged(bench: Bench, island: Path) -> None:
    engine = Knowing()
    found = bench.evaluate(island, engine)
    assert (found.name, found.mode, found.command) == ("island", Mode.NORMAL, "rag eval island")
    assert [(judged.question.id, judged.right, judged.stage) for judged in found.questions] == [
        ("cost", True, None),
        ("founder", False, Stage.REFUSED_WRONGLY),
        ("mayor", True, None),
        ("trains", False, Stage.READ_WRONGLY),
    ]
    scored = values(found)
    for name, value in {
        "hit@1": 1,
        "nDCG@10": 1,
        "answer contained": 1 / 3,
        "right when it answers": 1 / 2,
        "refused as it should": 1,
        "refused though it should not": 1 / 3,
        "sentences cited": 1,
        "cites a gold document": 1,
        "cited sentence holds the answer": 1,
        "excerpt recall": 1,
        "area under risk–coverage": 1 / 2,
        "AUC of the confidence": (1 + 1 / 2 + 1) / 3,
    }.items():
        assert scored[name] == pytest.approx(value), name
    assert found.conditions.models.reader == engine.model
    assert found.conditions.settings["passages"] == 2


def test_the_reader_is_told_nothing_of_what_the_set_knows(bench: Bench, island: Path) -> None:
    engine = Knowing()
    bench.evaluate(island, engine)
    asked = json.dumps([prompt.request for prompt in engine.prompts])
    assert "Nyberg" not in asked
    assert "evidence" not in asked
    (run_file,) = bench.run_files()
    assert all(not record.question.carried for record in read_records(run_file))


def test_progress_of_each_part_ends_with_all_of_it(bench: Bench, island: Path) -> None:
    bench.evaluate(island, Knowing())
    last = {what: (done, total) for what, done, total in bench.told}
    assert list(last.items()) == [("Searching", (3, 3)), ("Answering", (4, 4)), ("Judging", (4, 4))]


def test_a_second_run_asks_nothing_and_finds_the_same(bench: Bench, island: Path) -> None:
    first, again = bench.evaluate(island, Knowing()), Knowing()
    second = bench.evaluate(island, again)
    assert again.prompts == []
    assert second.scores == first.scores
    assert [judged.measures for judged in second.questions] == [judged.measures for judged in first.questions]
    assert [judged.stage for judged in second.questions] == [judged.stage for judged in first.questions]


def test_other_accepted_answers_are_judged_without_asking_and_other_questions_are_asked(
    bench: Bench, island: Path
) -> None:
    bench.evaluate(island, Knowing())
    again = Knowing()
    write_set(island, [*QUESTIONS[:3], {**QUESTIONS[3], "answers": ["three"]}])
    assert by_id(bench.evaluate(island, again))["trains"].right is True
    assert again.prompts == []
    write_set(island, [*QUESTIONS[:3], {**QUESTIONS[3], "question": MAYOR}])
    bench.evaluate(island, again)
    assert again.prompts


def test_other_settings_are_asked_anew_and_both_answers_stay(bench: Bench, island: Path) -> None:
    bench.evaluate(island, Knowing())
    bench.settings = bench.settings.model_copy(update={"passages": 1})
    less = bench.evaluate(island, engine := Knowing())
    assert engine.answers == 2
    assert {len(answer_of(judged).passages) for judged in less.questions} == {1}
    assert len(bench.run_files()) == 2


@pytest.mark.parametrize("mode", [Mode.NORMAL, Mode.CLOSED_BOOK])
def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path, island: Path, mode: Mode) -> None:
    whole, interrupted = Bench(tmp_path / "whole"), Bench(tmp_path / "interrupted")
    expected = whole.evaluate(island, asked := Knowing(), mode)
    with pytest.raises(KeyboardInterrupt):
        interrupted.evaluate(island, Knowing(stops_at=2), mode)
    found = interrupted.evaluate(island, engine := Knowing(), mode)
    assert engine.answers == asked.answers - 1
    assert [judged.stage for judged in found.questions] == [judged.stage for judged in expected.questions]
    assert without_timings(*interrupted.run_files()) == without_timings(*whole.run_files())


def test_a_closed_book_run_gives_nothing_to_read(bench: Bench, island: Path) -> None:
    engine = Knowing({COST: "It cost 3 million marks.", MAYOR: "I don't know."})
    found = bench.evaluate(island, engine, Mode.CLOSED_BOOK)
    assert [prompt.passages for prompt in engine.prompts] == [()] * 4
    judged = by_id(found)
    assert answer_of(judged["founder"]).text == "Number 1 it is."  # whatever was asked before
    assert [(one.right, one.stage) for one in found.questions] == [
        (True, None),
        (False, Stage.READ_WRONGLY),
        (True, None),
        (False, Stage.READ_WRONGLY),
    ]
    assert {score.group for score in found.scores} == {"answers", "refusing", "cost"}
    assert not {"AUC of the confidence", "seconds to the first word, p50"} & values(found).keys()
    assert values(found)["answer contained"] == pytest.approx(1 / 3)


def test_without_ir_measures_it_is_said_before_anything_is_asked(
    bench: Bench, island: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    with pytest.raises(InputError, match="pip install ir-measures"):
        bench.evaluate(island, Knowing())
    assert bench.run_files() == []


def test_an_oracle_searches_only_the_documents_that_hold_the_answer(bench: Bench, island: Path) -> None:
    found = by_id(bench.evaluate(island, Knowing(), Mode.ORACLE))
    assert {name: read(judged) for name, judged in found.items() if name != "mayor"} == {
        "cost": {"harbour"},
        "founder": {"bakery"},
        "trains": {"bridge"},
    }
    assert len(read(found["mayor"])) == 2
    assert found["cost"].question.documents == ()


def test_an_oracle_is_not_blamed_for_what_a_search_of_everything_would_miss(bench: Bench, tmp_path: Path) -> None:
    bench.settings = bench.settings.model_copy(update={"candidates": 1})
    questions = [{"question": COST, "answers": ["two"], "evidence": evidence("bridge", text=DOCUMENTS["bridge"])}]
    path = write_set(tmp_path / "hard", questions)
    replies = {COST: "The bridge carries three trains an hour."}
    (normal,) = bench.evaluate(path, Knowing(replies | REPLIES)).questions
    (oracle,) = bench.evaluate(path, Knowing(replies), Mode.ORACLE).questions
    assert (normal.stage, normal.measures["hit@1"]) == (Stage.NOT_RETRIEVED, 0)
    assert (oracle.stage, oracle.measures["hit@1"]) == (Stage.READ_WRONGLY, 1)


def test_an_oracle_without_its_documents_searches_as_ever(bench: Bench, tmp_path: Path) -> None:
    path = write_set(tmp_path / "gone", [{"question": COST, "answers": ["5"], "evidence": evidence("ferry")}])
    (judged,) = bench.evaluate(path, Knowing(), Mode.ORACLE).questions
    assert len(read(judged)) == 2
    assert (judged.stage, judged.measures["recall@5"]) == (Stage.NOT_IN_LIBRARY, 0)


def test_a_question_may_name_its_documents(bench: Bench, tmp_path: Path) -> None:
    path = write_set(
        tmp_path / "some",
        [
            {**QUESTIONS[0], "id": "others", "documents": ["bakery", "bridge"]},
            {**QUESTIONS[0], "id": "candidates", "candidates": ["harbour", "bridge"]},
            {**QUESTIONS[0], "id": "unknown", "documents": ["ferry"]},
        ],
    )
    found = by_id(bench.evaluate(path, Knowing()))
    assert (read(found["others"]), found["others"].measures["hit@10"]) == ({"bakery", "bridge"}, 0)
    assert found["others"].stage is Stage.NOT_RETRIEVED
    assert (read(found["candidates"]), found["candidates"].measures["hit@1"]) == ({"harbour", "bridge"}, 1)
    assert found["candidates"].stage is None
    assert isinstance(found["unknown"].outcome, Failure)
    assert (found["unknown"].stage, found["unknown"].measures["hit@10"]) == (Stage.FAILED, 0)
    assert found["unknown"].measures["excerpt recall"] == 0


def test_article_files_beside_the_questions_are_known_by_their_names(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    (folder / "old").mkdir(parents=True)
    (folder / "harbour.txt").write_text(DOCUMENTS["harbour"], encoding="utf-8")
    (folder / "old" / "bakery.txt").write_text(DOCUMENTS["bakery"], encoding="utf-8")
    write_lines(
        folder / "questions.jsonl",
        [
            {**QUESTIONS[0], "evidence": evidence("harbour.txt", text="It cost 3 million marks.", start=37)},
            {**QUESTIONS[1], "evidence": evidence("old/bakery.txt")},
        ],
    )
    found = by_id(bench.evaluate(folder, Knowing({**REPLIES, FOUNDER: "Ada Nyberg founded the bakery."})))
    for judged in found.values():
        assert (judged.right, judged.stage) == (True, None)
        assert judged.measures["hit@1"] == judged.measures["cites a gold document"] == 1
    assert found["cost"].measures["excerpt recall"] == 1


def test_the_library_in_use_is_asked_about_by_the_names_of_its_files(bench: Bench, tmp_path: Path) -> None:
    articles = tmp_path / "mine"
    articles.mkdir()
    for name, text in DOCUMENTS.items():
        (articles / f"{name}.txt").write_text(text, encoding="utf-8")
    index_paths([articles], bench.settings.index, library_identity(bench.settings, WordEmbedder()), WordEmbedder())
    path = write_lines(
        tmp_path / "mine.jsonl",
        [{**QUESTIONS[0], "evidence": evidence("harbour.txt", text="It cost 3 million marks.", start=37)}],
    )
    for mode in (Mode.NORMAL, Mode.ORACLE):
        (judged,) = bench.evaluate(path, Knowing(), mode).questions
        assert (judged.right, judged.stage, judged.measures["hit@1"]) == (True, None, 1)
        assert judged.measures["cites a gold document"] == judged.measures["excerpt recall"] == 1


def test_relevant_documents_are_enough_to_score_retrieval(bench: Bench, tmp_path: Path) -> None:
    path = write_set(tmp_path / "searching")
    (path / "questions.jsonl").unlink()
    write_lines(path / "queries.jsonl", [{"id": "1", "question": COST}, {"id": "2", "question": TRAINS}])
    (path / "qrels.tsv").write_text("query\tdocument\tgrade\n1\tharbour\t2\n1\tbridge\t0\n2\tbridge\t1\n")
    found = bench.evaluate(path, None, Mode.RETRIEVAL)
    assert [(judged.outcome, judged.right, judged.stage) for judged in found.questions] == [(None, None, None)] * 2
    assert {score.group for score in found.scores} == {"retrieval"}
    assert values(found)["nDCG@10"] == values(found)["nDCG@10 (words alone)"] == values(found)["hit@1"] == 1
    assert found.conditions.models.reader == ""
    assert bench.run_files() == []


def test_retrieval_alone_measures_excerpts_of_what_would_be_read(bench: Bench, island: Path) -> None:
    (asked,) = bench.evaluate(island, Knowing(), Mode.NORMAL).questions[:1]
    (searched,) = bench.evaluate(island, None, Mode.RETRIEVAL).questions[:1]
    names = ("excerpt recall", "excerpt precision", "excerpt IoU", "hit@1", "nDCG@10")
    assert [searched.measures[name] for name in names] == [asked.measures[name] for name in names]


def test_a_set_may_have_a_long_name(bench: Bench, tmp_path: Path) -> None:
    bench.evaluate(write_set(tmp_path / ("long" * 60)), Knowing())
    assert bench.run_files()[0].name.startswith("long" * 15 + "-normal-")


@pytest.mark.parametrize("mode", list(Mode))
def test_reports_of_every_mode_can_be_written_read_and_compared(bench: Bench, island: Path, mode: Mode) -> None:
    found = bench.evaluate(island, None if mode is Mode.RETRIEVAL else Knowing(), mode)
    assert "island" in report_html(found)
    assert report_markdown(found).startswith(f"## island, {mode}\n\n4 questions")
    numbers = read_report(report_json(found))
    assert (numbers.scores, numbers.conditions, numbers.mode) == (found.scores, found.conditions, mode)
    assert [one.measures for one in numbers.questions] == [judged.measures for judged in found.questions]
    compared = compare(numbers, numbers)
    assert [(one.name, one.count) for one in compared.differences] == [
        (score.name, score.count) for score in found.scores
    ]
    assert [one.before for one in compared.differences] == pytest.approx([score.value for score in found.scores])
    assert {str(one.change) for one in compared.differences} == {"the same"}


def test_two_runs_are_compared_by_what_changed(bench: Bench, island: Path) -> None:
    before = bench.evaluate(island, Knowing())
    bench.settings = bench.settings.model_copy(update={"passages": 1})
    after = bench.evaluate(island, Knowing({FOUNDER: "Ada Nyberg founded the bakery of Varel.", **REPLIES}))
    found = compare(*(read_report(report_json(one)) for one in (before, after)))
    assert (found.gained, found.lost, found.settings) == (("founder",), (), "passages 2 (now 1)")
    contained = next(one for one in found.differences if one.name == "answer contained")
    assert (contained.before, contained.after) == pytest.approx((1 / 3, 2 / 3))
