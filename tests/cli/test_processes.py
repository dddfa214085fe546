"""`rag` as a process of its own: stopped, doubled, without room, without rights, without anybody who listens."""

import os
import pty
import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from rag.index import open_library
from tests.cli.commands import RAG, RAG_WITH_WORDS, powerless, run, start
from tests.cli.with_words import PAUSED, PAUSING

Settings = dict[str, str | Path]


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Articles for five groups that are embedded together."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number:03}.txt").write_text(f"Stone {number} is heavy. " * 20, encoding="utf-8")
    return folder


def counted(settings: Settings) -> tuple[int, int]:
    """Articles in the library, and its generation."""
    with open_library(Path(settings["RAG_INDEX"])) as library:
        return library.count().documents, library.generation


@pytest.fixture
def paused(many: Path, small_library: Settings) -> Iterator["subprocess.Popen[str]"]:
    """`rag index` that has stored two groups of `many` and is embedding the third."""
    command = start(RAG_WITH_WORDS, "index", many, settings={**small_library, PAUSING: "3"})
    assert command.stderr
    while command.stderr.readline() != f"{PAUSED}\n":
        assert command.poll() is None
    yield command
    command.kill()
    command.communicate()


def test_ctrl_c_stops_indexing_with_one_line_and_the_old_library_answers(
    paused: "subprocess.Popen[str]", many: Path, small_library: Settings
) -> None:
    paused.send_signal(signal.SIGINT)
    out, err = paused.communicate(timeout=30)
    assert (paused.returncode, out, err) == (130, "", "Stopped.\n")
    assert counted(small_library) == (2, 1)
    assert "3 million marks" in run(RAG_WITH_WORDS, "ask", "What did the harbour cost?", settings=small_library).done
    assert "300 added, 0 updated" in run(RAG_WITH_WORDS, "index", many, settings=small_library).done
    assert counted(small_library) == (302, 2)


def test_a_second_rag_index_is_told_of_the_first(
    paused: "subprocess.Popen[str]", articles: Path, small_library: Settings
) -> None:
    second = run(RAG_WITH_WORDS, "index", articles, settings=small_library)
    assert second.status == 1
    assert second.complaint.startswith(f"Another `rag index` (process {paused.pid}, since ")
    assert second.complaint.endswith("; wait for it to end.")
    assert counted(small_library) == (2, 1)


def test_a_killed_rag_index_does_not_hinder_the_next(
    paused: "subprocess.Popen[str]", many: Path, small_library: Settings
) -> None:
    paused.kill()
    paused.communicate()
    assert "302 articles in the library" in run(RAG_WITH_WORDS, "index", many, settings=small_library).done


def test_where_files_may_not_grow_indexing_fails_with_one_line_and_the_old_library_answers(
    many: Path, small_library: Settings
) -> None:
    limit = 200_000

    def less_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = run(RAG_WITH_WORDS, "index", many, settings=small_library, before=less_room)
    assert done.status == 1
    assert done.complaint.startswith(f"No room left on the disk of {small_library['RAG_INDEX']}; the library stays")
    assert counted(small_library) == (2, 1)
    assert "302 articles" in run(RAG_WITH_WORDS, "index", many, settings=small_library).done


def test_a_library_that_may_not_be_written_is_asked_but_not_changed(articles: Path, small_library: Settings) -> None:
    library = Path(small_library["RAG_INDEX"])
    (articles / "new.txt").write_text("Something new.", encoding="utf-8")
    for path in library.iterdir():
        path.chmod(0o444)
    library.chmod(0o555)
    try:
        done = run(RAG_WITH_WORDS, "index", articles, settings=small_library, before=powerless)
        asked = run(RAG_WITH_WORDS, "ask", "What did it cost?", settings=small_library, before=powerless)
    finally:
        library.chmod(0o755)
    assert done.status == 1
    assert f"{library} can't be written" in done.complaint
    assert "3 million marks" in asked.done


def test_output_that_nobody_reads_to_its_end_is_no_trouble(small_library: Settings) -> None:
    command = start(RAG, "status", settings=small_library)
    assert command.stdout
    command.stdout.close()
    assert command.stderr
    assert command.stderr.read() == ""
    command.stderr.close()
    assert command.wait(timeout=30) == 1


def test_output_to_a_full_disk_is_a_failure_of_one_line(small_library: Settings) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("wb") as full:
        done = run(RAG, "status", settings=small_library, stdout=full)
    assert done.status == 1
    assert "No space left on device" in done.complaint


def test_a_terminal_that_lacks_characters_shows_the_others(small_library: Settings) -> None:
    ascii_only = {**small_library, "PYTHONIOENCODING": "ascii"}
    shown = run(RAG_WITH_WORDS, "ask", "What did the harbour cost?", settings=ascii_only).done
    assert "?It cost 3 million marks.?" in shown
    as_json = run(RAG_WITH_WORDS, "ask", "--json", "Café?", settings=ascii_only).done
    assert '"question": "Café?"' in as_json


def test_closed_input_and_output_are_no_trouble(small_library: Settings) -> None:
    def closed() -> None:
        os.close(0)
        os.close(1)

    done = run(RAG, "ask", "-", settings=small_library, before=closed)
    assert done.status == 2
    assert done.complaint.startswith("The question is empty.")
    assert run(RAG, "status", settings=small_library, before=closed).status == 0


def test_a_terminal_shows_the_draft_while_it_is_written_and_then_the_answer(small_library: Settings) -> None:
    controller, terminal = pty.openpty()
    settings = {**small_library, "TERM": "xterm", "COLUMNS": "100"}
    command = start(RAG_WITH_WORDS, "ask", "What did the harbour cost?", settings=settings, stdout=terminal)
    os.close(terminal)
    shown = "".join(written_to(controller))
    assert command.communicate()[1].startswith("Loading ")
    assert command.returncode == 0
    draft, answer = shown.split("It cost 3 million marks. [1] Purple elephants juggle volcanoes. (not supported)")
    assert draft.index("Reading the passages") < draft.index("It cost 3 million marks")
    assert "Sources" not in draft
    assert "Sources\r\n[1] Harbour · harbour.txt\r\n    “It cost 3 million marks.”\r\n" in answer


def written_to(controller: int) -> Iterator[str]:
    """All that is written to the terminal of this controller until nobody has it open any more."""
    with open(controller, encoding="utf-8", newline="") as terminal, suppress(OSError):  # Linux's word for the end
        while character := terminal.read(1):
            yield character
