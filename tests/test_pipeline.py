"""Questions through all stages: a real library of three articles, a bag of words for an embedder, a scripted reader."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import LibraryEmpty, LibraryMismatch, ModelError, QuestionError
from rag.index import Identity, open_library, open_writer
from rag.indexing import index_paths
from rag.pipeline import (
    ANSWER_SETTINGS,
    Pipeline,
    index_articles,
    library_fingerprint,
    library_identity,
    open_pipeline,
    weights_revision,
)
from rag.prompting import ABSTENTION
from rag.settings import Settings, load_settings
from rag.types import Answer, Event, Finished, Models, PassagesFound, Reason, TextPiece, Timings, Turn, Verdict
from tests.calibrated import write_calibration
from tests.fakes import ScriptedEngine, WordEmbedder

HARBOUR = (
    "The harbour of Varel\n\nThe harbour of Varel opened in 1912. It cost 3 million marks. Timber comes from Norway."
)
BAKERY = "The bakery of Ada Nyberg\n\nAda Nyberg founded the bakery in 1950. She was 31 years old then."
BRIDGE = "The bridge over the Jade\n\nThe bridge over the Jade carries two trains an hour."

QUESTION = "What did the harbour of Varel cost?"
REPLY = "It cost 3 million marks [1]."
YES, NO = (0.9, 0.1), (0.1, 0.9)

TALK = (Turn("Who founded the bakery?", "Ada Nyberg founded the bakery in 1950."),)
FOLLOW_UP = "How old was she then?"
REWRITTEN = "How old was Ada Nyberg in 1950?"

ABC = "ba7816bf8f01"
"""The beginning of the sha256 of "abc", as FIPS 180-2 gives it."""


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    for name, text in (("harbour", HARBOUR), ("bakery", BAKERY), ("bridge", BRIDGE)):
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def settings(tmp_path: Path, articles: Path) -> Settings:
    made = load_settings(
        index=tmp_path / "index",
        embedder="words",
        chunk_tokens=160,
        chunk_overlap=1,
        max_wrong=0.2,
        calibration=write_calibration(tmp_path),
        passages=4,
    )
    index_paths([articles], made.index, library_identity(made, WordEmbedder()), WordEmbedder())
    return made


@pytest.fixture
def scripted(settings: Settings) -> Iterator["Scripted"]:
    with open_library(settings.index, library_identity(settings, WordEmbedder())) as library:
        yield Scripted(Pipeline(settings, library, WordEmbedder(), ScriptedEngine()))


class Scripted:
    """A pipeline whose reader gets a new script for each question."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def reads(
        self, *replies: str, yes: Sequence[tuple[float, ...]] = (YES, YES), **changed: object
    ) -> tuple[Pipeline, ScriptedEngine]:
        engine = ScriptedEngine(replies, yes)
        settings = self._pipeline.settings.model_copy(update=changed)
        return Pipeline(settings, self._pipeline.library, self._pipeline.embedder, engine), engine


def streamed(events: Sequence[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextPiece))


def finished(events: Sequence[Event]) -> Answer:
    (answer,) = (event.answer for event in events if isinstance(event, Finished))
    return answer


def number_of(name: str, answer: Answer) -> int:
    """Of the passage that comes from the file `name`.txt."""
    (number,) = (passage.number for passage in answer.passages if passage.document.source.endswith(f"/{name}.txt"))
    return number


def cited(answer: Answer) -> list[tuple[str, list[str]]]:
    """Each sentence of the answer with the sentences it rests on."""
    return [(claim.text, [citation.text for citation in claim.citations]) for claim in answer.claims]


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
    assert set(signals) == {"similarity", "support", "cited words"}
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


def test_without_a_library_no_model_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(LibraryEmpty, match=r"no articles in .*Run `rag index FOLDER`"):
        open_pipeline(load_settings(index=tmp_path / "index", models=tmp_path / "models", offline=True))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"embedder": "all-mpnet-base-v2"}, "now it is embedder all-mpnet-base-v2"),
        ({"chunk_tokens": 64}, "now it is chunk tokens 64"),
        ({"chunk_overlap": 0}, "now it is chunk overlap 0"),
    ],
)
def test_other_settings_than_the_library_was_made_with_are_refused_before_a_model_is_looked_for(
    change: dict[str, object], complaint: str, settings: Settings, tmp_path: Path, articles: Path
) -> None:
    other = settings.model_copy(update={**change, "models": tmp_path / "models", "offline": True})
    with pytest.raises(LibraryMismatch, match=complaint):
        open_pipeline(other)
    with pytest.raises(LibraryMismatch, match=complaint):
        index_articles(other, [articles])


@pytest.fixture
def weighed(tmp_path: Path, articles: Path) -> Settings:
    """With a library whose embedder is a folder of weights that no program could load."""
    folder = tmp_path / "embedder"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"abc")
    made = load_settings(index=tmp_path / "weighed", embedder=str(folder), chunk_tokens=160, chunk_overlap=1)
    identity = Identity(str(folder), ABC, WordEmbedder.dimension, 160, 1)
    index_paths([articles], made.index, identity, WordEmbedder())
    return made


