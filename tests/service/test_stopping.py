"""Servers as processes: the end that lets answers finish, and workers of which one dies."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI

from rag.service import Stopping, Workers
from rag.settings import Settings
from tests.browser import free_port
from tests.cli.commands import ROOT, environment
from tests.service.conftest import FANTASY, SENTENCE, replying
from tests.service.server import SLOWLY

QUESTION = "How much does TikTok pay Microsoft?"


@contextmanager
def process(library: Settings, workers: int, **more: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A server that is ready, and its address."""
    port = free_port()
    settings = {"RAG_INDEX": str(library.index), "RAG_PORT": str(port), "RAG_MAX_WRONG": "1", **more}
    command = [sys.executable, "-m", "tests.service.server", str(workers)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment(settings), cwd=ROOT) as server:
        address = f"http://127.0.0.1:{port}/"
        try:
            until_ready(server, address)
            yield server, address
        finally:
            if server.poll() is None:
                server.kill()


def until_ready(server: "subprocess.Popen[str]", address: str) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        assert server.poll() is None, server.communicate()[1]
        try:
            if httpx.get(f"{address}readyz", timeout=10).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise AssertionError("it did not become ready")


def client_of(address: str) -> OpenAI:
    return OpenAI(base_url=f"{address}v1", api_key="none", max_retries=0, timeout=60)


def test_sigterm_lets_a_streamed_answer_end_whole_takes_no_other_and_ends_with_status_0(library: Settings) -> None:
    with process(library, 0, **{SLOWLY: "0.03"}) as (server, address), client_of(address) as client:
        chunks = client.chat.completions.create(
            model="citeline", messages=[{"role": "user", "content": QUESTION}], stream=True
        )
        text, stopped = "", False
        for chunk in chunks:
            text += chunk.choices[0].delta.content or ""
            if not stopped and "TikTok" in (getattr(chunk.choices[0].delta, "reasoning_content", None) or ""):
                stopped = True
                server.send_signal(signal.SIGTERM)
                time.sleep(0.2)
                assert httpx.get(f"{address}readyz", timeout=20).json() == {"status": "stopping"}
                with pytest.raises(openai.InternalServerError, match="stopping"):
                    client.chat.completions.create(model="citeline", messages=[{"role": "user", "content": "?"}])
        assert stopped
        assert text == f"{SENTENCE} [1] {FANTASY} (not supported)"
        assert chunk.choices[0].finish_reason == "stop"
        assert server.wait(60) == 0


def test_the_end_waits_no_longer_than_a_setting_says(library: Settings) -> None:
    with process(library, 0, **{SLOWLY: "2", "RAG_STOP_SECONDS": "0.5"}) as (server, address):
        body = {"model": "citeline", "messages": [{"role": "user", "content": QUESTION}], "stream": True}
        with httpx.stream("POST", f"{address}v1/chat/completions", json=body, timeout=60) as answer:
            lines = answer.iter_lines()
            next(lines)
            began = time.monotonic()
            server.send_signal(signal.SIGTERM)
            assert "citeline was closed" in "".join(lines).lower()
            assert server.wait(60) == 0
            assert time.monotonic() - began < 30


def test_a_worker_that_dies_ends_what_it_was_streaming_with_an_error_and_nothing_else(library: Settings) -> None:
    with process(library, 2, RAG_METRICS="1") as (server, address), client_of(address) as client:

        def ask(question: str) -> str | None:
            messages: Any = [{"role": "user", "content": question}]
            return client.chat.completions.create(model="citeline", messages=messages).choices[0].message.content

        assert ask(QUESTION) == f"{SENTENCE} [1] {FANTASY} (not supported)"
        dying = client.chat.completions.create(
            model="citeline", messages=[{"role": "user", "content": "die?"}], stream=True
        )
        with pytest.raises(openai.APIError, match="The process that was answering has ended"):
            list(dying)
        until_ready(server, address)
        assert ask(QUESTION)
        counted = httpx.get(f"{address}metrics", timeout=30).text
        assert 'citeline_questions_total{outcome="answered"} 2.0' in counted
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
        left = subprocess.run(["pgrep", "-P", str(os.getpid()), "-f", "tests.service.server"], check=False)
        assert left.returncode == 1


def test_the_sockets_of_workers_lie_where_nobody_else_may_enter_and_are_gone_at_the_end(library: Settings) -> None:
    workers = Workers(library, replying, Stopping())
    workers.start(0)
    folder = workers.folder
    assert folder is not None
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    workers.close()
    assert not folder.exists()
