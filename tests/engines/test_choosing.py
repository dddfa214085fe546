"""Which engine is taken, and what is said when none can be."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gguf
import numpy as np
import psutil
import pytest

from rag.engines import open_engine, remembered_choice
from rag.engines.choosing import EngineChoice, choose_engine, remember, remembered, situation
from rag.errors import EngineError
from rag.types import Limits, Prompt
from tests.engines.helpers import answer
from tests.engines.tiny_gguf import write_tiny_gguf
from tests.fakes import ScriptedEngine

CHOICE = EngineChoice("transformers", 4.5, 2.25)
NO_ROOM = EngineChoice("llama_cpp", 4.5, None)


def silent(*_: Any) -> None:
    pass


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny_gguf(tmp_path / "tiny.gguf", {"a": 1.0})


class TimedEngine(ScriptedEngine):
    """Reads `read` seconds, then writes a word every `write` seconds."""

    name = "llama_cpp"

    def __init__(self, read: float, write: float, words: int = 17) -> None:
        super().__init__()
        self.read = read
        self.write = write
        self.words = words

    def stream(self, prompt: Prompt, limits: Limits) -> Iterator[str]:
        self.prompts.append(prompt)
        yield ""
        time.sleep(self.read)
        for _ in range(min(self.words, limits.max_tokens)):
            yield "word "
            time.sleep(self.write)


# What was chosen is remembered


@pytest.mark.parametrize("choice", [CHOICE, NO_ROOM])
def test_a_choice_is_remembered(tmp_path: Path, choice: EngineChoice) -> None:
    remember(tmp_path / "note.json", "here", choice)
    assert remembered(tmp_path / "note.json", "here") == choice
    assert [file.name for file in tmp_path.iterdir()] == ["note.json"]


def test_a_choice_made_in_another_situation_is_not_remembered(tmp_path: Path) -> None:
    remember(tmp_path / "note.json", "here", CHOICE)
    assert remembered(tmp_path / "note.json", "there") is None


def test_the_last_choice_is_the_one_remembered(tmp_path: Path) -> None:
    remember(tmp_path / "note.json", "here", CHOICE)
    remember(tmp_path / "note.json", "there", NO_ROOM)
    assert remembered(tmp_path / "note.json", "here") is None
    assert remembered(tmp_path / "note.json", "there") == NO_ROOM


DAMAGED = [
    b"",
    b"{",
    b"[]",
    b'"here"',
    b"\xff\xfe",
    b'{"key": "here"}',
    b'{"key": "here", "choice": null}',
    b'{"key": "here", "choice": {"engine": "llama_cpp"}}',
    b'{"key": "here", "choice": {"engine": "a", "llama_cpp_seconds": 1, "transformers_seconds": 2, "more": 3}}',
]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_note_is_no_note(tmp_path: Path, content: bytes) -> None:
    note = tmp_path / "note.json"
    note.write_bytes(content)
    assert remembered(note, "here") is None
    remember(note, "here", CHOICE)
    assert remembered(note, "here") == CHOICE


def test_a_place_that_cant_be_written_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    note = tmp_path / "file" / "note.json"
    remember(note, "here", CHOICE)
    assert remembered(note, "here") is None


def test_a_note_that_cant_be_finished_leaves_nothing(tmp_path: Path) -> None:
    note = tmp_path / "note.json"
    note.mkdir()
    remember(note, "here", CHOICE)
    assert list(tmp_path.iterdir()) == [note]


def test_another_file_or_another_number_of_threads_is_another_situation(tiny: Path, tmp_path: Path) -> None:
    longer = tmp_path / "longer" / tiny.name
    longer.parent.mkdir()
    longer.write_bytes(tiny.read_bytes() + b"\0")
    renamed = tmp_path / "renamed.gguf"
    renamed.write_bytes(tiny.read_bytes())
    assert len({situation(file, threads) for file in (tiny, longer, renamed) for threads in (1, 2)}) == 6
    assert situation(tiny, 2) == situation(tiny, 2)


def test_what_was_remembered_for_a_model_is_found_by_its_file(tiny: Path) -> None:
    assert remembered_choice(tiny, 3) is None
    remember(tiny.with_suffix(".engine.json"), situation(tiny, 3), CHOICE)
    assert remembered_choice(tiny, 3) == CHOICE
    assert remembered_choice(tiny, 4) is None


# What is chosen


def memory_left(monkeypatch: pytest.MonkeyPatch, available: int) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=available))


def write_huge_gguf(file: Path, parameters: int) -> Path:
    """A file that declares so many weights; their zeros take no room on the disk."""
    writer = gguf.GGUFWriter(file, "llama")
    writer.add_tensor_info("weights", (parameters,), np.dtype(np.float32), parameters * 4)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size + parameters * 4 + 64)
    return file


def test_a_slow_llama_cpp_loses(tiny: Path) -> None:
    # 201 words are read in 0.05 s and one is written in 0.01 s: 600 take 0.15 s, 40 take 0.4 s.
    choice = choose_engine(TimedEngine(read=0.05, write=0.01), tiny)
    assert choice.engine == "transformers"
    assert choice.llama_cpp_seconds == pytest.approx(0.55, rel=0.5)
    assert choice.transformers_seconds is not None
    assert choice.transformers_seconds < choice.llama_cpp_seconds


def test_how_fast_the_chosen_engine_reads_and_writes_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory_left(monkeypatch, 123)
    # 201 words in 0.4 s, and one in 0.02 s.
    choice = choose_engine(TimedEngine(read=0.4, write=0.02), write_huge_gguf(tmp_path / "huge.gguf", 10**9))
    assert choice.engine == "llama_cpp"
    assert choice.reading == pytest.approx(0.002, rel=0.5)
    assert choice.writing == pytest.approx(0.02, rel=0.5)
    assert choice.memory == 123
    assert 0 <= choice.others <= 1


def test_what_other_programs_take_meanwhile_is_noted(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory_left(monkeypatch, 0)
    # An orphan: what this process starts would count as its own work. It ends by itself if the test can't end it.
    busy = "import time; until = time.time() + 60\nwhile time.time() < until: pass"
    shell = ["sh", "-c", '"$@" >&- & echo $!', "sh", sys.executable, "-c", busy]
    started = subprocess.run(shell, stdout=subprocess.PIPE, check=True, text=True)
    try:
        assert choose_engine(TimedEngine(read=1.0, write=0.0), tiny).others > 0
    finally:
        os.kill(int(started.stdout), signal.SIGKILL)


def test_a_fast_llama_cpp_wins(tmp_path: Path) -> None:
    choice = choose_engine(TimedEngine(read=0.0, write=0.0), write_huge_gguf(tmp_path / "huge.gguf", 10**9))
    assert choice.engine == "llama_cpp"
    assert choice.transformers_seconds is not None
    assert choice.transformers_seconds > choice.llama_cpp_seconds


def test_transformers_is_out_of_the_question_where_dense_weights_dont_fit(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory_left(monkeypatch, 1_000_000_000)
    choice = choose_engine(TimedEngine(read=0.05, write=0.01), tiny)
    assert (choice.engine, choice.transformers_seconds) == ("llama_cpp", None)


def test_a_reader_with_nothing_to_say_is_no_trouble(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory_left(monkeypatch, 0)
    assert choose_engine(TimedEngine(read=0.0, write=0.0, words=0), tiny).engine == "llama_cpp"


# What is opened


@pytest.mark.parametrize("engine", ["llama_cpp", "transformers"])
def test_auto_opens_what_was_remembered_and_measures_nothing(tiny: Path, engine: str) -> None:
    remember(tiny.with_suffix(".engine.json"), situation(tiny, 1), EngineChoice(engine, 1.0, 1.0))
    reports: list[str] = []
    opened = open_engine("auto", tiny, "tiny", 256, 1, lambda what, *_: reports.append(what))
    try:
        assert opened.name == engine
        assert (opened.model, opened.context_tokens) == ("tiny", 256)
        assert answer(opened, Prompt("", (), ""), Limits(3)) == "aaa"
    finally:
        opened.close()
    assert not any("Measuring" in what for what in reports)


def test_auto_measures_once(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory_left(monkeypatch, 0)
    for expected in (3, 0):
        reports: list[tuple[str, int, int]] = []
        opened = open_engine("auto", tiny, "tiny", 1024, 1, lambda *report: reports.append(report))  # noqa: B023
        opened.close()
        assert opened.name == "llama_cpp"
        assert [report for report in reports if "Measuring" in report[0]] == [
            ("Measuring which engine is faster here (once)", done, 2) for done in range(expected)
        ]
    assert json.loads(tiny.with_suffix(".engine.json").read_text())["choice"]["engine"] == "llama_cpp"


def refused(choice: str, path: Path) -> str:
    with pytest.raises(EngineError) as caught:
        open_engine(choice, path, "some-reader", 256, 1, silent)
    return str(caught.value)


def test_llama_cpp_refuses_a_folder_and_says_what_would_do(tmp_path: Path) -> None:
    message = refused("llama_cpp", tmp_path)
    assert "some-reader is a folder of Hugging Face weights" in message
    assert "RAG_ENGINE=transformers" in message


def test_an_unknown_engine_is_refused_with_those_there_are(tiny: Path) -> None:
    message = refused("vllm", tiny)
    assert "no engine 'vllm'" in message
    assert "auto, llama_cpp or transformers" in message


NOT_A_MODEL: list[Callable[[bytes], bytes]] = [
    lambda _: b"",
    lambda _: b"GGUF",
    lambda _: b"An article about boats.\n" * 100,
    lambda whole: whole[: len(whole) // 2],
]


@pytest.mark.parametrize("content", NOT_A_MODEL, ids=["empty", "four bytes", "text", "half of it"])
@pytest.mark.parametrize("engine", ["llama_cpp", "transformers", "auto"])
def test_a_file_that_is_no_whole_gguf_is_refused_by_name(
    engine: str, content: Callable[[bytes], bytes], tiny: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tiny.write_bytes(content(tiny.read_bytes()))
    message = refused(engine, tiny)
    assert str(tiny) in message
    assert "rag models verify" in message
    assert ".." not in message
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("engine", ["transformers", "auto"])
def test_a_folder_without_weights_is_refused_by_name(engine: str, tmp_path: Path) -> None:
    message = refused(engine, tmp_path)
    assert str(tmp_path) in message
    assert "rag models verify" in message