def test_where_nothing_has_changed_the_embedder_is_not_loaded(weighed: Settings, articles: Path) -> None:
    assert index_articles(weighed).unchanged == 3
    assert index_articles(weighed, [articles]).unchanged == 3
    (articles / "bridge.txt").unlink()
    report = index_articles(weighed)
    assert (len(report.removed), report.unchanged, report.documents) == (1, 2, 2)


def test_where_an_article_has_changed_the_embedder_is_loaded(weighed: Settings, articles: Path) -> None:
    (articles / "bridge.txt").write_text("Closed.", encoding="utf-8")
    with pytest.raises(ModelError, match=r"modules\.json is missing"):
        index_articles(weighed)


def test_other_weights_under_the_same_name_are_refused_without_loading_them(weighed: Settings) -> None:
    (Path(weighed.embedder) / "model.safetensors").write_bytes(b"abcd")
    with pytest.raises(LibraryMismatch, match=f"made with revision {ABC}, but now it is revision 88d4266fd4e6"):
        index_articles(weighed)


def test_indexing_again_where_nothing_was_indexed_says_so_before_a_model_is_looked_for(tmp_path: Path) -> None:
    empty = load_settings(index=tmp_path / "index", models=tmp_path / "models", offline=True)
    with pytest.raises(LibraryEmpty, match="no articles"):
        index_articles(empty)


def test_weights_are_known_by_their_bytes_whatever_the_files_are_called(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no embedder"):
        weights_revision(tmp_path)
    (tmp_path / "a.safetensors").write_bytes(b"a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "more.safetensors").write_bytes(b"bc")
    assert weights_revision(tmp_path) == ABC


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


def test_conditions_are_what_answers_depend_on(scripted: Scripted, settings: Settings) -> None:
    pipeline, engine = scripted.reads()
    found = pipeline.conditions()
    assert set(found.settings) == set(ANSWER_SETTINGS)
    assert (found.settings["passages"], found.settings["max_wrong"]) == (4, 0.2)
    assert found.models == Models(embedder="words", reader="script", engine="scripted")
    assert found.revisions["embedder"] == WordEmbedder.revision
    assert found.library == library_fingerprint(pipeline.library)
    elsewhere = settings.model_copy(update={"port": 1, "offline": True, "threads": 7})
    assert Pipeline(elsewhere, pipeline.library, pipeline.embedder, engine).conditions() == found
    fewer = settings.model_copy(update={"passages": 3})
    assert Pipeline(fewer, pipeline.library, pipeline.embedder, engine).conditions() != found


def test_conditions_tell_readers_of_one_name_apart_by_their_weights(scripted: Scripted, tmp_path: Path) -> None:
    pipeline, engine = scripted.reads()
    reader = tmp_path / "reader.gguf"
    named = pipeline.settings.model_copy(update={"reader": str(reader), "models": tmp_path})
    revisions = []
    for weights in (b"abc", b"abcd"):
        reader.write_bytes(weights)
        conditions = Pipeline(named, pipeline.library, pipeline.embedder, engine).conditions()
        revisions.append(conditions.revisions["reader"])
    assert revisions == [ABC, "88d4266fd4e6"]
    elsewhere = pipeline.settings.model_copy(update={"models": tmp_path})
    assert Pipeline(elsewhere, pipeline.library, pipeline.embedder, engine).conditions().revisions["reader"] == ""


def fingerprint(folder: Path, articles: Path, identity: Identity) -> str:
    index_paths([articles], folder, identity, WordEmbedder())
    with open_library(folder) as library:
        return library_fingerprint(library)


def test_a_library_is_known_by_its_articles_wherever_they_lie(
    scripted: Scripted, settings: Settings, articles: Path, tmp_path: Path
) -> None:
    identity = library_identity(settings, WordEmbedder())
    original = library_fingerprint(scripted.reads()[0].library)
    assert re.fullmatch("[0-9a-f]{12}", original)
    moved = tmp_path / "moved"
    moved.mkdir()
    for at, article in enumerate(sorted(articles.iterdir(), reverse=True)):
        (moved / f"{at}.txt").write_bytes(article.read_bytes())
    assert fingerprint(tmp_path / "copy", moved, identity) == original
    (moved / "0.txt").write_text("Closed.", encoding="utf-8")
    changed = fingerprint(tmp_path / "copy", moved, identity)
    (moved / "0.txt").unlink()
    fewer = fingerprint(tmp_path / "copy", moved, identity)
    assert len({original, changed, fewer}) == 3


def test_a_library_of_other_chunks_or_vectors_is_another(settings: Settings, articles: Path, tmp_path: Path) -> None:
    identity = library_identity(settings, WordEmbedder())
    others = [replace(identity, chunk_tokens=64), replace(identity, chunk_overlap=0), replace(identity, revision="2")]
    found = {fingerprint(tmp_path / str(at), articles, one) for at, one in enumerate([identity, *others])}
    assert len(found) == 4
