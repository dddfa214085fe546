"""Who may import whom, and what importing may do."""

import ast
import gc
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag import errors
from rag.errors import RagError

ROOT = Path(__file__).parent.parent
STAGES = (
    "documents sentences neutralizing decomposing dating chunking embedding index stores reranking inspecting grounding"
    " retrieval suggesting prompting engines"
)

# Every module or package of rag/ and what it may import of the others. A row names only rows above it: no cycles.
MAY_IMPORT = {
    "types": "",
    "errors": "",
    "late": "",
    "plain_text": "",
    "settings": "errors",
    "logs": "",
    "ahead": "types",
    "remembering": "types",
    "idle": "errors logs",
    "languages": "",
    "model_files": "errors",
    "records": "types errors",
    "exchanges": "types",
    "holdings": "types",
    "conversations": "types errors records exchanges",
    "documents": "types errors",
    "sentences": "",
    "neutralizing": "sentences",
    "decomposing": "",
    "dating": "types",
    "copies": "types",
    "chunking": "types sentences",
    "model_folders": "errors",
    "embedding": "types errors model_folders",
    "index": "types errors late",
    "stores": "types errors settings index late",
    "rights": "types errors languages exchanges index",
    "migrating": "types errors index stores",
    "reranking": "types sentences chunking",
    "inspecting": "types",
    "tasks": "",
    "grounding": "types sentences neutralizing dating",
    "retrieval": "types decomposing dating copies reranking inspecting grounding",
    "questioning": "neutralizing",
    "suggesting": "types sentences questioning retrieval grounding",
    "prompting": "types neutralizing dating",
    "engines": "types errors model_folders",
    "pacing": "settings engines",
    "metrics": "types",
    "calibration": "types errors metrics",
    "visiting": "types errors documents index",
    "browsing": "types errors documents index visiting",
    "indexing": "types errors documents chunking index stores visiting browsing",
    "distributing": "types errors settings model_files documents chunking embedding index visiting",
    "syncing": "types errors documents index stores indexing",
    "rebuilding": "types errors documents index stores visiting indexing",
    "watching": "",
    "pipeline": (
        f"types errors settings late ahead remembering model_files pacing rights {STAGES} visiting indexing"
        " distributing syncing rebuilding calibration"
    ),
    "batch": "types errors settings records documents index pipeline",
    "rendering": "types languages plain_text exchanges inspecting holdings tasks",
    "exporting": "types errors languages records exchanges rendering",
    "evaluation": f"types errors settings records {STAGES} indexing calibration pipeline metrics batch rendering",
    "guarding": "types errors languages logs rendering",
    "line": "errors",
    "desk": "types errors settings logs ahead idle line inspecting rights pipeline",
    "shelf": "types errors logs documents index stores rights visiting indexing syncing pipeline holdings desk",
    "talks": "types errors logs exchanges conversations rendering desk",
    "bulk": "types errors settings logs tasks rights pipeline batch evaluation desk",
    "service": "types errors settings logs rendering guarding line desk",
    "page": (
        "types errors settings languages logs exchanges conversations tasks rights pipeline rendering exporting "
        "guarding holdings desk shelf talks bulk service"
    ),
    "app": "errors settings rendering page",
    "cli": (
        f"types errors plain_text settings logs model_files pacing records exchanges conversations {STAGES} indexing "
        "syncing watching migrating pipeline rendering exporting guarding desk talks page calibration metrics batch "
        "evaluation"
    ),
}

ONLY_IN = {
    "gradio": {"page"},
    "typer": {"cli"},
    "sqlite3": {"index", "conversations"},
    "faiss": {"index"},
    "pymilvus": {"stores"},
    "sqlalchemy": {"stores"},
    "docx": {"documents", "exporting"},
    "reportlab": {"exporting"},
    "sentence_transformers": {"embedding"},
    "prometheus_client": {"service"},
    "opentelemetry": {"service"},
    "ray": {"distributing"},
}
"""Libraries that one row keeps to itself."""

SLOW = ("torch", "transformers", "sentence_transformers", "gradio", "xllamacpp", "llama_cpp", "pymilvus", "ray")

