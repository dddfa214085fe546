"""What only the server in a child process can get wrong: its folder, its socket, its end."""

import gc
import os
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rag.engines import begin_engine, open_engine
from rag.engines.llama_server import LlamaServerEngine
from rag.errors import EngineError
from rag.types import Limits, Prompt
from tests.engines.helpers import answer
from tests.engines.runtimes import open_runtime
from tests.engines.tiny_gguf import CONTEXT, write_tiny_gguf

ROOT = Path(__file__).parents[2]

PROMPT = Prompt("Be kind.", ("A passage.",), "Why?")
LONG = Prompt("", ("x" * (CONTEXT // 2),), "")
"""Several batches."""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny_gguf(tmp_path / "tiny.gguf", {"z": 1.0})


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made during the test."""
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def engine(tiny: Path, temporary: Path) -> Iterator[LlamaServerEngine]:  # noqa: ARG001  before it is opened
    engine = open_server(tiny)
    yield engine
    engine.close()


def open_server(file: Path) -> LlamaServerEngine:
    engine = open_runtime("xllamacpp", file, file.parent)
    assert isinstance(engine, LlamaServerEngine)
    return engine


def socket_in(temporary: Path) -> Path:
    (socket,) = temporary.glob("*/*")
    return socket


def test_only_this_user_may_enter_the_folder_of_the_socket(engine: LlamaServerEngine, temporary: Path) -> None:
    socket = socket_in(temporary)
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    assert stat.S_ISSOCK(socket.stat().st_mode)
    assert answer(engine, PROMPT, Limits(2)) == "zz"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guess"}])
def test_requests_without_the_key_are_refused(
    engine: LlamaServerEngine, temporary: Path, headers: dict[str, str]
) -> None:
    assert engine.name == "llama_cpp"
    transport = httpx.HTTPTransport(uds=str(socket_in(temporary)))
    with httpx.Client(transport=transport, base_url="http://llama", headers=headers) as stranger:
        for path in ("/completion", "/tokenize", "/apply-template"):
            assert stranger.post(path, json={"prompt": "a", "content": "a"}).status_code == httpx.codes.UNAUTHORIZED


def test_closing_removes_the_folder(engine: LlamaServerEngine, temporary: Path) -> None:
    engine.close()
    assert list(temporary.iterdir()) == []


def test_a_file_that_cant_be_loaded_leaves_no_folder(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "not.gguf").write_text("An article about boats.")
    with pytest.raises(EngineError):
        open_server(tmp_path / "not.gguf")
    gc.collect()
    assert list(temporary.iterdir()) == []


def test_an_engine_that_nobody_holds_leaves_no_folder(tiny: Path, temporary: Path) -> None:
    engine = open_server(tiny)
    assert len(list(temporary.iterdir())) == 1
    del engine
    gc.collect()
    assert list(temporary.iterdir()) == []


def test_a_process_that_ends_without_closing_leaves_no_folder(tiny: Path, temporary: Path) -> None:
    script = (
        "import sys, pathlib; from tests.engines.runtimes import open_runtime;"
        "file = pathlib.Path(sys.argv[1]); engine = open_runtime('xllamacpp', file, file.parent); sys.exit(7)"
    )
    command = [sys.executable, "-c", script, str(tiny)]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (7, b"", b"")
    assert list(temporary.iterdir()) == []


def test_a_process_that_is_killed_leaves_neither_folder_nor_server(tiny: Path, temporary: Path) -> None:
    script = (
        "import os, sys, pathlib; from rag.engines import begin_engine;"
        "begun = begin_engine('llama_cpp', pathlib.Path(sys.argv[1]), 256, 1); begun.wait(); os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "TMPDIR": str(temporary)}
    ended = subprocess.run([sys.executable, "-c", script, str(tiny)], cwd=ROOT, env=environment, check=False)
    assert ended.returncode == -9
    deadline = time.monotonic() + 60
    while list(temporary.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_was_begun_is_what_is_opened(tiny: Path, temporary: Path) -> None:
    begun = begin_engine("llama_cpp", tiny, CONTEXT, 1)
    assert begun
    engine = open_engine("llama_cpp", tiny, "tiny", CONTEXT, 1, lambda *_: None, begun=begun)
    assert socket_in(temporary) == Path(begun.socket)
    assert answer(engine, PROMPT, Limits(2)) == "zz"
    engine.close()
    assert list(temporary.iterdir()) == []


def test_a_file_that_cant_be_loaded_is_said_when_it_is_waited_for(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "not.gguf").write_text("An article about boats.")
    begun = begin_engine("llama_cpp", tmp_path / "not.gguf", CONTEXT, 1)
    assert begun
    with pytest.raises(EngineError, match=r"can't load .*not\.gguf"):
        begun.wait()
    assert list(temporary.iterdir()) == []


def test_nothing_is_begun_where_the_engine_isnt_known_to_be_llama_cpp(tiny: Path, temporary: Path) -> None:
    assert begin_engine("transformers", tiny, CONTEXT, 1) is None
    assert begin_engine("auto", tiny, CONTEXT, 1) is None, "nothing was measured yet"
    assert begin_engine("llama_cpp", tiny.parent, CONTEXT, 1) is None, "a folder"
    assert list(temporary.iterdir()) == []


def test_a_long_path_to_temporary_folders_is_no_trouble(
    tiny: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = temporary / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    engine = open_server(tiny)
    assert answer(engine, PROMPT, Limits(2)) == "zz"
    engine.close()
    assert list(deep.iterdir()) == []


def test_an_iterator_that_is_dropped_lets_the_next_prompt_in(engine: LlamaServerEngine) -> None:
    pieces = engine.stream(LONG, Limits(100))
    next(pieces)
    del pieces
    assert answer(engine, PROMPT, Limits(2)) == "zz"


def test_an_iterator_left_open_says_that_the_engine_was_closed(engine: LlamaServerEngine) -> None:
    pieces = engine.stream(LONG, Limits(CONTEXT // 3))
    next(pieces)
    engine.close()
    with pytest.raises(EngineError, match="doesn't answer"):
        list(pieces)


def test_closing_ends_the_wait_of_another_thread(engine: LlamaServerEngine) -> None:
    started = threading.Event()
    caught: list[Exception] = []

    def ask() -> None:
        try:
            for number in range(1_000_000):
                for _ in engine.stream(Prompt("", ("x" * 300,), str(number)), Limits(300)):
                    started.set()
        except EngineError as error:
            caught.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    assert started.wait(20)
    engine.close()
    asking.join(20)
    assert not asking.is_alive()
    assert len(caught) == 1


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # httpcore leaves a socket open when it can't connect
def test_a_server_that_cant_be_reached_is_an_error_with_a_way_out(engine: LlamaServerEngine, temporary: Path) -> None:
    warming = engine.warm(PROMPT)
    socket_in(temporary).unlink()
    for use in (lambda: list(warming), lambda: engine.count_tokens("a"), lambda: engine.choose(PROMPT, ("Y", "N"))):
        with pytest.raises(EngineError, match="Start Citeline again"):
            use()
