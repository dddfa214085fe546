import pytest

from rag.guarding import rates
from rag.guarding.rates import Rates
from tests.guarding.test_logins import Clock


def test_a_few_at_once_then_steadily() -> None:
    clock = Clock()
    limit = Rates(per_minute=30, at_once=3, clock=clock)
    assert [limit.wait("ann") for _ in range(4)] == [0, 0, 0, 2]
    clock.now += 1
    assert limit.wait("ann") == 1
    clock.now += 1
    assert limit.wait("ann") == 0
    assert limit.wait("ann") == 2
    clock.now += 3600
    assert [limit.wait("ann") for _ in range(4)] == [0, 0, 0, 2]  # a long rest buys no more than that


def test_clients_have_their_own() -> None:
    limit = Rates(per_minute=60, at_once=1, clock=Clock())
    assert [limit.wait("ann"), limit.wait("bob"), limit.wait("ann"), limit.wait("bob")] == [0, 0, 1, 1]


def test_only_so_many_clients_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST", 2)
    limit = Rates(per_minute=60, at_once=1, clock=Clock())
    assert [limit.wait(client) for client in ("ann", "bob", "cy", "cy", "ann")] == [0, 0, 0, 1, 0]
