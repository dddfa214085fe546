"""The process in which files are parsed. Bounds are made small; what is read takes long or much by itself."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from rag.documents import USUAL_FIELDS, isolated, limits
from rag.documents.article import Article
from rag.documents.isolated import Bounds, read_isolated
from rag.errors import DocumentError
from tests.documents.making import xlsx, zipped

PAGE = b"<html><body><p>The ferry left.</p></body></html>"
SLOW = b"Country,People\n" + b"Peru,34\n" * 1_000_000
ROOT = Path(__file__).parents[2]

LOAD_SLOWLY = """
import sys
from rag.documents import load_bytes
load_bytes(b"<p>The ferry left.</p>", "a.html", "/a.html")
print("ready", flush=True)
load_bytes(b"Country,People\\n" + b"Peru,34\\n" * 1_000_000, "a.csv", "/a.csv")
print("done", flush=True)
"""


@pytest.fixture(autouse=True)
def _no_process_before_or_after() -> Iterator[None]:
    isolated.close()
    yield
    isolated.close()
    assert workers() == []


def workers(of: int | None = None) -> list[psutil.Process]:
    """The processes that this one, or another, has started to parse files."""
    found = psutil.Process(of).children()
    return [child for child in found if any("rag.documents.worker" in part for part in child.cmdline())]


def texts(data: bytes, name: str = "a.html", bounds: Bounds | None = None) -> list[str]:
    found = read_isolated(data, name, f"/{name}", USUAL_FIELDS, bounds)
    return [one.text for one in found if isinstance(one, Article)]


def test_one_process_reads_one_file_after_the_other() -> None:
    assert texts(PAGE) == ["The ferry left."]
    (first,) = workers()
    assert texts(b'{"text": "It came."}', "a.json") == ["It came."]
    with pytest.raises(DocumentError, match="is no JSON"):
        texts(b"{", "a.json")
    assert workers() == [first]


@pytest.mark.parametrize("what", ["clock", "processor time"])
def test_a_file_that_takes_too_long_costs_one_error_and_the_next_gets_a_new_process(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PATIENCE", 1000)
    with pytest.raises(DocumentError, match=r"/a\.csv took longer than 0\.5 s to read\. Split it, or leave it out\."):
        texts(SLOW, "a.csv", Bounds(seconds=0.5, total_seconds=0.5 if what == "clock" else 600))
    assert workers() == []
    assert texts(PAGE) == ["The ferry left."]


def test_all_articles_of_a_file_together_have_a_limit_of_time_too() -> None:
    many = zipped({f"{number}.csv": SLOW[:600_000] for number in range(50)})
    with pytest.raises(DocumentError, match=r"took longer than 3 s to read"):
        texts(many, "a.zip", Bounds(seconds=60, total_seconds=3))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its address space")
def test_a_file_that_needs_too_much_memory_costs_one_error_and_the_next_gets_a_new_process() -> None:
    bounds = Bounds(memory=400_000_000)
    assert texts(b'{"text": "It came."}', "a.json", bounds) == ["It came."]
    with pytest.raises(DocumentError, match=r"/a\.json needed more than 0\.4 GB of memory to read"):
        texts(b"[" + b"[],{}," * 10_000_000 + b"{}]", "a.json", bounds)
    assert texts(PAGE) == ["The ferry left."]


def test_a_process_that_dies_while_reading_costs_one_error() -> None:
    def kill_soon() -> None:
        while not (found := workers()) or found[0].cpu_times().user < 0.5:
            time.sleep(0.05)
        found[0].kill()

    killer = threading.Thread(target=kill_soon)
    killer.start()
    with pytest.raises(DocumentError, match=r"/a\.csv is damaged in a way that its reader can't cope with"):
        texts(SLOW, "a.csv")
    killer.join()
    assert texts(PAGE) == ["The ferry left."]


def test_a_process_that_died_between_two_files_is_replaced() -> None:
    texts(PAGE)
    (first,) = workers()
    first.kill()
    first.wait(10)
    assert texts(PAGE) == ["The ferry left."]
    assert workers() != [first]


def test_threads_wait_for_their_turn() -> None:
    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda: found.append(texts(PAGE))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [["The ferry left."]] * 8


def test_secrets_of_the_environment_and_modules_of_the_folder_stay_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lxml.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_API_KEY", "secret")
    assert texts(PAGE) == ["The ferry left."]
    assert not (tmp_path / "imported").exists()
    assert "RAG_API_KEY" not in workers()[0].environ()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_a_caller_that_ends_leaves_no_process_behind(how: signal.Signals) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    caller = subprocess.Popen(
        [sys.executable, "-c", LOAD_SLOWLY], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert caller.stdout
    assert caller.stdout.readline() == "ready\n"
    (worker,) = workers(caller.pid)
    time.sleep(0.5)  # the slow file is being read
    caller.send_signal(how)
    out, err = caller.communicate(timeout=20)
    assert out == ""
    assert caller.returncode != 0
    assert ("KeyboardInterrupt" in err) == (how is signal.SIGINT)
    psutil.wait_procs([worker], timeout=10)
    assert not worker.is_running()


def test_a_caller_that_is_done_leaves_no_process_behind() -> None:
    xlsx_file = xlsx({"S": [["The ferry left."]]})
    code = "import sys; from rag.documents import load_bytes; load_bytes(sys.stdin.buffer.read(), 'a.xlsx', '/a.xlsx')"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], input=xlsx_file, env=environment, capture_output=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
