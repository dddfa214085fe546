"""What `evaluate` opens, and when."""

from pathlib import Path

import pytest

from rag.errors import InputError, LibraryEmpty
from rag.evaluation import (
    Mode,
    evaluate,
    running,
)
from rag.settings import Settings
from tests.evaluation.bench import COST, Bench, Knowing, by_id, write_lines
from tests.fakes import WordEmbedder

pytestmark = pytest.mark.usefixtures("few_draws")


class Opened:
    """What `evaluate` opens instead of models."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engines: list[Knowing] = []
        self.repeatable: list[bool] = []
        monkeypatch.setattr(running, "open_embedder", self._embedder)
        monkeypatch.setattr(running, "open_reader", self._reader)

    def _embedder(self, _settings: Settings, _report: object = None) -> WordEmbedder:
        return WordEmbedder()

    def _reader(self, _settings: Settings, _report: object = None, *, repeatable: bool = False) -> Knowing:
        self.repeatable.append(repeatable)
        self.engines.append(Knowing())
        return self.engines[-1]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    return Opened(monkeypatch)


def test_evaluate_opens_a_repeatable_reader_and_closes_it(bench: Bench, island: Path, opened: Opened) -> None:
    found = evaluate(island, bench.settings, command="rag eval", cache=bench.cache)
    assert [judged.right for judged in found.questions] == [True, False, True, False]
    assert (found.mode, found.command) == (Mode.NORMAL, "rag eval")
    assert opened.repeatable == [True]
    assert opened.engines[0].closed


def test_the_reader_is_closed_though_it_was_interrupted(bench: Bench, island: Path, opened: Opened) -> None:
    def interrupt(what: str, _done: int, _total: int) -> None:
        if what == "Answering":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(island, bench.settings, cache=bench.cache, report=interrupt)
    assert opened.engines[0].closed


def test_a_limit_draws_a_fixed_sample(bench: Bench, island: Path, opened: Opened) -> None:
    two, again, three = (evaluate(island, bench.settings, limit=limit, cache=bench.cache) for limit in (2, 2, 3))
    assert len(two.questions) == 2
    assert list(by_id(again)) == list(by_id(two))
    assert set(by_id(two)) < set(by_id(three))
    assert [engine.prompts != [] for engine in opened.engines] == [True, False, True]


def test_a_limit_beyond_the_set_is_all_of_it(bench: Bench, island: Path, opened: Opened) -> None:
    assert len(evaluate(island, bench.settings, limit=100, cache=bench.cache).questions) == 4
    assert opened.engines[0].closed


def test_where_no_reader_is_needed_none_is_opened(bench: Bench, island: Path, opened: Opened) -> None:
    found = evaluate(island, bench.settings, Mode.RETRIEVAL, cache=bench.cache)
    assert (found.mode, {judged.outcome for judged in found.questions}) == (Mode.RETRIEVAL, {None})
    (island / "questions.jsonl").unlink()
    write_lines(island / "queries.jsonl", [{"id": "1", "question": COST}])
    (island / "qrels.tsv").write_text("1\tharbour\t1\n")
    assert evaluate(island, bench.settings, Mode.ORACLE, cache=bench.cache).mode is Mode.RETRIEVAL
    assert opened.engines == []


def test_no_question_is_no_evaluation(bench: Bench, island: Path, opened: Opened) -> None:
    with pytest.raises(InputError, match="--limit 0"):
        evaluate(island, bench.settings, limit=0, cache=bench.cache)
    assert opened.engines == []


def test_questions_about_a_library_that_is_not_there_open_no_reader(
    bench: Bench, tmp_path: Path, opened: Opened
) -> None:
    mine = write_lines(tmp_path / "mine.jsonl", [{"question": COST}])
    with pytest.raises(LibraryEmpty, match="no articles"):
        evaluate(mine, bench.settings, cache=bench.cache)
    assert opened.engines == []
