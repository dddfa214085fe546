"""The page as a chat model: asked with OpenAI's own client, over loopback."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionChunk

from rag.errors import EngineError
from rag.guarding import Users
from rag.types import Finished, PassagesFound, TextPiece, Turn
from tests.page import ScriptedPipeline, Step, passage, refusal, served, usual
from tests.page import answer as answer_of
from tests.service.conftest import BILL, FANTASY, SENTENCE

QUESTION = "How much does TikTok pay Microsoft?"
SECRET = "quokkaquestion"


def client_of(address: str, token: str = "none") -> OpenAI:
    return OpenAI(base_url=f"{address}v1", api_key=token, max_retries=0, timeout=30)


def said(*texts: str) -> Any:
    """Messages that user and assistant said in turn."""
    return [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(texts)]


def asked(address: str, *texts: str, **fields: Any) -> Any:
    with client_of(address) as client:
        return client.chat.completions.create(**{"model": "citeline", "messages": said(*texts), **fields})


def chunks_of(address: str, *texts: str, **fields: Any) -> list[ChatCompletionChunk]:
    with client_of(address) as client:
        given: Any = {"model": "citeline", "messages": said(*texts), "stream": True, **fields}
        return list(client.chat.completions.create(**given))


@pytest.fixture
def client(address: str) -> Iterator[OpenAI]:
    with client_of(address) as client:
        yield client


def test_the_models_are_listed_and_found_by_name(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["citeline", "citeline-sources"]
    assert client.models.retrieve("citeline").owned_by == "citeline"
    with pytest.raises(openai.NotFoundError, match="Known: citeline, citeline-sources"):
        client.models.retrieve("gpt-5")


def test_an_answer_has_its_text_with_marks_and_in_a_field_of_its_own_what_stands_behind_it(address: str) -> None:
    completion = asked(address, QUESTION, extra_body={"citeline": {"documents": None}})
    [choice] = completion.choices
    assert choice.message.content == f"{SENTENCE} [1] {FANTASY} (not supported)"
    assert (choice.finish_reason, choice.message.refusal, completion.model) == ("stop", None, "citeline")
    known = completion.citeline
    assert (known["abstained"], known["reason"], known["searched_for"]) == (False, "answered", QUESTION)
    assert 0 < known["confidence"] <= 1
    [citation] = known["sentences"][0]["citations"]
    start = BILL.index(SENTENCE)
    assert (citation["sentence"], citation["start"], citation["end"]) == (SENTENCE, start, start + len(SENTENCE))
    assert (citation["title"], citation["source"], citation["passage"]) == ("Bill", "bill.txt", 1)
    assert known["passages"][0]["text"] == BILL
    words = 6 + sum(len(one["text"].replace("$", " ").split()) for one in known["passages"])
    usage = completion.usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (words, 8 + 1 + 5 + 2)
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_a_list_of_sources_ends_the_text_where_it_is_asked_for(address: str) -> None:
    listed = f"\n\nSources\n\n- [1] Bill · bill.txt: “{SENTENCE}”"
    for fields in ({"model": "citeline-sources"}, {"extra_body": {"citeline": {"references": True}}}):
        assert asked(address, QUESTION, **fields).choices[0].message.content.endswith(f"(not supported){listed}")
    plain = asked(address, QUESTION, model="citeline-sources", extra_body={"citeline": {"references": False}})
    assert listed not in plain.choices[0].message.content
    strict = asked(address, QUESTION, extra_body={"citeline": {"strict": True}})
    assert strict.choices[0].message.content == f"{SENTENCE} [1]"


def test_an_answer_can_be_limited_to_articles(address: str) -> None:
    passages = asked(address, QUESTION).citeline["passages"]
    bill = next(one["document_id"] for one in passages if one["source"] == "bill.txt")
    only = asked(address, QUESTION, extra_body={"citeline": {"documents": [bill]}}).citeline["passages"]
    assert {one["source"] for one in only} == {"bill.txt"}


def test_a_stream_tells_what_is_done_then_the_checked_text_and_then_what_stands_behind_it(address: str) -> None:
    chunks = chunks_of(address, QUESTION, stream_options={"include_usage": True})
    whole = asked(address, QUESTION)
    *parts, last, used = chunks
    assert parts[0].choices[0].delta.role == "assistant"
    assert "".join(part.choices[0].delta.content or "" for part in parts) == whole.choices[0].message.content
    thoughts = "".join(getattr(part.choices[0].delta, "reasoning_content", None) or "" for part in parts)
    assert thoughts.startswith("Searching the articles …\nReading 2 passages …\n\n")
    assert thoughts.endswith(f"{SENTENCE} [1] {FANTASY}")
    reading = next(part.citeline for part in parts if hasattr(part, "citeline"))
    assert (reading["state"], len(reading["passages"])) == ("reading", 2)
    assert last.choices[0].finish_reason == "stop"
    timeless = {**last.citeline, "seconds": 0}  # type: ignore[attr-defined]
    assert timeless == {**whole.citeline, "seconds": 0}
    assert (used.choices, used.usage) == ([], whole.usage)
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_draft_that_is_withheld_never_becomes_content() -> None:
    found = passage(1)
    script: list[Step] = [PassagesFound((found,)), TextPiece("It pays nothing."), Finished(refusal("how much?", found))]
    with served(ScriptedPipeline(script, script)) as address:
        chunks = chunks_of(address, "how much?", model="citeline-sources")
        whole = asked(address, "how much?").choices[0].message.content
    content = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    told = "The articles don’t say. The passages touch on the question, but probably don’t state the answer."
    assert content == f"{told}\n\nClosest, but not an answer\n\n- [1] The bill · bill.txt"
    assert whole == told
    assert chunks[-1].citeline["abstained"] is True  # type: ignore[attr-defined]
    assert chunks[-1].citeline["reason"] == "the passages probably don't state the answer"  # type: ignore[attr-defined]


def test_earlier_messages_are_the_history_as_readers_know_it() -> None:
    pipeline = ScriptedPipeline(usual(), usual())
    messages = [
        {"role": "system", "content": "You are a pirate."},
        *said("who pays?", "TikTok pays. [1][2] It may. (not supported)\n\nSources\n\n- [1] Bill: “TikTok pays.”"),
        {"role": "user", "content": "never answered"},
        {"role": "user", "content": [{"type": "text", "text": "how much"}, {"type": "text", "text": "is that?"}]},
        {"role": "developer", "content": "Talk like one."},
    ]
    with served(pipeline) as address:
        asked(address, messages=messages)
        asked(address, messages=messages[-2:])
    assert pipeline.asked[0] == ("how much\nis that?", (Turn("who pays?", "TikTok pays. It may."),))
    assert pipeline.asked[1] == ("how much\nis that?", ())


def test_foreign_text_embeds_nothing_in_a_client_that_shows_markdown() -> None:
    hostile = "It pays ![x](http://a.example/?q=1) <img src=x> [y][z]."
    article = passage(1, hostile, title="[t](http://a.example)")
    script: list[Step] = [PassagesFound((article,)), Finished(answer_of("?", hostile, article, cited=hostile))]
    with served(ScriptedPipeline(script)) as address:
        content = asked(address, "?", model="citeline-sources").choices[0].message.content
    assert "](" not in content
    assert "][z" not in content
    assert "<img" not in content
    assert content.count("http://a.example/?q=1") == 2  # in the answer and in the sentence it cites


@pytest.mark.parametrize(
    ("fields", "param", "told"),
    [
        ({"messages": []}, "messages", "a list of messages"),
        ({"messages": "hi"}, "messages", "a list of messages"),
        ({"messages": said("a", "b")}, "messages", "The last message is the user's question"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages", "there is none"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role", "user or assistant"),
        ({"messages": [5]}, "messages[0]", "a role and a content"),
        ({"messages": said("x" * 2001)}, "messages", "at most 2,000"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages[0].content",
            "images, sound and files can't be read here",
        ),
        ({"n": 2}, "n", "one answer"),
        ({"stop": ["\n"]}, "stop", "isn't supported"),
        ({"logprobs": True}, "logprobs", "citeline.confidence"),
        ({"tool_choice": "required"}, "tool_choice", "call nothing"),
        ({"response_format": {"type": "json_object"}}, "response_format", "is text"),
        ({"stream": "yes"}, "stream", "true or false"),
        ({"citeline": {"strickt": True}}, "citeline", "references, documents and strict"),
        ({"citeline": {"documents": ["nope"]}}, "citeline.documents", "no article with the id 'nope'"),
    ],
)
def test_what_can_not_be_honoured_is_refused_by_name(
    address: str, fields: dict[str, Any], param: str, told: str
) -> None:
    body = {"model": "citeline", "messages": said(QUESTION), **fields}
    refused = httpx.post(f"{address}v1/chat/completions", json=body)
    error = refused.json()["error"]
    assert (refused.status_code, error["param"], error["type"]) == (400, param, "invalid_request_error")
    assert told in error["message"]


def test_what_only_tunes_a_model_is_let_pass_and_changes_nothing(address: str) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"properties": {"path": {"path": "/etc"}}}}}
    tuned = asked(
        address, QUESTION, temperature=2, top_p=0.1, max_tokens=1, seed=7, presence_penalty=1, user="ann", n=1,
        tools=[tool], tool_choice="auto", response_format={"type": "text"}, logit_bias={"50256": -100},
        extra_body={"num_ctx": 8},
    )  # fmt: skip
    assert tuned.choices[0].message.content == asked(address, QUESTION).choices[0].message.content


def test_a_model_that_is_not_there_and_a_body_that_is_too_long(address: str) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        asked(address, QUESTION, model="gpt-5")
    assert (missing.value.code, missing.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.APIStatusError) as long:
        asked(address, "x" * 1_100_000)
    assert (long.value.status_code, long.value.code) == (413, "request_too_large")
    broken = httpx.post(f"{address}v1/chat/completions", content=b"{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.json()["error"]["type"]) == (400, "invalid_request_error")
    assert "error" in httpx.get(f"{address}v1/embeddings").json()
    assert httpx.get(f"{address}v1/chat/completions").status_code == 405


def test_too_many_questions_are_told_when_to_come_again() -> None:
    with served(ScriptedPipeline(*[usual()] * 9), questions_per_minute=3) as address:
        asked(address, "one?")
        with pytest.raises(openai.RateLimitError) as many:
            asked(address, "two?")
    assert 0 < int(many.value.response.headers["retry-after"]) <= 20


def test_a_full_line_is_told_from_a_mistake() -> None:
    gate = threading.Event()
    pipeline = ScriptedPipeline([gate, *usual()], usual())
    with served(pipeline, waiting=1) as address:
        others = [threading.Thread(target=asked, args=(address, "?")) for _ in range(2)]
        for other in others:
            other.start()
            time.sleep(0.4)
        for fields in ({}, {"stream": True}):
            with pytest.raises(openai.RateLimitError, match="1 questions wait already") as full:
                asked(address, "third?", **fields)
            assert full.value.response.headers["retry-after"] == "10"
        gate.set()
        for other in others:
            other.join()


def test_while_citeline_starts_clients_are_told_to_try_again() -> None:
    opened = threading.Event()

    def slow(_settings: object, _report: object) -> ScriptedPipeline:
        opened.wait(20)
        return ScriptedPipeline(usual())

    with served(ScriptedPipeline(), slow) as address:
        with pytest.raises(openai.InternalServerError) as early:
            asked(address, "?")
        assert (early.value.status_code, early.value.code) == (503, "starting")
        assert early.value.response.headers["retry-after"] == "3"
        assert client_of(address).models.list().data  # for a client that looks which there are
        opened.set()
        with OpenAI(base_url=f"{address}v1", api_key="none", max_retries=2, timeout=30) as patient:
            assert patient.chat.completions.create(model="citeline", messages=said("?")).choices


def test_an_error_in_the_midst_of_a_stream_is_told_in_it(caplog: pytest.LogCaptureFixture) -> None:
    failing: list[Step] = [PassagesFound((passage(1),)), TextPiece("It "), EngineError("The reader is gone.")]
    unforeseen: list[Step] = [PassagesFound((passage(1),)), ValueError(SECRET)]
    with served(ScriptedPipeline(failing, unforeseen, unforeseen, [EngineError("It is gone.")])) as address:
        with pytest.raises(openai.APIError, match="The reader is gone"):
            chunks_of(address, "?")
        with pytest.raises(openai.APIError, match="Citeline didn’t foresee this error"):
            chunks_of(address, SECRET)
        with pytest.raises(openai.InternalServerError) as whole:
            asked(address, SECRET)
        assert whole.value.status_code == 500
        with pytest.raises(openai.InternalServerError, match="It is gone"):
            asked(address, "?")
    assert "A program's question could not be answered" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_hangs_up_frees_the_engine(stream: bool) -> None:
    never = threading.Event()
    pipeline = ScriptedPipeline([PassagesFound((passage(1),)), never], usual())
    body = {"model": "citeline", "messages": said("?"), "stream": stream}
    with served(pipeline) as address:
        try:
            with httpx.stream("POST", f"{address}v1/chat/completions", json=body, timeout=1.0) as answer:
                next(answer.iter_raw())
        except httpx.TimeoutException:
            assert not stream
        assert pipeline.left_early.wait(3)
        assert asked(address, "next?").choices[0].message.content


def test_where_there_is_a_login_clients_come_in_with_a_token_and_take_turns_as_their_user(tmp_path: Path) -> None:
    users = Users(tmp_path / "users.json")
    users.add("ann", "correct horse")
    token = users.give_token("ann")
    with served(ScriptedPipeline(usual()), login="always", users=tmp_path / "users.json") as address:
        with pytest.raises(openai.AuthenticationError, match="rag user token NAME"):
            client_of(address, "wrong").models.list()
        with client_of(address, token) as client:
            assert client.models.list().data
            completion = client.chat.completions.create(model="citeline", messages=said("how much?"))
        assert completion.choices[0].message.content == "It pays US$20 million a month. [1] (partly supported)"


def test_a_page_closed_to_programs_is_closed_to_chat_clients_too() -> None:
    with served(ScriptedPipeline(), api=False) as address:
        assert httpx.post(f"{address}v1/chat/completions", json={}).status_code == 404
        assert httpx.get(f"{address}v1/models").status_code == 404
