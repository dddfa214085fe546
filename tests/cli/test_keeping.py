"""`rag sync · check · backup · restore` and what `rag status` says is stale: what is printed, and the exit status."""

import json
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from rag.index import open_library
from tests.cli.commands import RAG_WITH_WORDS, run, start
from tests.cli.conftest import Rag

Settings = dict[str, str | Path]


def test_sync_lists_what_was_added_changed_moved_and_removed(rag_: Rag, articles: Path) -> None:
    rag_("index", articles)
    (articles / "may").mkdir()
    (articles / "bakery.txt").rename(articles / "may" / "bakery.txt")
    (articles / "harbour.txt").write_text("Closed.", encoding="utf-8")
    (articles / "dew.txt").write_text("Dew.", encoding="utf-8")
    assert rag_("sync").done.splitlines() == [
        f"+ {articles / 'dew.txt'}",
        f"~ {articles / 'harbour.txt'}",
        f"> {articles / 'bakery.txt'} → {articles / 'may' / 'bakery.txt'}",
        "1 added, 1 updated, 1 moved, 0 removed, 0 unchanged, 0 refused: 3 articles in the library.",
    ]
    (articles / "dew.txt").unlink()
    assert rag_("sync").done.splitlines()[0] == f"- {articles / 'dew.txt'}"
    assert rag_("sync").done == (
        "0 added, 0 updated, 0 moved, 0 removed, 2 unchanged, 0 refused: 2 articles in the library.\n"
    )


def test_sync_names_what_can_not_be_read(rag_: Rag, articles: Path) -> None:
    rag_("index", articles)
    (articles / "odd.txt").write_bytes(b"\x00")
    done = rag_("sync")
    assert done.status == 2
    assert f"! {articles / 'odd.txt'} is not text" in done.out
    assert done.complaint == "1 could not be read; the lines that begin with ! say which and why."


def test_sync_without_a_library_or_with_other_settings_names_the_command(rag_: Rag, articles: Path) -> None:
    assert "Run `rag index FOLDER`" in rag_("sync").complaint
    rag_("index", articles)
    done = rag_("--set", "chunk_tokens=64", "sync")
    assert done.status == 1
    assert "but now it is chunk tokens 64. Run `rag index --rebuild` to make it again" in done.complaint
    assert "2 articles in the library" in rag_("--set", "chunk_tokens=64", "index", "--rebuild").done


def test_status_names_every_stale_article_with_its_reason_and_the_command(rag_: Rag, articles: Path) -> None:
    rag_("index", articles)
    assert "Stale: nothing" in rag_("status").done.splitlines()
    (articles / "bakery.txt").unlink()
    (articles / "harbour.txt").write_text("Closed.", encoding="utf-8")
    (articles / "dew.txt").write_text("Dew.", encoding="utf-8")
    lines = rag_("status").done.splitlines()
    assert lines[lines.index("Stale: 3. Run `rag sync`.") + 1 :] == [
        f"  missing: {articles / 'bakery.txt'}",
        f"  new: {articles / 'dew.txt'}",
        f"  changed: {articles / 'harbour.txt'}",
    ]
    rag_("sync")
    assert rag_("status").done.splitlines()[-1] == "Stale: nothing"


def test_status_says_that_the_embedder_or_the_chunker_changed(rag_: Rag, articles: Path, tmp_path: Path) -> None:
    rag_("index", articles)
    (tmp_path / "embedder" / "model.safetensors").write_bytes(b"retrained")
    lines = rag_("--set", "chunk_tokens=64", "status").done.splitlines()
    assert lines[-3:] == [
        "Stale: 2. Run `rag index --rebuild`; the library as it is answers meanwhile.",
        f"  embedder changed, chunker changed: {articles / 'bakery.txt'}",
        f"  embedder changed, chunker changed: {articles / 'harbour.txt'}",
    ]


def test_many_stale_articles_are_counted_and_all_are_in_the_json(rag_: Rag, articles: Path, tmp_path: Path) -> None:
    rag_("index", articles)
    for number in range(30):
        (articles / f"new{number:02}.txt").write_text("New.", encoding="utf-8")
    lines = rag_("status").done.splitlines()
    assert lines[-1] == "  new: 10 others, which `rag status --json` names"
    found = json.loads(rag_("status", "--json").done)
    assert len(found["stale"]) == 30
    assert found["stale"][0] == {"source": str(articles / "new00.txt"), "reasons": ["new"]}
    assert (found["documents"], found["generation"], found["error"]) == (2, 1, None)
    assert found["folder"] == str(tmp_path / "index")
    assert found["roots"] == [str(articles)]


