import hashlib
import os
from pathlib import Path

import pytest

from rag.documents import load
from rag.guarding import cited
from rag.guarding.cited import Cited
from rag.types import Document


@pytest.fixture
def article(tmp_path: Path) -> Path:
    path = tmp_path / "news" / "bill.txt"
    path.parent.mkdir()
    path.write_text("TikTok pays Microsoft US$20 million a month.")
    return path


def test_only_what_was_cited_and_only_to_who_saw_it(article: Path) -> None:
    other = article.with_name("other.txt")
    other.write_text("Never cited.")
    [document] = load(article).documents
    seen = Cited()
    seen.note("ann", [document])
    file = seen.file("ann", document.id)
    assert file is not None
    assert (file.data, file.name, file.shown) == (article.read_bytes(), "bill.txt", True)
    assert file.content_type == "text/plain; charset=utf-8"
    assert seen.file("bob", document.id) is None
    assert seen.file(None, document.id) is None
    assert seen.file("ann", load(other).documents[0].id) is None


def test_a_file_that_changed_since_it_was_indexed_stays(article: Path) -> None:
    [document] = load(article).documents
    seen = Cited()
    seen.note(None, [document])
    article.write_text("Something else.")
    assert seen.file(None, document.id) is None


def test_a_path_that_by_now_leads_elsewhere_leads_nowhere(article: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    [document] = load(article).documents
    seen = Cited()
    seen.note(None, [document])
    article.unlink()
    article.symlink_to(secret)
    assert seen.file(None, document.id) is None
    article.unlink()
    article.parent.rmdir()
    article.parent.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "bill.txt").write_text("secret")
    assert seen.file(None, document.id) is None


def test_what_is_no_file_neither_answers_nor_blocks(article: Path) -> None:
    [document] = load(article).documents
    seen = Cited()
    seen.note(None, [document])
    article.unlink()
    assert seen.file(None, document.id) is None
    os.mkfifo(article)
    assert seen.file(None, document.id) is None
    article.unlink()
    article.mkdir()
    assert seen.file(None, document.id) is None


@pytest.mark.parametrize(
    "source", ["https://example.org/a.txt", "news/a.txt", "", "a\x00b", "/dev/zero", "/proc/self/environ"]
)
def test_only_absolute_paths_of_regular_files_are_opened(source: str) -> None:
    document = Document("0" * 16, "t", "t", source, None, None, hashlib.sha256(b"").hexdigest())
    seen = Cited()
    seen.note(None, [document])
    assert seen.file(None, document.id) is None


def test_a_browser_shows_text_and_pdf_and_only_saves_the_rest(tmp_path: Path) -> None:
    kinds = {}
    for name in ("a.pdf", "a.md", "A.HTML", "a.svg", "a.xml", "x\r\nSet-Cookie: a=b.txt", '..".txt'):
        path = tmp_path / name
        path.write_bytes(b"<script>1</script>")
        document = Document("0" * 16, "t", "t", str(path), None, None, hashlib.sha256(path.read_bytes()).hexdigest())
        seen = Cited()
        seen.note(None, [document])
        file = seen.file(None, document.id)
        assert file is not None
        kinds[file.name] = (file.content_type, file.shown)
    saved = ("application/octet-stream", False)
    text = ("text/plain; charset=utf-8", True)
    assert kinds == {
        "a.pdf": ("application/pdf", True),
        "a.md": text,
        "A.HTML": saved,
        "a.svg": saved,
        "a.xml": saved,
        "x__Set-Cookie_ a_b.txt": text,
        "_.txt": text,
    }


def test_too_large_a_file_stays(article: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [document] = load(article).documents
    seen = Cited()
    seen.note(None, [document])
    monkeypatch.setattr(cited, "MAX_BYTES", article.stat().st_size - 1)
    assert seen.file(None, document.id) is None


def test_only_so_many_are_remembered(article: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cited, "MOST", 2)
    [document] = load(article).documents
    seen = Cited()
    for reader in ("ann", "bob", "cy"):
        seen.note(reader, [document])
    assert [seen.file(reader, document.id) is not None for reader in ("ann", "bob", "cy")] == [False, True, True]
