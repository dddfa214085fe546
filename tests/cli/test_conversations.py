"""`rag conversations`: whoever runs Citeline can read, export and delete what was asked in the page."""

import json
from pathlib import Path

import pypdfium2
import pytest

from rag.conversations import Conversations
from rag.exchanges import Draft
from tests.cli.conftest import Rag
from tests.conversations.samples import COST, VAREL

DRAFT = Draft("Searching the articles")


@pytest.fixture
def ids(tmp_path: Path) -> tuple[str, str]:
    """Of two conversations of two owners, the older first; the newer is shared."""
    with Conversations(tmp_path / "index") as saved:
        first = saved.ask("ada", "What does the ferry\x1b[31m cost?", DRAFT)
        saved.record(first, COST)
        second = saved.ask("ben", "When did it open?", DRAFT)
        saved.record(second, VAREL)
        saved.ask("ben", "And then?", DRAFT, second.conversation)
        saved.share("ben", second.conversation)
    return first.conversation, second.conversation


def test_list_names_everyones_conversations_newest_first(rag_: Rag, ids: tuple[str, str]) -> None:
    header, newer, older = rag_("conversations", "list").done.splitlines()
    assert header.split() == ["id", "changed", "exchanges", "link", "title"]
    assert newer.split()[0] == ids[1]
    assert newer.split()[3:] == ["2", "shared", "When", "did", "it", "open?"]
    assert older.split()[0] == ids[0]
    assert older.split()[3:] == ["1", "What", "does", "the", "ferry", "[31m", "cost?"]


def test_list_can_be_of_one_user_limited_searched_and_json(rag_: Rag, ids: tuple[str, str]) -> None:
    def listed(*arguments: str) -> list[str]:
        return [one["id"] for one in json.loads(rag_("conversations", "list", "--json", *arguments).done)]

    assert listed() == [ids[1], ids[0]]
    assert listed("--owner", "ada") == [ids[0]]
    assert listed("--owner", "eve") == []
    assert listed("--limit", "1") == [ids[1]]
    assert listed("--search", "ferry", "--limit", "1") == [ids[0]]
    first = json.loads(rag_("conversations", "list", "--json").done)[0]
    assert (first["title"], first["exchanges"], first["shared"]) == ("When did it open?", 2, True)
    assert list(first) == ["id", "title", "changed", "exchanges", "shared"]


def test_without_any_there_is_an_empty_list_and_no_file(rag_: Rag, tmp_path: Path) -> None:
    assert len(rag_("conversations", "list").done.splitlines()) == 1
    assert not (tmp_path / "index").exists()


def test_show_prints_markdown(rag_: Rag, ids: tuple[str, str]) -> None:
    lines = rag_("conversations", "show", ids[0]).done.splitlines()
    assert lines[0] == r"# What does the ferry \[31m cost?"
    assert "It is free. [1] It sails at nine. [1][2] (partly supported) Fish fly. (not supported)" in lines
    assert "1. **Ferry** · Ada Nyberg · 2024-05-01 · ferry.txt" in lines


def test_export_writes_the_format_of_the_file(rag_: Rag, ids: tuple[str, str], tmp_path: Path) -> None:
    for name in ("talk.md", "talk.json", "talk.docx", "talk.pdf"):
        written = rag_("conversations", "export", ids[1], "-o", tmp_path / name).done
        assert written == f"When did it open?, exchanges: 2: {tmp_path / name}\n"
    assert json.loads((tmp_path / "talk.json").read_bytes())["exchanges"][0]["status"] == "answered"
    page = pypdfium2.PdfDocument((tmp_path / "talk.pdf").read_bytes())[0]
    assert "In 1912. [1]" in page.get_textpage().get_text_range()
    for name, complaint in (("talk.odt", "Accepted: .md, .json, .docx, .pdf."), ("none/talk.md", "can't be written")):
        done = rag_("conversations", "export", ids[1], "-o", tmp_path / name)
        assert done.status == 2
        assert complaint in done.complaint


def test_delete_is_for_good(rag_: Rag, ids: tuple[str, str]) -> None:
    assert rag_("conversations", "delete", *ids).done == "- What does the ferry [31m cost?\n- When did it open?\n"
    assert len(rag_("conversations", "list").done.splitlines()) == 1


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize("command", [("show", "0"), ("export", "0", "-o", "talk.md"), ("delete", "0")])
def test_an_unknown_id_is_said_with_the_command_that_lists_them(command: tuple[str, ...], rag_: Rag) -> None:
    done = rag_("conversations", *command)
    assert done.status == 2
    assert done.complaint.startswith("There is no conversation '0'")
    assert "`rag conversations list`" in done.complaint


def test_conversations_can_lie_in_a_folder_of_their_own(rag_: Rag, tmp_path: Path, ids: tuple[str, str]) -> None:
    assert len(rag_("--set", f"conversations={tmp_path / 'talks'}", "conversations", "list").done.splitlines()) == 1
    (tmp_path / "index").rename(tmp_path / "talks")
    assert ids[0] in rag_("--set", f"conversations={tmp_path / 'talks'}", "conversations", "list").done


def test_a_damaged_file_is_named_with_the_command(rag_: Rag, ids: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "index" / "conversations.sqlite").write_bytes(b"spoiled")
    done = rag_("conversations", "show", ids[0])
    assert done.status == 1
    assert f"{tmp_path / 'index' / 'conversations.sqlite'} is damaged" in done.complaint
    assert "`mv conversations.sqlite conversations.sqlite-damaged`" in done.complaint


def test_no_command_shows_the_commands(rag_: Rag) -> None:
    done = rag_("conversations")
    assert done.status == 2
    assert "Commands" in done.out + done.err
