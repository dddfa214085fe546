"""Questions about time against a shelf of dated articles: dates decide only where a question speaks of them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from rag.retrieval import Budget, Retrieved, retrieve
from rag.types import ANY_TIME, Hit, Timeframe, Vectors
from tests.fakes import WordEmbedder
from tests.test_retrieval import Shelf, Unmoved, chunk, count_words, document

TODAY = date(2026, 11, 18)
BUDGET = Budget(4, 100, count_words)
MAY = Timeframe(date(2023, 5, 1), date(2023, 5, 31))
PUBLISHED = {"old": "2022-05-20", "may": "2023-05-14", "new": "2024-01-09", "undated": None}


def shelf(published: Mapping[str, str | None] = PUBLISHED, copies: str = "") -> Shelf:
    """An article of each of these names and days; the first is found first."""
    articles = [replace(document(name, f"The {name} fee."), published=day) for name, day in published.items()]
    return Shelf(articles, [chunk(article.text, article) for article in articles], copies=copies.split())


class Held(Shelf):
    """A shelf that searches only the documents it is told to."""

    def __init__(self, other: Shelf) -> None:
        super().__init__(other.documents, other.dense)

    def nearest(self, query: Vectors, k: int, documents: frozenset[str] | None = None) -> list[Hit]:
        found = super().nearest(query, len(self.dense))
        return [hit for hit in found if documents is None or hit.chunk.document_id in documents][:k]


def ask(question: str, asked: Shelf | None = None, documents: frozenset[str] | None = None) -> Retrieved:
    return retrieve(question, Unmoved(), asked or shelf(), BUDGET, documents=documents, today=TODAY)


def ids(found: Retrieved) -> list[str]:
    return [passage.document.id for passage in found.passages]


@pytest.mark.parametrize("question", ["What is the fee?", "May I ask what the fee is?", "Who wrote of the march?"])
def test_without_a_word_about_time_the_same_is_found_whatever_the_dates(question: str) -> None:
    dated, undated = shelf(), shelf(dict.fromkeys(PUBLISHED))
    found = ask(question, dated)
    assert found == retrieve(question, Unmoved(), shelf(), BUDGET)
    assert found.timeframe == ANY_TIME
    plain = retrieve(question, Unmoved(), undated, BUDGET)
    assert [passage.chunk for passage in found.passages] == [passage.chunk for passage in plain.passages]
    assert dated.asked == undated.asked


def test_where_no_day_is_given_time_makes_no_difference() -> None:
    found = retrieve("What was the fee in May 2023?", Unmoved(), shelf(), BUDGET)
    assert (ids(found), found.timeframe) == (["old", "may", "new", "undated"], ANY_TIME)


def test_articles_of_the_days_that_are_meant_come_first_and_the_others_stay() -> None:
    found = ask("What was the fee in May 2023?")
    assert (ids(found), found.timeframe) == (["may", "old", "new", "undated"], MAY)


def test_a_month_is_the_latest_of_which_an_article_was_found() -> None:
    assert ask("What was the fee in May?").timeframe == MAY
    only = frozenset({"old", "new"})
    held = ask("What was the fee in May?", Held(shelf()), only)
    assert held.timeframe == Timeframe(date(2022, 5, 1), date(2022, 5, 31))
    assert ids(held) == ["old", "new"]


def test_the_newest_comes_first_of_articles_that_are_about_equally_relevant() -> None:
    found = ask("What is the latest fee?")
    assert (ids(found), found.timeframe) == (["new", "may", "old", "undated"], Timeframe(newest=True))


def test_an_irrelevant_article_is_not_lifted_by_its_date() -> None:
    fee, tea = (
        replace(document("fee", "The harbour fee of Varel rose."), published="2020-01-01"),
        replace(document("tea", "Tea grows."), published="2026-11-17"),
    )
    asked = Shelf([fee, tea], [chunk(fee.text, fee), chunk(tea.text, tea)])
    for question in ("What is the latest harbour fee of Varel?", "Which harbour fee of Varel rose yesterday?"):
        found = retrieve(question, WordEmbedder(), asked, BUDGET, today=TODAY)
        assert ids(found) == ["fee", "tea"]


def test_only_articles_known_to_be_of_another_time_are_left_out_where_publication_is_spoken_of() -> None:
    found = ask("What do articles from May 2023 say of the fee?", Held(shelf()))
    assert sorted(ids(found)) == ["may", "undated"]
    assert found.timeframe == replace(MAY, required=True)
    found = ask("What do articles from May 2023 say of the fee?", Held(shelf()), frozenset({"old", "undated"}))
    assert ids(found) == ["undated"]
    assert ids(ask("What do articles from 1950 say of the fee?", Held(shelf({"old": "2022-05-20"})))) == []


def test_what_the_searches_find_late_is_found_where_it_is_of_the_days_that_are_meant() -> None:
    published: dict[str, str | None] = {f"d{number}": "2020-01-01" for number in range(60)}
    found = ask("What was the fee in May 2023?", Held(shelf({**published, "may": "2023-05-14"})))
    assert ids(found)[0] == "may"


def test_of_the_versions_of_an_article_the_one_of_the_days_that_are_meant_is_read() -> None:
    same = {"old": "2022-05-20", "may": "2023-05-14", "new": "2024-01-09"}
    articles = [replace(document(name, "The harbour fee of Varel."), published=day) for name, day in same.items()]
    asked = Shelf(articles, [chunk(article.text, article) for article in articles], copies=list(same))
    assert ids(ask("What is the fee?", asked)) == ["old"]
    assert ids(ask("What was the fee in May 2023?", asked)) == ["may"]
    assert ids(ask("What is the latest fee?", asked)) == ["new"]
    found = ask("What is the latest fee?", asked)
    assert found.passages[0].copies == ("/old.txt", "/may.txt")


def test_of_versions_without_a_date_the_one_found_first_is_read_whatever_the_others_add() -> None:
    texts = {"a": "The harbour fee is 3 marks.", "b": "The harbour fee is 5 marks.", "c": "The harbour fee is 3 marks."}
    articles = [document(name, text) for name, text in texts.items()]
    asked = Shelf(articles, [chunk(one.text, one) for one in articles], copies=list(texts))
    assert ids(ask("What was the fee in May 2023?", asked)) == ids(ask("What was the fee?", asked)) == ["a", "b"]


def test_where_the_newest_is_asked_for_what_it_replaces_is_left_out() -> None:
    def fares(question: str) -> list[str]:
        texts = {"2023-05-14": "The Varel ferry fare is 4 euros.", "2024-01-09": "The Varel ferry fare is 5 euros."}
        articles = [replace(document(day[:4], text), published=day) for day, text in texts.items()]
        return ids(ask(question, Shelf(articles, [chunk(one.text, one) for one in articles])))

    assert fares("What is the current fare of the Varel ferry?") == ["2024"]
    assert fares("What is the fare of the Varel ferry?") == ["2023", "2024"]
