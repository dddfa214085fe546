"""What a question says about time, and the order that it makes."""

from datetime import date

import pytest

from rag.dating import (
    EQUALLY,
    INSIDE,
    counts_from_today,
    day_of,
    in_words,
    mentions_time,
    order,
    timeframe,
)
from rag.types import ANY_TIME, Timeframe

TODAY = date(2026, 11, 18)
"""A Wednesday."""

ARCHIVE = [date(2023, 3, 2), date(2023, 5, 14), date(2024, 1, 9)]
"""Days on which there are articles."""

May = (date(2023, 5, 1), date(2023, 5, 31))


def days(question: str) -> tuple[str | None, str | None]:
    frame = timeframe(question, TODAY, ARCHIVE)
    return (frame.first.isoformat() if frame.first else None, frame.last.isoformat() if frame.last else None)


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        ("What did Apple say in May 2023?", "2023-05-01", "2023-05-31"),
        ("What did Apple say on 14 May 2023?", "2023-05-14", "2023-05-14"),
        ("What did Apple say on May 14th, 2023?", "2023-05-14", "2023-05-14"),
        ("what happened on 2023-05-14", "2023-05-14", "2023-05-14"),
        ("What did sales do in Q4 2023?", "2023-10-01", "2023-12-31"),
        ("and in the first quarter of 2024?", "2024-01-01", "2024-03-31"),
        ("Who led Apple in 2019?", "2019-01-01", "2019-12-31"),
        ("Who led Apple in early 2019?", "2019-01-01", "2019-12-31"),
        ("Who led Apple before 2020?", None, "2019-12-31"),
        ("Who led Apple until 2020?", None, "2020-12-31"),
        ("What was built by the end of 2020?", None, "2020-12-31"),
        ("Who has led Apple since March 2023?", "2023-03-01", None),
        ("Who led Apple after May 2023?", "2023-06-01", None),
        ("Who led Apple from May 2023 onwards?", "2023-05-01", None),
        ("after May 2023 and before July 2024", "2023-06-01", "2024-06-30"),
        ("between March 2023 and May 2023", "2023-03-01", "2023-05-31"),
        ("between March and May 2023", "2023-03-01", "2023-05-31"),
        ("between December and February 2024", "2023-12-01", "2024-02-29"),
        ("from 2019 to 2021", "2019-01-01", "2021-12-31"),
    ],
)
def test_dates_are_understood_as_far_as_they_go(question: str, first: str | None, last: str | None) -> None:
    assert days(question) == (first, last)
    assert mentions_time(question)
    assert not counts_from_today(question)
    assert timeframe(question, TODAY, ARCHIVE).asked is None


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        ("What happened yesterday?", "2026-11-17", "2026-11-17"),
        ("What happened the day before yesterday?", "2026-11-16", "2026-11-16"),
        ("What happened last week?", "2026-11-09", "2026-11-15"),
        ("What happened this week?", "2026-11-16", "2026-11-22"),
        ("What happened last month?", "2026-10-01", "2026-10-31"),
        ("What are this quarter's sales?", "2026-10-01", "2026-12-31"),
        ("What were last quarter's sales?", "2026-07-01", "2026-09-30"),
        ("What happened this year?", "2026-01-01", "2026-12-31"),
        ("What was last year's profit?", "2025-01-01", "2025-12-31"),
        ("What happened three weeks ago?", "2026-10-26", "2026-11-01"),
        ("What happened in the last 3 months?", "2026-08-18", "2026-11-18"),
        ("What happened in the past year?", "2025-11-18", "2026-11-18"),
        ("What happened last Monday?", "2026-11-16", "2026-11-16"),
        ("What happened last May?", "2026-05-01", "2026-05-31"),
    ],
)
def test_what_counts_from_today_does(question: str, first: str, last: str) -> None:
    assert days(question) == (first, last)
    assert counts_from_today(question)
    assert timeframe(question, TODAY, ARCHIVE).asked == TODAY


def test_a_month_without_a_year_is_the_latest_of_which_there_is_an_article() -> None:
    assert days("What did Apple say in May?") == ("2023-05-01", "2023-05-31")
    assert days("What did Apple say on May 14?") == ("2023-05-14", "2023-05-14")
    assert days("What did Apple say in May and June?") == ("2023-05-01", "2023-06-30")
    both = [*ARCHIVE, date(2024, 5, 30)]
    assert timeframe("in May?", TODAY, both).first == date(2024, 5, 1)
    assert timeframe("in May?", date(2024, 5, 2), both).first == date(2023, 5, 1)  # the other lies in the future
    assert timeframe("in May?", TODAY).first == date(2026, 5, 1)
    assert timeframe("in December?", TODAY).first == date(2025, 12, 1)


def test_since_a_month_without_a_year_counts_from_the_newest_article() -> None:
    assert days("What has Apple said since March?") == ("2023-03-01", None)
    assert days("What had Apple said before May?") == (None, "2023-04-30")
    assert timeframe("since March?", TODAY).first == date(2026, 3, 1)


