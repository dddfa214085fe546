"""Exchanges as somebody may see them: an answer is withheld that rests on an article they may not read."""

from collections.abc import Sequence
from dataclasses import replace

from rag.exchanges import Exchange, Stopped, Trouble
from rag.languages import later
from rag.rights.readers import Readable
from rag.types import Answer, Passage

WITHHELD = later("This answer rests on articles that you may not read. Ask the question anew.")


def withheld(exchanges: Sequence[Exchange], readable: Readable) -> tuple[Exchange, ...]:
    """The exchanges, with `WITHHELD` in place of what may not be read.

    So are answers to questions that were completed from one of these. Of copies of an article those are named that may
    be read.
    """
    if readable.everything:
        return tuple(exchanges)
    seen: list[Exchange] = []
    for exchange in exchanges:
        if not may_see(exchange, readable) or (_was_completed(exchange) and any(map(_is_withheld, seen))):
            seen.append(replace(exchange, outcome=Trouble(WITHHELD)))
        else:
            seen.append(_with_readable_copies(exchange, readable))
    return tuple(seen)


def may_see(exchange: Exchange, readable: Readable) -> bool:
    """Whether all articles that the exchange shows may be read."""
    outcome = exchange.outcome
    passages = outcome.draft.passages if isinstance(outcome, Stopped) else outcome.passages
    return all(readable.reads(passage.document.source) for passage in passages)


def _was_completed(exchange: Exchange) -> bool:
    """Whether the exchanges before it may have helped to understand its question."""
    answer = exchange.outcome
    return not isinstance(answer, Answer) or answer.question != answer.standalone_question


def _is_withheld(exchange: Exchange) -> bool:
    return exchange.outcome == Trouble(WITHHELD)


def _with_readable_copies(exchange: Exchange, readable: Readable) -> Exchange:
    answer = exchange.outcome
    if not isinstance(answer, Answer):
        return exchange

    def named(passage: Passage) -> Passage:
        return replace(passage, copies=tuple(source for source in passage.copies if readable.reads(source)))

    claims = tuple(
        replace(claim, citations=tuple(replace(one, passage=named(one.passage)) for one in claim.citations))
        for claim in answer.claims
    )
    return replace(exchange, outcome=replace(answer, claims=claims, passages=tuple(map(named, answer.passages))))
