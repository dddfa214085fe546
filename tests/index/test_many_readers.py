"""Twenty readers ask while one writer indexes. `benchmarks/readers_and_writer.py` does the same for minutes."""

from pathlib import Path

from benchmarks.readers_and_writer import run
from rag.index import check_library


def test_twenty_readers_and_a_writer_see_no_error_and_no_torn_answer(tmp_path: Path) -> None:
    seen = run(tmp_path, readers=20, processes=2, seconds=4.0)
    assert seen.errors == ()
    assert seen.answers > 20
    assert seen.commits > 2
    assert seen.states > 1
    assert check_library(tmp_path / "index").faults == ()
