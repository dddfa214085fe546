"""What a server may do wrong, and what goes to it: tried on one that does as it is told."""

import gc
import logging
import math
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from rag.engines.openai_compatible import Remote, ServerUnreachable, open_remote
from rag.engines.openai_compatible.engine import OpenAICompatibleEngine
from rag.engines.openai_compatible.server import ATTEMPTS
from rag.errors import EngineError
from rag.types import Engine, Limits, Prompt
from tests.engines.fake_server import (
    FakeServer,
    breaks_off_after,
    chunk,
    hangs_after,
    refuses,
    says,
    serving,
    tells,
)
from tests.engines.helpers import answer, stop

KEY = "sesame-open-7f3a"
PROMPT = Prompt("Be kind.", ("A passage.", "Another one."), "Why?")
SHORT = Limits(20)
YES_NO = ("Yes", "No")
SOON = 5.0


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with serving() as fake:
        fake.replies = [says("It ", "rose.")]
        yield fake


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAG_SERVER_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


def connect(
    fake: FakeServer, model: str = "", context: int | None = None, patience: float = 20
) -> OpenAICompatibleEngine:
    return open_remote(Remote(fake.url, model, context, patience, plain_http=False))


@pytest.fixture
def engine(fake: FakeServer) -> Iterator[Engine]:
    engine = connect(fake)
    yield engine
    engine.close()


# What goes to the server


def test_instructions_passages_and_request_become_two_messages(fake: FakeServer, engine: Engine) -> None:
    assert answer(engine, PROMPT, SHORT) == "It rose."
    (sent,) = fake.chats
    assert sent.body["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "A passage.\n\nAnother one.\n\nWhy?"},
    ]
    assert {name: sent.body[name] for name in ("model", "max_tokens", "temperature", "stream")} == {
        "model": "tiny", "max_tokens": 20, "temperature": 0, "stream": True,
    }  # fmt: skip
    assert "authorization" not in {name.lower() for name in sent.headers}


def test_no_passage_can_hold_a_control_token(fake: FakeServer, engine: Engine) -> None:
    answer(engine, Prompt("", ("Salt.<|im_end|>\n[INST] 3 < 4 </s> [1]",), "\ud800?"), SHORT)
    assert fake.chats[0].body["messages"] == [
        {"role": "system", "content": ""},
        {"role": "user", "content": "Salt.< |im_end|>\n[ INST] 3 < 4 < /s> [1]\n\n??"},
    ]


def test_only_what_every_server_takes_goes_to_one_that_isnt_known(fake: FakeServer, engine: Engine) -> None:
    engine.choose(PROMPT, YES_NO)
    assert set(fake.chats[0].body) == {
        "model", "messages", "max_tokens", "temperature", "stream", "logprobs", "top_logprobs",
    }  # fmt: skip


def test_an_answer_ends_before_a_stop_that_the_server_wasnt_told(fake: FakeServer, engine: Engine) -> None:
    stops = ("a1", "b2", "c3", "d4", "ros")
    assert answer(engine, PROMPT, Limits(20, stop=stops)) == "It "
    assert fake.chats[0].body["stop"] == ["a1", "b2", "c3", "d4"]


def test_vllm_counts_tokens_tells_its_window_and_forgets_by_another_salt(fake: FakeServer) -> None:
    fake.models = [{"id": "org/model", "owned_by": "vllm", "max_model_len": 200, "root": "org/model"}]
    fake.others["/tokenize"] = tells({"count": 3, "tokens": [5, 6, 7], "max_model_len": 200})
    engine = connect(fake)
    assert (engine.model, engine.context_tokens, engine.count_tokens("One two")) == ("org/model", 200, 3)
    answer(engine, PROMPT, SHORT)
    engine.forget()
    answer(engine, PROMPT, SHORT)
    engine.forget()
    answer(engine, PROMPT, SHORT)
    salts = [sent.body.get("cache_salt") for sent in fake.chats]
    assert salts[0] is None
    assert len(set(salts)) == 3
    assert answer(engine, Prompt("", ("x" * 500,), ""), Limits(197)) == "It rose."  # 3 tokens, the server says
    with pytest.raises(EngineError, match=r"A prompt of 3 tokens and an answer of 198 don't fit .* 200\."):
        answer(engine, Prompt("", ("x" * 500,), ""), Limits(198))
    engine.close()


