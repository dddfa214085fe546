"""Exports of made-up texts, from several threads."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import docx
import pypdfium2
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.errors import InputError
from rag.exporting import Format, answer_to_paste, exported, file_name
from rag.exporting.manuscript import clean
from tests.conversations.samples import COST
from tests.exporting.samples import conversation, hostile

ODD = st.text(st.characters() | st.sampled_from("<>&[]()#*_`\\-=+!|~\n\r\t\x00\u202e\ud800\ufffe"), max_size=40)


@settings(max_examples=25, deadline=None)
@given(text=ODD)
def test_every_format_of_any_text_can_be_read(text: str) -> None:
    content = hostile(text)
    shown = clean(text)
    assert json.loads(exported(content, Format.JSON))["title"] == (shown or "Conversation")
    headings = [one.text for one in docx.Document(io.BytesIO(exported(content, Format.DOCX))).paragraphs]
    assert f"1. {shown or '…'}" in headings
    parsed = MarkdownIt("commonmark").parse(exported(content, Format.MARKDOWN).decode())
    assert [token.tag for token in parsed if token.type == "heading_open"] == ["h1", *["h2"] * 5]
    assert not any(token.type.startswith(("html", "fence", "code", "hr")) for token in parsed)
    assert "/" not in file_name(content, Format.PDF)
    answer_to_paste(content.exchanges[0], citations=True)
    with suppress(InputError), closing(pypdfium2.PdfDocument(exported(content, Format.PDF))) as pages:
        assert len(pages) >= 1


def test_several_threads_may_export_at_once() -> None:
    questions = [f"What costs {chr(0x410 + number) * 9}?" for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        made = pool.map(lambda asked: exported(conversation(*[COST] * 9, question=asked), Format.PDF), questions)
        for question, content in zip(questions, made, strict=True):
            with closing(pypdfium2.PdfDocument(content)) as pages:
                assert f"9. {question}" in "".join(page.get_textpage().get_text_range() for page in pages)
