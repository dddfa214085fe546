"""What is shown while a command works, in a terminal and in a log."""

import io

import pytest
from rich.console import Console

from rag.cli.progress import Draft, ProgressLines


def terminal() -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, force_terminal=True, width=60, height=5, _environ={"TERM": "xterm"}), file


def test_a_log_gets_a_line_for_each_thing_begun(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressLines() as report:
        report("Loading\x1b[2J", 0, 1)
        report("Loading\x1b[2J", 1, 1)
        for done in range(3):
            report("Indexing [bold]", done, 0)
        report("Loading\x1b[2J", 0, 1)
    assert capsys.readouterr() == ("", "Loading[2J\nIndexing [bold]\nLoading[2J\n")


def test_square_brackets_in_a_name_are_shown_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with ProgressLines() as report:
        report("Fetching [/odd] name", 1, 2)
    assert "Fetching [/odd] name" in capsys.readouterr().err


def test_a_draft_replaces_the_one_before_and_is_gone_in_the_end() -> None:
    console, file = terminal()
    with Draft(quiet=False, console=console) as draft:
        draft.show("It cost [bold]3\x1b[2J")
        draft.show("It cost [bold]3 million")
    console.print("END")
    shown = file.getvalue()
    assert "It cost [bold]3[2J" in shown
    erase = "\x1b[2K"
    assert shown.index("It cost [bold]3[2J") < shown.index(erase) < shown.index("It cost [bold]3 million")
    assert shown.rindex("It cost") < shown.rindex(erase) < shown.index("END")


@pytest.mark.parametrize("quiet", [True, False])
def test_a_draft_is_shown_in_a_terminal_only_and_never_when_it_should_be_quiet(quiet: bool) -> None:
    console, file = terminal()
    if not quiet:
        console = Console(file=file)
    with Draft(quiet=quiet, console=console) as draft:
        draft.show("It cost 3 million")
    assert file.getvalue() == ""