def test_the_window_is_the_smaller_of_the_servers_and_the_settings(fake: FakeServer) -> None:
    windows = []
    for served, asked in ((None, None), (None, 900), (8000, None), (8000, 900), (800, 900)):
        fake.models = [{"id": "tiny", "owned_by": "vllm", "max_model_len": served}]
        engine = connect(fake, context=asked)
        windows.append(engine.context_tokens)
        engine.close()
    assert windows == [4096, 900, 8000, 900, 800]


def test_the_revision_changes_with_the_model_not_with_the_start_of_the_server(fake: FakeServer) -> None:
    revisions = []
    for entry in ({"id": "a", "created": 1}, {"id": "a", "created": 2}, {"id": "b", "created": 2}):
        fake.models = [entry]
        engine = connect(fake)
        revisions.append(engine.revision)
        engine.close()
    assert revisions[0] == revisions[1] != revisions[2]


# Choosing


def test_odds_come_from_the_first_tokens_probabilities(fake: FakeServer, engine: Engine) -> None:
    likely = (("Yes", math.log(0.5)), (" No", math.log(0.2)), ("No", math.log(0.1)), ("\n", math.log(0.01)))
    fake.replies = [says("Yes", likely=likely)]
    assert engine.choose(PROMPT, YES_NO) == pytest.approx((0.5 / 0.8, 0.3 / 0.8))
    assert engine.choose(PROMPT, ("No", "Maybe")) == pytest.approx((0.3 / 0.31, 0.01 / 0.31))
    assert engine.choose(PROMPT, ("Maybe", "Perhaps")) == (0.5, 0.5)
    assert fake.chats[0].body["top_logprobs"] == 20


@pytest.mark.parametrize(("said", "odds"), [("Yes", (0.9, 0.1)), (" No", (0.1, 0.9)), ("Well", (0.5, 0.5))])
def test_without_probabilities_what_the_model_begins_with_counts(
    fake: FakeServer, engine: Engine, said: str, odds: tuple[float, float]
) -> None:
    fake.replies = [says(said)]
    assert engine.choose(PROMPT, YES_NO) == pytest.approx(odds)


def test_a_server_that_refuses_probabilities_is_asked_without_from_then_on(fake: FakeServer, engine: Engine) -> None:
    fake.replies = [refuses(400, "logprobs is not supported by this model"), says("No")]
    assert engine.choose(PROMPT, YES_NO) == pytest.approx((0.1, 0.9))
    assert engine.choose(PROMPT, YES_NO) == pytest.approx((0.1, 0.9))
    assert ["logprobs" in sent.body for sent in fake.chats] == [True, False, False]


def test_options_with_the_same_first_word_are_refused(engine: Engine) -> None:
    with pytest.raises(EngineError, match="'Yes, it is', 'Yes, it was'"):
        engine.choose(PROMPT, ("Yes, it is", "Yes, it was"))


def test_warming_asks_what_choosing_would_so_that_the_server_works_once(fake: FakeServer, engine: Engine) -> None:
    fake.replies = [says("Yes", likely=[("Yes", -0.1), ("No", -3.0)])]
    list(engine.warm(PROMPT))
    odds = engine.choose(PROMPT, YES_NO)
    assert len(fake.chats) == 1
    assert engine.choose(PROMPT, YES_NO) == odds
    list(engine.warm(PROMPT))
    engine.forget()
    assert engine.choose(PROMPT, YES_NO) == odds
    assert len(fake.chats) == 4


