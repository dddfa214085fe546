import json
from dataclasses import replace
from datetime import date

import pytest

from rag.errors import InputError
from rag.records import OWN, record_fields, record_from
from rag.rendering import answer_text
from rag.types import (
    ANY_TIME,
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
    Timeframe,
    Timings,
    Verdict,
    page_of,
)

TEXT = "Fares\n\nThe ferry is free. Dogs need a lead."
DOCUMENT = Document("d1", "Fares", TEXT, "/news/fares.txt", "2024-05-01", None, "00ff")
PASSAGE = Passage(1, Chunk("d1:7-43", "d1", 7, 43), DOCUMENT, TEXT[7:43])
MODELS = Models("words", "script", "scripted")
ANSWER = Answer(
    question="What does the ferry cost?",
    standalone_question="What does the ferry cost?",
    text="It is free. Fish fly.",
    claims=(
        Claim("It is free.", 0, 11, (Citation(PASSAGE, 7, 25),), Verdict.SUPPORTED, 1.0),
        Claim("Fish fly.", 12, 21, (), Verdict.UNSUPPORTED, 0.0),
    ),
    passages=(PASSAGE,),
    abstained=False,
    reason=Reason.ANSWERED,
    confidence=0.75,
    timings=Timings(total=2.5),
    models=MODELS,
)
CONDITIONS = Conditions({"passages": 4, "max_wrong": 0.6}, MODELS, {"embedder": "1", "reader": ""}, "abc")
QUESTION = Question(3, "q3", "What does the ferry cost?", ("fares.txt",), {"topic": "fares", "weight": 2})
RECORD = RunRecord(QUESTION, ANSWER, CONDITIONS)


def through_json(record: RunRecord) -> RunRecord:
    return record_from(json.loads(json.dumps(record_fields(record))))


def test_a_record_that_went_through_json_reads_as_before() -> None:
    again = through_json(RECORD)
    assert (again.question, again.conditions) == (QUESTION, CONDITIONS)
    assert isinstance(again.outcome, Answer)
    assert answer_text(again.outcome) == answer_text(ANSWER)
    assert record_fields(again) == record_fields(RECORD)


def test_pages_that_went_through_json_still_tell_where_a_citation_stands() -> None:
    paged = replace(PASSAGE, document=replace(DOCUMENT, pages=(0, 7), url="https://a.example/f", part="2"))
    again = through_json(replace(RECORD, outcome=replace(ANSWER, passages=(paged,), claims=())))
    assert isinstance(again.outcome, Answer)
    (passage,) = again.outcome.passages
    assert (passage.document.pages, passage.document.url, passage.document.part) == ((0, 7), "https://a.example/f", "2")
    assert page_of(passage.document, passage.chunk.start) == 2


def test_copies_freshness_and_time_go_through_json_and_older_records_have_none() -> None:
    known = replace(PASSAGE, copies=("/news/copy.txt", "https://a.example/f"), stale="changed")
    frame = Timeframe(date(2024, 5, 1), None, newest=True, required=True, asked=date(2024, 5, 2))
    made = replace(RECORD, outcome=replace(ANSWER, passages=(known,), claims=(), timeframe=frame))
    again = through_json(made).outcome
    assert isinstance(again, Answer)
    assert again.timeframe == frame
    assert (again.passages[0].copies, again.passages[0].stale) == (known.copies, "changed")
    older = record_fields(made)
    del older["timeframe"], older["passages"][0]["copies"], older["passages"][0]["stale"]
    before = record_from(json.loads(json.dumps(older))).outcome
    assert isinstance(before, Answer)
    assert (before.timeframe, before.passages[0].copies, before.passages[0].stale) == (ANY_TIME, (), "")


def test_a_citation_names_its_page() -> None:
    paged = replace(PASSAGE, document=replace(DOCUMENT, pages=(0, 7, 26)))
    claims = tuple(replace(ANSWER.claims[0], citations=(Citation(paged, *span),)) for span in ((7, 25), (26, 43)))
    fields = record_fields(replace(RECORD, outcome=replace(ANSWER, passages=(paged,), claims=claims)))
    assert [claim["citations"][0]["page"] for claim in fields["claims"]] == [2, 3]
    assert record_fields(RECORD)["claims"][0]["citations"][0]["page"] is None


def test_a_citation_that_went_through_json_still_points_to_its_sentence() -> None:
    outcome = through_json(RECORD).outcome
    assert isinstance(outcome, Answer)
    (citation,) = outcome.claims[0].citations
    assert citation.text == "The ferry is free."
    assert citation.passage is outcome.passages[0]
    assert outcome.passages[0].document.text[7:43] == TEXT[7:43]


def test_a_failure_keeps_its_message_and_has_no_answer() -> None:
    record = replace(RECORD, outcome=Failure("The question is empty."))
    fields = record_fields(record)
    assert (fields["error"], fields["answer"], fields["claims"], fields["abstained"]) == (
        "The question is empty.",
        None,
        None,
        None,
    )
    assert through_json(record) == record


def test_the_columns_of_an_answer_come_first_then_the_carried_ones() -> None:
    assert list(record_fields(RECORD)) == [*OWN, "topic", "weight"]


@pytest.mark.parametrize("name", ["answer", "input_answer", "input_input_error", "input_topic", "inputs", ""])
def test_carried_columns_of_any_name_come_back_under_it(name: str) -> None:
    record = replace(RECORD, question=replace(QUESTION, carried={name: "x"}))
    assert record_fields(record)["answer"] == ANSWER.text
    assert through_json(record).question.carried == {name: "x"}


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"row": 1},
        {**record_fields(RECORD), "passages": [3]},
        {**record_fields(RECORD), "reason": "none"},
        {**record_fields(RECORD), "timings": {"hours": 1}},
        {**record_fields(RECORD), "conditions": None},
    ],
)
def test_other_lines_are_refused(line: dict[str, object]) -> None:
    with pytest.raises(InputError, match="no line of a run file"):
        record_from(line)
