from pathlib import Path

import pytest

from rag.rights.patterns import collection_of


@pytest.mark.parametrize(
    ("pattern", "held", "others"),
    [
        ("news", ["{}/news", "{}/news/a.md", "{}/news/deep/b.md", "{}/news#3"], ["{}/newsletter/a.md", "{}/a/news/b"]),
        ("news/", ["{}/news/a.md"], ["{}/newsletter/a.md"]),
        ("news/**", ["{}/news/a.md", "{}/news/deep/b.md"], ["{}/newsletter/a.md", "{}/board/news/a.md"]),
        ("news/*.md", ["{}/news/a.md", "{}/news/a.md#2"], ["{}/news/a.txt", "{}/news/deep/b.md"]),
        ("news/**/*.md", ["{}/news/a.md", "{}/news/x/y/b.md"], ["{}/news/a.txt", "{}/other/b.md"]),
        ("*/public", ["{}/news/public/a.md"], ["{}/public/a.md", "{}/x/y/public/a.md"]),
        ("a.zip", ["{}/a.zip#inner.md"], ["{}/a.zipped", "{}/b/a.zip"]),
        ("./news/../board", ["{}/board/a.md"], ["{}/news/a.md"]),
        ("a+(b).md", ["{}/a+(b).md"], ["{}/aab.md"]),
        ("https://Example.org/news", ["https://example.org/news"], ["http://example.org/news"]),
        ("https://example.org/news", ["https://example.org/news/1", "https://example.org/news?id=2"], ["https://example.org/newsroom"]),
        ("https://example.org", ["https://example.org/x"], ["https://example.org.evil.net/x"]),
        ("/srv/**/minutes", ["/srv/minutes/a.md", "/srv/x/y/minutes/a.md"], ["{}/minutes/a.md"]),
    ],
)  # fmt: skip
def test_a_pattern_takes_in_what_lies_there_and_below(
    pattern: str, held: list[str], others: list[str], tmp_path: Path
) -> None:
    folder = tmp_path.resolve()
    collection = collection_of([pattern], folder)
    assert [source for source in held if not collection.holds(source.format(folder))] == []
    assert [source for source in others if collection.holds(source.format(folder))] == []


def test_an_exception_counts_whatever_else_takes_the_article_in(tmp_path: Path) -> None:
    folder = tmp_path.resolve()
    collection = collection_of(["!news/board", "news", "news/board/open.md"], folder)
    assert collection.holds(f"{folder}/news/a.md")
    assert not collection.holds(f"{folder}/news/board/secret.md")
    assert not collection.holds(f"{folder}/news/board/open.md")


def test_a_path_through_a_link_means_where_it_leads_as_the_sources_of_articles_do(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    real = (tmp_path / "real").resolve()
    assert collection_of(["link"], tmp_path).holds(f"{real}/a.md")
    assert collection_of([f"{tmp_path}/link/*.md"], tmp_path).holds(f"{real}/a.md")
    assert not collection_of(["real", "!link/a.md"], tmp_path).holds(f"{real}/a.md")


def test_letters_are_the_same_however_a_disk_spells_them(tmp_path: Path) -> None:
    folder = tmp_path.resolve()
    composed, taken_apart = "caf\u00e9", "cafe\u0301"
    assert collection_of([composed], folder).holds(f"{folder}/{taken_apart}/a.md")
    assert not collection_of([".", f"!{composed}"], folder).holds(f"{folder}/{taken_apart}/a.md")
