from pathlib import Path

import pytest

from rag.guarding import logins
from rag.guarding.logins import LASTS, Logins
from rag.guarding.users import Users

PASSWORD = "correct horse"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def users(tmp_path: Path) -> Users:
    users = Users(tmp_path / "users.json")
    users.add("ann", PASSWORD)
    return users


def begin(opened: Logins) -> str:
    token = opened.begin("ann", PASSWORD)
    assert token is not None
    return token


def test_a_token_is_its_users_until_logout(users: Users) -> None:
    opened = Logins(users)
    token, other = begin(opened), begin(opened)
    assert token != other
    assert len(token) >= 43  # 32 random bytes
    assert opened.user(token) == "ann"
    opened.end(token)
    opened.end(token)
    assert (opened.user(token), opened.user(other)) == (None, "ann")


def test_no_token_for_a_wrong_password_and_no_user_for_a_wrong_token(users: Users) -> None:
    opened = Logins(users)
    assert opened.begin("ann", "wrong horse") is None
    assert [opened.user(token) for token in (None, "", "x", "\ud800")] == [None] * 4


def test_an_unused_login_ends(users: Users) -> None:
    clock = Clock()
    opened = Logins(users, clock)
    token = begin(opened)
    clock.now += LASTS
    assert opened.user(token) == "ann"  # which counts as use
    clock.now += LASTS
    assert opened.user(token) == "ann"
    clock.now += LASTS + 1
    assert opened.user(token) is None
    clock.now -= LASTS + 1
    assert opened.user(token) is None


def test_who_is_removed_is_out(users: Users) -> None:
    opened = Logins(users)
    token = begin(opened)
    users.remove("ann")
    assert opened.user(token) is None


def test_there_are_only_so_many_logins(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logins, "MOST", 2)
    opened = Logins(users)
    tokens = [begin(opened) for _ in range(3)]
    assert [opened.user(token) for token in tokens] == [None, "ann", "ann"]
