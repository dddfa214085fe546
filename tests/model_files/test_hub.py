"""The hub place and models by their hub name, with the hub's own client against a small server."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.errors import ModelUnavailable
from rag.model_files import HubPlace, ModelSpec, WheelPlace, ensure, hub, remove, status, statuses, verify
from tests.model_files.helpers import (
    COMMIT,
    EMBEDDER_FILES,
    GGUF,
    WEIGHTS,
    HubServer,
    embedder,
    put_embedder,
    tree,
)

REPOS = {
    "good/tiny": EMBEDDER_FILES,
    "changed/tiny": EMBEDDER_FILES | {"config.json": b'{"hidden": 3}\n'},
    "any/model": EMBEDDER_FILES
    | {"pytorch_model.bin": b"pickle", "code.py": b"print()", "onnx/model.safetensors": b"1", "README.md": b"#"},
    "any/quantised": {"small.gguf": GGUF, "config.json": b"{}"},
    "any/pickled": {"pytorch_model.bin": b"pickle", "config.json": b"{}"},
    "any/climber": EMBEDDER_FILES | {"../outside.json": b"{}"},
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with HubServer(REPOS).running() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        yield running


def places(repo: str) -> dict[str, ModelSpec]:
    return embedder(HubPlace(repo), WheelPlace("tiny-embedder==1.0", "tiny/model/"))


def test_a_hub_that_answers_is_asked_before_any_package(index: Path, models: Path, server: HubServer) -> None:
    seen: list[int] = []
    home = ensure("tiny", models, specs=places("good/tiny"), report=lambda _, done, __: seen.append(done))
    assert tree(home) == {*EMBEDDER_FILES, "verified.json"}
    assert (home / "model.safetensors").read_bytes() == WEIGHTS
    assert "GET /good/tiny/resolve/main/model.safetensors" in server.requests
    assert seen == sorted(seen)
    assert list(index.iterdir()) == []


def test_a_changed_file_on_the_hub_is_refused_and_the_package_asked(
    index: Path, models: Path, server: HubServer
) -> None:
    put_embedder(index)
    home = ensure("tiny", models, specs=places("changed/tiny"))
    assert (home / "config.json").read_bytes() == EMBEDDER_FILES["config.json"]
    assert not any("model.safetensors" in request for request in server.requests)


def test_a_silent_hub_costs_one_short_wait_in_the_life_of_the_process(
    index: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_embedder(index)
    monkeypatch.setattr(hub, "PROBE_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never says a word
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        ensure("tiny", models, specs=places("good/tiny"))
        started = time.monotonic()
        assert hub.silence(hub.endpoint()) == "no answer within 0.3 s"
        assert time.monotonic() - started < 0.1


def test_a_model_of_the_hub_comes_without_pickles_and_code_and_works_offline_afterwards(
    models: Path, server: HubServer
) -> None:
    home = ensure("any/model", models, specs=embedder())
    assert home == models / "any--model"
    assert tree(home) == {*EMBEDDER_FILES, "verified.json"}
    assert f"GET /any/model/resolve/{COMMIT}/model.safetensors" in server.requests
    server.requests.clear()
    assert ensure("any/model", models, offline=True, specs=embedder()) == home
    assert server.requests == []


@pytest.mark.usefixtures("server")
def test_a_fetched_hub_model_is_listed_verified_and_removed_like_a_known_one(models: Path) -> None:
    assert "gets it from the Hugging Face hub" in status("any/model", models, embedder()).note
    home = ensure("any/model", models, specs=embedder())
    fetched = statuses(models, embedder())[-1]
    assert (fetched.name, fetched.licence, fetched.present, fetched.verified) == ("any/model", "mit", True, True)
    (home / "config.json").write_bytes(b'{"hidden": 9}\n')
    assert "config.json has sha256" in verify("any/model", models, specs=embedder()).note
    assert remove("any/model", models, embedder()) > len(WEIGHTS)
    assert not home.exists()


@pytest.mark.usefixtures("server")
def test_one_file_of_a_hub_repository_is_returned_as_a_file(models: Path) -> None:
    path = ensure("any/quantised:small.gguf", models, specs=embedder())
    assert path == models / "any--quantised--small.gguf" / "small.gguf"
    assert path.read_bytes() == GGUF
    assert ensure("any/quantised:small.gguf", models, offline=True, specs=embedder()) == path


def test_a_known_model_by_its_hub_name_is_the_known_model(index: Path, models: Path) -> None:
    put_embedder(index)
    assert ensure("good/tiny", models, specs=places("good/tiny")) == models / "tiny"


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("any/pickled", "has no .safetensors weights"),
        ("any/quantised", "name one of them: any/quantised:small.gguf"),
        ("any/quantised:large.gguf", "has no large.gguf; it has small.gguf"),
        ("any/nothing", "the hub has no such repository, or it is private"),
    ],
)
def test_what_the_hub_doesnt_have_is_explained(models: Path, name: str, reason: str) -> None:
    with pytest.raises(ModelUnavailable, match=reason):
        ensure(name, models, specs=embedder())


@pytest.mark.usefixtures("server")
def test_a_listing_cant_place_a_file_outside_the_models_folder(models: Path) -> None:
    home = ensure("any/climber", models, specs=embedder())
    assert tree(models) == {f"{home.name}/{path}" for path in (*EMBEDDER_FILES, "verified.json")}


def test_a_hub_that_cant_be_reached_is_said_with_the_command(models: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"no connection \(.*`rag models fetch any/model`"):
        ensure("any/model", models, specs=embedder())
