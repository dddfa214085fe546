"""`rag user`: who may log in on the page."""

from pathlib import Path

import pytest

from rag.guarding import Users
from tests.cli.conftest import Rag

PASSWORD = "correct horse ü"


@pytest.fixture
def file(settings: dict[str, str | Path]) -> Path:
    return Path(settings["RAG_USERS"])


def test_who_is_added_may_log_in_until_removed(file: Path, rag_: Rag) -> None:
    assert rag_("user", "list").done == "Nobody may log in yet. Run `rag user add NAME`.\n"
    added = rag_("user", "add", "ann", stdin=f"{PASSWORD}\n".encode())
    assert added.done == "ann may log in.\n"
    assert Users(file).admits("ann", PASSWORD)
    rag_("user", "add", "bob", stdin=b"another password\r\n")
    assert Users(file).admits("bob", "another password")
    assert rag_("user", "list").done == "ann\nbob\n"
    assert rag_("user", "remove", "ann").done == "ann may not log in any more.\n"
    assert rag_("user", "list").done == "bob\n"


def test_a_token_is_shown_once_and_ends_with_the_next_or_by_command(file: Path, rag_: Rag) -> None:
    assert rag_("user", "token", "ann").status == 2
    rag_("user", "add", "ann", stdin=f"{PASSWORD}\n".encode())
    first, second = (rag_("user", "token", "ann").done.strip() for _ in range(2))
    assert first.startswith("citeline_")
    assert [Users(file).holder(token) for token in (first, second)] == [None, "ann"]
    assert rag_("user", "token", "ann", "--end").done == "No program of ann may come in any more.\n"
    assert Users(file).holder(second) is None


def test_what_is_not_accepted_is_said_and_no_password_is_repeated(file: Path, rag_: Rag) -> None:
    short = rag_("user", "add", "ann", stdin=b"geheim\n")
    assert (short.status, short.complaint) == (2, "The password has 6 characters. Use 8 to 256.")
    assert "geheim" not in short.out + short.err
    assert rag_("user", "add", "a b", stdin=b"long enough\n").status == 2
    assert rag_("user", "remove", "ann").status == 2
    assert not file.exists()


def test_a_page_open_to_others_names_the_command(file: Path, rag_: Rag, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_HOST", "0.0.0.0")
    refused = rag_("serve")
    assert refused.status == 1
    assert "Run `rag user add NAME`, or set RAG_LOGIN=never" in refused.complaint
    assert not file.exists()
