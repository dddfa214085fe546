"""The capacity model: its queue against what can be computed by hand, and its page against what its command makes."""

import json
from dataclasses import astuple
from pathlib import Path

import pytest

from benchmarks.capacity import Shape, compare, expected, simulate
from benchmarks.scaling import PAGE, SIZES, Assumed, Measured, Size, plan, with_given, with_tables

HOUR = 3600.0


def test_a_reader_alone_never_waits() -> None:
    queue = simulate(Shape(readers=1, slots=1, seconds=HOUR, think=10), [5.0], seed=1)
    assert (queue.p50, queue.p95) == (0, 0)
    assert queue.per_minute == pytest.approx(4, rel=0.1)  # one every 15 seconds


def test_readers_who_do_not_think_wait_for_all_the_others() -> None:
    queue = simulate(Shape(readers=6, slots=2, seconds=HOUR, think=0.001), [5.0], seed=1)
    assert queue.p50 == pytest.approx(10, abs=0.1)  # two rounds of two others each
    assert queue.per_minute == pytest.approx(24, rel=0.01)  # two every five seconds


def test_a_queue_in_equilibrium_waits_as_long_as_little_says() -> None:
    """N = throughput × (waiting + serving + thinking), of a closed system with N readers."""
    shape = Shape(readers=20, slots=3, seconds=20 * HOUR, think=30)
    queue = expected(shape, [4.0, 8.0, 6.0], runs=1)
    assert queue.per_minute / 60 <= 3 / 6  # three slots, six seconds each
    assert queue.p50 <= shape.readers / (queue.per_minute / 60) - 6 - 30 + 2


def test_what_was_measured_and_what_is_simulated_are_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = {"readers": 2, "workers": 1, "seconds": 100.0, "think": 0.001}
    turns = [5.0 * number for number in range(21)]  # two readers, one slot: each waits for the other
    rows = [
        {"reader": number % 2, "way": "chat", "asked": max(0.0, turn - 5), "turn": turn, "ended": turn + 5}
        for number, turn in enumerate(turns)
    ]
    record = tmp_path / "record.jsonl"
    record.write_text("\n".join(map(json.dumps, [head, *rows])))
    assert compare(record)
    assert "simulated" in capsys.readouterr().out
    record.write_text("\n".join(map(json.dumps, [head, *({**row, "asked": row["turn"]} for row in rows)])))
    assert not compare(record)


def test_a_plan_follows_from_its_inputs() -> None:
    cost, price = with_given(["article_characters=1200", "chunk_characters=600", "chunks_second=10", "row_bytes=456"])
    made = plan(Size(1_000, 1), cost, price)
    assert made.chunks == 2_000
    assert made.embedding_hours == pytest.approx(200 / HOUR)
    assert made.disk_gb == pytest.approx(2_000 * (456 + cost.vector_bytes) / 1e9)
    assert (made.cards, made.slots) == (0, 1)
    assert made.money == pytest.approx(made.machines + made.disk + made.reading)


def test_more_articles_or_readers_never_cost_less() -> None:
    for small, large in ((SIZES[0], SIZES[1]), (SIZES[1], SIZES[2]), (Size(10_000, 10), Size(10_000, 500))):
        less, more = (plan(size, Measured(), Assumed()) for size in (small, large))
        assert less.money <= more.money
        assert less.slots <= more.slots


def test_an_unknown_input_is_named() -> None:
    with pytest.raises(SystemExit, match="no input called 'gpus'"):
        with_given(["gpus=3"])


def test_the_page_holds_what_the_command_makes() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert with_tables(text, Measured(), Assumed()) == text
    assert all(value > 0 for value in astuple(plan(SIZES[2], Measured(), Assumed())))
