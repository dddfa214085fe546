"""Questions through all stages: a real library of three articles, a bag of words for an embedder, a scripted reader."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import LibraryMismatch, QuestionError
from rag.index import Identity, open_writer
from rag.indexing import index_paths
from rag.pipeline import (
    Pipeline,
    library_identity,
)
from rag.prompting import ABSTENTION
from rag.settings import Settings
from rag.types import Finished, Models, PassagesFound, Reason, TextPiece, Timings, Turn, Verdict
from tests.fakes import ScriptedEngine, WordEmbedder
from tests.pipeline.scripted import (
    FOLLOW_UP,
    HARBOUR,
    NO,
    QUESTION,
    REPLY,
    REWRITTEN,
    TALK,
    YES,
    Scripted,
    cited,
    finished,
    number_of,
    streamed,
)


def test_passages_come_first_then_pieces_then_the_answer_once(scripted: Scripted) -> None:
    pipeline, _ = scripted.reads(REPLY)
    first, *pieces, last = pipeline.stream_answer(QUESTION)
    assert isinstance(first, PassagesFound)
    assert all(isinstance(piece, TextPiece) for piece in pieces)
    assert isinstance(last, Finished)
    assert last.answer.passages == first.passages
    assert [passage.number for passage in first.passages] == [1, 2, 3]
    assert first.passages[0].document.source.endswith("/harbour.txt")


def test_what_is_streamed_is_the_text_with_a_mark_after_each_sentence(scripted: Scripted) -> None:
    pipeline, _ = scripted.reads("It cost 3 million marks. Timber comes from Norway. Ada Nyberg founded the bakery.")
    events = list(pipeline.stream_answer(QUESTION))
    answer = finished(events)
    assert answer.text == "It cost 3 million marks. Timber comes from Norway. Ada Nyberg founded the bakery."
    bakery = number_of("bakery", answer)
    assert streamed(events) == (
        f"It cost 3 million marks. [1] Timber comes from Norway. [1] Ada Nyberg founded the bakery. [{bakery}]"
    )
    assert [answer.text[claim.start : claim.end] for claim in answer.claims] == [claim.text for claim in answer.claims]


@pytest.mark.parametrize("reply", [REPLY, "It cost 3 million marks.", "It cost 3 million marks [2].", "[9] " + REPLY])
def test_a_citation_points_to_the_sentence_that_says_so_whatever_the_reader_cited(
    reply: str, scripted: Scripted
) -> None:
    pipeline, _ = scripted.reads(reply)
    answer = pipeline.answer(QUESTION)
    assert answer.text == "It cost 3 million marks."
    assert cited(answer) == [("It cost 3 million marks.", ["It cost 3 million marks."])]
    (citation,) = answer.claims[0].citations
    assert citation.passage == answer.passages[0]
    assert HARBOUR[citation.start : citation.end] == "It cost 3 million marks."
    assert answer.claims[0].verdict is Verdict.SUPPORTED
    assert (answer.reason, answer.abstained) == (Reason.ANSWERED, False)
    assert answer.confidence == pytest.approx(1 / (1 + math.exp(-1.6)))  # 2 * 0.9 + 2 * 0.9 - 2


def test_a_sentence_nothing_supports_is_shown_without_a_mark_beside_one_that_is_supported(scripted: Scripted) -> None:
    pipeline, _ = scripted.reads("It cost 3 million marks. Purple elephants juggle volcanoes.")
    events = list(pipeline.stream_answer(QUESTION))
    assert streamed(events) == "It cost 3 million marks. [1] Purple elephants juggle volcanoes."
    assert [claim.verdict for claim in finished(events).claims] == [Verdict.SUPPORTED, Verdict.UNSUPPORTED]


def test_an_improbable_answer_is_refused_and_never_written(scripted: Scripted) -> None:
    pipeline, engine = scripted.reads(REPLY, yes=[NO])
    events = list(pipeline.stream_answer(QUESTION))
    answer = finished(events)
    assert (answer.abstained, answer.reason) == (True, Reason.UNLIKELY)
    assert answer.confidence == pytest.approx(1 / (1 + math.exp(-0.2)))  # 2 * 0.1 + 2 * 1 - 2, at best
    assert (answer.text, answer.claims, streamed(events)) == (ABSTENTION, (), "")
    assert len(answer.passages) == 3
    assert engine.replies == [REPLY]


def test_an_answer_just_probable_enough_is_given(scripted: Scripted) -> None:
    """From 0.6 on, which is expit(0.405): 2 * 0.9 + 2 * 0.303 - 2 is more, 2 * 0.9 + 2 * 0.302 - 2 is less."""
    given, withheld = ((0.303, 0.697), (0.302, 0.698))
    assert not scripted.reads(REPLY, yes=[YES, given])[0].answer(QUESTION).abstained
    answer = scripted.reads(REPLY, yes=[YES, withheld])[0].answer(QUESTION)
    assert (answer.abstained, answer.reason, answer.text, answer.claims) == (True, Reason.UNSURE, ABSTENTION, ())


def test_nothing_is_refused_for_its_confidence_where_all_may_be_wrong(scripted: Scripted) -> None:
    answer = scripted.reads(REPLY, yes=[NO, NO], max_wrong=1.0)[0].answer(QUESTION)
    assert (answer.abstained, answer.text) == (False, "It cost 3 million marks.")


def test_signals_say_what_confidence_was_made_of(scripted: Scripted) -> None:
    pipeline, _ = scripted.reads(REPLY, yes=[YES, (0.8, 0.2)])
    signals = dict(pipeline.answer(QUESTION).signals)
    assert (signals.pop("answerable"), signals.pop("verified")) == (0.9, 0.8)
    assert (signals.pop("named"), signals.pop("cited named")) == (1, 1)  # "Varel" is in the article's title
    assert set(signals) == {"similarity", "support", "cited words", "premise"}
    assert all(0 < share <= 1 for share in signals.values())


def test_the_reader_is_asked_whether_the_passages_state_what_it_wrote(scripted: Scripted) -> None:
    pipeline, engine = scripted.reads(REPLY)
    pipeline.answer(QUESTION)
    check, _, verify = engine.prompts
    assert "Proposed answer: It cost 3 million marks." in verify.request
    assert verify.passages == check.passages


STRAYING = "It cost 3 million marks. Purple elephants juggle volcanoes. Timber comes from Norway."


def test_a_strict_answer_leaves_out_what_nothing_supports(scripted: Scripted) -> None:
    answer = scripted.reads(STRAYING, strict=True)[0].answer(QUESTION)
    assert answer.text == "It cost 3 million marks. Timber comes from Norway."
    assert [answer.text[claim.start : claim.end] for claim in answer.claims] == [
        "It cost 3 million marks.",
        "Timber comes from Norway.",
    ]


def test_strict_or_not_an_answer_is_equally_sure(scripted: Scripted) -> None:
    strict, marked = (scripted.reads(STRAYING, strict=strict)[0].answer(QUESTION) for strict in (True, False))
    assert (strict.confidence, strict.signals) == (marked.confidence, marked.signals)
    assert marked.text == STRAYING


OTHER_COST = "The Varel chronicle\n\nThe harbour of Varel cost 5 million marks."
DIFFERENT = "The harbour of Varel cost 3 million marks."


def test_another_article_with_another_answer_is_shown_beside_the_first(
    scripted: Scripted, settings: Settings, articles: Path
) -> None:
    (articles / "chronicle.txt").write_text(OTHER_COST, encoding="utf-8")
    index_paths([articles], settings.index, library_identity(settings, WordEmbedder()), WordEmbedder())
    answer = scripted.reads(DIFFERENT, yes=[YES, YES, YES])[0].answer(QUESTION)
    assert answer.text == (f"{DIFFERENT}\nBut “The Varel chronicle” says: The harbour of Varel cost 5 million marks.")
    assert [number_of("harbour", answer), number_of("chronicle", answer)] == [
        claim.citations[0].passage.number for claim in answer.claims
    ]
    assert scripted.reads(DIFFERENT, yes=[YES, YES, NO])[0].answer(QUESTION).text == DIFFERENT


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("The passages do not mention what it cost.", Reason.READER_ABSTAINED),
        ("", Reason.READER_ABSTAINED),
        ("Purple elephants juggle volcanoes [1].", Reason.UNSUPPORTED),
    ],
)
def test_a_reply_that_is_no_answer_is_withheld(reply: str, reason: Reason, scripted: Scripted) -> None:
    pipeline, _ = scripted.reads(reply)
    answer = pipeline.answer(QUESTION)
    assert (answer.abstained, answer.reason, answer.text, answer.claims) == (True, reason, ABSTENTION, ())
    assert answer.confidence == pytest.approx(1 / (1 + math.exp(-1.8)))  # 2 * 0.9 + 2 * 1 - 2, at best


def test_where_nothing_is_found_the_reader_is_not_asked(scripted: Scripted) -> None:
    pipeline, engine = scripted.reads()
    events = list(pipeline.stream_answer(QUESTION, documents=frozenset()))
    assert events[0] == PassagesFound(())
    answer = finished(events)
    assert (answer.abstained, answer.reason, answer.text) == (True, Reason.NOTHING_FOUND, ABSTENTION)
    assert (answer.confidence, len(events)) == (0.0, 2)
    assert engine.prompts == engine.warmed == []


@pytest.mark.parametrize(
    ("question", "complaint"),
    [
        ("", "is empty"),
        (" \n\t ", "is empty"),
        ("y" * 2001, "has 2,001 characters; at most 2,000 are accepted"),
        ("?" * 100_000, "has 100,000 characters"),
    ],
    ids=["empty", "blank", "long", "very long"],
)
def test_a_question_that_is_none_is_refused_before_any_work(question: str, complaint: str, scripted: Scripted) -> None:
    pipeline, engine = scripted.reads()
    pipeline.library.close()
    with pytest.raises(QuestionError, match=complaint):
        next(pipeline.stream_answer(question, TALK))
    assert engine.prompts == []


def test_a_question_of_too_many_tokens_is_refused_before_any_work(scripted: Scripted) -> None:
    class Spelling(ScriptedEngine):
        def count_tokens(self, text: str) -> int:
            return 4 * len(text)

    pipeline, _ = scripted.reads()
    engine = Spelling([REPLY], [YES])
    spelling = Pipeline(pipeline.settings, pipeline.library, pipeline.embedder, engine)
    assert not spelling.answer(QUESTION + " " * 3000).abstained
    asked = len(engine.prompts)
    with pytest.raises(QuestionError, match="takes 2,000 tokens, the question has 2,004"):
        next(spelling.stream_answer("é" * 501))
    assert len(engine.prompts) == asked


def test_half_a_surrogate_pair_in_a_question_becomes_a_question_mark(scripted: Scripted) -> None:
    pipeline, engine = scripted.reads(REPLY)
    answer = pipeline.answer(f"{QUESTION} \ud83d")
    assert answer.question == answer.standalone_question == f"{QUESTION} ?"
    assert all(prompt.request.encode() for prompt in engine.prompts)


def test_a_follow_up_is_searched_for_as_a_question_of_its_own(scripted: Scripted) -> None:
    pipeline, engine = scripted.reads(REWRITTEN, "She was 31 years old then.")
    events = list(pipeline.stream_answer(FOLLOW_UP, TALK))
    answer = finished(events)
    assert (answer.question, answer.standalone_question) == (FOLLOW_UP, REWRITTEN)
    assert streamed(events) == "She was 31 years old then. [1]"
    assert number_of("bakery", answer) == 1
    rewriting, checking, answering, verifying = (prompt.request for prompt in engine.prompts)
    assert TALK[0].answer in rewriting
    assert FOLLOW_UP in rewriting
    assert REWRITTEN in checking
    assert REWRITTEN in answering
    assert REWRITTEN in verifying


def test_passages_are_those_of_the_rewritten_question(scripted: Scripted) -> None:
    pipeline, _ = scripted.reads(QUESTION, REPLY)
    assert number_of("harbour", pipeline.answer("And the bridge over the Jade?", TALK)) == 1


@pytest.mark.parametrize(("question", "history"), [(QUESTION, TALK), (QUESTION, ()), (FOLLOW_UP, ())])
def test_a_question_that_stands_alone_or_comes_first_is_not_rewritten(
    question: str, history: Sequence[Turn], scripted: Scripted
) -> None:
    pipeline, engine = scripted.reads(REPLY)
    assert pipeline.answer(question, history).standalone_question == question
    assert engine.prompts[0].request.startswith(f"Question: {question}")


def test_a_follow_up_that_the_reader_can_not_rewrite_is_searched_for_as_it_is(scripted: Scripted) -> None:
    pipeline, _ = scripted.reads("\n", REPLY)
    assert pipeline.answer(FOLLOW_UP, TALK).standalone_question == FOLLOW_UP


def test_closing_the_events_at_any_of_them_stops_the_reader_at_once(scripted: Scripted) -> None:
    script = (REWRITTEN, "She was 31 years old then.")
    pipeline, _ = scripted.reads(*script)
    whole = list(pipeline.stream_answer(FOLLOW_UP, TALK))
    at_work = []
    for last, event in enumerate(whole):
        pipeline, engine = scripted.reads(*script)
        events = pipeline.stream_answer(FOLLOW_UP, TALK)
        for _ in range(last + 1):
            seen = next(events)
        assert type(seen) is type(event)
        at_work.append(engine.at_work)
        asked = len(engine.prompts)
        events.close()
        assert not engine.at_work
        assert len(engine.prompts) == asked
        assert next(events, None) is None
    # One event each: a character rewritten, the passages, a step of reading, a character written; the end.
    assert at_work == [
        *[True] * len(script[0]),
        False,
        True,
        *[True] * len(script[1]),
        *[False] * 2,
    ]


def test_only_documents_that_were_asked_for_are_searched(scripted: Scripted) -> None:
    pipeline, _ = scripted.reads(REPLY)
    ids = {Path(listed.source).stem: listed.id for listed in pipeline.library.documents()}
    passages = pipeline.answer(QUESTION, documents=frozenset({ids["bakery"], ids["bridge"]})).passages
    assert {passage.document.id for passage in passages} == {ids["bakery"], ids["bridge"]}


def test_timings_are_parts_of_the_whole(scripted: Scripted) -> None:
    pipeline, _ = scripted.reads(REWRITTEN, "She was 31 years old then.")
    timings = pipeline.answer(FOLLOW_UP, TALK).timings
    stages = (timings.standalone, timings.retrieval, timings.checking, timings.generation)
    assert min(stages) > 0
    assert timings.total >= sum(stages)
    assert timings.standalone + timings.retrieval < timings.first_token < timings.total


def test_a_refusal_took_no_time_to_write(scripted: Scripted) -> None:
    pipeline, _ = scripted.reads(yes=[NO])
    timings = pipeline.answer(QUESTION).timings
    assert (timings.first_token, timings.generation) == (0, 0)
    assert timings.total >= timings.retrieval + timings.checking > 0


def test_an_answer_names_what_produced_it(scripted: Scripted) -> None:
    pipeline, _ = scripted.reads(REPLY)
    assert pipeline.answer(QUESTION).models == Models(embedder="words", reader="script", engine="scripted")


def test_a_library_updated_between_two_questions_answers_the_second(
    scripted: Scripted, settings: Settings, articles: Path
) -> None:
    pipeline, _ = scripted.reads(REPLY, "It cost 4 million marks.", yes=[YES] * 4)
    assert pipeline.answer(QUESTION).passages[0].document.text == HARBOUR
    (articles / "harbour.txt").write_text(HARBOUR.replace("3 million", "4 million"), encoding="utf-8")
    (articles / "bridge.txt").unlink()
    index_paths([articles], settings.index, library_identity(settings, WordEmbedder()), WordEmbedder())
    answer = pipeline.answer(QUESTION)
    assert cited(answer) == [("It cost 4 million marks.", ["It cost 4 million marks."])]
    assert len(answer.passages) == 2


def test_a_library_made_anew_with_another_embedder_is_not_answered_from(scripted: Scripted, settings: Settings) -> None:
    pipeline, engine = scripted.reads(REPLY)
    with open_writer(settings.index, Identity("other", "1", 8, 160, 1), start_over=True) as writer:
        writer.commit()
    with pytest.raises(LibraryMismatch, match="made with embedder other, but now it is embedder words"):
        pipeline.answer(QUESTION)
    assert engine.prompts == []


def test_answer_is_what_stream_answer_ends_with(scripted: Scripted) -> None:
    pipeline, _ = scripted.reads(REPLY, REPLY, yes=[YES] * 4)
    one, other = pipeline.answer(QUESTION), finished(list(pipeline.stream_answer(QUESTION)))
    assert replace(one, timings=Timings()) == replace(other, timings=Timings())


def test_closing_frees_reader_and_library_and_may_be_done_twice(scripted: Scripted) -> None:
    pipeline, engine = scripted.reads()
    pipeline.close()
    pipeline.close()
    assert engine.closed
    with pytest.raises(ValueError, match="library is closed"):
        pipeline.library.count()


def test_the_marks_of_a_streamed_answer_name_passages_that_were_found(scripted: Scripted) -> None:
    pipeline, _ = scripted.reads("The bridge over the Jade carries two trains an hour [7][8]. It cost 3 million marks.")
    events = list(pipeline.stream_answer(QUESTION))
    answer = finished(events)
    assert [int(mark) for mark in re.findall(r"\[(\d+)\]", streamed(events))] == [number_of("bridge", answer), 1]


def test_what_the_reader_remembers_comes_without_passages_and_claims(scripted: Scripted) -> None:
    pipeline, engine = scripted.reads(" It cost 3 million marks. \n", yes=())
    answer = pipeline.recall(f" {QUESTION} ")
    assert (answer.question, answer.standalone_question, answer.text) == (
        QUESTION,
        QUESTION,
        "It cost 3 million marks.",
    )
    assert (answer.passages, answer.claims, answer.confidence) == ((), (), 0.0)
    assert (answer.abstained, answer.reason) == (False, Reason.ANSWERED)
    assert answer.models == Models(embedder="words", reader="script", engine="scripted")
    assert answer.timings.total >= answer.timings.generation > 0
    (prompt,) = engine.prompts
    assert prompt.passages == ()
    assert QUESTION in prompt.request


@pytest.mark.parametrize("reply", ["I don't know.", "", " \n"])
def test_a_reader_that_remembers_nothing_has_refused(reply: str, scripted: Scripted) -> None:
    answer = scripted.reads(reply)[0].recall(QUESTION)
    assert (answer.abstained, answer.reason, answer.text) == (True, Reason.READER_ABSTAINED, ABSTENTION)


@pytest.mark.parametrize("question", ["", " \n", "y" * 2001])
def test_a_question_that_is_none_is_not_remembered_either(question: str, scripted: Scripted) -> None:
    pipeline, engine = scripted.reads()
    with pytest.raises(QuestionError):
        pipeline.recall(question)
    assert engine.prompts == []


def test_reading_ahead_reads_what_answering_checks_first(scripted: Scripted) -> None:
    pipeline, engine = scripted.reads(REPLY)
    passages = pipeline.find_passages(QUESTION)
    steps = pipeline.read_ahead(f" {QUESTION} ", passages)
    assert engine.warmed == []
    assert list(steps) == [None]
    assert engine.prompts == []
    pipeline.answer(QUESTION)
    ahead, answering = engine.warmed
    assert ahead == answering == engine.prompts[0]


def test_without_passages_there_is_nothing_to_read_ahead(scripted: Scripted) -> None:
    pipeline, engine = scripted.reads()
    assert list(pipeline.read_ahead(QUESTION, ())) == []
    assert engine.warmed == []
