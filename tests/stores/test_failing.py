"""Readers, crashes and outages: a library on servers stays whole, and errors are said without a password."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from rag.errors import LibraryEmpty, LibraryMismatch, LibraryUnreachable, LibraryUnwritable
from rag.stores import Servers, library_at, milvus, open_writer
from rag.stores.checking import check_servers, repair_servers
from rag.stores.connecting import engine_of
from rag.stores.library import ServerLibrary
from rag.stores.manifest import read_manifest
from rag.stores.milvus import MilvusVectors
from tests.fakes import WordEmbedder
from tests.index.shelf import ARTICLES, IDENTITY, near, put, worded
from tests.stores.libraries import make_library, opened, state
from tests.stores.servers import postgres

ROOT = Path(__file__).parents[2]


def silent(_what: str, _done: int, _total: int) -> None:
    """Report to nobody."""


def in_milvus(place: Servers) -> MilvusVectors:
    """What Milvus has of the newest state."""
    library = ServerLibrary(place)
    with library.snapshot() as now:
        collection, dimension = now.collection, now.manifest.identity.dimension
    library.close()
    vectors = MilvusVectors(milvus.connect(place), collection, dimension, place)
    vectors.load()
    return vectors


def faults(place: Servers) -> list[str]:
    return [fault.what for check in check_servers(place, silent) for fault in check.faults]


def test_rows_that_a_reader_still_needs_leave_milvus_after_it(servers: Servers) -> None:
    make_library(servers)
    with opened(servers) as library:
        with library.snapshot() as old:
            with open_writer(servers, IDENTITY) as writer:
                writer.remove("tea")
                writer.commit()
            assert len(in_milvus(servers)) == 5
            with library.snapshot() as new, open_writer(servers, IDENTITY) as writer:
                writer.remove("salt")
                writer.commit()
                assert len(in_milvus(servers)) == 5
                assert (old.count().chunks, new.count().chunks) == (5, 3)
        with open_writer(servers, IDENTITY):
            pass
        assert len(in_milvus(servers)) == 1
        assert near(library, "iron", 9) == ["iron:0"]


@pytest.mark.parametrize("spare", [16, -2], ids=["spare hits", "none to spare"])
def test_rows_of_other_generations_never_push_out_those_of_this(
    servers: Servers, spare: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.stores.reading.SPARE", spare)
    make_library(servers, {f"salt{number}": "Salt dries in pans." for number in range(40)} | ARTICLES)
    with opened(servers) as library, library.snapshot():  # which keeps the many in Milvus
        with open_writer(servers, IDENTITY) as writer:
            for number in range(40):
                writer.remove(f"salt{number}")
            writer.commit()
        assert near(library, "salt dries in pans", 3)[0] == "salt:0"
        assert set(worded(library, "salt pans sea sun", 3)) == {"salt:0", "salt:1"}
        monkeypatch.setattr("rag.stores.reading.MOST", 8)
        assert near(library, "salt dries in pans", 3)[0] == "salt:0"
        assert len(near(library, "salt dries in pans", 3)) == 3


DYING = """
import os, signal, sys
from rag.stores import Servers, open_writer
from rag.stores import milvus, writing
from tests.index.shelf import IDENTITY, put

place, moment, start_over = Servers(*sys.argv[1:3], name=sys.argv[3]), sys.argv[4], sys.argv[5] == "anew"

def die(*given, **named):
    os.kill(os.getpid(), signal.SIGKILL)

with open_writer(place, IDENTITY, start_over=start_over) as writer:
    put(writer, "wood", "Wood floats.")
    writer.remove("iron")
    if moment == "sent":
        writing.part_families = lambda *given: None
        writing.write_manifest = die
    elif moment == "committed":
        writer._sweep = die
    elif moment == "removed":
        writing.sweep.__globals__["delete"] = die
    writer.commit()
    die()
