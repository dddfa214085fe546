"""The file of conversations: many writers, full disks, damage, other versions."""

import multiprocessing
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from rag.conversations import EVERYONE, FILE, Conversations
from rag.errors import DiskFull, RagError
from rag.exchanges import Draft, Exchange, Stopped
from tests.conversations.samples import COST, FIRST, document, passage

ROOT = Path(__file__).parents[2]
DRAFT = Draft("Searching the articles")
ROUNDS = 12


def talk(folder: Path, owner: str) -> None:
    """A conversation of `ROUNDS` exchanges, through a connection of its own."""
    with Conversations(folder) as saved:
        ident = None
        for number in range(ROUNDS):
            place = saved.ask(owner, f"Question {number}?", DRAFT, ident)
            assert saved.record(place, COST)
            ident = place.conversation
            assert saved.search(owner, "question")


def test_threads_and_processes_write_side_by_side(tmp_path: Path) -> None:
    owners = [f"process {number}" for number in range(3)]
    processes = [multiprocessing.get_context("spawn").Process(target=talk, args=(tmp_path, owner)) for owner in owners]
    for process in processes:
        process.start()
    with Conversations(tmp_path) as saved:

        def share_one(owner: str) -> None:
            ident = None
            for number in range(ROUNDS):
                place = saved.ask(owner, f"Question {number}?", DRAFT, ident)
                saved.record(place, COST)
                ident = place.conversation

        names = [f"thread {number}" for number in range(4)]
        threads = [threading.Thread(target=share_one, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0] * len(processes)
        for owner in (*owners, *names):
            (listed,) = saved.listed(owner)
            exchanges = saved.read(owner, listed.id).exchanges
            assert [one.question for one in exchanges] == [f"Question {number}?" for number in range(ROUNDS)]
            assert all(one.outcome == COST for one in exchanges)


KILLED = f"""
import os, signal, sys
from pathlib import Path
from rag.conversations import Conversations
from rag.exchanges import Draft
from tests.conversations.samples import FIRST
saved = Conversations(Path(sys.argv[1]))
place = saved.ask("ada", "Who?", Draft("Searching"))
draft = Draft("Reading", (FIRST,), "It is")
saved.record(place, draft)
print(place.conversation, saved.read_exchange("ada", place.conversation, 1).outcome == draft)
sys.stdout.flush()
os.kill(os.getpid(), {int(signal.SIGKILL)})
"""


def test_an_answer_whose_process_was_killed_reads_as_stopped(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    ident, was_draft = ended.stdout.split()
    assert was_draft == "True"
    with Conversations(tmp_path) as saved:
        expected = Exchange(1, "Who?", Stopped(Draft("Reading", (FIRST,), "It is")))
        assert saved.read("ada", ident).exchanges == (expected,)
        assert saved.read_shared(saved.share("ada", ident)).exchanges == (expected,)


def test_a_full_disk_is_said_and_loses_nothing_saved_before(tmp_path: Path) -> None:
    child = os.fork()
    if not child:
        os._exit(_fill(tmp_path))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    with Conversations(tmp_path) as saved:
        (listed,) = saved.listed("ada")
        assert saved.read("ada", listed.id).exchanges[0] == Exchange(1, "First?", COST)
        saved.ask("ada", "And now?", DRAFT, listed.id)


def _fill(folder: Path) -> int:
    """In a process whose files must stay small. Returns 0 where the message is as it should be."""
    saved = Conversations(folder)
    place = saved.ask("ada", "First?", DRAFT)
    saved.record(place, COST)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, 1 << 19))
    try:
        for number in range(1000):
            big = passage(1, document(f"d{number}", os.urandom(1 << 15).hex()), 0, 10)
            saved.record(saved.ask("ada", "More?", DRAFT, place.conversation), Stopped(Draft("", (big,))))
    except DiskFull as error:
        return 0 if "Free some space" in str(error) and saved.listed("ada") else 2
    except BaseException:
        return 3
    return 1


def test_a_newer_file_is_left_alone_and_says_what_to_do(tmp_path: Path) -> None:
    talk(tmp_path, "ada")
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("PRAGMA user_version = 2")
    with Conversations(tmp_path) as saved:
        for _ in range(2):
            with pytest.raises(RagError, match=r"newer Citeline \(schema 2; .* reads 1\)"):
                saved.ask("ada", "?", DRAFT)


@pytest.mark.parametrize("spoiled", [b"not a database", b"", b"SQLite format 3\x00" + bytes(4000)])
def test_a_file_that_is_something_else_is_named_with_the_command(spoiled: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(spoiled)
    with Conversations(tmp_path) as saved, pytest.raises(RagError, match=f"`mv {FILE} {FILE}-damaged`"):
        saved.listed("ada")
    assert (tmp_path / FILE).read_bytes() == spoiled


def test_a_database_of_another_program_is_not_written_to(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("CREATE TABLE notes (text)")
    with Conversations(tmp_path) as saved, pytest.raises(RagError, match="it holds no conversations"):
        saved.ask("ada", "?", DRAFT)


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"question": "q", "texts": {}, "kind": "answer"}'])
def test_an_exchange_that_makes_no_sense_is_damage_and_the_rest_can_be_listed(line: str, tmp_path: Path) -> None:
    with Conversations(tmp_path) as saved:
        place = saved.ask("ada", "Who?", DRAFT)
        with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as connection:
            connection.execute("UPDATE exchanges SET outcome = ?", (line,))
        with pytest.raises(RagError, match=r"is damaged \(an exchange in it"):
            saved.read("ada", place.conversation)
        assert [one.title for one in saved.listed("ada")] == ["Who?"]
        saved.delete("ada", place.conversation)
        assert saved.listed("ada") == ()


def test_torn_pages_are_said_to_be_damage(tmp_path: Path) -> None:
    talk(tmp_path, "ada")
    content = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(content[:4096] + bytes(len(content) - 4096))
    with Conversations(tmp_path) as saved, pytest.raises(RagError, match="is damaged"):
        saved.listed("ada")


def test_a_file_removed_meanwhile_is_made_anew_without_the_old_log(tmp_path: Path) -> None:
    with Conversations(tmp_path) as saved:
        saved.ask("ada", "Old?", DRAFT)
        (tmp_path / FILE).unlink()
        saved.ask("ada", "New?", DRAFT)
        assert [one.title for one in saved.listed(EVERYONE)] == ["New?"]


def test_a_folder_that_is_a_file_is_named_with_the_setting(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x", encoding="utf-8")
    with Conversations(tmp_path / "taken") as saved, pytest.raises(RagError, match="RAG_CONVERSATIONS"):
        saved.ask("ada", "?", DRAFT)
