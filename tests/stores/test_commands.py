"""The commands with a library on servers: index, status, check, migrate, and those that need a folder."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag.cli.commands import app
from rag.evaluation import libraries
from rag.evaluation.sets import load_set
from rag.index import Identity
from rag.indexing import index_paths
from rag.rebuilding import rebuild_library
from rag.settings import Settings, load_settings
from rag.stores import Servers, open_library, place_of
from rag.syncing import stale_files, sync_folders
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY, worded
from tests.stores.servers import Postgres

NEWS = {"ferry.md": "# Ferry\n\nThe ferry leaves at noon.", "bakery.md": "# Bakery\n\nThe bakery opened in 1950."}


@pytest.fixture
def news(tmp_path: Path) -> Path:
    folder = tmp_path / "news"
    folder.mkdir()
    for name, text in NEWS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def settings(server: Postgres, tmp_path: Path, milvus_file: Path) -> Settings:
    return load_settings(
        store="milvus",
        store_uri=str(milvus_file),
        database=f"{server.url}&password=swordfish",
        index=tmp_path / "index",
    )


def command(settings: Settings, *words: str, status: int = 0, store: str = "milvus") -> str:
    given: dict[str, object] = {"index": settings.index, "models": settings.index / "models"}
    if store == "milvus":
        given |= {"store": "milvus", "store_uri": settings.store_uri, "database": settings.database.get_secret_value()}
    sets = [word for name, value in given.items() for word in ("--set", f"{name}={value}")]
    done = CliRunner().invoke(app, [*sets, *words])
    output = done.output + str(done.exception or "")
    assert (done.exit_code != 0) == bool(status), output
    assert "swordfish" not in output
    return output


def test_a_folder_s_changes_come_to_the_library_on_servers(servers: Servers, news: Path) -> None:
    embedder = WordEmbedder()
    done = index_paths([news], servers, IDENTITY, embedder)
    assert (len(done.added), done.documents) == (2, 2)
    (news / "ferry.md").rename(news / "boat.md")
    (news / "bakery.md").write_text("# Bakery\n\nThe bakery closed in 1990.", encoding="utf-8")
    (news / "new.md").write_text("# New\n\nSomething new.", encoding="utf-8")
    with open_library(servers) as library:
        assert len(stale_files(library, {})) == 4
    synced = sync_folders(servers, IDENTITY, embedder)
    assert [Path(old).name for old, _ in synced.moved] == ["ferry.md"]
    assert (len(synced.added), len(synced.updated), synced.removed) == (1, 1, ())
    (news / "new.md").unlink()
    assert len(sync_folders(servers, IDENTITY, embedder).removed) == 1
    with open_library(servers) as library:
        assert stale_files(library, {}) == []
        assert len(worded(library, "closed in 1990")) == 1
        assert {Path(listed.source).name for listed in library.documents()} == {"boat.md", "bakery.md"}


def test_a_rebuild_gives_another_identity_in_one_step(servers: Servers, news: Path) -> None:
    index_paths([news], servers, IDENTITY, WordEmbedder())
    smaller = Identity("words", "2", WordEmbedder.dimension, 64, 0)
    with open_library(servers) as library, library.snapshot() as old:
        done = rebuild_library((), servers, smaller, WordEmbedder())
        assert len(done.added) == 2
        assert old.manifest.identity == IDENTITY
        assert library.manifest.identity == smaller
        assert len(worded(library, "ferry")) == 1
        assert library.roots() == [str(news)]


def test_a_question_set_s_library_lies_on_the_servers_under_its_own_name(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "island"
    folder.mkdir()
    (folder / "documents.jsonl").write_text('{"id": "f", "text": "The ferry leaves at noon."}\n', encoding="utf-8")
    (folder / "questions.jsonl").write_text('{"question": "When does the ferry leave?"}\n', encoding="utf-8")
    island = load_set(folder)
    place = libraries.library_for(island, settings, WordEmbedder(), cache=tmp_path / "cache")
    assert isinstance(place, Servers)
    assert place.name.startswith("eval_")
    assert libraries.library_for(island, settings, WordEmbedder(), cache=tmp_path / "cache") == place
    with open_library(place) as library:
        assert len(worded(library, "ferry")) == 1


def test_the_commands_show_prove_and_move_the_library(settings: Settings, news: Path) -> None:
    place = place_of(settings)
    assert "no articles in postgresql+psycopg://citeline@/library" in command(settings, "status")
    index_paths([news], settings.index, IDENTITY, WordEmbedder())
    url = f"{settings.database.get_secret_value()}"
    to_servers = ("migrate", "--to", url, "--vectors", settings.store_uri)
    moved = command(settings, *to_servers, store="local")
    assert "2 articles in 2 chunks" in moved
    assert "Proved equal: every article, chunk, vector and visit" in moved
    assert "Name an empty place, or say --replace" in command(settings, *to_servers, store="local", status=1)
    command(settings, *to_servers, "--replace", store="local")
    assert f"2 articles in 2 chunks, generation 2: {place}" in command(settings, "status").replace("\n", " ")
    shown = json.loads(command(settings, "status", "--json"))
    assert (shown["documents"], shown["error"]) == (2, None)
    assert "none" in command(settings, "check")
    assert "none" in command(settings, "check", "--repair")
    back = str(settings.index.parent / "back")
    assert f"RAG_STORE=local RAG_INDEX={back}" in command(settings, "migrate", "--to", back)
    for words, instead in ((("backup", "all.zip"), "pg_dump"), (("restore", "all.zip"), "pg_restore")):
        assert instead in command(settings, *words, status=1)
    assert "No database is set" in command(settings, "migrate", "--to", "database", store="local", status=1)
