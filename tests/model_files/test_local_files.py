"""Files that are already here: trusted, checked again, refetched, removed."""

import json
import os
from pathlib import Path

import pytest

from rag.errors import ModelUnavailable
from rag.model_files import Role, ensure, remove, status, statuses, verify
from tests.model_files.helpers import (
    EMBEDDER_FILES,
    GGUF,
    PART_CONTENTS,
    WEIGHTS,
    embedder,
    put_embedder,
    reader,
    tree,
)

SIZE = sum(map(len, EMBEDDER_FILES.values()))


def copy_by_hand(models: Path) -> Path:
    """The embedder's files, put where they belong without `ensure`."""
    for path, content in EMBEDDER_FILES.items():
        target = models / "tiny" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return models / "tiny"


def test_files_copied_by_hand_are_hashed_once_and_accepted(models: Path) -> None:
    home = copy_by_hand(models)
    said: list[str] = []
    for _ in range(2):
        assert ensure("tiny", models, offline=True, specs=embedder(), report=lambda what, *_: said.append(what)) == home
    assert said == ["Checking tiny"] * len(EMBEDDER_FILES)


def test_wrong_files_copied_by_hand_are_not_accepted(models: Path) -> None:
    home = copy_by_hand(models)
    (home / "model.safetensors").write_bytes(WEIGHTS[::-1])
    with pytest.raises(ModelUnavailable, match=r"is damaged \(model.safetensors has sha256"):
        ensure("tiny", models, offline=True, specs=embedder())


def test_a_file_that_was_only_touched_is_hashed_again_and_stays(models: Path) -> None:
    home = copy_by_hand(models)
    ensure("tiny", models, specs=embedder())
    os.utime(home / "config.json", (1, 1))
    assert not status("tiny", models, embedder()).verified
    assert ensure("tiny", models, offline=True, specs=embedder()) == home
    assert status("tiny", models, embedder()).verified


def test_a_truncated_file_is_fetched_again_and_that_is_said(index: Path, models: Path) -> None:
    put_embedder(index)
    home = copy_by_hand(models)
    (home / "model.safetensors").write_bytes(WEIGHTS[:100])
    said: list[str] = []
    ensure("tiny", models, specs=embedder(), report=lambda what, *_: said.append(what))
    assert "model.safetensors has 100 of 10,240 bytes: fetching it again" in said
    assert (home / "model.safetensors").read_bytes() == WEIGHTS


def test_a_changed_file_of_the_same_size_is_fetched_again_though_another_is_missing(index: Path, models: Path) -> None:
    put_embedder(index)
    home = copy_by_hand(models)
    ensure("tiny", models, specs=embedder())
    (home / "model.safetensors").write_bytes(WEIGHTS[::-1])
    (home / "config.json").unlink()
    ensure("tiny", models, specs=embedder())
    assert (home / "model.safetensors").read_bytes() == WEIGHTS


def test_a_marker_that_is_no_marker_only_costs_a_hashing(models: Path) -> None:
    home = copy_by_hand(models)
    for nonsense in ("{", "[]", '{"name": "tiny", "licence": "", "files": {"config.json": {"size": 1}}}'):
        (home / "verified.json").write_text(nonsense)
        assert ensure("tiny", models, offline=True, specs=embedder()) == home
    assert json.loads((home / "verified.json").read_text())["files"].keys() == EMBEDDER_FILES.keys()


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_variables_of_the_hub_forbid_fetching_and_are_named(
    models: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "1")
    with pytest.raises(ModelUnavailable, match=f"{variable} forbids fetching it. Run `rag models fetch tiny`"):
        ensure("tiny", models, specs=embedder())


def test_offline_mode_names_the_command_that_fetches(models: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"isn't in .*tiny, and offline mode \(RAG_OFFLINE\) forbids"):
        ensure("tiny", models, offline=True, specs=embedder())
    assert not models.exists()


def test_verify_finds_a_change_that_left_size_and_time_alone(index: Path, models: Path) -> None:
    put_embedder(index)
    home = copy_by_hand(models)
    ensure("tiny", models, specs=embedder())
    weights = home / "model.safetensors"
    before = weights.stat()
    weights.write_bytes(WEIGHTS[::-1])
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert status("tiny", models, embedder()).verified
    found = verify("tiny", models, specs=embedder())
    assert found.present
    assert not found.verified
    assert found.note.endswith("Run `rag models fetch tiny` to get it again.")
    ensure("tiny", models, specs=embedder())
    assert weights.read_bytes() == WEIGHTS


def test_verify_reports_how_far_it_is(models: Path) -> None:
    copy_by_hand(models)
    seen: list[tuple[str, int, int]] = []
    assert verify("tiny", models, lambda *step: seen.append(step), embedder()).verified
    assert seen[-1] == ("Checking tiny", SIZE, SIZE)


def test_statuses_tell_what_is_here_of_each_model(models: Path) -> None:
    copy_by_hand(models)
    staging = models / "parted" / ".partial"
    staging.mkdir(parents=True)
    (staging / "joined").write_bytes(PART_CONTENTS[0])
    tiny, parted = statuses(models, embedder() | reader())
    assert (tiny.role, tiny.licence, tiny.size, tiny.path) == (Role.EMBEDDER, "Apache-2.0", SIZE, models / "tiny")
    assert (tiny.present, tiny.verified, tiny.note) == (True, False, "Not verified yet: its first use hashes it.")
    assert (parted.present, parted.size, parted.path.name) == (False, len(GGUF), "parted.gguf")
    assert parted.note == "11 bytes of it fetched so far. Run `rag models fetch parted`."


def test_remove_deletes_all_of_a_model_and_tells_the_bytes(models: Path) -> None:
    home = copy_by_hand(models)
    (home / ".partial").mkdir()
    (home / ".partial" / "joined").write_bytes(b"12345")
    assert remove("tiny", models, embedder()) == SIZE + 5
    assert tree(models) == set()
    assert remove("tiny", models, embedder()) == 0


def test_a_folder_or_gguf_file_of_the_users_is_used_as_it_is_and_never_removed(models: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(GGUF)
    assert ensure(str(own), models, specs=embedder()) == own
    assert ensure(str(tmp_path), models, specs=embedder()) == tmp_path
    assert status(str(own), models, embedder()).note == "A file or folder of your own: used as it is, not verified."
    assert not verify(str(own), models, specs=embedder()).verified
    with pytest.raises(ModelUnavailable, match="is your own"):
        remove(str(own), models, embedder())
    assert own.exists()


def test_a_known_name_wins_over_a_folder_of_that_name(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny").mkdir()
    assert ensure("tiny", copy_by_hand(models).parent, specs=embedder()) == models / "tiny"


@pytest.mark.parametrize("name", ["nothing", "", "../up", "a/b/c", "org/name:file.bin", "~nobody/x", "x" * 5000])
def test_a_name_that_means_nothing_lists_what_would_do(models: Path, name: str) -> None:
    with pytest.raises(ModelUnavailable, match=r"Known: tiny, parted\. ORG/NAME or ORG/NAME:FILE.gguf names"):
        ensure(name, models, specs=embedder() | reader())
