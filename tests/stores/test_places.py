"""Settings → places, and what of them is never printed."""

import subprocess
import sys
from pathlib import Path

import pytest

from rag.errors import InputError, SettingsError
from rag.pipeline.conditions import answer_settings
from rag.settings import Store, load_settings
from rag.stores import Servers, folder_of, place_of

URL = "postgresql+psycopg://anna:swordfish@db.example:5432/news?sslmode=require"


def test_the_settings_say_where_the_library_lies(tmp_path: Path) -> None:
    assert place_of(load_settings(index=tmp_path)) == tmp_path
    settings = load_settings(store="milvus", store_uri="http://milvus:19530", store_token="a:b", database=URL)
    assert place_of(settings) == Servers(URL, "http://milvus:19530", "a:b")
    assert place_of(settings) != Servers(URL, "http://milvus:19530", "a:b", name="other")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"database": URL}, 'database is set, but store is "local"'),
        ({"store_uri": "x.db"}, 'store_uri is set, but store is "local"'),
        ({"store": "milvus", "store_uri": "x.db"}, "needs a PostgreSQL database"),
        ({"store": "milvus", "database": URL}, "store_uri is neither"),
        ({"store": "milvus", "database": URL, "store_uri": "x.sqlite"}, "store_uri is neither"),
        ({"store": "milvus", "database": URL, "store_uri": "http://a:swordfish@b"}, "Put it into RAG_STORE_TOKEN"),
        ({"store": "milvus", "database": "mysql://anna:swordfish@db/news", "store_uri": "x.db"}, "isn't the URL"),
        ({"store": "milvus", "database": "postgresql://anna:swordfish@db", "store_uri": "x.db"}, "isn't the URL"),
        ({"store": "milvus", "database": "postgresql://[swordfish", "store_uri": "x.db"}, "isn't the URL"),
        ({"store": "milvus", "database": "postgresql://a:sword@fish@db/n", "store_uri": "x.db"}, "more than one @"),
        ({"store": "postgres"}, "'local' or 'milvus'"),
        ({"database": ["swordfish"]}, "database = … isn't accepted"),
    ],
)
def test_what_can_t_be_a_place_is_refused_without_a_password(given: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        place_of(load_settings(**given))
    assert message in str(caught.value)
    assert not {"swordfish", "fish@"} & set(str(caught.value).split())
    assert "swordfish" not in str(caught.value)


def test_no_password_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_DATABASE", URL)
    monkeypatch.setenv("RAG_STORE_TOKEN", "root:swordfish")
    settings = load_settings(store="milvus", store_uri="http://milvus:19530")
    place = place_of(settings)
    assert str(place) == "postgresql+psycopg://anna:***@db.example:5432/news and http://milvus:19530"
    assert str(Servers("postgresql:///news?password=swordfish", "x.db", name="eval_1")) == (
        "postgresql:///news (eval_1) and x.db"
    )
    shown = (settings, place, settings.model_dump(), settings.model_dump_json(), answer_settings(settings))
    assert "swordfish" not in "".join(f"{value!r} {value}" for value in shown)


def test_answers_name_the_store_only_where_it_isn_t_the_usual_one(tmp_path: Path) -> None:
    assert "store" not in answer_settings(load_settings(index=tmp_path))
    assert answer_settings(load_settings(store="milvus"))["store"] == Store.MILVUS


def test_what_needs_a_folder_says_what_to_use_instead(tmp_path: Path) -> None:
    assert folder_of(load_settings(index=tmp_path), "`pg_dump`") == tmp_path
    settings = load_settings(store="milvus", store_uri="x.db", database=URL)
    with pytest.raises(InputError, match=r"this one is in .*anna:\*\*\*@db.* Use `pg_dump`\."):
        folder_of(settings, "`pg_dump`")


@pytest.mark.parametrize("name", ["", "Upper", "a b", 'x"; DROP', "1st", "x" * 60])
def test_a_library_s_name_is_plain(name: str) -> None:
    with pytest.raises(SettingsError, match="can't be the name of a library"):
        Servers(URL, "x.db", name=name)


def test_the_default_installation_imports_none_of_it() -> None:
    code = """
import sys
import rag.cli.commands, rag.pipeline, rag.page.building
from rag.stores import library_at, place_of
from rag.settings import load_settings
library_at(place_of(load_settings())).close()
print([name for name in ("sqlalchemy", "psycopg", "pymilvus", "milvus_lite", "snowballstemmer") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_missing_packages_are_named_with_the_command_that_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from rag.errors import LibraryError
    from rag.stores import library_at, opening

    monkeypatch.setattr(opening, "find_spec", lambda name: None if name == "psycopg" else object())
    with pytest.raises(
        LibraryError, match=r"aren't installed \(psycopg\)\. Run `pip install 'citeline\[milvus,postgres\]'`"
    ):
        library_at(Servers(URL, "x.db"))
