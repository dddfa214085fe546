import sqlite3

import pytest

from rag.index.words import ENOUGH, MOST_MATCHES, MOST_WORDS, STOP_WORDS, full_text_query, rarer_words

HOSTILE = [
    "",
    " \t\n",
    '"',
    '""""',
    "'; DROP TABLE documents; --",
    "tea OR",
    "AND OR NOT NEAR",
    "NOT tea",
    "tea AND (salt",
    ")))(((",
    "NEAR(tea salt, 5)",
    "title:tea",
    "{title text}: tea",
    "- title : tea",
    "^tea",
    "te*",
    "tea + salt",
    "tea\x00salt",
    "\x00",
    "🍵",
    "🍵 tea 🧂",
    "\ud83c half a pair",
    "%s %d {} {0}",
    "C++ and C#, or .NET?",
    "ʼtis café cafe\u0301 naïve İstanbul ﬁsh",
    "東京はどこですか",
    "הספר على الطاولة",
    "the of and is",
    "_" * 1000,
    "a" * 100_000,
    "tea " * 25_000,
    "(" * 50_000 + ")" * 50_000,
    " ".join(f"word{i}" for i in range(15_000)),
]


@pytest.fixture
def table() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE words USING fts5 (title, text, tokenize='porter unicode61')")
    connection.execute("INSERT INTO words VALUES ('Café', 'Tea in Paris'), ('東京はどこですか', 'Where Tokyo lies')")
    return connection


@pytest.mark.parametrize("question", HOSTILE, ids=lambda question: ascii(question[:20]))
def test_any_text_makes_a_query_that_fts5_accepts(question: str, table: sqlite3.Connection) -> None:
    query = full_text_query(question)
    if query:
        table.execute("SELECT rowid FROM words WHERE words MATCH ?", (query,)).fetchall()
    table.close()


def test_words_are_quoted_joined_by_or_and_freed_of_stop_words() -> None:
    assert full_text_query('Who paid "TikTok", and how much?') == '"paid" OR "tiktok"'


def test_operators_are_words_like_any_other() -> None:
    assert full_text_query("tea NEAR salt NOT iron") == '"tea" OR "near" OR "salt" OR "iron"'


def test_stop_words_count_where_there_is_nothing_else() -> None:
    assert full_text_query("Who is it?") == '"who" OR "is" OR "it"'


def test_what_an_apostrophe_leaves_over_is_dropped() -> None:
    assert full_text_query("Microsoft's didn't") == '"microsoft" OR "didn"'


@pytest.mark.parametrize("question", ["", "?!", "🍵", "___"])
def test_text_without_a_letter_or_digit_makes_no_query(question: str) -> None:
    assert full_text_query(question) == ""


def test_a_word_is_searched_for_once() -> None:
    assert full_text_query("tea Tea TEA") == '"tea"'


def test_no_more_than_the_most_words_are_searched_for() -> None:
    query = full_text_query("the " + " ".join(f"word{i}" for i in range(1000)))
    assert query.split(" OR ") == [f'"word{i}"' for i in range(MOST_WORDS)]


def test_an_accent_finds_its_letter_however_it_was_typed(table: sqlite3.Connection) -> None:
    for question in ("café", "cafe\u0301", "CAFÉ", "cafe"):
        found = table.execute("SELECT rowid FROM words WHERE words MATCH ?", (full_text_query(question),)).fetchall()
        assert found == [(1,)]
    table.close()


def test_stop_words_are_in_the_form_they_are_compared_in() -> None:
    assert all(full_text_query(word) == f'"{word}"' for word in STOP_WORDS)


def test_words_count_from_the_rarest_on_as_long_as_together_they_match_little_enough() -> None:
    matches = {'"tea"': 40, '"price"': MOST_MATCHES - 40, '"year"': 41, '"company"': 900_000}
    asked: list[int] = []

    def count(query: str, most: int) -> int:
        asked.append(most)
        return min(matches.get(query, 0), most)

    assert rarer_words(["company", "price", "tea", "nowhere"], count) == '"price" OR "tea" OR "nowhere"'
    assert rarer_words(["company", "price", "tea", "year"], count) == '"tea" OR "year"'
    assert rarer_words([], count) == ""
    assert max(asked) == MOST_MATCHES + 1  # none is counted to its end


@pytest.mark.parametrize(
    ("holding_all", "query"), [(ENOUGH, '"company" AND "said"'), (ENOUGH - 1, '"company" OR "said" OR "nowhere"')]
)
def test_where_all_words_are_common_they_are_looked_for_at_once(holding_all: int, query: str) -> None:
    matches = {'"company"': 900_000, '"said"': 800_000, '"company" AND "said"': holding_all}
    found = rarer_words(["company", "said", "nowhere"], lambda query, most: min(matches.get(query, 0), most))
    assert found == query
