"""`rag index · sync · status` of web pages, and of records whose fields are named."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Rag
from tests.internet import internet, shown
from tests.test_web import Web, page

FERRY = "http://news.example/ferry"


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    with internet(monkeypatch, {"/ferry": shown("Ferry", "The ferry sails on Monday.")}) as made:
        yield made


def test_a_page_is_indexed_beside_a_folder_and_visited_again(rag_: Rag, articles: Path, web: Web) -> None:
    assert rag_("index", articles, FERRY).done.splitlines()[2:] == [
        f"+ {FERRY}",
        "3 added, 0 updated, 0 removed, 0 unchanged, 0 refused: 3 articles in the library.",
    ]
    web.pages["/ferry"] = shown("Ferry", "The ferry sank.")
    assert rag_("sync").done.splitlines()[0] == f"~ {FERRY}"
    assert rag_("index").done.startswith("0 added, 0 updated, 0 removed, 3 unchanged")
    lines = rag_("status").done.splitlines()
    assert lines[2:4] == [f"  from {articles}", f"  from {FERRY}"]
    assert lines[-1] == "Stale: nothing"


def test_a_page_that_is_gone_is_said_and_kept_until_it_is_forgotten(rag_: Rag, articles: Path, web: Web) -> None:
    rag_("index", articles, FERRY)
    web.pages["/ferry"] = page(b"", 404)
    done = rag_("sync")
    assert done.status == 2
    assert done.out.splitlines() == [
        f"! {FERRY} answered 404: there is no such page. What was indexed from it stays; "
        "`rag index --rebuild FOLDER` with the other folders forgets it.",
        "0 added, 0 updated, 0 moved, 0 removed, 3 unchanged, 1 refused: 3 articles in the library.",
    ]
    assert rag_("status").done.splitlines()[-2:] == [
        "Stale: 1. What was indexed stays. Run `rag sync` to try again; "
        "`rag index --rebuild` with the others forgets it.",
        f"  page is gone: {FERRY}",
    ]
    assert "2 articles in the library" in rag_("index", "--rebuild", articles).done
    assert rag_("sync").status == 0


def test_an_address_that_can_not_be_one_is_refused_before_anything_else(rag_: Rag, tmp_path: Path) -> None:
    done = rag_("index", "ftp://news.example/")
    assert done.status == 2
    assert done.complaint == "'ftp://news.example/' is no web address. Write it as https://example.org/news."
    assert not (tmp_path / "index").exists()


def test_an_address_of_this_machine_is_refused(rag_: Rag) -> None:
    done = rag_("index", "http://127.0.0.1:7860/")
    assert done.status == 2
    assert done.out.startswith("! 127.0.0.1 isn’t on the public internet, so nothing is fetched from it. ")


@pytest.mark.parametrize("command", [("sync",), ("index",), ("index", "--rebuild")])
def test_a_changed_mapping_of_fields_is_a_reason_and_every_command_heeds_it(
    command: tuple[str, ...], rag_: Rag, articles: Path, tmp_path: Path
) -> None:
    news = articles / "news.jsonl"
    news.write_text('{"story": "The well is dry.", "text": "Il pozzo."}\n' * 2, encoding="utf-8")
    rag_("index", articles)
    (tmp_path / "rag.toml").write_text('fields = {text = "story"}')
    assert rag_("status").done.splitlines()[-2:] == ["Stale: 1. Run `rag sync`.", f"  fields changed: {news}"]
    assert rag_(*command).status == 0
    assert rag_("status").done.splitlines()[-1] == "Stale: nothing"
    done = rag_("--set", "fields=text=storry", *command)
    assert done.status == 2
    assert "! No record has a field called 'storry', as fields = text=storry says;" in done.out