def test_the_json_of_a_status_without_a_library_holds_the_error(rag_: Rag) -> None:
    assert json.loads(rag_("status", "--json").done)["error"].startswith("There are no articles in ")


def test_check_prints_a_table_and_names_each_fault(rag_: Rag, articles: Path, tmp_path: Path) -> None:
    rag_("index", articles)
    lines = rag_("check").done.splitlines()
    assert lines[0].split() == ["checked", "how", "many", "faults"]
    assert [line.split()[-1] for line in lines[1:]] == ["none"] * 7
    with closing(sqlite3.connect(tmp_path / "index" / "library.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE documents SET text = 'Torn.' WHERE source LIKE '%bakery.txt'")
    (tmp_path / "index" / "vectors-1.faiss").unlink()
    done = rag_("check")
    assert done.status == 1
    assert f"! {articles / 'bakery.txt'} isn't the text that was indexed." in done.out.splitlines()
    assert "! vectors-1.faiss is missing." in done.out.splitlines()
    assert done.complaint.endswith("Run `rag check --repair` to mend what can be mended.")

    done = rag_("check", "--repair")
    assert done.status == 1
    assert "mended: vectors-1.faiss is missing." in done.out.splitlines()
    assert f"dropped: {articles / 'bakery.txt'}" in done.out.splitlines()
    assert done.complaint == (
        "1 articles were torn and are no longer in the library. Run `rag sync` to index them again from their files."
    )
    assert f"+ {articles / 'bakery.txt'}" in rag_("sync").done
    assert rag_("check").status == rag_("check", "--repair").status == 0


def test_a_repair_that_loses_nothing_is_no_failure(rag_: Rag, articles: Path, tmp_path: Path) -> None:
    rag_("index", articles)
    (tmp_path / "index" / "vectors-1.faiss").write_bytes(b"")
    assert rag_("check").status == 1
    assert "mended: vectors-1.faiss is damaged" in rag_("check", "--repair").done
    assert rag_("check").status == 0


@pytest.mark.parametrize("command", [("check",), ("check", "--repair"), ("backup", "b")])
def test_without_a_library_there_is_nothing_to_keep(command: tuple[str, ...], rag_: Rag, tmp_path: Path) -> None:
    done = rag_(*command)
    assert done.status == 1
    assert done.complaint.startswith("There are no articles in ")
    assert not (tmp_path / "b").exists()


def test_a_backup_brings_a_library_back(rag_: Rag, articles: Path, tmp_path: Path) -> None:
    rag_("index", articles)
    assert rag_("backup", "b").done.startswith("2 articles in 2 chunks, ")
    (articles / "bakery.txt").unlink()
    rag_("sync")
    assert rag_("restore", "b").done.startswith("2 articles in 2 chunks, as of ")
    assert "3 million marks" in rag_("ask", "What did the harbour cost?").done
    assert rag_("check").status == 0
    (tmp_path / "b").write_bytes(b"no backup")
    done = rag_("restore", "b")
    assert done.status == 2
    assert done.complaint.endswith("Give a whole file that `rag backup FILE` wrote. The library stays as it was.")
    assert rag_("check").status == 0


def wait_for(what: object, seconds: float = 20.0) -> None:
    assert callable(what)
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)


def sources(settings: Settings) -> set[str]:
    with open_library(Path(settings["RAG_INDEX"])) as library:
        return {Path(listed.source).name for listed in library.documents()}


@pytest.fixture
def watching(small_library: Settings) -> "subprocess.Popen[str]":
    return start(RAG_WITH_WORDS, "sync", "--watch", settings=small_library)


def test_watching_follows_the_folders_until_ctrl_c(
    watching: "subprocess.Popen[str]", articles: Path, small_library: Settings
) -> None:
    with watching:
        assert watching.stdout
        assert watching.stdout.readline() == f"Watching {articles}\n"
        (articles / "dew.txt").write_text("Dew falls at dawn.", encoding="utf-8")
        wait_for(lambda: "dew.txt" in sources(small_library))
        (articles / "may").mkdir()
        (articles / "dew.txt").rename(articles / "may" / "rain.txt")
        wait_for(lambda: sources(small_library) == {"bakery.txt", "harbour.txt", "rain.txt"})
        answer = run(RAG_WITH_WORDS, "ask", "What did the harbour cost?", settings=small_library)
        assert "3 million marks" in answer.done
        watching.send_signal(signal.SIGINT)
        out, err = watching.communicate(timeout=20)
    assert watching.returncode == 0
    assert f"> {articles / 'dew.txt'} → {articles / 'may' / 'rain.txt'}\n" in out
    assert "Traceback" not in err
    assert run(RAG_WITH_WORDS, "check", settings=small_library).status == 0
