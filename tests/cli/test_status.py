"""`rag status` in every state, and the exit statuses of `rag models`."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from rag.engines import EngineChoice, note_of
from rag.engines.choosing import remember, situation
from rag.model_files import SPECS
from tests.cli.conftest import Rag

TINY = "smollm2-135m-instruct"


def test_without_library_and_models_both_are_said_to_be_missing(rag_: Rag, tmp_path: Path) -> None:
    done = rag_("--set", "embedder=all-MiniLM-L6-v2", "--set", f"reader={TINY}", "status").done.splitlines()
    assert done[0].startswith(f"Library: There are no articles in {tmp_path / 'index'} yet. Run `rag index FOLDER`")
    assert done[1].startswith("Embedder: all-MiniLM-L6-v2 (Apache-2.0), not here: ")
    assert done[2] == "  Not here. Run `rag models fetch all-MiniLM-L6-v2`."
    assert done[3].startswith(f"Reader: {TINY} (Apache-2.0), not here: ")
    assert done[5] == "Engine: llama_cpp, as set"
    assert not (tmp_path / "index").exists()


def test_a_library_is_counted_with_what_it_was_made_with_and_from(rag_: Rag, articles: Path, tmp_path: Path) -> None:
    rag_("index", articles)
    assert rag_("status").done.splitlines()[:3] == [
        f"Library: 2 articles in 2 chunks, generation 1: {tmp_path / 'index'}",
        f"  made with {tmp_path / 'embedder'}, 160 word pieces a chunk",
        f"  from {articles}",
    ]


@pytest.mark.parametrize(
    ("reader", "engine"),
    [
        (TINY, "auto; decided when the reader is first loaded"),
        ("reader.gguf", "auto; measured when the reader is first loaded"),
        ("embedder", "transformers"),
    ],
)
def test_the_engine_of_a_reader_is_said_as_far_as_it_is_known(reader: str, engine: str, rag_: Rag) -> None:
    done = rag_("--set", "engine=auto", "--set", f"reader={reader}", "status").done
    assert done.splitlines()[-1] == f"Engine: {engine}"


PACE = EngineChoice("llama_cpp", 5.0, 7.0, reading=0.005, writing=0.05, memory=8_000_000_000)
"""Reads 200 tokens a second and writes 20."""

READS = "  this machine reads 200 tokens/s and writes 20, with 8.0 GB of memory free:"


@pytest.mark.parametrize(
    ("measured", "target", "lines"),
    [
        (PACE, 6, [f"{READS} 4 passages of 400 tokens together answer in about 5.0 s"]),
        (
            PACE,
            4.5,
            [
                f"{READS} 3 passages of 300 tokens together answer in about 4.5 s",
                "  fewer than the 4 passages of 400 tokens that batch and eval read, for target_seconds = 4.5 on the "
                "page and in `rag ask`",
            ],
        ),
        (
            PACE,
            1,
            [
                f"{READS} 3 passages of 300 tokens together answer in about 4.5 s",
                "  fewer than the 4 passages of 400 tokens that batch and eval read, for target_seconds = 1 on the "
                "page and in `rag ask`",
                "  more than target_seconds = 1: with less to read, answers would be worse",
            ],
        ),
        (
            PACE,
            0,
            [
                f"{READS} 4 passages of 400 tokens together answer in about 5.0 s",
                "  target_seconds = 0: as many passages as set, whatever they take",
            ],
        ),
        (
            replace(PACE, others=0.6),
            1,
            [
                f"{READS} 4 passages of 400 tokens together answer in about 5.0 s",
                "  measured while other programs took 60% of the processors, so no passage is left out for it. Remove "
                "FILE to have it measured again",
            ],
        ),
    ],
    ids=["in time", "fewer passages", "too slow", "switched off", "busy machine"],
)
def test_what_this_machine_can_do_in_time_is_said_with_its_reasons(
    measured: EngineChoice, target: float, lines: list[str], rag_: Rag, tmp_path: Path
) -> None:
    file = tmp_path / "reader.gguf"
    file.write_bytes(b"GGUF")
    remember(note_of(file), situation(file, os.cpu_count() or 1), measured)
    done = rag_("--set", "engine=auto", "--set", f"reader={file}", "--set", f"target_seconds={target}", "status").done
    said = done.splitlines()
    at = next(number for number, line in enumerate(said) if line.startswith("Engine: llama_cpp (auto"))
    expected = [line.replace("FILE", str(note_of(file))) for line in lines]
    assert said[at + 1 : at + 1 + len(lines)] == expected


def test_a_server_is_named_with_its_model_and_without_its_key(rag_: Rag, monkeypatch: pytest.MonkeyPatch) -> None:
    given = ("--set", "engine=openai_compatible", "--set", "server=https://models.example/v1")
    lines = rag_(*given, "status").done.splitlines()
    assert lines[-1] == ("Engine: openai_compatible, the model it has on https://models.example/v1, without a key")
    assert not any(line.startswith("Reader:") for line in lines)
    monkeypatch.setenv("RAG_SERVER_KEY", "pa55word")
    done = rag_(*given, "--set", "server_model=large", "--set", "fallback=true", "status").done
    assert done.splitlines()[-1] == (
        "Engine: openai_compatible, large on https://models.example/v1, with a key; "
        "while it can't be reached, the reader here"
    )
    assert "Reader:" in done
    assert "pa55word" not in done


def test_a_damaged_library_is_said_to_be_damaged(rag_: Rag, articles: Path, tmp_path: Path) -> None:
    rag_("index", articles)
    database = tmp_path / "index" / "library.sqlite"
    database.write_bytes(database.read_bytes()[:4096])
    lines = rag_("status").done.splitlines()
    assert f"{database} is damaged" in lines[0]
    assert "Run `rag index --rebuild FOLDER`" in lines[0]
    assert lines[1].startswith("Embedder: ")


def test_a_damaged_model_is_said_to_be_damaged(rag_: Rag, tmp_path: Path) -> None:
    (spec,) = [spec for spec in SPECS.values() if spec.name == TINY]
    home = tmp_path / "models" / TINY
    home.mkdir(parents=True)
    (home / spec.files[0].path).write_bytes(b"cut short")
    lines = rag_("--set", f"reader={TINY}", "status").done.splitlines()
    assert f"{spec.files[0].path} has 9 of 98,362,432 bytes. Run `rag models fetch {TINY}`." in lines[-2]
    done = rag_("models", "verify", TINY)
    assert done.status == 1
    assert done.complaint == f"Not the published files: {TINY}. The lines after the table say what to do."


def test_models_are_listed_one_a_line_when_it_is_no_terminal(rag_: Rag, tmp_path: Path) -> None:
    lines = rag_("models", "list").done.splitlines()
    assert lines[0].split() == ["model", "role", "size", "licence", "state", "path"]
    for line, spec in zip(lines[1:], SPECS.values(), strict=False):
        assert line.split()[0] == spec.name
        assert str(tmp_path / "models" / spec.name) in line
        assert "not here" in line


def test_verifying_none_is_no_failure_and_one_that_is_not_here_is(rag_: Rag) -> None:
    assert rag_("models", "verify").status == 0
    done = rag_("models", "verify", TINY)
    assert done.status == 1
    assert TINY in done.complaint


def test_removing_what_is_not_here_frees_nothing(rag_: Rag) -> None:
    assert rag_("models", "remove", TINY).done == f"{TINY}: 0 MB freed\n"


def test_a_model_of_ones_own_is_not_removed(rag_: Rag, tmp_path: Path) -> None:
    done = rag_("models", "remove", tmp_path / "embedder")
    assert done.status == 1
    assert "is your own and not among the fetched models" in done.complaint
    assert (tmp_path / "embedder").is_dir()


def test_fetching_without_a_network_names_the_setting_that_forbids_it(rag_: Rag) -> None:
    done = rag_("models", "fetch", TINY)
    assert done.status == 1
    assert "RAG_OFFLINE" in done.complaint


@pytest.mark.parametrize("command", [("models", "fetch", TINY), ("--set", f"reader={TINY}", "ask", "why?")])
def test_a_models_folder_below_a_file_is_a_failure_of_one_line(
    command: tuple[str, ...], rag_: Rag, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rag_("index", articles)
    monkeypatch.setenv("RAG_MODELS", str(articles / "harbour.txt" / "models"))
    monkeypatch.setenv("RAG_OFFLINE", "0")
    done = rag_(*command)
    assert done.status == 1
    assert "Not a directory" in done.complaint
