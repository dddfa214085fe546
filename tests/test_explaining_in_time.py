"""What `explain` says of dates and of copies: the same that `retrieve` goes by."""

from dataclasses import replace

import pytest

from rag.inspecting import Candidate, Explained, Fate, Place
from rag.retrieval import explain, retrieve
from rag.types import ANY_TIME, Timeframe
from tests.test_copies import STORY
from tests.test_retrieval import Shelf, Unmoved, chunk, document
from tests.test_retrieval_in_time import BUDGET, MAY, TODAY, Held, shelf

IN_MAY, OF_MAY, LATEST = (
    "What was the fee in May 2023?",
    "What do articles from May 2023 say?",
    "What is the latest fee?",
)


def explained(asked: Shelf, timeframe: Timeframe = ANY_TIME, question: str = "What is the fee?") -> Explained:
    return explain(question, Unmoved(), asked, BUDGET, 40, timeframe=timeframe)


def fates(found: Explained) -> list[tuple[str, Fate, bool]]:
    """(article, fate, whether it was preferred) of each candidate."""
    return [(one.document.id, one.fate, one.preferred) for one in found.candidates]


def family(*texts: str) -> Shelf:
    """Versions of one article without a date, found in this order."""
    articles = [document(name, text) for name, text in zip("abcd", texts, strict=False)]
    return Shelf(articles, [chunk(one.text, one) for one in articles], copies=[one.id for one in articles])


@pytest.mark.parametrize("question", ["What is the fee?", IN_MAY, OF_MAY, LATEST, "What was the fee last month?"])
def test_what_was_retrieved_on_a_day_is_explained_without_knowing_the_day(question: str) -> None:
    found = retrieve(question, Unmoved(), Held(shelf()), BUDGET, today=TODAY)
    again = explained(Held(shelf()), found.timeframe, question)
    assert (again.passages, again.similarity, again.timeframe) == (found.passages, found.similarity, found.timeframe)


def test_articles_of_the_days_that_are_meant_are_said_to_be_preferred() -> None:
    assert fates(explained(shelf(), MAY)) == [
        ("may", Fate.GIVEN, True),
        ("old", Fate.GIVEN, False),
        ("new", Fate.GIVEN, False),
        ("undated", Fate.GIVEN, False),
    ]
    assert not any(one.preferred for one in explained(shelf()).candidates)


def test_what_is_of_another_time_than_is_asked_for_comes_last_and_says_so() -> None:
    found = explained(Held(shelf()), replace(MAY, required=True))
    assert fates(found) == [
        ("may", Fate.GIVEN, True),
        ("undated", Fate.GIVEN, False),
        ("old", Fate.OTHER_TIME, False),
        ("new", Fate.OTHER_TIME, False),
    ]
    assert not_considered(found.candidates[-1])
    assert found.candidates[-1].dense == Place(0.98, None)


def test_a_copy_that_was_passed_over_says_so() -> None:
    found = explained(family(STORY, STORY, STORY.replace("3 million", "5 million")))
    assert fates(found) == [("a", Fate.GIVEN, False), ("c", Fate.GIVEN, False), ("b", Fate.COPY, False)]
    assert not_considered(found.candidates[-1])


def test_a_copy_that_both_searches_found_is_named_once_with_both_scores() -> None:
    asked = family(STORY, STORY)
    asked.words = asked.dense
    [_, copy] = explained(asked).candidates
    assert (copy.fate, copy.dense, copy.words) == (Fate.COPY, Place(0.99, None), Place(0.99, None))


def not_considered(candidate: Candidate) -> bool:
    return (candidate.mixed, candidate.reranked, candidate.best, candidate.passage) == (None, None, None, None)
