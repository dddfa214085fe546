"""Libraries that are loaded when they are first used."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.late import Late, functions_late


@pytest.fixture(autouse=True)
def maths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package `maths_here` with a module `sums`, and another, `user_here`, that imports from it."""
    package = tmp_path / "maths_here"
    package.mkdir()
    (package / "__init__.py").write_text("VERSION = 3\n")
    (package / "sums.py").write_text("LIMIT = 9\ndef add(one, other=0):\n    return one + other\n")
    (package / "products.py").write_text(
        "from maths_here import VERSION\ndef times(one, other):\n    return one * other\n"
    )
    (tmp_path / "user_here.py").write_text("from maths_here.sums import add\n")
    (tmp_path / "greedy_here.py").write_text(
        "from maths_here.sums import add\nfrom maths_here.products import times, VERSION\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in ("maths_here", "maths_here.sums", "maths_here.products", "user_here", "greedy_here"):
        sys.modules.pop(name, None)


def loaded() -> list[str]:
    return sorted(name for name in sys.modules if name.startswith("maths_here"))


def test_what_is_late_is_loaded_by_its_first_use() -> None:
    sums = Late("maths_here.sums")
    assert loaded() == []
    assert sums.add(1, other=2) == 3  # type: ignore[operator]
    assert loaded() == ["maths_here", "maths_here.sums"]


def test_a_function_that_nobody_calls_loads_nothing() -> None:
    with functions_late("maths_here.sums"):
        import user_here  # type: ignore[import-not-found]
    assert loaded() == []
    assert user_here.add(1, other=2) == 3
    assert loaded() == ["maths_here", "maths_here.sums"]


def test_after_the_block_the_library_is_imported_as_always() -> None:
    with functions_late("maths_here.sums"):
        import user_here  # noqa: F401
    from maths_here.sums import LIMIT  # type: ignore[import-not-found]

    assert LIMIT == 9


def test_whatever_else_is_imported_inside_the_block_is_the_real_thing() -> None:
    with functions_late("maths_here.sums"):
        import greedy_here  # type: ignore[import-not-found]
    assert (greedy_here.times(2, 3), greedy_here.VERSION, greedy_here.add(1)) == (6, 3, 1)


def test_a_library_that_is_loaded_already_is_left_alone() -> None:
    import maths_here.sums  # type: ignore[import-not-found]

    with functions_late("maths_here.sums"):
        import user_here
    assert user_here.add is maths_here.sums.add


def test_a_library_that_isnt_there_is_missed_as_always() -> None:
    with functions_late("absent_here.sums"), pytest.raises(ModuleNotFoundError, match="absent_here"):
        import absent_here.sums  # type: ignore[import-not-found]  # noqa: F401
