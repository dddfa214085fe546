import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import Message, Receive

from rag.guarding.bodies import BodyRefused, read_body, replayed


def arriving(messages: Sequence[Message], pause: float = 0) -> Receive:
    waiting = list(messages)

    async def receive() -> Message:
        await asyncio.sleep(pause)
        return waiting.pop(0)

    return receive


def piece(body: bytes, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def status_of(receive: Receive, most: int, seconds: float = 5) -> int:
    with pytest.raises(BodyRefused) as caught:
        asyncio.run(read_body(receive, most, seconds))
    return caught.value.status


def test_pieces_are_joined_up_to_the_last_byte_allowed() -> None:
    assert asyncio.run(read_body(arriving([piece(b"ab", True), piece(b"", True), piece(b"c", False)]), 3)) == b"abc"


def test_it_ends_with_the_piece_that_is_too_much() -> None:
    later = [piece(b"ab", True), piece(b"cd", True)]
    assert status_of(arriving(later), 3) == 413


def test_a_client_that_leaves_or_dawdles_is_not_waited_for() -> None:
    assert status_of(arriving([piece(b"a", True), {"type": "http.disconnect"}]), 9) == 400
    assert status_of(arriving([piece(b"a", True)] * 1000, pause=0.02), 9999, seconds=0.1) == 408


def test_what_was_read_is_given_again_and_then_the_end_of_the_connection() -> None:
    async def both() -> list[Message]:
        again = replayed(b"abc", arriving([{"type": "http.disconnect"}]))
        return [await again(), await again()]

    assert asyncio.run(both()) == [piece(b"abc", False), {"type": "http.disconnect"}]
