"""Libraries that move between places."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.errors import InputError, LibraryEmpty, LibraryError
from rag.index import Outcome, Visit, check_library
from rag.migrating import Migration, migrate_library
from rag.stores import Place, Servers, open_writer
from rag.stores.writing import ServerWriter
from tests.index.shelf import ARTICLES, IDENTITY, article, lines_of, put, vectors_of
from tests.stores.libraries import make_library, opened, state


def silent(_what: str, _done: int, _total: int) -> None:
    """Report to nobody."""


def rich_library(place: Place) -> Place:
    """With everything a library can keep, and numbers that aren't in one row any more."""
    words = " ".join(f"word{number}" for number in range(60))
    with open_writer(place, IDENTITY, loader=5) as writer:
        for name, text in {**ARTICLES, "copy": words, "other copy": words + " more", "gone": "Gone soon."}.items():
            put(writer, name, text)
        tea = article("tea", ARTICLES["tea"])
        writer.put(tea, lines_of(tea), vectors_of(tea, lines_of(tea)), ["one", "two"])
        odd = replace(article("odd", "A\x00 \ud7ff text"), url="https://example.org", pages=(0, 2), published=None)
        writer.put(odd, lines_of(odd), vectors_of(odd, lines_of(odd)))
        writer.remember_root("articles")
        writer.remember_root("https://example.org/feed")
        writer.note_visit(Visit("https://example.org/feed", "1", "title=a", "tag", "then", Outcome.UNREACHED))
        writer.note_marks({"tea": "1:2:3"})
        writer.commit()
        writer.remove("gone")
        writer.commit()
    return place


def test_a_library_goes_to_the_servers_and_comes_back_unchanged(tmp_path: Path, servers: Servers) -> None:
    source = rich_library(tmp_path / "index")
    before = state(source)
    told: list[tuple[str, int, int]] = []
    done = migrate_library(source, servers, lambda *now: told.append(now))
    assert done == Migration(documents=6, chunks=8, searches=8)
    assert told[0] == ("Copying the articles", 0, 6)
    assert ("Comparing the articles", 6, 6) in told
    assert told[-1] == ("Comparing searches", 8, 8)
    assert state(servers) == {**before, "generation": 1}
    back = tmp_path / "back"
    assert migrate_library(servers, back, silent) == done
    assert state(back) == {**before, "generation": 1}
    assert check_library(back).faults == ()
    assert state(source) == before
    with open_writer(servers, IDENTITY) as one, open_writer(back, IDENTITY) as other:
        assert one.vectors_of(["two"])["two"].tobytes() == other.vectors_of(["two"])["two"].tobytes()


def test_what_is_at_the_target_is_given_up_only_when_told_to(tmp_path: Path, place: Place) -> None:
    source = make_library(tmp_path / "source")
    make_library(place, {"wood": "Wood floats."})
    with open_writer(place, IDENTITY) as writer:
        writer.remember_root("woods")
        writer.commit()
    before = state(place)
    with pytest.raises(InputError, match=r"There are 1 articles in .* --replace"):
        migrate_library(source, place, silent)
    assert state(place) == before
    with opened(place) as library, library.snapshot() as old:
        migrate_library(source, place, silent, replace=True)
        assert [listed.id for listed in old.documents()] == ["wood"]
    assert state(place) == {**state(source), "generation": 2}


def test_nothing_and_the_same_place_are_refused(tmp_path: Path, servers: Servers) -> None:
    with pytest.raises(LibraryEmpty):
        migrate_library(tmp_path / "nothing", servers, silent)
    with pytest.raises(LibraryEmpty):
        migrate_library(servers, tmp_path / "target", silent)
    assert not (tmp_path / "target").exists()
    make_library(servers)
    with pytest.raises(InputError, match=r"is in postgresql.* already"):
        migrate_library(servers, servers, silent, replace=True)


def test_a_migration_that_is_interrupted_leaves_the_target_as_it_was(tmp_path: Path, place: Place) -> None:
    source = make_library(tmp_path / "source")
    before = state(make_library(place, {"wood": "Wood floats."}))

    def stop(_what: str, done: int, _total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate_library(source, place, stop, replace=True)
    assert state(place) == before


def spoiled(whole: Callable[[Any, Any], None], how: str) -> Callable[[Any, Any], None]:
    def put_stored(writer: Any, stored: Any) -> None:
        if how == "vector":
            stored = replace(stored, vectors=stored.vectors[::-1].copy())
        if how == "text":
            stored = replace(stored, document=replace(stored.document, author="Somebody"))
        if how != "lost" or stored.document.id != "iron":
            whole(writer, stored)

    return put_stored


@pytest.mark.parametrize(
    ("how", "message"),
    [("vector", "salt.txt|tea.txt"), ("text", r"tea\.txt"), ("lost", "the numbers of articles and chunks")],
)
def test_a_copy_that_differs_is_never_called_equal(
    tmp_path: Path, servers: Servers, how: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ServerWriter, "put_stored", spoiled(ServerWriter.put_stored, how))
    source = make_library(tmp_path / "source")
    before = state(source)
    with pytest.raises(LibraryError, match=rf"differs in .*({message}).* Don't use it"):
        migrate_library(source, servers, silent)
    assert state(source) == before
