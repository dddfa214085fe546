"""Streams of events whose end is held back until the client has hung up."""

import asyncio

import pytest
from starlette.types import Message

from rag.guarding import streams
from rag.guarding.streams import Streams

EVENT: Message = {"type": "http.response.body", "body": b'data: {"msg":"process_completed"}\n\n', "more_body": True}
LAST: Message = {"type": "http.response.body", "body": b'data: {"msg": "close_stream"}\n\n', "more_body": True}
END: Message = {"type": "http.response.body", "body": b"", "more_body": False}
START: Message = {"type": "http.response.start", "status": 200, "headers": []}


class Tab:
    """A client that hangs up when it is told to, and what it got in order."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.hangs_up = asyncio.Event()

    async def receive(self) -> Message:
        await self.hangs_up.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.got.append(message)


async def soon() -> None:
    """Long enough for everything that is ready to run."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_what_begins_while_a_stream_ends_is_answered_after_the_client_has_hung_up() -> None:
    async def story() -> None:
        tab, ending = Tab(), Streams()

        async def page() -> None:
            with ending.followed("s", tab.receive, tab.send) as send:
                await send(EVENT)
                await send(LAST)
                await send(END)

        stream = asyncio.create_task(page())
        await soon()
        begun = asyncio.ensure_future(ending.awaited("s", tab.send)(START))
        await soon()
        assert tab.got == [EVENT, LAST]
        tab.hangs_up.set()
        await asyncio.gather(stream, begun)
        assert tab.got == [EVENT, LAST, END, START]

    asyncio.run(story())


def test_nothing_waits_while_a_stream_goes_on_nor_for_the_stream_of_another_tab() -> None:
    async def story() -> None:
        tab, other, ending = Tab(), Tab(), Streams()
        with ending.followed("s", tab.receive, tab.send) as send:
            await send(EVENT)
            await ending.awaited("s", tab.send)(START)
            await send(LAST)
            await ending.awaited("t", other.send)(START)
        assert (tab.got, other.got) == ([EVENT, START, LAST], [START])

    asyncio.run(story())


@pytest.mark.parametrize("messages", [[EVENT, END], [EVENT, LAST]])
def test_nothing_waits_for_a_stream_that_broke_off(messages: list[Message]) -> None:
    async def story() -> None:
        tab, ending = Tab(), Streams()
        with ending.followed("s", tab.receive, tab.send) as send:
            for message in messages:
                await send(message)
        await ending.awaited("s", tab.send)(START)
        assert tab.got == [*messages, START]

    asyncio.run(story())


def test_a_client_that_does_not_hang_up_is_waited_for_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        tab, ending = Tab(), Streams()
        with ending.followed("s", tab.receive, tab.send) as send:
            await send(LAST)
            await send(END)
        await ending.awaited("s", tab.send)(START)
        assert tab.got == [LAST, END, START]

    monkeypatch.setattr(streams, "PATIENCE", 0.02)
    asyncio.run(story())
