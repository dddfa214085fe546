"""Ending a stream of text at a stop string that may arrive in pieces."""

from collections.abc import Iterable, Iterator, Sequence


def until_stop(pieces: Iterable[str], stops: Sequence[str]) -> Iterator[str]:
    """Pass `pieces` on until the first of `stops`, of which nothing is passed on.

    ["one ", "tw", "o three"] with stop "two" -> "one ". Text that may be the beginning of a stop is held back until
    the next piece decides.
    """
    held = ""
    for piece in pieces:
        held += piece
        ends = [at for stop in stops if (at := held.find(stop)) >= 0]
        if ends:
            yield held[: min(ends)]
            return
        free = len(held) - max((_overhang(held, stop) for stop in stops), default=0)
        yield held[:free]
        held = held[free:]
    yield held


def _overhang(text: str, stop: str) -> int:
    """Length of the longest ending of `text` that `stop` begins with."""
    return next((size for size in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:size])), 0)
