import os
import re
from pathlib import Path

import pytest

from rag.errors import InputError, RagError
from rag.guarding import Handed, handed
from rag.guarding.handed import TOKEN_PATTERN


def put(files: Handed, reader: str | None = None, content: bytes | Path = b"1", name: str = "a.csv") -> str:
    return files.put(reader, name, content, "text/csv")


def test_a_file_goes_to_whom_it_was_handed_and_to_nobody_else() -> None:
    files = Handed()
    token = files.put("ann", "answers.csv", b"id,answer", "text/csv")
    file = files.file("ann", token)
    assert file is not None
    assert (file.name, file.data, file.content_type, file.policy) == ("answers.csv", b"id,answer", "text/csv", "")
    assert files.file("bob", token) is None
    assert files.file(None, token) is None
    assert files.file("ann", token[:-1] + "?") is None


def test_where_there_is_no_login_the_token_is_enough() -> None:
    files = Handed()
    assert files.file(None, put(files)) is not None


def test_every_token_is_new_and_long() -> None:
    files = Handed()
    tokens = {put(files) for _ in range(50)}
    assert len(tokens) == 50
    assert all(re.fullmatch(TOKEN_PATTERN, token) for token in tokens)


def test_a_file_on_disk_is_read_when_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(b"one\n")
    files = Handed()
    token = put(files, content=path)
    path.write_bytes(b"one\ntwo\n")
    file = files.file(None, token)
    assert file is not None
    assert file.data == b"one\ntwo\n"
    path.unlink()
    assert files.file(None, token) is None
    path.symlink_to("/etc/hostname")
    assert files.file(None, token) is None
    path.unlink()
    os.mkfifo(path)
    assert files.file(None, token) is None


def test_a_file_may_be_made_when_it_is_asked_for() -> None:
    made = [b"one", b"two"]

    def make() -> bytes:
        if not made:
            raise InputError("It is gone.")
        return made.pop(0)

    files = Handed()
    token = files.put(None, "a.csv", make, "text/csv")
    assert files.holds(token)
    assert not files.holds(token[:-1])
    found = [files.file(None, token) for _ in range(3)]
    assert [file and file.data for file in found] == [b"one", b"two", None]


def test_the_oldest_make_room_by_number_and_by_size(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(handed, "MOST", 3)
    monkeypatch.setattr(handed, "MOST_BYTES", 10)
    files = Handed()
    tokens = [put(files) for _ in range(4)]
    assert [files.file(None, token) is not None for token in tokens] == [False, True, True, True]
    large = put(files, content=b"x" * 9)
    assert [files.file(None, token) is not None for token in [*tokens, large]] == [False, False, False, True, True]
    (tmp_path / "a").write_bytes(b"x" * 50)
    put(files, content=tmp_path / "a")  # takes no memory
    assert files.file(None, large) is not None


def test_too_large_a_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(handed, "MAX_BYTES", 10)
    files = Handed()
    assert files.file(None, put(files, content=b"x" * 10)) is not None
    with pytest.raises(RagError, match=r"answers.csv has 11 bytes, more than the 10 that"):
        put(files, content=b"x" * 11, name="answers.csv")
    (tmp_path / "a").write_bytes(b"x" * 11)
    assert files.file(None, put(files, content=tmp_path / "a")) is None
