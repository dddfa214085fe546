"""PDFs as PDFium reads them, and what is said where no font has a character."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from rag.errors import InputError
from rag.exchanges import Conversation, Trouble
from rag.exporting import Format, exported
from rag.exporting.lettering import lettering_of
from rag.exporting.manuscript import clean, manuscript_of
from rag.exporting.pdf import pdf
from tests.conversations.samples import COST
from tests.exporting.samples import HOSTILE, WHOLE, conversation, hostile

ARABIC = "متى افتتح المرفأ؟"


@contextmanager
def opened(content: bytes) -> Iterator[Any]:
    with closing(pypdfium2.PdfDocument(content)) as document:
        yield document


def pages_of(content: bytes) -> list[str]:
    """The text of each page on one line; its number, which stands at the foot, comes first."""
    with opened(content) as document:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


def text_of(content: bytes) -> str:
    """Of all pages, without their numbers."""
    return " ".join(page.partition(" ")[2] for page in pages_of(content))


def asked(question: str, fonts: tuple[str, ...] = ()) -> str:
    """The text of a PDF in which this was asked, made with no other fonts than its own and those of these folders."""
    return text_of(pdf(manuscript_of(conversation(COST, question=question)), fonts))


def test_a_pdf_says_all_that_the_conversation_does() -> None:
    content = exported(WHOLE, Format.PDF)
    text = text_of(content)
    for said in (
        "It is free. [1] It sails at nine. [1][2] (partly supported) Fish fly. (not supported)",
        "The articles don’t say. The passages touch on the question",
        "The answer was stopped before it began.",
        "No answer, because of an error: Nothing is indexed. Run `rag index`.",
        "[1] Ferry · Ada Nyberg · 2024-05-01 · ferry.txt “The ferry is free.” (page 1) “It sails at nine.” (page 2)",
        "also in: copy.txt, a.example/ferry Its file had changed since it was indexed.",
        "[2] Harbour · https://www.example.org/varel/harbour “The harbour of Varel opened in 1912.”",
    ):
        assert said in text
    assert "can’t show" not in text
    with opened(content) as document:
        assert document.get_metadata_value("Title") == WHOLE.title
        assert document.get_metadata_value("Author") == "Citeline"
    assert b"/URI (https://www.example.org/varel/harbour)" in content


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_in_a_pdf_as_itself(text: str) -> None:
    content = exported(hostile(text), Format.PDF)
    shown, found = clean(text), text_of(content)
    assert "".join(shown.split()) in "".join(found.split()).replace("\ufffe", "")
    assert b"/URI" not in content
    assert b"/JavaScript" not in content


def test_a_long_conversation_has_numbered_pages() -> None:
    pages = pages_of(exported(conversation(*[COST] * 60), Format.PDF))
    assert len(pages) > 3
    assert [page.partition(" ")[0] for page in pages] == [str(number) for number in range(1, len(pages) + 1)]


@pytest.mark.parametrize(
    "question", ["Когда открылась гавань?", "Πότε άνοιξε το λιμάνι;", "Zażółć gęślą jaźń – “ĳ” ½ €"]
)
def test_european_scripts_need_no_other_fonts(question: str) -> None:
    text = asked(question)
    assert f"1. {question}" in text
    assert "can’t show" not in text


def test_what_no_font_has_is_named_where_it_belongs_and_at_the_beginning() -> None:
    text = asked(f"When ({ARABIC}) did 東京 open \U0001f600?")
    assert "1. When ([Arabic]) did [Chinese] open [symbols]?" in text
    assert "This PDF can’t show some characters (Arabic, Chinese, symbols)." in text


def test_a_pdf_of_mostly_such_letters_is_refused_with_what_would_do() -> None:
    content = Conversation("", ARABIC, WHOLE.began, WHOLE.began, conversation(Trouble(ARABIC * 5)).exchanges)
    with pytest.raises(InputError, match=r"letters are Arabic\. Export it as \.docx, \.md or \.json"):
        exported(content, Format.PDF)
    assert exported(content, Format.DOCX)


def font(folder: Path, characters: str) -> None:
    """A TrueType font of boxes for these characters."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    names = [".notdef", *(f"uni{ord(character):04X}" for character in characters)]
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((0, 700), (500, 700), (500, 0)):
        pen.lineTo(point)
    pen.closePath()
    made = FontBuilder(1000, isTTF=True)
    made.setupGlyphOrder(names)
    made.setupCharacterMap({ord(character): name for character, name in zip(characters, names[1:], strict=True)})
    made.setupGlyf(dict.fromkeys(names, pen.glyph()))
    made.setupHorizontalMetrics(dict.fromkeys(names, (600, 0)))
    made.setupHorizontalHeader(ascent=800, descent=-200)
    made.setupNameTable({"familyName": "Boxes", "styleName": "Regular", "psName": "Boxes"})
    made.setupOS2(sTypoAscender=800, sTypoDescender=-200, usWinAscent=800, usWinDescent=200)
    made.setupPost()
    made.save(str(folder / "boxes.ttf"))


def test_a_font_of_the_system_sets_what_the_own_one_lacks(tmp_path: Path) -> None:
    font(tmp_path, "東京 ")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    text = asked("When did 東京 open? 港", (str(tmp_path),))
    assert "1. When did 東京 open? [Chinese]" in text


def test_between_letters_that_can_not_be_set_spaces_and_points_are_none_of_their_own() -> None:
    letters = lettering_of([f"a {ARABIC} b, ابجد. هوز! c"], ())
    assert [(run.text, run.unset) for run in letters.runs(f"a {ARABIC} b, ابجد. هوز! c")] == [
        ("a ", ""),
        (ARABIC, "Arabic"),
        (" b, ", ""),
        ("ابجد. هوز", "Arabic"),
        ("! c", ""),
    ]
    assert letters.unset("ab ابجد") == (4, 6)
