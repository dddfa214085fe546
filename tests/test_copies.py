"""Syndicated news: of an article that lies in the library many times, the reader reads one."""

from collections.abc import Sequence
from pathlib import Path

from rag.copies import Copies
from rag.index import open_library
from rag.retrieval import Budget, retrieve
from rag.types import Chunk, Document, Hit
from tests.fakes import WordEmbedder
from tests.index.shelf import IDENTITY, make_library
from tests.test_retrieval import Shelf, chunk, document, hits

LINES = (
    "The ferry to Emden sails again from Monday, the harbour master of Varel said on Friday.",
    "Its new engine cost 3 million marks and was built by the yard of Ada Nyberg.",
)
STORY = "\n".join(LINES)
EDITED = f"VAREL (Agency). {STORY}\nAll rights reserved."


def family(*texts: str) -> tuple[list[Document], Shelf]:
    """Articles that are versions of one another, each a single chunk, in this order of relevance."""
    articles = [document(name, text) for name, text in zip("abcd", texts, strict=False)]
    chunks = [chunk(article.text, article) for article in articles]
    return articles, Shelf(articles, chunks, copies=[article.id for article in articles])


def kept(*texts: str) -> list[str]:
    """Ids of the articles of whose chunks the reader is to read."""
    _, shelf = family(*texts)
    return [hit.chunk.document_id for hit in Copies(shelf).without(hits(shelf.dense))]


def test_a_copy_says_nothing_new_though_it_is_lightly_edited() -> None:
    assert kept(STORY, STORY, EDITED) == ["a"]


def test_another_figure_or_other_words_are_something_new() -> None:
    assert kept(STORY, STORY.replace("3 million", "5 million")) == ["a", "b"]
    assert kept(STORY, f"{LINES[0]} Nobody knows yet who is to pay for the long repair of its old and rusty hull.") == [
        "a",
        "b",
    ]
    assert kept("Tea grows.", "Tea falls.") == ["a", "b"]


def test_articles_that_are_no_versions_of_one_another_are_kept_whatever_they_say() -> None:
    one, other = document("a", STORY), document("b", STORY)
    shelf = Shelf([one, other], [chunk(STORY, one), chunk(STORY, other)])
    assert len(Copies(shelf).without(hits(shelf.dense))) == 2


def test_all_chunks_of_one_version_are_kept_and_the_same_version_stands_for_later_searches() -> None:
    one, other = document("a", STORY), document("b", EDITED)
    shelf = Shelf([one, other], [], copies="ab")
    copies = Copies(shelf)
    first = [chunk(LINES[1], other), chunk(LINES[1], one), chunk(LINES[0], other)]
    assert [hit.chunk.document_id for hit in copies.without(hits(first))] == ["b", "b"]
    assert copies.without(hits([chunk(LINES[0], one)])) == []


def test_a_version_that_is_preferred_stands_for_the_others() -> None:
    _, shelf = family(STORY, STORY, EDITED)
    copies = Copies(shelf, dict.fromkeys("abc", "b"))
    assert [hit.chunk.document_id for hit in copies.without(hits(shelf.dense))] == ["b"]
    assert copies.versions_of("b") == {"a": "/a.txt", "c": "/c.txt"}


def test_where_copies_take_the_places_more_is_searched_for() -> None:
    articles = [document(f"d{number}", STORY if number < 6 else f"Text {number}.") for number in range(9)]
    found = [chunk(article.text, article) for article in articles]
    shelf = Shelf(articles, found, copies=[f"d{number}" for number in range(6)])
    asked: list[int] = []

    def search(k: int) -> list[Hit]:
        asked.append(k)
        return hits(found[:k])

    assert [hit.chunk.document_id for hit in Copies(shelf).searched(search, 2)[0]] == ["d0", "d6"]
    assert asked == [2, 8]


def test_copies_that_were_passed_over_are_given_too_as_many_at_most() -> None:
    articles, shelf = family(STORY, STORY, EDITED, STORY)
    kept, passed_over = Copies(shelf).searched(lambda k: hits(shelf.dense[:k]), 2)
    assert [hit.chunk.document_id for hit in kept] == [articles[0].id]
    assert [hit.chunk.document_id for hit in passed_over] == ["b", "c"]


def test_where_nothing_is_a_copy_it_is_searched_once() -> None:
    articles = [document(f"d{number}", f"Text {number}.") for number in range(9)]
    found = [chunk(article.text, article) for article in articles]
    asked: list[int] = []

    def search(k: int) -> list[Hit]:
        asked.append(k)
        return hits(found[:k])

    assert Copies(Shelf(articles, found)).searched(search, 4) == (hits(found[:4]), [])
    assert asked == [4]


def passages(folder: Path, question: str, candidates: int = 40) -> Sequence[tuple[str, tuple[str, ...]]]:
    """Id and copies of each passage."""
    budget = Budget(3, 200, lambda text: len(text.split()))
    with open_library(folder, IDENTITY) as library:
        found = retrieve(question, WordEmbedder(), library, budget, candidates).passages
    return [(passage.document.id, passage.copies) for passage in found]


def test_end_to_end_copies_leave_room_for_other_articles_and_are_named(tmp_path: Path) -> None:
    line = "Walkers to Emden met the harbour master of Varel, who told them when the ferry sails again."
    copies = {f"copy{number}": f"{STORY}\nAll rights reserved by paper {chr(97 + number)}." for number in range(8)}
    make_library(tmp_path, {**copies, "walk": line, "tea": "The tea of Emden grows on hills."})
    found = passages(tmp_path, "When does the ferry to Emden sail again from Varel?", candidates=4)
    [read] = {name for name, _ in found} - {"walk", "tea"}
    assert dict(found)[read] == tuple(f"articles/{name}.txt" for name in copies if name != read)
    assert dict(found)["walk"] == dict(found)["tea"] == ()


def test_chunks_of_the_same_article_are_never_copies() -> None:
    one = document("a", f"{STORY}\n{STORY}")
    twice = [Chunk("1", "a", 0, len(STORY)), Chunk("2", "a", len(STORY) + 1, len(one.text))]
    other = document("b", STORY)
    shelf = Shelf([one, other], twice, copies="ab")
    assert Copies(shelf).without(hits(twice)) == hits(twice)
