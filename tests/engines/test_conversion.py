import shutil
import threading
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from rag.engines.conversion import converted, parameter_count
from rag.engines.transformers_steps import open_transformers
from rag.errors import DiskFull, EngineError
from rag.types import Limits, Prompt
from tests.engines.helpers import answer
from tests.engines.runtimes import silent
from tests.engines.tiny_gguf import TOKENS, WIDTH, write_tiny_gguf

Usage = namedtuple("Usage", "total used free")

PARAMETERS = 2 * len(TOKENS) * WIDTH + 3 * WIDTH + 7 * WIDTH**2
"""Two matrices for the tokens, three norms, seven projections."""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny_gguf(tmp_path / "tiny.gguf", {"z": 1.0})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "tiny.bf16"


def answers(folder: Path) -> str:
    engine = open_transformers(folder, "tiny", 256, 1)
    try:
        return answer(engine, Prompt("Be kind.", ("A passage.",), "Why?"), Limits(3))
    finally:
        engine.close()


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    return {file.name: (file.stat().st_mtime_ns, file.stat().st_ino) for file in [folder, *folder.iterdir()]}


def left_in(place: Path) -> set[str]:
    """Without the lock, which stays: removing it would let two processes hold it."""
    return {file.name for file in place.iterdir() if file.suffix != ".lock"}


def test_a_converted_reader_says_the_same(tiny: Path, folder: Path) -> None:
    assert converted(tiny, folder, silent) == folder
    assert answers(folder) == "zzz"
    assert left_in(tiny.parent) == {"tiny.gguf", "tiny.bf16"}


def test_weights_are_dense_bfloat16(tiny: Path, folder: Path) -> None:
    converted(tiny, folder, silent)
    assert sum(file.stat().st_size for file in folder.glob("*.safetensors")) == pytest.approx(2 * PARAMETERS, abs=4096)


def test_a_reader_is_converted_once(tiny: Path, folder: Path) -> None:
    converted(tiny, folder, silent)
    before = contents(folder)
    reports: list[Any] = []
    converted(tiny, folder, lambda *report: reports.append(report))
    assert contents(folder) == before
    assert reports == []


def test_a_converted_reader_needs_its_gguf_file_no_more(tiny: Path, folder: Path) -> None:
    converted(tiny, folder, silent)
    tiny.unlink()
    assert answers(converted(tiny, folder, silent)) == "zzz"


def test_progress_goes_up_to_the_end_and_no_bars_are_drawn(
    tiny: Path, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    reports: list[tuple[str, int, int]] = []
    converted(tiny, folder, lambda *report: reports.append(report))
    assert reports == [("Preparing the reader for transformers (once)", done, 12) for done in range(13)]
    assert capfd.readouterr() == ("", "")


class Interrupted(BaseException):
    pass


@pytest.mark.parametrize("tensor", [0, 5, 12])
def test_a_conversion_that_is_interrupted_leaves_nothing_and_can_be_repeated(
    tensor: int, tiny: Path, folder: Path
) -> None:
    def report(_: str, done: int, __: int) -> None:
        if done == tensor:
            raise Interrupted

    with pytest.raises(Interrupted):
        converted(tiny, folder, report)
    assert left_in(tiny.parent) == {"tiny.gguf"}
    assert answers(converted(tiny, folder, silent)) == "zzz"


def test_what_a_killed_conversion_left_is_swept_away(tiny: Path, folder: Path) -> None:
    unfinished = folder.with_suffix(".partial")
    unfinished.mkdir()
    (unfinished / "model.safetensors").write_bytes(b"half of it")
    assert answers(converted(tiny, folder, silent)) == "zzz"
    assert left_in(tiny.parent) == {"tiny.gguf", "tiny.bf16"}


def test_two_that_convert_at_once_get_one_result(tiny: Path, folder: Path) -> None:
    reports: list[list[int]] = [[], []]

    def convert(mine: list[int]) -> None:
        converted(tiny, folder, lambda _, done, __: mine.append(done))

    threads = [threading.Thread(target=convert, args=(mine,)) for mine in reports]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, reports)) == [0, 13]
    assert answers(folder) == "zzz"


def test_too_little_room_is_said_before_anything_is_written(
    tiny: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two bytes a weight and a tenth to spare.
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, PARAMETERS * 22 // 10 - 1))
    with pytest.raises(DiskFull, match="RAG_ENGINE=llama_cpp"):
        converted(tiny, folder, silent)
    assert left_in(tiny.parent) == {"tiny.gguf"}
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, PARAMETERS * 22 // 10))
    assert converted(tiny, folder, silent).is_dir()


def test_the_numbers_that_disagree_are_named(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.engines.conversion.parameter_count", lambda _: 1_500_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12, 1_230_000_000))
    with pytest.raises(DiskFull, match=r"needs 3\.3 GB in .*, which has 1\.2 GB left"):
        converted(tiny, tmp_path / "new.bf16", silent)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_disk_that_fills_up_meanwhile_is_said_to_be_full(name: str, tiny: Path, folder: Path) -> None:
    unfinished = folder.with_suffix(".partial")

    def report(_: str, done: int, total: int) -> None:
        if done == total:
            unfinished.mkdir()
            (unfinished / name).symlink_to("/dev/full")

    with pytest.raises(DiskFull, match="RAG_MODELS"):
        converted(tiny, folder, report)
    assert left_in(tiny.parent) == {"tiny.gguf"}


def test_a_reader_that_transformers_doesnt_know_is_refused_with_what_runs_it(tiny: Path, folder: Path) -> None:
    tiny.write_bytes(tiny.read_bytes().replace(b"llama", b"alpac"))
    with pytest.raises(EngineError, match=r"can't convert .*tiny\.gguf.*RAG_ENGINE=llama_cpp"):
        converted(tiny, folder, silent)
    assert left_in(tiny.parent) == {"tiny.gguf"}


@pytest.mark.parametrize("content", [b"", b"GGUF", b"An article about boats."])
def test_a_file_that_is_no_gguf_is_refused_by_name(content: bytes, tiny: Path, folder: Path) -> None:
    tiny.write_bytes(content)
    with pytest.raises(EngineError, match=r"tiny\.gguf is not a readable GGUF file"):
        converted(tiny, folder, silent)
    assert left_in(tiny.parent) == {"tiny.gguf"}


def test_weights_are_counted(tiny: Path) -> None:
    assert parameter_count(tiny) == PARAMETERS
