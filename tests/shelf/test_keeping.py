from pathlib import Path

import pytest

from rag.documents import find_files
from rag.errors import DocumentError
from rag.shelf.keeping import harmless, keep


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("bill.txt", "bill.txt"),
        ("../.a<b>:bill?.TXT", "a b bill.txt"),
        ("<>.txt", "file.txt"),
        (".hidden.md", "hidden.md"),
        ("\u202egpj.exe\x00.pdf", "gpj.exe.pdf"),
        ("A\u0308rger über Zölle 2.docx", "Ärger über Zölle 2.docx"),
        ("हिन्दी.txt", "हिन्दी.txt"),
        ("x" * 300 + ".html", "x" * 100 + ".html"),
        ("questions.jsonl", "kept questions.jsonl"),
        ("a\nb\\c/d.csv", "a b c d.csv"),
    ],
)
def test_names_are_made_of_letters_digits_and_a_few_signs(name: str, safe: str) -> None:
    assert harmless(name) == safe


def sent(folder: Path, name: str, data: bytes) -> Path:
    file = folder / "sent" / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(data)
    return file


def test_no_file_overwrites_another_and_all_are_found_by_a_sync(tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    names = ["bill.txt", "bill.txt", "BILL.TXT", "report", "qrels.tsv"]
    contents = [b"one", b"two", b"three", b"%PDF-1.7\n", b"a\tb\n"]
    kept = [keep(sent(tmp_path, *pair), folder) for pair in zip(names, contents, strict=True)]
    assert [path.name for path in kept] == ["bill.txt", "bill 2.txt", "BILL.txt", "report.pdf", "kept qrels.tsv"]
    assert [path.read_bytes() for path in kept] == contents
    assert find_files([folder]) == sorted(kept)
    assert not list((tmp_path / "sent").iterdir())


def test_what_is_no_article_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"program is in a format that can't be read|program"):
        keep(sent(tmp_path, "program", b"\x7fELF\x00\x01"), tmp_path / "uploads")
    assert not (tmp_path / "uploads").exists()
