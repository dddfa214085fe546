from dataclasses import replace

from rag.exchanges import Draft, Exchange, Stopped, Trouble
from rag.rights import EVERYTHING, WITHHELD, Readable, may_see, withheld
from rag.rights.patterns import Collection
from rag.types import Answer
from tests.page import SENTENCE, answer, passage

NEWS = Readable(frozenset([Collection(("news/.*",))]))
PUBLIC, SECRET = passage(1, source="news/a.txt"), passage(2, source="board/b.txt")
TEXT = "It pays US$20 million a month."


def exchange(number: int, *passages: object, asked: str = "how much?", meant: str = "how much?") -> Exchange:
    said = answer(asked, TEXT, *passages)  # type: ignore[arg-type]
    return Exchange(number, asked, replace(said, standalone_question=meant))


def test_an_answer_is_withheld_where_one_of_its_articles_may_not_be_read() -> None:
    known, mixed = exchange(1, PUBLIC), exchange(2, PUBLIC, SECRET)
    assert (may_see(known, NEWS), may_see(mixed, NEWS)) == (True, False)
    assert withheld([known, mixed], NEWS) == (known, Exchange(2, "how much?", Trouble(WITHHELD)))
    assert withheld([known, mixed], EVERYTHING) == (known, mixed)
    assert withheld([known], Readable(frozenset())) == (Exchange(1, "how much?", Trouble(WITHHELD)),)


def test_what_is_not_a_finished_answer_is_withheld_like_one() -> None:
    for outcome in (Draft("Reading", (SECRET,), "It p"), Stopped(Draft("Reading", (SECRET,))), Trouble("", (SECRET,))):
        assert withheld([Exchange(1, "how much?", outcome)], NEWS)[0].outcome == Trouble(WITHHELD)
    waiting = Exchange(1, "how much?", Draft("Searching"))
    assert withheld([waiting], NEWS) == (waiting,)


def test_a_question_completed_from_a_withheld_answer_is_withheld_with_its_answer() -> None:
    secret, own = exchange(1, SECRET), exchange(2, PUBLIC)
    leaning = exchange(3, PUBLIC, asked="and them?", meant="and Xylofnord's directors?")
    assert [one.outcome == Trouble(WITHHELD) for one in withheld([secret, own, leaning], NEWS)] == [True, False, True]
    assert withheld([own, leaning], NEWS) == (own, leaning)


def test_copies_are_named_where_they_may_be_read() -> None:
    copied = replace(PUBLIC, copies=("board/b.txt", "news/c.txt"))
    [seen] = withheld([exchange(1, copied)], NEWS)
    assert isinstance(seen.outcome, Answer)
    citations = [citation for claim in seen.outcome.claims for citation in claim.citations]
    assert [one.copies for one in seen.outcome.passages] == [("news/c.txt",)]
    assert [one.passage.copies for one in citations] == [("news/c.txt",)]
    assert [one.text for one in citations] == [SENTENCE]
