"""Wrong use: what is complained about, and the exit status."""

from pathlib import Path

import pytest

from tests.cli.commands import RAG, run
from tests.cli.conftest import Rag


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("frobnicate",), "No such command 'frobnicate'"),
        (("ask",), "Missing argument 'question'"),
        (("ask", "why?", "how?"), "unexpected extra argument"),
        (("ask", "why?", "--zap"), "No such option: --zap"),
        (("index", "--zap"), "No such option: --zap"),
        (("batch",), "Missing argument 'questions'"),
        (("batch", "questions.csv"), "Missing option '--output'"),
        (("replay",), "Missing argument 'ID'"),
        (("explain",), "Missing argument 'ID'"),
        (("eval",), "Missing argument 'SET'"),
        (("eval", "seeds", "--limit", "few"), "Invalid value for '--limit'"),
        (("compare", "before"), "Missing argument 'after'"),
        (("calibrate",), "Missing argument 'QUESTIONS...'"),
        (("models", "remove"), "Missing argument 'names'"),
        (("models", "frobnicate"), "No such command 'frobnicate'"),
    ],
)
def test_wrong_arguments_show_the_usage_and_exit_2(arguments: tuple[str, ...], complaint: str, rag_: Rag) -> None:
    done = rag_(*arguments)
    assert done.status == 2
    assert done.err.startswith("Usage: rag ")
    assert complaint in done.err
    assert "Traceback" not in done.err


def test_an_option_without_its_value_exits_2(rag_: Rag) -> None:
    done = rag_("--set")
    assert done.status == 2
    assert "Option '--set' requires an argument" in done.err


@pytest.mark.parametrize("arguments", [(), ("models",)])
def test_no_command_shows_the_commands_and_exits_2(arguments: tuple[str, ...], rag_: Rag) -> None:
    done = rag_(*arguments)
    assert done.status == 2
    assert "Commands" in done.out + done.err


@pytest.mark.parametrize(
    "command", ["", "index", "ask", "batch", "replay", "explain", "eval", "compare", "calibrate", "models"]
)
def test_help_is_no_failure(command: str, rag_: Rag) -> None:
    assert rag_(*command.split(), "--help").done.strip().startswith("Usage: rag ")


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("passages=0", "passages = '0' isn't accepted: Input should be greater than or equal to 1."),
        ("passages=many", "passages = 'many' isn't accepted"),
        ("engine=steam", "engine = 'steam' isn't accepted"),
        ("pasages=4", "There is no setting called 'pasages'. Known: index, models, "),
        ("passages", "--set passages says no value. Write it as --set NAME=VALUE, such as --set passages=6."),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        *(("status",), ("ask", "why?"), ("index",), ("models", "list")),
        *(("batch", "questions.csv", "-o", "answers.csv"), ("replay", "q1"), ("eval", "seeds")),
    ],
)
def test_a_wrong_setting_is_named_with_what_would_do(
    setting: str, complaint: str, command: tuple[str, ...], rag_: Rag
) -> None:
    done = rag_("--set", setting, *command)
    assert done.status == 2
    assert complaint in done.complaint
    assert done.out == ""


def test_a_wrong_setting_in_the_environment_or_the_file_is_named(
    rag_: Rag, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rag.toml").write_text("pasages = 4\n", encoding="utf-8")
    assert "There is no setting called 'pasages'" in rag_("status").complaint
    (tmp_path / "rag.toml").write_text("passages = \n", encoding="utf-8")
    assert rag_("status").complaint.startswith("rag.toml can't be read: ")
    (tmp_path / "rag.toml").unlink()
    monkeypatch.setenv("RAG_THREADS", "several")
    done = rag_("status")
    assert done.status == 2
    assert "RAG_THREADS" in done.complaint


@pytest.mark.parametrize("command", [("models", "verify"), ("models", "remove"), ("models", "fetch")])
def test_an_unknown_model_is_named_with_the_known_ones(command: tuple[str, ...], rag_: Rag) -> None:
    done = rag_(*command, "gpt-17")
    assert done.status == 1
    assert "There is no model called 'gpt-17'" in done.complaint
    assert "all-MiniLM-L6-v2" in done.complaint


def test_an_unknown_embedder_or_reader_is_named(rag_: Rag, articles: Path) -> None:
    for command in (("index", articles), ("status",)):
        done = rag_("--set", "embedder=gpt-17", *command)
        assert done.status == 1
        assert "There is no model called 'gpt-17'" in done.complaint
    assert rag_("index", articles).status == 0
    done = rag_("--set", "reader=gpt-17", "ask", "why?")
    assert done.status == 1
    assert "There is no model called 'gpt-17'" in done.complaint


def test_an_embedder_that_is_a_reader_is_refused(rag_: Rag, articles: Path, tmp_path: Path) -> None:
    done = rag_("--set", f"embedder={tmp_path / 'reader.gguf'}", "index", articles)
    assert done.status == 1
    assert "reader.gguf holds no embedder" in done.complaint


def test_the_command_line_of_the_system_is_used(settings: dict[str, str | Path]) -> None:
    done = run(RAG, "--set", "nonsense=1", "status", settings=settings)
    assert done.status == 2
    assert "There is no setting called 'nonsense'" in done.complaint
