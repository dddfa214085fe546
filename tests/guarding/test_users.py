import json
import os
import stat
import sys
from pathlib import Path

import pytest

from rag.errors import InputError, RagError
from rag.guarding.users import BLOCK, LANES, ROUNDS, Users

PASSWORD = "correct horse ü"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new" / "users.json"


def test_only_the_right_password_of_a_known_user_is_let_in(file: Path) -> None:
    users = Users(file)
    users.add("ann", PASSWORD)
    assert users.admits("ann", PASSWORD)
    assert not users.admits("ann", PASSWORD + " ")
    assert not users.admits("ann", "")
    assert not users.admits("Ann", PASSWORD)
    assert not users.admits("bob", PASSWORD)


def test_the_file_holds_salted_scrypt_and_no_password_and_only_its_owner_reads_it(file: Path) -> None:
    users = Users(file)
    users.add("ann", PASSWORD)
    users.add("bob", PASSWORD)
    text = file.read_text()
    kept = json.loads(text)
    assert PASSWORD not in text
    assert kept["ann"]["key"] != kept["bob"]["key"]
    assert (kept["ann"]["rounds"], kept["ann"]["block"], kept["ann"]["lanes"]) == (ROUNDS, BLOCK, LANES)
    assert [entry.name for entry in file.parent.iterdir()] == ["users.json"]
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_key_made_with_other_numbers_still_fits(file: Path) -> None:
    # hashlib.scrypt(b"password", salt=b"NaCl", n=1024, r=8, p=16, dklen=32), the second example of RFC 7914
    key = "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
    file.parent.mkdir()
    file.write_text(json.dumps({"ann": {"salt": b"NaCl".hex(), "key": key, "rounds": 1024, "block": 8, "lanes": 16}}))
    assert Users(file).admits("ann", "password")


def test_a_token_is_its_users_until_another_or_none_is_given(file: Path) -> None:
    users = Users(file)
    users.add("ann", PASSWORD)
    users.add("bob", PASSWORD)
    assert users.holder("") is None
    first = users.give_token("ann")
    assert (users.holder(first), users.holder(first.upper()), users.holder("é")) == ("ann", None, None)
    assert first not in file.read_text()
    second = users.give_token("ann")
    assert (users.holder(first), users.holder(second)) == (None, "ann")
    assert users.admits("ann", PASSWORD)
    users.end_token("ann")
    assert users.holder(second) is None
    third = users.give_token("ann")
    users.add("ann", PASSWORD)
    assert users.holder(third) is None
    fourth = users.give_token("ann")
    users.remove("ann")
    assert users.holder(fourth) is None
    with pytest.raises(InputError, match="no user 'ann'"):
        users.give_token("ann")


def test_a_new_password_replaces_the_old_one(file: Path) -> None:
    users = Users(file)
    users.add("ann", "first password")
    users.add("ann", "second password")
    assert users.names() == ["ann"]
    assert users.admits("ann", "second password")
    assert not users.admits("ann", "first password")


def test_what_another_process_changes_is_seen(file: Path) -> None:
    users, other = Users(file), Users(file)
    other.add("ann", PASSWORD)
    other.add("bob", PASSWORD)
    assert users.names() == ["ann", "bob"]
    other.remove("ann")
    assert "ann" not in users
    file.unlink()
    assert users.names() == []


@pytest.mark.parametrize("name", ["", "a b", "../ann", "<b>", "-ann", "a" * 65, "ännchen", "ann\n"])
def test_names_are_plain(file: Path, name: str) -> None:
    with pytest.raises(InputError, match="is no user name"):
        Users(file).add(name, PASSWORD)


@pytest.mark.parametrize("password", ["", "short67", "x" * 257])
def test_passwords_have_8_to_256_characters(file: Path, password: str) -> None:
    with pytest.raises(InputError, match=f"has {len(password)} characters. Use 8 to 256"):
        Users(file).add("ann", password)


def test_removing_nobody_names_who_there_is(file: Path) -> None:
    users = Users(file)
    users.add("ann", PASSWORD)
    with pytest.raises(InputError, match=r"no user 'bob'\. Known: ann"):
        users.remove("bob")


@pytest.mark.parametrize("content", ["{", "[]", '{"ann": "x"}', '{"ann": {"salt": "00"}}', "\x00"])
def test_a_file_that_is_none_of_users_is_said(file: Path, content: str) -> None:
    file.parent.mkdir()
    file.write_text(content)
    with pytest.raises(RagError, match=r"can’t be read as a file of users.*rag user add"):
        Users(file).names()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    users = Users(tmp_path / "users.json")
    (tmp_path / f".users.json.{os.getpid()}").mkdir()
    with pytest.raises(RagError, match="Set RAG_USERS"):
        users.add("ann", PASSWORD)
    assert users.names() == []