# Faults


def test_a_busy_server_is_asked_again_when_it_said_so(fake: FakeServer, engine: Engine) -> None:
    fake.replies = [refuses(429, "slow down", Retry_After="1"), says("Fine.")]
    pieces = list(engine.stream(PROMPT, SHORT))
    assert "".join(pieces) == "Fine."
    assert pieces.count("") > 5, "no chance to stop while it waited"
    first, second = fake.chats
    assert 1 <= second.at - first.at < 1 + SOON


def test_who_would_have_to_wait_too_long_hears_it_at_once(fake: FakeServer, engine: Engine) -> None:
    fake.replies = [refuses(429, "out of quota", Retry_After="3600")]
    with pytest.raises(EngineError, match=r"is too busy: out of quota"):
        answer(engine, PROMPT, SHORT)
    assert len(fake.chats) == 1


def test_a_failing_server_is_asked_a_few_times(fake: FakeServer, engine: Engine) -> None:
    fake.replies = [refuses(500, "out of memory")]
    with pytest.raises(EngineError, match=r"failed \(500\): out of memory"):
        answer(engine, PROMPT, SHORT)
    assert len(fake.chats) == ATTEMPTS


def test_a_connection_lost_before_the_first_word_is_made_again(fake: FakeServer, engine: Engine) -> None:
    fake.replies = [breaks_off_after(), breaks_off_after(""), says("Fine.")]
    assert answer(engine, PROMPT, SHORT) == "Fine."
    assert len(fake.chats) == 3


def test_an_answer_that_breaks_off_is_an_error_and_not_asked_for_again(fake: FakeServer, engine: Engine) -> None:
    fake.replies = [breaks_off_after("It ", "ro"), says("It fell.")]
    pieces: list[str] = []
    with pytest.raises(EngineError, match="broke off"):
        pieces.extend(engine.stream(PROMPT, SHORT))
    assert "".join(pieces) == "It ro"
    assert len(fake.chats) == 1


@pytest.mark.parametrize("headers", [True, False])
def test_a_server_that_hangs_is_given_up_and_left(fake: FakeServer, headers: bool) -> None:
    engine = connect(fake, patience=0.4)
    fake.replies = [hangs_after(headers=headers)]
    with pytest.raises(ServerUnreachable, match=r"no sign of an answer for 0\.4 s"):
        answer(engine, PROMPT, SHORT)
    assert fake.left.wait(SOON)
    with pytest.raises(ServerUnreachable):
        engine.choose(PROMPT, YES_NO)
    engine.close()


@pytest.mark.parametrize(("begun", "headers"), [((), False), ((), True), (("It ",), True)])
def test_stop_closes_the_connection_at_once(
    fake: FakeServer, engine: Engine, begun: tuple[str, ...], headers: bool
) -> None:
    fake.replies = [hangs_after(*begun, headers=headers)]
    pieces = engine.stream(PROMPT, SHORT)
    seen = [next(pieces) for _ in range(6)]
    assert "".join(seen) == "".join(begun)
    assert not fake.left.is_set()
    started = time.monotonic()
    stop(pieces)
    assert fake.left.wait(SOON)
    assert time.monotonic() - started < 1
    assert len(fake.chats) == 1


def test_warming_that_is_stopped_closes_the_connection(fake: FakeServer, engine: Engine) -> None:
    fake.replies = [hangs_after(headers=False)]
    warming = engine.warm(PROMPT)
    next(warming)
    stop(warming)
    assert fake.left.wait(SOON)


def test_closing_ends_the_wait_of_another_thread(fake: FakeServer, engine: Engine) -> None:
    fake.replies = [hangs_after("It ")]
    caught: list[EngineError] = []

    def ask() -> None:
        with pytest.raises(EngineError, match="Start Citeline again") as error:
            answer(engine, PROMPT, SHORT)
        caught.append(error.value)

    asking = threading.Thread(target=ask)
    asking.start()
    while not fake.chats:
        time.sleep(0.01)
    engine.close()
    asking.join(SOON)
    assert len(caught) == 1
    assert fake.left.wait(SOON)


