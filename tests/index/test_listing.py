"""Lists of articles: found by what is typed, a page at a time."""

import time
from pathlib import Path

import numpy as np
import pytest

from rag.index import Identity, Library, open_writer
from rag.types import Chunk, Document

IDENTITY = Identity("words", "1", 4, 160, 1)
TEXTS = {
    "Zölle im Hafen": "Tariffs on ships were raised.",
    "the bill": "TikTok pays Microsoft a month.",
    "Apple": "It is abandoning a car.",
    "Über 50 %": "Percent_signs are plain text.",
}


def filled(folder: Path, texts: dict[str, str]) -> Path:
    with open_writer(folder, IDENTITY) as writer:
        for number, (title, text) in enumerate(texts.items()):
            name = f"{number:016x}"
            document = Document(name, title, text, f"/news/{number}.txt", "2024-01-01", "Ann Lee", name)
            writer.put(document, [Chunk(f"c{number}", name, 0, len(text))], np.eye(1, 4, dtype=np.float32))
        writer.commit()
    return folder


@pytest.fixture
def library(tmp_path: Path) -> Path:
    return filled(tmp_path / "index", TEXTS)


def found(folder: Path, typed: str = "", **more: object) -> list[str]:
    with Library(folder) as library, library.snapshot() as now:
        return [entry.title for entry in now.entries(typed, **more).entries]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "titles"),
    [
        ("", ["Apple", "the bill", "Zölle im Hafen", "Über 50 %"]),
        ("BILL", ["the bill"]),
        ("zÖLLE hafen", ["Zölle im Hafen"]),
        ("über 50 %", ["Über 50 %"]),
        ("ann 1.txt", ["the bill"]),
        ("micros", ["the bill"]),
        ("tiktok mon", ["the bill"]),
        ("tariff", ["Zölle im Hafen"]),
        ("mo", []),
        ("nowhere", []),
        ('" OR NEAR( *', []),
        ("_signs", ["Über 50 %"]),
    ],
)
def test_what_is_typed_is_found_in_title_source_author_and_text(library: Path, typed: str, titles: list[str]) -> None:
    assert found(library, typed) == titles


def test_a_list_is_paged_and_narrowed(library: Path) -> None:
    assert found(library, after=1, most=2) == ["the bill", "Zölle im Hafen"]
    assert found(library, after=40, most=2) == ["Apple", "the bill"]  # the first page where there is none such
    assert found(library, only=[f"{1:016x}", f"{2:016x}"]) == ["Apple", "the bill"]
    assert found(library, files=["/news/0.txt"]) == ["Zölle im Hafen"]
    assert found(library, only=[]) == []
    with Library(library) as opened, opened.snapshot() as now:
        assert now.entries(most=1).total == 4
        [entry] = now.entries("apple").entries
        assert (entry.published, entry.chunks, entry.file) == ("2024-01-01", 1, "/news/2.txt")
        assert now.chunks_of(entry.id) == (Chunk("c2", entry.id, 0, len(TEXTS["Apple"])),)
        assert now.titles([entry.id, "f" * 16]) == {entry.id: "Apple"}


def test_ten_thousand_articles_are_searched_in_no_time(tmp_path: Path) -> None:
    folder = filled(tmp_path / "index", {f"Article {n}": f"Number {n} of many ships." for n in range(10_000)})
    with Library(folder) as library, library.snapshot() as now:
        for typed in ("", "article 77", "ships", "number 7"):
            began = time.perf_counter()
            assert now.entries(typed).entries
            assert time.perf_counter() - began < 1.0
