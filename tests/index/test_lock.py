import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rag.errors import LibraryBusy
from rag.index import open_library, open_writer
from rag.index.lock import HOLDER
from tests.index.shelf import IDENTITY, make_library, put, state, worded

HOLD = """
import sys
from pathlib import Path
from rag.index import open_writer
from tests.index.shelf import IDENTITY
with open_writer(Path(sys.argv[1]), IDENTITY):
    print("holding", flush=True)
    sys.stdin.readline()
"""


def test_a_second_writer_is_told_who_the_first_one_is(tmp_path: Path) -> None:
    with open_writer(tmp_path, IDENTITY):
        with pytest.raises(LibraryBusy) as caught, open_writer(tmp_path, IDENTITY):
            pass
        assert re.sub(r"\d\d:\d\d", "10:32", str(caught.value)) == (
            f"Another `rag index` (process {os.getpid()}, since 10:32) is writing to {tmp_path}; wait for it to end."
        )


def test_the_lock_holds_against_another_process_and_is_free_when_that_is_killed(tmp_path: Path) -> None:
    make_library(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout
        assert child.stdout.readline() == "holding\n"
        with pytest.raises(LibraryBusy, match=f"process {child.pid},"), open_writer(tmp_path, IDENTITY):
            pass
        with open_library(tmp_path, IDENTITY) as library:
            assert worded(library, "rust") == ["iron:0"]
        child.kill()
        child.wait(timeout=20)
    assert (tmp_path / HOLDER).exists()
    with open_writer(tmp_path, IDENTITY) as writer:
        put(writer, "wood", "Wood floats.")
        writer.commit()
    assert state(tmp_path)["generation"] == 2
    assert not (tmp_path / HOLDER).exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"pid": 1}', "null"])
def test_a_holder_who_can_not_be_read_is_another_process(content: str, tmp_path: Path) -> None:
    with open_writer(tmp_path, IDENTITY):
        (tmp_path / HOLDER).write_text(content)
        with (
            pytest.raises(LibraryBusy, match=r"Another process is writing to .*; wait for it to end"),
            open_writer(tmp_path, IDENTITY),
        ):
            pass


def test_a_holder_on_another_machine_is_named_with_it_and_an_earlier_day_with_its_date(tmp_path: Path) -> None:
    with open_writer(tmp_path, IDENTITY):
        (tmp_path / HOLDER).write_text(
            '{"pid": 7, "command": "rag index", "host": "elsewhere", "since": "2024-05-01T12:00:00+00:00"}'
        )
        with (
            pytest.raises(LibraryBusy, match=r"process 7 on elsewhere, since 2024-05-01 \d\d:\d\d"),
            open_writer(tmp_path, IDENTITY),
        ):
            pass


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(RuntimeError, match="stop"), open_writer(tmp_path, IDENTITY):
            raise RuntimeError("stop")
