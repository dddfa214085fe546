"""Whose rights count when a question is answered: on the page's desk, ahead of it, and in a worker."""

import threading
import time
from pathlib import Path

import pytest

from rag.desk import Desk
from rag.errors import SettingsError
from rag.guarding import Users
from rag.page.serving import door_of, serving
from rag.service import Stopping
from rag.settings import load_settings
from rag.types import Answer, Finished
from tests.rights.board import PASSWORDS, RIGHTS, SECRET, Quoting, Visitor, opener, settings_of

QUESTION = "Which budget vote of the council on the merger was secret?"


def opened(desk: Desk) -> Desk:
    desk.open()
    deadline = time.monotonic() + 20
    while desk.pipeline is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return desk


def answered(desk: Desk, reader: str | None, documents: frozenset[str] | None = None) -> Answer:
    asked = desk.ask(QUESTION, (), threading.Event(), "client", documents, reader=reader)
    return next(event.answer for event in asked if isinstance(event, Finished))


def sources(answer: Answer) -> set[str]:
    return {Path(passage.document.source).parent.name for passage in answer.passages}


def test_each_is_answered_from_what_they_may_read_and_who_is_not_named_from_what_everyone_may(tmp_path: Path) -> None:
    desk = opened(Desk(settings_of(tmp_path), opener))
    try:
        assert sources(answered(desk, "chief")) == {"news", "board"}
        assert SECRET in answered(desk, "anna").text
        assert sources(answered(desk, "bob")) == sources(answered(desk, None)) == {"news"}
        board = frozenset(hit.chunk.document_id for hit, _ in desk.lent("anna").search(SECRET, 50))
        assert answered(desk, "bob", board).passages == () or sources(answered(desk, "bob", board)) == {"news"}
        assert all("news" in document.source for _, document in desk.lent().search("merger vote", 50))
        assert not any(SECRET in question for question in desk.lent("bob").openers())
    finally:
        desk.close()


def test_while_the_rights_can_not_be_read_nobody_is_answered(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    desk = opened(Desk(settings, opener))
    try:
        (tmp_path / "rights.toml").unlink()
        with pytest.raises(SettingsError, match="nobody reads anything"):
            answered(desk, "chief")
        (tmp_path / "rights.toml").write_text(RIGHTS, encoding="utf-8")
        assert SECRET in answered(desk, "chief").text
    finally:
        desk.close()


def test_a_page_whose_rights_can_not_be_read_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no-rights\.toml, which says who may read what, can't be read"):
        door_of(load_settings(rights=tmp_path / "no-rights.toml"))


def test_what_was_prepared_with_other_rights_is_not_used(tmp_path: Path) -> None:
    made = []

    def noting(*given: object) -> object:
        made.append(opener(*given))  # type: ignore[arg-type]
        return made[0]

    desk = opened(Desk(settings_of(tmp_path), noting))  # type: ignore[arg-type]
    try:
        list(desk.prepare(QUESTION, (), "client", reader="anna"))
        engine = made[0].engine
        assert isinstance(engine, Quoting)
        assert any(SECRET in text for prompt in engine.prompts for text in prompt.passages)
        engine.prompts.clear()
        answer = answered(desk, "bob")
        assert engine.prompts
        assert not any(SECRET in f"{prompt}" for prompt in engine.prompts)
        assert SECRET not in answer.text
    finally:
        desk.close()


def test_a_worker_answers_with_the_rights_of_who_asked(tmp_path: Path) -> None:
    users = Users(tmp_path / "users.json")
    for name in ("anna", "bob"):
        users.add(name, PASSWORDS[name])
    settings = settings_of(tmp_path, users=tmp_path / "users.json", login="always", api=True)
    with serving(settings, opener, Stopping(), workers=1) as address:
        told = {}
        for name in ("anna", "bob"):
            program = Visitor(address, name, headers={"authorization": f"Bearer {users.give_token(name)}"})
            deadline = time.monotonic() + 200
            while "error" in (body := program.chat(QUESTION)):
                assert time.monotonic() < deadline, body
                time.sleep(0.5)
            told[name] = ("citeline" in body, SECRET in body)
            program.http.close()
    assert told == {"anna": (True, True), "bob": (True, False)}
