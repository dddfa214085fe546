import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.documents import content_hash, document_id, file_hash, limits, load
from rag.errors import DocumentError
from rag.types import Document

Loaded = Callable[..., Document]

ARTICLE = b"Ferry sails again after repairs\nThe ferry left on Monday. It was full.\n"


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    def write_and_load(data: bytes, name: str = "article.txt") -> Document:
        (tmp_path / name).write_bytes(data)
        (document,) = load(tmp_path / name).documents
        return document

    return write_and_load


def test_every_field_of_a_plain_article(loaded: Loaded, tmp_path: Path) -> None:
    source = (tmp_path / "article.txt").resolve().as_posix()
    assert loaded(ARTICLE) == Document(
        id=hashlib.sha256(source.encode()).hexdigest()[:16],
        title="Ferry sails again after repairs",
        text=ARTICLE.decode(),
        source=source,
        published=None,
        author=None,
        content_hash=hashlib.sha256(ARTICLE).hexdigest(),
    )


def test_one_article_has_one_id_however_its_path_is_written(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = loaded(ARTICLE)
    monkeypatch.chdir(tmp_path)
    assert load(Path("article.txt")).documents[0].id == document.id == document_id(document.source)


def test_articles_in_two_places_have_two_ids(loaded: Loaded) -> None:
    first, second = loaded(ARTICLE, "a.txt"), loaded(ARTICLE, "b.txt")
    assert first.id != second.id
    assert first.content_hash == second.content_hash


def test_file_hash_is_the_documents_content_hash(loaded: Loaded) -> None:
    document = loaded(ARTICLE)
    assert file_hash(Path(document.source)) == document.content_hash == content_hash(ARTICLE)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-mark", "utf-16-be-mark", "utf-32", "cp1252"]
)
def test_the_same_text_comes_out_of_every_encoding(loaded: Loaded, encoding: str) -> None:
    text = "Fähre fährt wieder\n“It’s fine,” the captain said – for €20 a head. " + "The ferry left. " * 20
    marks = {"utf-16-le-mark": b"\xff\xfe", "utf-16-be-mark": b"\xfe\xff"}
    mark = marks.get(encoding, b"")
    assert loaded(mark + text.encode(encoding.removesuffix("-mark"))).text == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "El niño volvió a casa de su abuela en el pueblo; ¿y los otros del barco?"),
        ("cp1252", "He’s here, and that was all she said to us."),
        ("cp1251", "Паром снова вышел в море после ремонта, сообщила газета."),
        ("koi8_r", "Паром снова вышел в море после ремонта, сообщила газета."),
        ("cp1250", "Příliš žluťoučký kůň úpěl ďábelské ódy. Dnes je hezky."),
        ("cp1253", "Το πλοίο έφυγε ξανά μετά τις επισκευές του."),
        ("shift_jis", "これは日本語の文章です。天気がいいですね。東京で会いましょう。"),
        ("gb18030", "这是一个关于北京天气的新闻报道，今天很热，明天会下雨。"),
        ("cp949", "이것은 서울의 날씨에 관한 뉴스 기사입니다. 오늘은 덥습니다."),
    ],
)
def test_legacy_encodings_are_recognised(loaded: Loaded, encoding: str, text: str) -> None:
    assert loaded(text.encode(encoding)).text == text


def test_line_ends_become_newlines_so_that_offsets_count_one_character(loaded: Loaded) -> None:
    document = loaded(b"Ferry sails\r\nIt left.\rIt came back.\n")
    assert document.text == "Ferry sails\nIt left.\nIt came back.\n"
    assert document.text[12:20] == "It left."


def test_nothing_else_of_the_text_is_changed(loaded: Loaded) -> None:
    text = "  Cafe\u0301 and Café\u00a0: two forms\u2028of one word.\n\n\n\tShare  |  Print \n"
    assert loaded(text.encode()).text == text


def test_only_the_first_byte_order_mark_is_taken_off(loaded: Loaded) -> None:
    assert loaded(b"\xef\xbb\xbfA\xef\xbb\xbfB").text == "A\ufeffB"


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        bytes(range(1, 256)) * 20,
        "Text in UTF-16 without its mark.".encode("utf-16-le"),
        b"\xff\xfeodd",
        b"\xff\xfea\x00\x00\x00",
    ],
)
def test_what_is_not_text_is_refused(loaded: Loaded, data: bytes) -> None:
    with pytest.raises(DocumentError, match=r"article\.txt is not text"):
        loaded(data)


@pytest.mark.parametrize("data", [b"", b" \r\n\t\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_an_empty_article_is_refused(loaded: Loaded, data: bytes) -> None:
    with pytest.raises(DocumentError, match=r"article\.txt is empty"):
        loaded(data)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"There is no file .*gone\.txt"):
        load(tmp_path / "gone.txt")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(DocumentError, match=r"folder\.txt is not a file"):
        load(tmp_path / "folder.txt")


def test_another_format_is_refused_naming_the_formats(loaded: Loaded) -> None:
    with pytest.raises(DocumentError, match=r"song\.mp3 .*Accepted formats: \.txt, \.md, "):
        loaded(ARTICLE, "song.mp3")


def test_a_file_over_the_limit_is_refused_with_both_sizes(tmp_path: Path) -> None:
    with (tmp_path / "huge.txt").open("wb") as file:
        file.truncate(limits.MAX_BYTES + 5_000_000)  # no room on the disk is taken
    with pytest.raises(DocumentError, match=r"huge\.txt has 105 MB, more than the 100 MB"):
        load(tmp_path / "huge.txt")


def test_an_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "secret.txt").write_bytes(ARTICLE)
    monkeypatch.setattr(Path, "read_bytes", refuse)  # root, who may run the tests, can read every real file
    with pytest.raises(DocumentError, match=r"secret\.txt can't be read: Permission denied\. Make it readable"):
        load(tmp_path / "secret.txt")


def test_a_file_name_that_is_no_unicode_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "caf\udce9.txt"
    file.write_bytes(ARTICLE)
    with pytest.raises(DocumentError, match=r"caf\\udce9\.txt' is not valid Unicode\. Rename the file"):
        load(file)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("ferry-sails_again--2024.txt", "Ferry sails again 2024"),
        ("Ferry.Sails.txt", "Ferry.Sails"),
        ("iPhone.txt", "IPhone"),
        ("__.txt", "__"),
    ],
)
def test_an_article_without_title_is_called_after_its_file(loaded: Loaded, name: str, title: str) -> None:
    assert loaded(b"The ferry left on Monday.\n", name).title == title
