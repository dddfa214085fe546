"""What an answer says about its sources and about time, through all stages with a scripted reader."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from rag.index import Library, open_library
from rag.indexing import index_paths
from rag.pipeline import Pipeline, library_identity
from rag.rendering import answer_html, answer_text
from rag.settings import Settings, load_settings
from rag.types import Answer, Timeframe
from tests.calibrated import write_calibration
from tests.fakes import ScriptedEngine, WordEmbedder

HARBOUR = "---\ntitle: Harbour\ndate: 2023-05-14\nauthor: Joan Doe\n---\nThe harbour of Varel cost 3 million marks.\n"
BAKERY = "---\ntitle: Bakery\ndate: 2024-01-09\n---\nAda Nyberg founded the bakery in 1950.\n"
QUESTION = "What did the harbour of Varel cost?"
DATED = "What did the harbour of Varel cost in May 2023?"
REPLY = "The harbour of Varel cost 3 million marks [1]."
YES = (0.9, 0.1)


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "harbour.md").write_text(HARBOUR, encoding="utf-8")
    (folder / "bakery.md").write_text(BAKERY, encoding="utf-8")
    return folder


@pytest.fixture
def settings(tmp_path: Path, articles: Path) -> Settings:
    calibration = write_calibration(tmp_path)
    made = load_settings(index=tmp_path / "index", embedder="words", max_wrong=0.2, calibration=calibration)
    index_paths([articles], made.index, library_identity(made, WordEmbedder()), WordEmbedder())
    return made


@pytest.fixture
def library(settings: Settings) -> Iterator[Library]:
    with open_library(settings.index, library_identity(settings, WordEmbedder())) as opened:
        yield opened


def ask(
    question: str, settings: Settings, library: Library, today: date = date(2026, 11, 18)
) -> tuple[Answer, ScriptedEngine]:
    engine = ScriptedEngine([REPLY], [YES, YES])
    return Pipeline(settings, library, WordEmbedder(), engine, lambda: today).answer(question), engine


def test_an_answer_from_unchanged_files_says_nothing_of_them(settings: Settings, library: Library) -> None:
    answer, _ = ask(QUESTION, settings, library)
    assert [passage.stale for passage in answer.passages] == ["", ""]
    assert "changed" not in answer_text(answer)
    assert "stale" not in answer_html(answer, "1")


def test_an_answer_that_cites_a_changed_or_missing_file_says_so(
    articles: Path, settings: Settings, library: Library
) -> None:
    (articles / "harbour.md").write_text(HARBOUR.replace("3 million", "5 million"), encoding="utf-8")
    (articles / "bakery.md").unlink()
    answer, _ = ask(QUESTION, settings, library)
    assert {Path(passage.document.source).name: passage.stale for passage in answer.passages} == {
        "harbour.md": "changed",
        "bakery.md": "missing",
    }
    assert answer.claims[0].citations[0].passage.stale == "changed"
    said = "Its file has changed since it was indexed; `rag sync` reads it again."
    assert answer_text(answer).splitlines()[2:] == [
        "Sources",
        "[1] Harbour · harbour.md · 14 May 2023 · Joan Doe",
        f"    {said}",
        "    “The harbour of Varel cost 3 million marks.”",
    ]
    assert "[1] Harbour: Its file has changed since it was indexed; <code>rag sync</code> reads" in answer_html(
        answer, "1"
    )


def test_reading_a_changed_file_again_makes_the_answer_fresh(
    articles: Path, settings: Settings, library: Library
) -> None:
    (articles / "harbour.md").write_text(HARBOUR + "It opened in 1912.\n", encoding="utf-8")
    assert ask(QUESTION, settings, library)[0].passages[0].stale == "changed"
    index_paths([articles], settings.index, library_identity(settings, WordEmbedder()), WordEmbedder())
    assert ask(QUESTION, settings, library)[0].passages[0].stale == ""


def test_a_question_without_a_word_about_time_shows_the_reader_no_dates(settings: Settings, library: Library) -> None:
    for today in (date(2026, 11, 18), date(2023, 5, 20)):
        answer, engine = ask(QUESTION, settings, library, today)
        assert answer.timeframe == Timeframe()
        assert "published" not in str(engine.prompts)
        assert "Today" not in str(engine.prompts)


def test_a_question_about_time_shows_the_reader_when_each_passage_was_published(
    settings: Settings, library: Library
) -> None:
    answer, engine = ask(DATED, settings, library)
    assert answer.timeframe == Timeframe(date(2023, 5, 1), date(2023, 5, 31))
    assert len(engine.prompts) == 3
    for prompt in engine.prompts:
        assert prompt.passages[0].startswith('Passage [1], from "Harbour", published 14 May 2023:\n')
        assert prompt.request.startswith(f"Question: {DATED}\n")
    assert "Articles published from 1 May 2023 until 31 May 2023 were preferred." in answer_text(answer)


def test_a_question_that_counts_from_today_tells_the_reader_the_day(settings: Settings, library: Library) -> None:
    question = "What did the harbour of Varel cost last month?"
    answer, engine = ask(question, settings, library, date(2023, 6, 2))
    assert answer.timeframe == Timeframe(date(2023, 5, 1), date(2023, 5, 31), asked=date(2023, 6, 2))
    assert all(prompt.request.startswith("Today is 2 June 2023.\nQuestion: ") for prompt in engine.prompts)


@pytest.mark.parametrize("question", [QUESTION, DATED, "What did the harbour of Varel cost last month?"])
def test_an_answer_is_explained_by_the_day_on_which_it_was_asked(
    question: str, articles: Path, settings: Settings, library: Library
) -> None:
    (articles / "harbour.md").write_text(HARBOUR.replace("3 million", "5 million"), encoding="utf-8")
    answer, engine = ask(question, settings, library, date(2023, 6, 2))
    long_after = Pipeline(settings, library, WordEmbedder(), engine, lambda: date(2026, 11, 18))
    inspection = long_after.inspect(answer)
    assert inspection.changes == ()
    assert inspection.found.passages == answer.passages
    assert inspection.found.timeframe == answer.timeframe
    assert [asked.prompt for asked in inspection.prompts] == engine.prompts


def test_a_date_of_publication_counts_as_named_where_the_question_names_it(
    settings: Settings, library: Library
) -> None:
    assert ask(DATED, settings, library)[0].signals["cited named"] == 1
    other = DATED.replace("May", "June")
    assert ask(other, settings, library)[0].signals["cited named"] < 1


def test_reading_ahead_reads_what_answering_checks_first(settings: Settings, library: Library) -> None:
    engine = ScriptedEngine([REPLY], [YES, YES])
    pipeline = Pipeline(settings, library, WordEmbedder(), engine, lambda: date(2023, 6, 2))
    question = "What did the harbour of Varel cost last month?"
    passages = pipeline.find_passages(question)
    assert list(pipeline.read_ahead(question, passages)) == [None]
    pipeline.answer(question)
    assert engine.warmed[0] == engine.prompts[0]


def test_a_copy_of_a_cited_article_is_named_as_another_place(
    articles: Path, settings: Settings, library: Library
) -> None:
    story = HARBOUR + "Timber for its piers came from Norway, and the stone from a quarry behind the town of Jever.\n"
    for name in ("harbour", "copy"):
        (articles / f"{name}.md").write_text(story, encoding="utf-8")
    index_paths([articles], settings.index, library_identity(settings, WordEmbedder()), WordEmbedder())
    answer, _ = ask(QUESTION, settings, library)
    cited, *others = answer.passages
    assert [Path(source).name for source in cited.copies] + [Path(cited.document.source).name] in (
        ["copy.md", "harbour.md"],
        ["harbour.md", "copy.md"],
    )
    assert [Path(other.document.source).name for other in others] == ["bakery.md"]
    assert f"    also in: {Path(cited.copies[0]).name}\n" in answer_text(answer)
    assert replace(cited, copies=()) != cited
