import os
from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.rights import EVERYTHING, Rights

FILE = """
[collections]
news = ["news/**"]
board = "minutes"          # a single one needs no list

[readers]
everyone = ["news"]
anna = ["board"]
"bob@example.org" = []
chief = ["*"]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "rights.toml"
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(before + 10**9, before + 10**9))
    return path


def test_without_a_file_everybody_reads_everything() -> None:
    rights = Rights(None)
    assert not rights.limited
    assert rights.of(None) == rights.of("anna") == EVERYTHING
    assert rights.may_read("anna", "anything")


def test_readers_have_their_collections_and_those_of_everyone(tmp_path: Path) -> None:
    rights = Rights(written(tmp_path, FILE))
    news, board = (str(tmp_path.resolve() / place) for place in ("news/a.md", "minutes/b.md"))
    reads = {
        reader: (rights.may_read(reader, news), rights.may_read(reader, board), rights.may_read(reader, "elsewhere"))
        for reader in (None, "anna", "bob@example.org", "stranger", "chief")
    }
    assert reads == {
        None: (True, False, False),
        "anna": (True, True, False),
        "bob@example.org": (True, False, False),
        "stranger": (True, False, False),
        "chief": (True, True, True),
    }
    assert rights.of("stranger") == rights.of(None) != rights.of("anna")


def test_rights_are_read_anew_when_the_file_changes_and_nothing_may_be_read_while_it_is_broken(tmp_path: Path) -> None:
    path = written(tmp_path, FILE)
    rights, minutes = Rights(path), str(tmp_path.resolve() / "minutes/b.md")
    assert rights.may_read("anna", minutes)
    written(tmp_path, FILE.replace('anna = ["board"]', "anna = []"))
    assert not rights.may_read("anna", minutes)
    written(tmp_path, FILE)
    assert rights.may_read("anna", minutes)
    written(tmp_path, "[collections]\nnews = news\n")
    with pytest.raises(SettingsError, match=r"rights\.toml can't be read: .*line 2.*Accepted are \[collections\]"):
        rights.of("anna")
    assert not rights.may_read("chief", minutes)
    path.unlink()
    with pytest.raises(SettingsError, match=r"can't be read: No such file.*nobody reads anything"):
        rights.of("anna")
    assert not rights.may_read("chief", minutes)
    written(tmp_path, FILE)
    assert rights.may_read("anna", minutes)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (FILE.replace('["board"]\n"bob', '["bord"]\n"bob'), r"line 8: anna is to read 'bord', and .* Known: news, b"),
        (FILE.replace('"bob@example.org" = []', '"bob@example.org" = ["x"]'), "line 9: bob@example.org is to read 'x'"),
        (FILE.replace('["*"]', "3"), "line 10: readers.chief isn't a list of texts. Write it as chief ="),
        (FILE.replace('["news/**"]', "[3]"), r"line 3: collections.news isn't a list of texts"),
        (FILE.replace('["news/**"]', '["!news"]'), "line 3: the collection news names no articles. Accepted"),
        (FILE.replace('["news/**"]', '[""]'), "line 3: the collection news names no articles"),
        (FILE.replace("[readers]", "[users]"), r"line 6: there is no 'users' among rights. Accepted"),
        ('everyone = ["news"]\n', "line 1: there is no 'everyone' among rights"),
        ("readers = 3\n", "line 1: readers isn't a table"),
        (FILE.replace("news =", '"*" ='), "line 3: '\\*' can't be the name of a collection"),
    ],
)  # fmt: skip
def test_what_can_not_be_meant_is_said_with_its_line(text: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=complaint):
        Rights(written(tmp_path, text)).of("anna")


def test_bytes_that_are_no_text_are_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "rights.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="it isn't UTF-8"):
        Rights(tmp_path / "rights.toml").of(None)