IMPORT_ALL = f"""
import importlib, os, pkgutil, sys
before = dict(os.environ)
import rag
for module in pkgutil.walk_packages(rag.__path__, "rag."):
    if not module.name.startswith("rag.page"):
        importlib.import_module(module.name)
assert len([name for name in sys.modules if name.startswith("rag.")]) > 20
assert dict(os.environ) == before, sorted(dict(os.environ).items() ^ before.items())
slow = [name for name in {SLOW} if name in sys.modules]
assert not slow, slow
"""


@pytest.fixture(autouse=True, scope="module")
def nothing_left_over() -> None:
    """Of other tests: CPython 3.11's `ast.parse` fails when something with a finalizer is collected while it works."""
    gc.collect()


def sources() -> list[Path]:
    return [*sorted((ROOT / "rag").rglob("*.py")), ROOT / "app.py"]


def row_of(path: Path) -> str:
    """rag/index/lock.py and rag/index.py -> index; rag/__init__.py -> rag."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if len(parts) > 1 and parts[1] != "__init__" else parts[0]


def imported(source: str) -> Iterator[str]:
    """Dotted names of all that a module imports, wherever in it: `from rag import index` gives rag.index."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide who imports whom"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Late":
            yield ast.literal_eval(node.args[0])


def rows_imported(path: Path) -> set[str]:
    """The other rows that a module imports from."""
    rows = set()
    for name in imported(path.read_text(encoding="utf-8")):
        first, second, *_ = *name.split("."), ""
        if first in ("rag", "app"):
            rows.add(second if first == "rag" else first)
    return rows - {row_of(path)}


def test_the_reader_of_imports_sees_every_kind() -> None:
    source = """
import os, rag.index.lock as lock
from rag import index, types
from rag.errors import RagError
if TYPE_CHECKING:
    from rag.settings import Settings
def late():
    import app
faiss = Late("faiss")
"""
    assert sorted(imported(source)) == [
        "app",
        "faiss",
        "os",
        "rag.errors.RagError",
        "rag.index",
        "rag.index.lock",
        "rag.settings.Settings",
        "rag.types",
    ]


def test_every_module_has_a_row_and_every_row_a_module() -> None:
    assert {row_of(path) for path in sources()} - {"rag"} == set(MAY_IMPORT)


def test_rows_name_only_rows_above_them() -> None:
    rows = list(MAY_IMPORT)
    for at, row in enumerate(rows):
        assert set(MAY_IMPORT[row].split()) <= set(rows[:at]), row


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_its_row_allows(path: Path) -> None:
    row = row_of(path)
    allowed = set(MAY_IMPORT[row].split()) if row != "rag" else set()
    assert rows_imported(path) <= allowed


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_is_used_only_where_it_belongs(library: str) -> None:
    users = {
        row_of(path)
        for path in sources()
        if any(name.split(".")[0] == library for name in imported(path.read_text(encoding="utf-8")))
    }
    assert users == ONLY_IN[library]


def test_importing_everything_loads_no_model_library_and_leaves_no_trace(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "USERPROFILE": str(home),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], cwd=home, env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    assert list(home.rglob("*")) == []


def test_the_drawn_tree_of_errors_is_the_tree_of_errors() -> None:
    assert list(_drawn(errors.__doc__ or "")) == list(_defined(RagError))


def _drawn(docstring: str) -> Iterator[tuple[str, str]]:
    """(error, its base) as the drawing has them, from top to bottom."""
    above: list[str] = []
    for line in docstring.splitlines():
        found = re.match(r" {4}((?:│   |    )*)(?:[├└]── )(\w+)", line)
        if found:
            depth = len(found[1]) // 4
            above = [*above[: depth + 1], found[2]]
            yield found[2], above[depth]
        elif root := re.fullmatch(r" {4}(\w+)", line):
            above = [root[1]]


def _defined(base: type[RagError]) -> Iterator[tuple[str, str]]:
    for error in base.__subclasses__():
        if error.__module__ == errors.__name__:
            yield error.__name__, base.__name__
            yield from _defined(error)


def test_every_error_has_one_base_and_says_what_it_means() -> None:
    named = [error for error in vars(errors).values() if isinstance(error, type)]
    assert {error.__name__ for error in named} == {"RagError", *(name for name, _ in _defined(RagError))}
    assert all(error.__doc__ and len(error.__bases__) == 1 for error in named)
