import pytest

from rag.errors import RagError
from rag.line import MOST_EACH, Line


def served(line: Line, names: dict[object, str]) -> list[str]:
    """Serve everybody, each as soon as it is their turn."""
    order = []
    while names:
        turn = [ticket for ticket in names if line.take(ticket)]
        assert len(turn) == 1
        assert line.ahead(turn[0]) == 0
        order.append(names.pop(turn[0]))
        line.leave(turn[0])
    return order


def test_clients_take_turns() -> None:
    line = Line(20)
    names = {line.join(name[0]): name for name in ("a1", "a2", "a3", "b1", "c1", "c2")}
    assert served(line, names) == ["a1", "b1", "c1", "a2", "c2", "a3"]
    assert len(line) == 0


def test_who_asks_again_and_again_does_not_keep_another_waiting() -> None:
    line = Line(20)
    greedy = line.join("greedy")
    assert line.take(greedy)
    patient = line.join("patient")
    for turn in range(5):
        line.join("greedy") if turn < MOST_EACH else None
    assert line.ahead(patient) == 1
    line.leave(greedy)
    assert line.take(patient)


def test_the_number_ahead_is_the_number_served_before() -> None:
    line = Line(20)
    names = {line.join(name[0]): name for name in ("a1", "a2", "a3", "b1", "b2", "c1", "d1", "d2", "d3")}
    ahead = {name: line.ahead(ticket) for ticket, name in names.items()}
    assert [name for name, _ in sorted(ahead.items(), key=lambda pair: pair[1])] == served(line, names)
    assert sorted(ahead.values()) == list(range(9))


def test_the_one_being_served_counts_as_ahead() -> None:
    line = Line(20)
    first, second, third = line.join("a"), line.join("b"), line.join("c")
    assert line.take(first)
    assert line.take(first)
    assert not line.take(second)
    assert [line.ahead(ticket) for ticket in (first, second, third)] == [0, 1, 2]


def test_who_leaves_makes_room_and_lets_the_others_on() -> None:
    line = Line(20)
    first, second, third = line.join("a"), line.join("a"), line.join("b")
    line.leave(first)
    line.leave(first)
    assert line.take(second)
    line.leave(second)
    assert line.take(third)
    line.leave(third)
    assert len(line) == 0


def test_the_line_and_each_share_of_it_has_an_end() -> None:
    line = Line(4)
    for _ in range(MOST_EACH):
        line.join("a")
    with pytest.raises(RagError, match="3 questions of yours wait already"):
        line.join("a")
    line.join("b")
    with pytest.raises(RagError, match="4 questions wait already, which is the most"):
        line.join("c")
    assert len(line) == 4


def test_so_many_are_served_at_once_and_clients_take_turns_all_the_same() -> None:
    line = Line(20, at_once=2)
    first, second, third, other = (line.join(name) for name in "aaab")
    assert [line.take(ticket) for ticket in (first, other)] == [True, True]
    late = line.join("c")
    assert [line.take(ticket) for ticket in (second, third, late)] == [False, False, False]
    assert [line.ahead(ticket) for ticket in (first, other, late, second, third)] == [0, 0, 2, 3, 4]
    line.leave(other)
    assert [line.take(ticket) for ticket in (second, late)] == [False, True]
    assert len(line) == 4
