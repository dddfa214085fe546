"""Places for a library: a folder, and PostgreSQL with Milvus Lite."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from rag.stores import Place, Servers
from tests.stores.servers import Postgres, postgres

_numbers = count()


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


@pytest.fixture(scope="session")
def milvus_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("milvus") / "vectors.db"


@pytest.fixture
def servers(server: Postgres, milvus_file: Path) -> Servers:
    """Where there is nothing yet."""
    return Servers(server.url, str(milvus_file), name=f"library{next(_numbers)}")


@pytest.fixture(params=["folder", "servers"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where there is nothing yet, of each kind."""
    if request.param == "folder":
        return tmp_path / "index"
    made: Servers = request.getfixturevalue("servers")
    return made