"""


@pytest.mark.parametrize(
    ("moment", "start_over"), [("sent", "on"), ("sent", "anew"), ("committed", "anew"), ("removed", "on")]
)
def test_a_writer_killed_at_any_moment_leaves_the_old_library_or_the_new(
    server: Any, tmp_path: Path, moment: str, start_over: str
) -> None:
    place = Servers(server.url, str(tmp_path / "own.db"), name=f"killed_{moment}_{start_over}")
    run([sys.executable, "-c", MAKING, place.database, place.vectors, place.name], 0)
    run([sys.executable, "-c", DYING, place.database, place.vectors, place.name, moment, start_over], -signal.SIGKILL)
    new = {"wood"} if start_over == "anew" else {"wood", "salt", "tea"}
    expected = {"iron", "salt", "tea"} if moment == "sent" else new
    with opened(place) as library:
        assert {listed.id for listed in library.documents()} == expected
        assert {name.split(":")[0] for name in near(library, "iron rusts, wood floats", 100)} == expected
        assert worded(library, "wood floats") == (["wood:0"] if "wood" in expected else [])
    assert faults(place) == []
    client = milvus.connect(place)
    assert len(client.list_collections()) == 1
    assert len(in_milvus(place)) == (1 if expected == {"wood"} else 5)


MAKING = """
import sys
from rag.stores import Servers
from tests.stores.libraries import make_library
make_library(Servers(*sys.argv[1:3], name=sys.argv[3]))
"""


def run(command: list[str], status: int) -> None:
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=False)
    assert done.returncode == status


def test_a_check_names_what_milvus_lost_and_a_repair_makes_it_again(servers: Servers) -> None:
    before = state(make_library(servers))
    vectors = in_milvus(servers)
    numbers = sorted(vectors.rows(np.arange(10_000)))
    (vector, words) = vectors.rows(np.arange(10_000))[numbers[0]]
    vectors.remove(np.array(numbers[:2]))
    vectors.add(np.array(numbers[:1]), -vector[None, :], [words])
    with opened(servers) as library, pytest.raises(LibraryUnwritable, match="Run `rag check --repair`"):
        library.nearest(WordEmbedder().embed_query("tea"), 3)
    assert faults(servers) == [
        "Milvus lacks the vectors of 1 chunks.",
        "Milvus has other vectors or words of 1 chunks than the database.",
    ]
    assert [fault for check in repair_servers(servers, silent) for fault in check.faults] == []
    assert state(servers) == {**before, "generation": 2}
    client = milvus.connect(servers)
    client.drop_collection(in_milvus(servers).collection)
    assert faults(servers) == ["There is no collection of the library in Milvus."]
    repair_servers(servers, silent)
    assert state(servers) == {**before, "generation": 3}


def test_a_check_names_an_article_that_isn_t_as_it_was_made(servers: Servers) -> None:
    make_library(servers)
    engine = engine_of(servers, "test")
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {servers.name}.documents SET title = 'Spoiled' WHERE id = 'tea'"))
        connection.execute(text(f"UPDATE {servers.name}.chunks SET end_at = 9999 WHERE id = 'salt:1'"))
    engine.dispose()
    found = [fault for check in check_servers(servers, silent) for fault in check.faults]
    assert {fault.source for fault in found} == {"articles/tea.txt", "articles/salt.txt", None}
    assert "articles/tea.txt isn't the text that was indexed." in [fault.what for fault in found]


def test_a_library_outlives_a_restart_of_its_database(milvus_file: Path) -> None:
    with postgres() as server:
        place = Servers(f"{server.url}&password=swordfish", str(milvus_file), name="restarted")
        make_library(place)
        with opened(place) as library:
            server.stop()
            with pytest.raises(LibraryUnreachable, match=r"doesn't answer .* Start it") as caught:
                library.count()
            assert "swordfish" not in str(caught.value)
            with pytest.raises(LibraryUnreachable):
                open_writer(place, IDENTITY).__enter__()
            server.start()
            assert library.count().documents == 3
            with library.snapshot() as now:
                server.stop()
                with pytest.raises(LibraryUnreachable):
                    now.documents()
                server.start()
            assert worded(library, "rust") == ["iron:0"]


def test_a_writer_whose_database_goes_away_has_ended(milvus_file: Path) -> None:
    with postgres() as server:
        place = Servers(server.url, str(milvus_file), name="gone")
        before = state(make_library(place))

        def work() -> None:
            with open_writer(place, IDENTITY) as writer:
                put(writer, "wood", "Wood floats.")
                server.stop()
                with pytest.raises(LibraryUnreachable):
                    writer.commit()
                server.start()
                with pytest.raises(ValueError, match="has ended"):
                    writer.remove("tea")

        work()
        assert state(place) == before
        with open_writer(place, IDENTITY):
            pass
        assert len(in_milvus(place)) == 5


def test_a_library_of_another_version_is_refused(servers: Servers) -> None:
    make_library(servers)
    engine = engine_of(servers, "test")
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {servers.name}.manifest SET schema = 99"))
        with pytest.raises(LibraryMismatch, match="tables of version 99"):
            read_manifest(connection, servers)
    engine.dispose()


def test_no_right_to_make_a_schema_is_said(servers: Servers, server: Any) -> None:
    engine = engine_of(servers, "test")
    with engine.begin() as connection:
        connection.execute(text("DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN END $$"))
    engine.dispose()
    poor = replace(servers, database=server.url.replace("citeline@", "reader@"))
    with pytest.raises(LibraryUnwritable, match="needs the right to create a schema"):
        open_writer(poor, IDENTITY).__enter__()
    with library_at(poor) as library, pytest.raises(LibraryEmpty):
        library.count()
