"""A token opens a conversation as it was when it was shared, to anybody, until it is withdrawn."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.conversations import Conversations
from rag.errors import InputError
from rag.exchanges import Draft, Exchange, Feedback, Vote
from tests.conversations.samples import COST

DRAFT = Draft("Searching the articles")


@pytest.fixture
def saved(tmp_path: Path) -> Iterator[Conversations]:
    with Conversations(tmp_path) as conversations:
        yield conversations


@pytest.fixture
def ident(saved: Conversations) -> str:
    place = saved.ask("ada", "What does the ferry cost?", DRAFT)
    saved.record(place, COST)
    return place.conversation


def test_the_copy_is_what_the_conversation_was_without_votes_and_names(saved: Conversations, ident: str) -> None:
    saved.rate("ada", ident, 1, Feedback(Vote.DOWN, "Between us"))
    before = saved.read("ada", ident)
    token = saved.share("ada", ident)
    copy = saved.read_shared(token)
    assert copy == replace(before, id="", feedback={}, changed=copy.changed)
    saved.record(saved.ask("ada", "And dogs?", DRAFT, ident), COST)
    saved.rename("ada", ident, "Mine")
    assert saved.read_shared(token) == copy
    assert saved.read("ada", ident).token == token
    assert [one.shared for one in saved.listed("ada")] == [True]


def test_sharing_again_brings_the_copy_up_to_date_under_the_same_token(saved: Conversations, ident: str) -> None:
    token = saved.share("ada", ident)
    saved.record(saved.ask("ada", "And dogs?", DRAFT, ident), COST)
    assert saved.share("ada", ident) == token
    assert [one.question for one in saved.read_shared(token).exchanges] == ["What does the ferry cost?", "And dogs?"]


def test_a_copy_outlives_what_is_cut_off_from_the_original(saved: Conversations, ident: str) -> None:
    token = saved.share("ada", ident)
    saved.truncate("ada", ident, 1)
    assert saved.read_shared(token).exchanges == (Exchange(1, "What does the ferry cost?", COST),)


def test_a_token_opens_nothing_once_withdrawn_or_deleted(saved: Conversations, ident: str) -> None:
    token = saved.share("ada", ident)
    saved.withdraw("ada", ident)
    saved.withdraw("ada", ident)
    other = saved.share("ada", ident)
    assert other != token
    saved.delete("ada", ident)
    for old in (token, other, ident, "", "\ud800", "%"):
        with pytest.raises(InputError, match="opens no conversation"):
            saved.read_shared(old)


def test_tokens_can_not_be_guessed_and_differ(saved: Conversations, ident: str) -> None:
    second = saved.ask("ada", "Who?", DRAFT)
    saved.record(second, COST)
    tokens = {saved.share("ada", ident), saved.share("ada", second.conversation)}
    assert len(tokens) == 2
    assert all(len(token) >= 43 for token in tokens)


def test_an_unfinished_answer_is_not_shared(saved: Conversations, ident: str) -> None:
    saved.ask("ada", "And dogs?", DRAFT, ident)
    assert [one.number for one in saved.read_shared(saved.share("ada", ident)).exchanges] == [1]
    pending = saved.ask("ada", "Who?", DRAFT)
    with pytest.raises(InputError, match="no answer to share yet"):
        saved.share("ada", pending.conversation)
    assert saved.read("ada", pending.conversation).token is None
