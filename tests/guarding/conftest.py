"""Who has a password in tests of the gate."""

from pathlib import Path

import pytest

from rag.guarding import Users
from tests.guarding.test_gate import PASSWORD


@pytest.fixture
def users(tmp_path: Path) -> Users:
    """Ann only."""
    users = Users(tmp_path / "users.json")
    users.add("ann", PASSWORD)
    return users
