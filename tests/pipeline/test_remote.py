"""A pipeline whose reader is on a server."""

from pathlib import Path

import pytest

from rag.errors import EngineError
from rag.pipeline import Pipeline, open_reader
from rag.settings import EngineChoice, Settings
from rag.types import Engine, Finished, Models
from tests.engines.fake_server import FakeServer, says, serving
from tests.fakes import ScriptedEngine
from tests.pipeline.scripted import QUESTION, REPLY, YES, Scripted, cited

YES_TOKEN = [("Yes", -0.01), ("No", -5.0)]


def served(settings: Settings, fake: FakeServer, **more: object) -> Settings:
    return settings.model_copy(update={"engine": EngineChoice.OPENAI_COMPATIBLE, "server": fake.url, **more})


def pipeline_on(scripted: Scripted, engine: Engine) -> Pipeline:
    pipeline, _ = scripted.reads()
    return Pipeline(pipeline.settings, pipeline.library, pipeline.embedder, engine)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAG_SERVER_KEY", raising=False)


def test_a_question_is_answered_by_the_server(scripted: Scripted, settings: Settings) -> None:
    with serving() as fake:
        fake.replies = [says("Yes", likely=YES_TOKEN), says("It cost ", "3 million marks [1]."), says("Yes")]
        engine = open_reader(served(settings, fake))
        answer = pipeline_on(scripted, engine).answer(QUESTION)
        engine.close()
        assert cited(answer)[0] == ("It cost 3 million marks.", ["It cost 3 million marks."])
        assert answer.models == Models("words", "tiny", "openai_compatible")
        check, write, verify = fake.chats
        first, second, third = (sent.body["messages"] for sent in (check, write, verify))
        assert first[0] == second[0] == third[0]
        question = first[1]["content"].index(QUESTION) + len(QUESTION)
        assert first[1]["content"][:question] == second[1]["content"][:question] == third[1]["content"][:question]
        assert [sent.body["max_tokens"] for sent in fake.chats] == [1, settings.answer_tokens, 1]


def test_conditions_name_the_model_not_where_its_server_is(scripted: Scripted, settings: Settings) -> None:
    found = []
    for model in ("large", "large", "other"):
        with serving() as fake:
            fake.models = [{"id": model, "owned_by": "someone"}]
            engine = open_reader(served(settings, fake))
            found.append(pipeline_on(scripted, engine).conditions())
            engine.close()
    assert found[0] == found[1]
    assert found[0].models.reader == "large"
    assert found[0].revisions["reader"] != found[2].revisions["reader"]


def test_an_answer_names_the_engine_that_stepped_in(
    scripted: Scripted, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = tmp_path / "reader.gguf"
    reader.write_bytes(b"GGUF")
    here = ScriptedEngine([REPLY], [YES])
    monkeypatch.setattr("rag.pipeline.opening.open_engine", lambda *_: here)
    with serving() as fake:
        fake.replies = [says("Yes", likely=YES_TOKEN)]
        engine = open_reader(served(settings, fake, fallback=True, reader=str(reader), server_timeout=5))
        pipeline = pipeline_on(scripted, engine)
        events = pipeline.stream_answer(QUESTION)
        while not fake.chats:
            next(events)
    answer = next(event.answer for event in events if isinstance(event, Finished))
    assert answer.text == "It cost 3 million marks."
    assert answer.models == Models("words", "script", "scripted")
    engine.close()


def test_without_a_fallback_a_server_that_is_away_is_an_error(settings: Settings) -> None:
    with serving() as fake:
        pass
    reports: list[str] = []
    with pytest.raises(EngineError, match="can't be reached"):
        open_reader(served(settings, fake), lambda what, *_: reports.append(what))
    assert reports == [f"Reaching {fake.url}"]
