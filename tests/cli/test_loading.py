"""What a command loads: none waits for a library that it does without."""

import ast
import json
import sys
from pathlib import Path

import pytest
import typer

from rag.cli.late import COMMANDS, GROUPS, command
from tests.cli.commands import run

LOADED = "import json, sys\nfrom rag.cli import main\ntry: main()\nfinally: print(json.dumps(sorted(sys.modules)))"

MODELS = {
    "torch",
    "transformers",
    "sentence_transformers",
    "tokenizers",
    "xllamacpp",
    "llama_cpp",
    "gguf",
    "safetensors",
}
PAGE = {"gradio", "pandas", "fastapi", "starlette", "uvicorn", "mcp"}
SCIENCE = {"scipy", "sklearn", "matplotlib", "torchmetrics", "ir_measures"}
READING = {"lxml", "trafilatura", "pypdfium2", "docx", "openpyxl", "charset_normalizer", "dateparser"}
VECTORS = {"faiss", "numpy"}
NETWORK = {"httpx", "httpcore", "huggingface_hub"}
HEAVY = MODELS | PAGE | SCIENCE | READING | VECTORS | NETWORK
SETTINGS = {"pydantic", "pydantic_settings"}


def loaded_by(*arguments: str | Path, settings: dict[str, str | Path]) -> set[str]:
    """Names of the libraries, and of our own packages, that were imported when the command was done."""
    done = run((sys.executable, "-c", LOADED), *arguments, settings=settings)
    modules = json.loads(done.out.splitlines()[-1])
    return {name.split(".")[0] for name in modules} | {name for name in modules if name.count(".") == 1}


@pytest.mark.parametrize("arguments", [("--help",), (), ("frobnicate",), ("--set", "nothing")])
def test_the_list_of_commands_is_shown_with_nothing_loaded_but_what_draws_it(
    arguments: tuple[str, ...], settings: dict[str, str | Path]
) -> None:
    loaded = loaded_by(*arguments, settings=settings)
    assert {"rag.cli", "typer"} <= loaded
    assert not loaded & (HEAVY | {"rag.pipeline", "rag.index", "rag.rendering", "rag.documents"})


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_the_status_of_a_library_needs_none_of_the_libraries_that_made_it(
    option: tuple[str, ...], small_library: dict[str, str | Path]
) -> None:
    loaded = loaded_by("status", *option, settings=small_library | {"RAG_ENGINE": "auto"})
    assert {"sqlite3", "rag.index", "rag.syncing"} | SETTINGS <= loaded
    assert not loaded & (HEAVY | {"rag.pipeline", "rag.rendering", "rich"})


@pytest.mark.parametrize(
    ("arguments", "without"),
    [
        (("models", "list"), HEAVY),
        (("user", "list"), HEAVY - {"starlette", "numpy"}),
        (("conversations", "list"), MODELS | SCIENCE | VECTORS | NETWORK | {"gradio", "lxml", "pandas"}),
        (("check",), MODELS | PAGE | SCIENCE | NETWORK),
        (("index",), MODELS | PAGE | SCIENCE),
        (("sync",), MODELS | PAGE | SCIENCE),
        (("ask", ""), MODELS | PAGE | SCIENCE),
    ],
)
def test_a_command_with_little_to_do_loads_little(
    arguments: tuple[str, ...], without: set[str], small_library: dict[str, str | Path]
) -> None:
    assert not loaded_by(*arguments, settings=small_library) & without


def test_every_library_named_here_is_one_that_is_used() -> None:
    root = Path(__file__).parents[2]
    ours = "\n".join(path.read_text(encoding="utf-8") for path in [*root.glob("rag/**/*.py"), root / "pyproject.toml"])
    assert not {name for name in HEAVY - {"pandas"} if name not in ours.replace("-", "_")}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_of_a_command_what_the_command_says_of_itself(name: str) -> None:
    itself = command(name)
    assert (itself.help or "").split("\n\n")[0] == COMMANDS[name][1]
    assert isinstance(itself, typer.core.TyperGroup) == (name in GROUPS)


def test_every_command_is_in_the_list() -> None:
    folder = Path(__file__).parents[2] / "rag" / "cli"
    apps = {path.stem for path in folder.glob("*.py") if "app = typer.Typer(" in path.read_text(encoding="utf-8")}
    assert apps - {"commands"} == {module for module, _ in COMMANDS.values()}
    for module in apps - {"commands"} - set(GROUPS):
        tree = ast.parse((folder / f"{module}.py").read_text(encoding="utf-8"))
        made = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "command"]
        assert len(made) == sum(of == module for of, _ in COMMANDS.values()), module
