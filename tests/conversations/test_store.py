"""Saved conversations: what is read is what was recorded, in order, and belongs to its owner."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.conversations import EVERYONE, FILE, Conversations
from rag.conversations.packing import passages_of
from rag.errors import InputError
from rag.exchanges import Draft, Exchange, Feedback, Stopped, Trouble, Vote
from rag.types import Answer
from tests.conversations.samples import COST, FERRY, FIRST, SECOND, passage, refusal

DRAFT = Draft("Searching the articles")
ADA, BEN = "ada", "ben"


@pytest.fixture
def saved(tmp_path: Path) -> Iterator[Conversations]:
    with Conversations(tmp_path) as conversations:
        yield conversations


def talk(saved: Conversations, owner: str = ADA, *questions: str) -> str:
    """A conversation in which each question was answered alike."""
    ident = None
    for question in questions or ("What does the ferry cost?",):
        place = saved.ask(owner, question, DRAFT, ident)
        assert saved.record(place, COST)
        ident = place.conversation
    assert ident
    return ident


def titles(saved: Conversations, owner: str = ADA) -> list[str]:
    return [listed.title for listed in saved.listed(owner)]


@pytest.mark.parametrize(
    "outcome",
    [
        COST,
        refusal("Who?", FIRST),
        refusal("Who?"),
        Stopped(Draft("Reading", (FIRST, SECOND), "It is [1]")),
        Stopped(DRAFT),
        Trouble("Run `rag index`.", (SECOND,)),
        Draft("Reading", (FIRST,), "It"),
        replace(COST, question="\ud83d lone", signals={}),
    ],
    ids=lambda outcome: type(outcome).__name__,
)
def test_every_outcome_is_read_as_it_was_recorded(
    outcome: Answer | Stopped | Trouble | Draft, saved: Conversations, tmp_path: Path
) -> None:
    place = saved.ask(ADA, "What \ud83d <b>?\n\x00", DRAFT)
    assert saved.record(place, outcome)
    expected = Exchange(1, "What \ud83d <b>?\n\x00", outcome)
    assert saved.read(ADA, place.conversation).exchanges == (expected,)
    assert saved.read_exchange(ADA, place.conversation, 1) == expected
    with Conversations(tmp_path) as others:
        assert others.read(ADA, place.conversation).exchanges == (expected,)


def test_a_question_shows_as_being_answered_until_its_answer_is_recorded(saved: Conversations) -> None:
    place = saved.ask(ADA, "Who?", DRAFT)
    assert saved.read(ADA, place.conversation).exchanges == (Exchange(1, "Who?", DRAFT),)
    saved.record(place, Draft("Reading", (FIRST,), "It is"))
    assert saved.read_exchange(ADA, place.conversation, 1).outcome == Draft("Reading", (FIRST,), "It is")
    saved.record(place, COST)
    assert saved.read_exchange(ADA, place.conversation, 1).outcome == COST


def test_exchanges_are_numbered_from_one_and_the_first_gives_the_title(saved: Conversations) -> None:
    ident = talk(saved, ADA, "What does\n the ferry cost?", "And dogs?")
    conversation = saved.read(ADA, ident)
    assert [(one.number, one.question) for one in conversation.exchanges] == [
        (1, "What does\n the ferry cost?"),
        (2, "And dogs?"),
    ]
    assert (conversation.title, conversation.token, conversation.id) == ("What does the ferry cost?", None, ident)
    assert conversation.began < conversation.changed


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("word " * 12, " ".join(["word"] * 12)),
        ("word " * 13, " ".join(["word"] * 11) + " …"),
        ("w" * 60, "w" * 60),
        ("w" * 61, "w" * 59 + "…"),
        ("a\x1b[31m\ud800 b", "a [31m\ufffd b"),
    ],
)
def test_a_long_question_is_cut_at_a_word_for_the_title(question: str, title: str, saved: Conversations) -> None:
    talk(saved, ADA, question)
    assert titles(saved) == [title]


def test_asking_anew_drops_what_followed_and_goes_on_from_there(saved: Conversations) -> None:
    ident = talk(saved, ADA, "One?", "Two?", "Three?")
    saved.ask(ADA, "Zwei?", DRAFT, ident, number=2)
    assert [one.question for one in saved.read(ADA, ident).exchanges] == ["One?", "Zwei?"]
    saved.ask(ADA, "Eins?", DRAFT, ident, number=1)
    assert titles(saved) == ["Eins?"]
    saved.rename(ADA, ident, "Numbers")
    saved.ask(ADA, "Un?", DRAFT, ident, number=1)
    assert titles(saved) == ["Numbers"]


def test_an_answer_that_comes_too_late_changes_nothing(saved: Conversations) -> None:
    place = saved.ask(ADA, "One?", DRAFT)
    saved.ask(ADA, "Another?", DRAFT, place.conversation, number=1)
    assert not saved.record(place, COST)
    assert saved.read(ADA, place.conversation).exchanges == (Exchange(1, "Another?", DRAFT),)
    saved.truncate(ADA, place.conversation, 1)
    assert saved.read(ADA, place.conversation).exchanges == ()
    second = saved.ask(ADA, "Two?", DRAFT)
    saved.delete(ADA, second.conversation)
    assert not saved.record(second, COST)


def test_the_list_is_newest_first_in_pages_that_leave_nothing_out(saved: Conversations) -> None:
    first, second, third = (talk(saved, ADA, question) for question in ("One?", "Two?", "Three?"))
    talk(saved, BEN)
    saved.ask(ADA, "More?", DRAFT, first)
    assert [(one.id, one.count, one.shared) for one in saved.listed(ADA)] == [
        (first, 2, False),
        (third, 1, False),
        (second, 1, False),
    ]
    start = saved.listed(ADA, count=2)
    talk(saved, ADA, "Meanwhile?")
    assert [one.id for one in (*start, *saved.listed(ADA, 2, after=start[-1]))] == [first, third, second]


def test_titles_are_one_line_and_not_empty(saved: Conversations) -> None:
    ident = talk(saved)
    saved.rename(ADA, ident, "  Ferries\nand \x00fares ")
    assert titles(saved) == ["Ferries and fares"]
    for title in ("", " \n", "x" * 201):
        with pytest.raises(InputError, match="1 to 200 characters"):
            saved.rename(ADA, ident, title)


def test_feedback_is_kept_changed_and_taken_back(saved: Conversations) -> None:
    ident = talk(saved, ADA, "One?", "Two?")
    saved.rate(ADA, ident, 2, Feedback(Vote.DOWN, " Wrong year \ud800 "))
    saved.rate(ADA, ident, 1, Feedback(Vote.UP))
    assert saved.read(ADA, ident).feedback == {1: Feedback(Vote.UP), 2: Feedback(Vote.DOWN, "Wrong year \ufffd")}
    saved.rate(ADA, ident, 1, Feedback(Vote.DOWN))
    saved.rate(ADA, ident, 2, None)
    assert saved.read(ADA, ident).feedback == {1: Feedback(Vote.DOWN)}
    with pytest.raises(InputError, match="no exchange 3"):
        saved.rate(ADA, ident, 3, None)


USES: list[Callable[[Conversations, str, str], object]] = [
    lambda saved, owner, ident: saved.ask(owner, "Who?", DRAFT, ident),
    lambda saved, owner, ident: saved.truncate(owner, ident, 1),
    lambda saved, owner, ident: saved.read(owner, ident),
    lambda saved, owner, ident: saved.read_exchange(owner, ident, 1),
    lambda saved, owner, ident: saved.rename(owner, ident, "Mine"),
    lambda saved, owner, ident: saved.delete(owner, ident),
    lambda saved, owner, ident: saved.rate(owner, ident, 1, Feedback(Vote.UP)),
    lambda saved, owner, ident: saved.share(owner, ident),
    lambda saved, owner, ident: saved.withdraw(owner, ident),
]


@pytest.mark.parametrize("use", USES)
def test_nobody_reaches_anothers_conversation_or_learns_that_there_is_one(
    use: Callable[[Conversations, str, str], object], saved: Conversations
) -> None:
    ident = talk(saved)
    before = saved.read(ADA, ident)
    for wanted in (ident, "0000000000000000", "\ud800", "' OR 1 --"):
        with pytest.raises(InputError, match=r"There is no conversation .*, or it was deleted"):
            use(saved, BEN, wanted)
    for nobody in ("", "\ud800", "x" * 201):
        with pytest.raises(InputError, match="1 to 200 characters"):
            use(saved, nobody, ident)
    assert saved.read(ADA, ident) == before


def test_lists_searches_and_deletions_keep_to_their_owner(saved: Conversations) -> None:
    mine, theirs = talk(saved, ADA), talk(saved, BEN)
    token = saved.share(BEN, theirs)
    assert [one.id for one in saved.listed(ADA)] == [mine]
    assert [one.conversation for one in saved.search(ADA, "ferry")] == [mine]
    assert saved.delete_all(ADA) == 1
    assert (saved.listed(ADA), saved.search(ADA, "ferry"), saved.delete_all(ADA)) == ((), (), 0)
    assert [one.id for one in saved.listed(BEN)] == [theirs]
    assert saved.read_shared(token).exchanges == saved.read(BEN, theirs).exchanges


def test_who_runs_citeline_sees_everyones(saved: Conversations) -> None:
    mine, theirs = talk(saved, ADA), talk(saved, BEN)
    saved.share(ADA, mine)
    assert {one.id for one in saved.listed(EVERYONE)} == {mine, theirs}
    assert len(saved.search(EVERYONE, "ferry")) == 2
    assert saved.read(EVERYONE, theirs) == saved.read(BEN, theirs)
    assert saved.delete_all(EVERYONE) == 2
    assert saved.listed(EVERYONE) == ()


def test_a_text_is_kept_once_and_no_longer_than_somebody_uses_it(saved: Conversations, tmp_path: Path) -> None:
    long = "".join(f"{number:x} " for number in range(60_000))
    article = replace(FIRST.document, text=FERRY + long)
    passages = tuple(passage(number, article, number, number + 50) for number in range(1, 11))
    ident = None
    for _ in range(10):
        place = saved.ask(ADA, "Who?", DRAFT, ident)
        saved.record(place, replace(COST, claims=(), passages=passages))
        ident = place.conversation
    assert ident
    saved.close()
    assert (tmp_path / FILE).stat().st_size < 1.5 * len(long)
    outcomes = [found.outcome for found in saved.read(ADA, ident).exchanges]
    assert {one.document.text for outcome in outcomes for one in passages_of(outcome)} == {article.text}
    saved.truncate(ADA, ident, 2)
    assert passages_of(saved.read(ADA, ident).exchanges[0].outcome)[0].document.text == article.text
    saved.delete(ADA, ident)
    assert (tmp_path / FILE).stat().st_size < 0.5 * len(long)


def test_what_was_deleted_is_nowhere_in_the_files(saved: Conversations, tmp_path: Path) -> None:
    talk(saved, BEN)
    secret = replace(COST, text="xylophone", claims=(), passages=(passage(1, replace(FIRST.document, text="q" * 50)),))
    place = saved.ask(ADA, "Where is the marimba?", DRAFT)
    saved.record(place, secret)
    saved.share(ADA, place.conversation)
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert all(word in held for word in (b"xylophone", b"marimba"))
    saved.delete(ADA, place.conversation)
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert not any(word in left for word in (b"xylophone", b"marimba", b"qqq"))
    assert titles(saved, BEN) == ["What does the ferry cost?"]


def test_reading_writes_nothing(tmp_path: Path) -> None:
    with Conversations(tmp_path / "none") as saved:
        assert (saved.listed(ADA), saved.search(ADA, "x")) == ((), ())
        with pytest.raises(InputError):
            saved.read(ADA, "0")
    assert list(tmp_path.iterdir()) == []


def test_only_their_user_can_read_the_files(saved: Conversations, tmp_path: Path) -> None:
    talk(saved)
    assert {path.stat().st_mode & 0o077 for path in tmp_path.glob(f"{FILE}*")} == {0}