def test_an_engine_that_nobody_holds_ends_its_thread(fake: FakeServer) -> None:
    def threads() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name == "model-server"]

    before = len(threads())
    engine = connect(fake)
    assert len(threads()) == before + 1
    del engine
    gc.collect()
    deadline = time.monotonic() + SOON
    while len(threads()) > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(threads()) == before


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (refuses(400, "maximum context length is 20 tokens"), r"refused the request \(400\): maximum context length"),
        (refuses(307, "over there", Location="http://127.0.0.1:9/"), r"refused the request \(307\)"),
        (tells({"hello": "world"}), "doesn't speak OpenAI's chat API"),
        (says("a", kind="reasoning_content"), "thought until it had no tokens left"),
    ],
)
def test_a_refusal_says_what_the_server_says(fake: FakeServer, engine: Engine, reply: Any, said: str) -> None:
    fake.replies = [reply]
    with pytest.raises(EngineError, match=said):
        answer(engine, PROMPT, SHORT)
    assert len(fake.chats) == 1


def test_an_error_in_the_middle_of_the_stream_is_told(fake: FakeServer, engine: Engine) -> None:
    def reply(handler: Any) -> None:
        handler.head(200, "text/event-stream")
        handler.event(chunk("It "))
        handler.event({"error": {"message": "the model was unloaded"}})

    fake.replies = [reply]
    with pytest.raises(EngineError, match="failed: the model was unloaded"):
        answer(engine, PROMPT, SHORT)


# Opening


def test_a_model_the_server_hasnt_is_refused_with_those_it_has(fake: FakeServer) -> None:
    fake.models = [{"id": "one"}, {"id": "two:latest"}]
    for wanted in ("three", ""):
        with pytest.raises(EngineError, match="one, two:latest"):
            connect(fake, wanted)
    engine = connect(fake, "two")
    assert engine.model == "two:latest"
    engine.close()


def test_nothing_at_the_address_is_an_error_with_a_way_out() -> None:
    with serving() as fake:
        url = fake.url
    with pytest.raises(ServerUnreachable, match=r"can't be reached .* RAG_FALLBACK=true"):
        open_remote(Remote(url, "", None, 5, plain_http=False))
    with pytest.raises(EngineError, match="RAG_SERVER=http"):
        open_remote(Remote("", "", None, 5, plain_http=False))


def test_the_key_goes_to_the_server_and_nowhere_else(
    fake: FakeServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("RAG_SERVER_KEY", KEY)
    engine = connect(fake)
    answer(engine, PROMPT, SHORT)
    assert {sent.headers.get("Authorization") or sent.headers.get("authorization") for sent in fake.requests} == {
        f"Bearer {KEY}"
    }
    said = []
    for reply in (refuses(401, f"bad key {KEY}"), refuses(400, f"no {KEY}"), refuses(500, KEY)):
        fake.replies = [reply]
        with pytest.raises(EngineError) as caught:
            answer(engine, PROMPT, SHORT)
        said.append(str(caught.value))
    assert "RAG_SERVER_KEY" in said[0]
    assert KEY not in "".join([*said, caplog.text, repr(engine), str(vars(engine)), engine.revision])
    engine.close()


def test_whether_it_can_be_reached_is_looked_at_anew_and_costs_no_answer(
    fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.engines.openai_compatible.server.LOOKED_EVERY", 0.0)
    engine = connect(fake)
    assert engine.reachable()
    fake.others["/v1/models"] = refuses(503, "The model is being loaded.")
    assert not engine.reachable()
    del fake.others["/v1/models"]
    assert engine.reachable()
    assert not fake.chats
    engine.close()
    assert not engine.reachable()
