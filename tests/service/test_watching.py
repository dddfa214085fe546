"""A server that is watched: health, Prometheus, OpenTelemetry, the log. Nothing of it holds what was asked."""

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from rag.errors import EngineError, LibraryUnwritable
from rag.guarding import Users
from rag.logs import JsonLines, log_failure
from rag.service import Stopping
from rag.service.observing import Stage, stages_of
from rag.settings import Settings
from rag.types import Finished, PassagesFound, TextPiece, Timings
from tests.page import ScriptedPipeline, Step, passage, refusal, usual
from tests.service.conftest import replying
from tests.service.light import answered

SECRET = "quokkaquestion"
QUESTION = "How much does TikTok pay Microsoft?"


def ask(address: str, question: str = "how much?", **headers: str) -> httpx.Response:
    body = {"model": "citeline", "messages": [{"role": "user", "content": question}]}
    return httpx.post(f"{address}v1/chat/completions", json=body, headers=headers, timeout=30)


def status(address: str, path: str = "readyz") -> tuple[int, Any]:
    told = httpx.get(f"{address}{path}")
    return told.status_code, told.json()


def values(text: str) -> dict[tuple[str, ...], float]:
    """(name, values of its labels) → value."""
    families = text_string_to_metric_families(text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


class Unreadable(ScriptedPipeline):
    """Its library has become unreadable."""

    @property
    def library(self) -> "Unreadable":
        return self

    @property
    def generation(self) -> int:
        raise LibraryUnwritable(f"{SECRET} is damaged.")


def test_a_server_is_ready_once_its_pipeline_is_open_and_until_it_stops() -> None:
    opened, stopping = threading.Event(), Stopping()

    def slow(_settings: Settings, _report: object) -> ScriptedPipeline:
        opened.wait(20)
        return ScriptedPipeline(usual())

    with answered(slow, stopping) as address:
        assert status(address) == (503, {"status": "starting"})
        assert status(address, "healthz") == (200, {"status": "ok"})
        opened.set()
        while status(address)[0] != 200:
            pass
        assert status(address) == (200, {"status": "ready"})
        assert httpx.post(f"{address}readyz").status_code == 405
        stopping.begin()
        assert status(address) == (503, {"status": "stopping"})
        assert status(address, "healthz")[0] == 200
        refused = ask(address)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "stopping")


def test_a_server_whose_library_can_not_be_read_is_not_ready_and_does_not_say_more() -> None:
    with answered(lambda *_: Unreadable()) as address:
        while status(address)[1]["status"] == "starting":
            pass
        assert status(address) == (503, {"status": "library"})

    def failing(_settings: Settings, _report: object) -> ScriptedPipeline:
        raise EngineError(SECRET)

    with answered(failing) as address:
        while status(address)[1]["status"] == "starting":
            pass
        assert status(address) == (503, {"status": "failed"})


def test_health_needs_no_login_and_metrics_do(tmp_path: Path) -> None:
    users = Users(tmp_path / "users.json")
    users.add("ann", "correct horse")
    given: dict[str, Any] = {"login": "always", "users": tmp_path / "users.json", "api": False}
    bearer = {"Authorization": f"Bearer {users.give_token('ann')}"}
    with answered(lambda *_: ScriptedPipeline(), metrics=True, **given) as address:
        assert status(address, "healthz")[0] == 200
        assert httpx.get(f"{address}readyz").json()["status"] in ("ready", "starting")
        assert httpx.get(f"{address}metrics").status_code == 401
        assert httpx.get(f"{address}metrics", headers=bearer).status_code == 200
    with answered(lambda *_: ScriptedPipeline(), **given) as address:
        assert httpx.get(f"{address}metrics", headers=bearer).status_code in (401, 404)
    with answered(lambda *_: ScriptedPipeline()) as address:
        assert httpx.get(f"{address}metrics").status_code == 404


def test_prometheus_counts_questions_by_what_became_of_them() -> None:
    refused: list[Step] = [PassagesFound((passage(1),)), Finished(refusal(SECRET, passage(1)))]
    pipeline = ScriptedPipeline(usual(), refused, [EngineError(SECRET)])
    with answered(lambda *_: pipeline, metrics=True) as address:
        while status(address)[0] != 200:
            pass
        statuses = [ask(address, question).status_code for question in (SECRET, SECRET, SECRET, "x" * 2001)]
        text = httpx.get(f"{address}metrics").text
    assert statuses == [200, 200, 503, 400]
    told = values(text)
    outcomes = {name[1]: value for name, value in told.items() if name[0] == "citeline_questions_total"}
    assert outcomes == {"answered": 1, "refused": 1, "failed": 1, "turned_away": 1, "left": 0}
    assert told["citeline_refusals_total", "unlikely"] == 1
    assert told["citeline_errors_total", "EngineError"] == told["citeline_errors_total", "QuestionError"] == 1
    assert told["citeline_first_token_seconds_sum",] == pytest.approx(0.9)
    assert told["citeline_answer_seconds_sum",] == pytest.approx(3.1 + 0.4)
    assert told["citeline_answer_seconds_bucket", "0.5"] == 1
    assert told["citeline_stage_seconds_sum", "retrieval"] == pytest.approx(0.05)
    assert told["citeline_questions_under_way",] == 0
    assert SECRET not in text
    assert "TikTok" not in text