@pytest.mark.parametrize(
    "question",
    [
        "Who founded the bakery?",
        "May I ask what it cost?",
        "What may have happened to the march on Rome?",
        "What did June Doe write?",
        "Which book is by April Jones?",
        "How many of 2000 workers left?",
        "What happened in the last week of the war?",
        "What did the 1990s bring?",
        "What weighs 1900 kg?",
        "Who came second in the second race?",
        "",
    ],
)
def test_words_that_only_look_like_dates_say_nothing_of_time(question: str) -> None:
    assert not mentions_time(question)
    assert timeframe(question, TODAY, ARCHIVE) == ANY_TIME


@pytest.mark.parametrize("question", ["on 30 February 2023", "in the last 999 years", "since 99 May 2023 BC"])
def test_dates_that_there_never_were_limit_nothing_or_less(question: str) -> None:
    frame = timeframe(question, TODAY, ARCHIVE)
    assert frame.first is None or frame.first == date(2023, 5, 1)
    assert not frame.required


@pytest.mark.parametrize(
    "question",
    [
        "What is the latest news on TikTok?",
        "What is the most recent bill?",
        "What has TikTok paid lately?",
        "Who currently leads ByteDance?",
        "What is TikTok worth today?",
        "Who is the current head of ByteDance?",
    ],
)
def test_the_newest_is_asked_for(question: str) -> None:
    assert timeframe(question, TODAY, ARCHIVE) == Timeframe(newest=True)
    assert mentions_time(question)


@pytest.mark.parametrize("question", ["What is the current in the wire?", "How does the current flow north?"])
def test_a_current_that_flows_is_none_of_now(question: str) -> None:
    assert timeframe(question, TODAY, ARCHIVE) == ANY_TIME


@pytest.mark.parametrize(
    ("question", "required"),
    [
        ("What do articles from May 2023 say about Apple?", True),
        ("What do reports published in May 2023 say?", True),
        ("articles about the merger that were published in May 2023", True),
        ("According to news dated May 2023, who won?", True),
        ("What was published about TikTok in May 2023?", True),
        ("What did news between 1 May 2023 and 31 May 2023 say?", True),
        ("What did Apple announce in May 2023?", False),
        ("What are the reports in May 2023 about?", False),
        ("Which novel was published in May 2023?", False),
        ("What profit did Apple report in May 2023?", False),
        ("What did they do after reports of May 2023?", False),
    ],
)
def test_only_days_of_publication_in_so_many_words_are_required(question: str, required: bool) -> None:
    frame = timeframe(question, TODAY, ARCHIVE)
    assert (frame.first, frame.last) == May
    assert frame.required is required


def test_where_days_are_required_others_in_the_question_are_not() -> None:
    frame = timeframe("What do articles from May 2023 say about the deal of 2019?", TODAY, ARCHIVE)
    assert frame == Timeframe(*May, required=True)


def test_a_frame_holds_its_first_and_its_last_day() -> None:
    frame = Timeframe(*May)
    assert [frame.holds(date(2023, month, day)) for month, day in ((4, 30), (5, 1), (5, 31), (6, 1))] == [
        False,
        True,
        True,
        False,
    ]
    assert Timeframe(first=May[0]).holds(TODAY)
    assert Timeframe(last=May[1]).holds(date.min)
    assert not ANY_TIME.limited


def test_days_that_are_meant_decide_between_what_is_about_equally_relevant() -> None:
    inside, outside = date(2023, 5, 14), date(2024, 1, 9)
    near, far = 2.0 - INSIDE + 0.01, 2.0 - INSIDE - 0.01
    assert order([2.0, near], [outside, inside], Timeframe(*May)) == [1, 0]
    assert order([2.0, far], [outside, inside], Timeframe(*May)) == [0, 1]
    assert order([2.0, near], [None, inside], Timeframe(*May)) == [1, 0]
    assert order([2.0, near], [None, None], Timeframe(*May)) == [0, 1]


def test_the_newest_of_what_is_about_equally_relevant_comes_first() -> None:
    years = [date(2020, 1, 1), date(2021, 1, 1), date(2022, 1, 1)]
    newest = Timeframe(newest=True)
    assert order([2.0, 1.9, 0.5], years, newest) == [1, 0, 2]
    assert order([2.0, 1.9, 2.0 - EQUALLY], years, newest) == [2, 1, 0]
    assert order([2.0, 1.9, 1.8], [None, *years[:2]], newest) == [2, 1, 0]
    assert order([2.0, 1.9], [None, None], newest) == [0, 1]
    assert order([], [], newest) == []


def test_without_a_frame_the_order_is_that_of_the_scores() -> None:
    assert order([1.0, 3.0, 2.0, 3.0], [TODAY] * 4, ANY_TIME) == [1, 3, 2, 0]


def test_days_are_read_as_iso_8601_has_them_and_said_in_words() -> None:
    assert day_of("2023-05-14") == day_of("2023-05-14T09:00:00Z") == date(2023, 5, 14)
    assert day_of("spring 2023") is day_of("") is day_of(None) is None
    assert in_words(date(2023, 5, 14)) == "14 May 2023"
