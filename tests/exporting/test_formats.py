"""Files that other programs read: whatever is in a conversation, it is in them as text."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn
from markdown_it import MarkdownIt
from markdown_it.token import Token

from rag.errors import InputError
from rag.exchanges import Conversation
from rag.exporting import Format, exported, file_name, format_of, write_export
from rag.exporting.manuscript import clean, manuscript_of
from rag.records import answer_fields
from tests.conversations.samples import COST
from tests.exporting.samples import HOSTILE, WHOLE, conversation, hostile


def tokens(content: Conversation) -> list[Token]:
    """All of the Markdown, as a parser of CommonMark sees it."""
    parsed = MarkdownIt("commonmark").parse(exported(content, Format.MARKDOWN).decode())
    return [token for outer in parsed for token in (outer, *(outer.children or ()))]


def headings(found: list[Token]) -> list[str]:
    return [_text(found[at + 1]) for at, token in enumerate(found) if token.type == "heading_open"]


def _text(inline: Token) -> str:
    return "".join(child.content for child in inline.children or ())


def paragraphs(found: list[Token]) -> list[str]:
    return [_text(token) for token in found if token.type == "inline"]


def test_markdown_has_a_heading_a_question_and_its_references_as_a_list() -> None:
    found = tokens(WHOLE)
    assert headings(found) == [
        "What does the ferry cost?",
        *(f"{number}. What does the ferry cost?" for number in range(1, 8)),
        "References",
    ]
    assert "It is free. [1] It sails at nine. [1][2] (partly supported) Fish fly. (not supported)" in paragraphs(found)
    listed = paragraphs(found)[-7:]
    assert listed == [
        "Ferry · Ada Nyberg · 2024-05-01 · ferry.txt",
        "“The ferry is free.” (page 1)",
        "“It sails at nine.” (page 2)",
        "also in: copy.txt, a.example/ferry",
        "Its file had changed since it was indexed.",
        "Harbour · https://www.example.org/varel/harbour",
        "“The harbour of Varel opened in 1912.”",
    ]
    assert [token.attrs["href"] for token in found if token.type == "link_open"] == [
        "https://www.example.org/varel/harbour"
    ]
    kinds = [token.type for token in found]
    assert (kinds.count("ordered_list_open"), kinds.count("bullet_list_open")) == (1, 2)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_foreign_is_markup_in_markdown(text: str) -> None:
    found, shown = tokens(hostile(text)), clean(text)
    kinds = {token.type for token in found}
    assert not kinds & {"html_block", "html_inline", "image", "em_open", "fence", "code_block", "code_inline", "hr"}
    assert headings(found)[:2] == [shown or "Conversation", f"1. {shown}"]
    assert sum(token.type == "link_open" for token in found) == 0
    assert sum(token.type == "bullet_list_open" for token in found) == 1
    assert f"No answer, because of an error: {shown}" in paragraphs(found)
    assert f"{shown} [1]" in paragraphs(found)


def test_json_holds_the_manuscript_and_all_of_every_answer() -> None:
    found = json.loads(exported(WHOLE, Format.JSON))
    assert (found["format"], found["version"], found["title"]) == ("citeline conversation", 1, WHOLE.title)
    first = found["exchanges"][0]
    assert first["answer"] == json.loads(json.dumps(answer_fields(COST)))
    assert first["feedback"] == {"vote": "down", "reason": "Too short"}
    assert first["paragraphs"][0][1] == {
        "text": "It sails at nine.",
        "references": [1, 2],
        "doubt": "partly supported",
    }
    assert [one["status"] for one in found["exchanges"]] == [
        *("answered", "refused", "stopped", "stopped", "failed", "answered", "unfinished")
    ]
    assert found["references"][1] == {
        "number": 2,
        "title": "Harbour",
        "author": None,
        "published": None,
        "place": "https://www.example.org/varel/harbour",
        "link": "https://www.example.org/varel/harbour",
        "quotes": [{"text": "The harbour of Varel opened in 1912.", "page": None}],
        "notes": [],
    }
    assert found["references"][0]["notes"] == [
        "also in: copy.txt, a.example/ferry",
        "Its file had changed since it was indexed.",
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_goes_through_json(text: str) -> None:
    found = json.loads(exported(hostile(text), Format.JSON))
    assert found["exchanges"][0]["question"] == (clean(text) or "…")
    assert found["references"][0]["quotes"][0]["text"] == clean(f"{text} End.")


def word(content: Conversation) -> Any:
    return docx.Document(io.BytesIO(exported(content, Format.DOCX)))


def lines(document: Any) -> list[tuple[str, str]]:
    """(style, text) of the paragraphs, those of links included."""
    return [(paragraph.style.name, paragraph.text) for paragraph in document.paragraphs]


def test_word_has_headings_quotations_and_references() -> None:
    document = word(WHOLE)
    found = lines(document)
    assert found[:4] == [
        ("Title", "What does the ferry cost?"),
        ("Subtitle", "Asked on 2026-11-23."),
        ("Heading 1", "1. What does the ferry cost?"),
        ("Normal", "It is free. [1] It sails at nine. [1][2] (partly supported) Fish fly. (not supported)"),
    ]
    assert found[-8:] == [
        ("Heading 1", "References"),
        ("Normal", "[1] Ferry · Ada Nyberg · 2024-05-01 · ferry.txt"),
        ("List Bullet", "“The ferry is free.” (page 1)"),
        ("List Bullet", "“It sails at nine.” (page 2)"),
        ("List Bullet", "also in: copy.txt, a.example/ferry"),
        ("List Bullet", "Its file had changed since it was indexed."),
        ("Normal", "[2] Harbour · https://www.example.org/varel/harbour"),
        ("List Bullet", "“The harbour of Varel opened in 1912.”"),
    ]
    assert ("Quote", "The answer was stopped before it began.") in found
    (link,) = (one for paragraph in document.paragraphs for one in paragraph.hyperlinks)
    assert link.address == "https://www.example.org/varel/harbour"
    assert (document.core_properties.author, document.core_properties.title) == ("Citeline", WHOLE.title)


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_in_a_word_file_as_itself(text: str) -> None:
    document, shown = word(hostile(text)), clean(text)
    found = lines(document)
    assert ("Heading 1", f"1. {shown or '…'}") in found
    assert ("Quote", f"No answer, because of an error: {shown}".rstrip()) in found
    assert [one for paragraph in document.paragraphs for one in paragraph.hyperlinks] == []
    unfinished = [line for line in text.splitlines() if clean(line)]
    assert len(found) == len(lines(word(hostile("plain")))) + len(unfinished) - 1


def test_right_to_left_text_runs_that_way_in_word() -> None:
    document = word(conversation(COST, question="متى افتتح Varel؟"))
    title, _, heading, body, *_ = document.paragraphs
    for paragraph, is_turned in ((title, True), (heading, True), (body, False)):
        assert (paragraph._p.pPr.find(qn("w:bidi")) is not None) is is_turned
    assert [(run.text, bool(run.font.rtl)) for run in title.runs] == [
        ("متى افتتح ", True),
        ("Varel", False),
        ("؟", True),
    ]


@pytest.mark.parametrize("kind", list(Format))
def test_a_conversation_without_exchanges_is_a_file_too(kind: Format) -> None:
    assert manuscript_of(conversation()).sections == ()
    assert exported(conversation(), kind)


@pytest.mark.parametrize("kind", list(Format))
def test_a_file_is_written_in_the_format_of_its_suffix_in_place_of_an_older_one(kind: Format, tmp_path: Path) -> None:
    path = tmp_path / f"talk.{kind.upper()}"
    path.write_text("older", encoding="utf-8")
    write_export(WHOLE, path)
    assert path.read_bytes()[:2] == exported(WHOLE, kind)[:2]
    assert list(tmp_path.iterdir()) == [path]


def test_another_suffix_is_refused_with_those_there_are() -> None:
    for name in ("talk.odt", "talk", "talk."):
        with pytest.raises(InputError, match=r"Accepted: \.md, \.json, \.docx, \.pdf\.$"):
            format_of(Path(name))


def test_a_place_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none" / "talk.md", tmp_path / f"{'x' * 300}.md"):
        with pytest.raises(InputError, match=r"can't be written \(.*\)\. Name another place"):
            write_export(WHOLE, path)
    (tmp_path / "folder.md").mkdir()
    with pytest.raises(InputError, match="can't be written"):
        write_export(WHOLE, tmp_path / "folder.md")
    assert list(tmp_path.iterdir()) == [tmp_path / "folder.md"]


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("What does the ferry cost?", "what-does-the-ferry-cost.pdf"),
        ("../../etc/passwd", "etc-passwd.pdf"),
        ("Straße nach Ærø", "straße-nach-ærø.pdf"),
        ("मुंबई 東京", "मुंबई-東京.pdf"),
        ('C:\\x|"<*>?\x00', "c-x.pdf"),
        ("a\u202egpj.exe", "agpj-exe.pdf"),
        ("?!", "conversation.pdf"),
        ("x" * 99, f"{'x' * 60}.pdf"),
    ],
)
def test_names_of_files_hold_only_what_names_may(title: str, name: str) -> None:
    assert file_name(replace(WHOLE, title=title), Format.PDF) == name