def test_prometheus_is_told_of_the_library_and_of_tokens(library: Settings) -> None:
    with answered(replying, index=library.index, max_wrong=1.0, metrics=True) as address:
        while status(address)[0] != 200:
            pass
        usage = ask(address, QUESTION).json()["usage"]
        told = values(httpx.get(f"{address}metrics").text)
    assert (told["citeline_library", "articles"], told["citeline_library", "generation"]) == (2, 1)
    assert told["citeline_tokens_total", "prompt"] == usage["prompt_tokens"]
    assert told["citeline_tokens_total", "completion"] == 13  # the two sentences without their marks


def test_stages_follow_one_another_and_what_came_after_the_text_is_grounding() -> None:
    answer = usual()[-1]
    assert isinstance(answer, Finished)
    timings = Timings(retrieval=1.0, checking=3.0, first_token=4.5, generation=4.0, total=8.0)
    stages = stages_of(replace(answer.answer, timings=timings), finished=108.0, last_text=107.0)
    assert stages == (
        Stage("retrieval", 100.0, 1.0),
        Stage("checking", 101.0, 2.0),
        Stage("generation", 103.0, 4.0),
        Stage("grounding", 107.0, 1.0),
    )
    refused = replace(answer.answer, timings=Timings(retrieval=1.0, checking=1.0, total=2.0))
    assert [stage.name for stage in stages_of(refused, 102.0, 0.0)] == ["retrieval", "checking"]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ExportTraceServiceRequest]]:
    """What OpenTelemetry's exporter sends over loopback."""
    came: list[ExportTraceServiceRequest] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces":
                came.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    yield came
    server.shutdown()
    server.server_close()


def test_a_collector_gets_a_span_for_a_question_and_its_stages_in_the_trace_of_who_asked(
    collector: list[ExportTraceServiceRequest], library: Settings
) -> None:
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    with answered(replying, index=library.index, max_wrong=1.0) as address:
        while status(address)[0] != 200:
            pass
        assert ask(address, QUESTION, traceparent=f"00-{trace}-{parent}-01").status_code == 200
    spans = {
        span.name: span
        for sent in collector
        for resource in sent.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }
    question = spans.pop("question")
    assert (question.trace_id.hex(), question.parent_span_id.hex()) == (trace, parent)
    assert set(spans) <= {"standalone", "retrieval", "checking", "generation", "grounding"}
    assert "retrieval" in spans
    for stage in spans.values():
        assert stage.parent_span_id == question.span_id
        assert question.start_time_unix_nano <= stage.start_time_unix_nano <= stage.end_time_unix_nano
        assert stage.end_time_unix_nano <= question.end_time_unix_nano + 50_000_000
    attributes = {one.key: one.value for one in question.attributes}
    assert attributes["citeline.outcome"].string_value == "answered"
    assert attributes["gen_ai.usage.output_tokens"].int_value == 13
    assert "TikTok" not in str(collector)


def test_the_log_in_json_has_a_line_for_every_question_and_its_texts_only_where_a_setting_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "citeline")
    script: list[Step] = [PassagesFound((passage(1),)), TextPiece("It"), ValueError(SECRET)]
    for log_texts in (False, True):
        caplog.clear()
        pipeline = ScriptedPipeline(usual(SECRET), script)
        with answered(lambda *_, one=pipeline: one, log_format="json", log_texts=log_texts) as address:
            while status(address)[0] != 200:
                pass
            assert [ask(address, SECRET).status_code for _ in range(2)] == [200, 500]
        lines = [JsonLines().format(record) for record in caplog.records if record.name.startswith("citeline")]
        done, failed, why = map(json.loads, lines)
        assert (done["outcome"], done["level"], done["reason"]) == ("answered", "info", "answered")
        assert (failed["outcome"], failed["error"], failed["level"]) == ("failed", "ValueError", "warning")
        assert (why["message"], why["error"]) == ("A program's question could not be answered", "builtins.ValueError")
        assert ("how much" in "".join(lines) or SECRET in "".join(lines)) is log_texts
        assert ("question" in done) is log_texts


def test_a_failure_in_json_says_where_it_was(caplog: pytest.LogCaptureFixture) -> None:
    try:
        int(SECRET)
    except ValueError as error:
        log_failure(logging.getLogger("citeline"), "It failed", error, with_texts=False)
    [record] = caplog.records
    told = json.loads(JsonLines().format(record))
    assert told["message"] == "It failed"
    assert "test_watching.py" in told["causes"][0]["at"][0]
    assert SECRET not in str(told)
