import os
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from rag.errors import SettingsError
from rag.settings import EngineChoice, Settings, load_settings


@pytest.fixture(autouse=True)
def _nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No RAG_* variable, and a current folder without rag.toml."""
    for name in [name for name in os.environ if name.upper().startswith("RAG_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def refusal(**given: object) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(**given)
    return str(caught.value)


def write(text: str) -> None:
    Path("rag.toml").write_text(text)


def test_without_anything_set_the_defaults_hold() -> None:
    settings = load_settings()
    assert (settings.index, settings.engine, settings.threads, settings.port) == (
        Path("index"),
        EngineChoice.AUTO,
        None,
        7860,
    )


def test_what_is_given_beats_the_environment_which_beats_the_file_which_beats_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load_settings().passages == 4
    write("passages = 5")
    assert load_settings().passages == 5
    monkeypatch.setenv("RAG_PASSAGES", "6")
    assert load_settings().passages == 6
    assert load_settings(passages=7).passages == 7


def test_each_setting_comes_from_its_own_best_source(monkeypatch: pytest.MonkeyPatch) -> None:
    write('passages = 5\nindex = "file"\nreader = "file"')
    monkeypatch.setenv("RAG_INDEX", "environment")
    monkeypatch.setenv("RAG_READER", "environment")
    settings = load_settings(reader="given")
    assert (settings.passages, settings.index, settings.reader) == (5, Path("environment"), "given")


def test_text_is_turned_into_the_type_of_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_OFFLINE", "true")
    monkeypatch.setenv("RAG_ENGINE", "llama_cpp")
    settings = load_settings(threads="2", max_wrong="0.25", models="/models")
    assert settings.offline is True
    assert settings.engine is EngineChoice.LLAMA_CPP
    assert (settings.threads, settings.max_wrong, settings.models) == (2, 0.25, Path("/models"))


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("engine", "gpu", "'llama_cpp' or 'openai_compatible'"),
        ("passages", "many", "integer"),
        ("passages", "0", "greater than or equal to 1"),
        ("passages", "21", "less than or equal to 20"),
        ("chunk_tokens", "257", "less than or equal to 256"),
        ("max_wrong", "1.5", "less than or equal to 1"),
        ("offline", "perhaps", "boolean"),
        ("port", "65536", "less than or equal to 65535"),
        ("port", "0", "greater than or equal to 1"),
    ],
)
def test_a_refused_value_is_named_with_its_setting_and_what_would_do(
    name: str, value: str, accepted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = [refusal(**{name: value})]
    monkeypatch.setenv(f"RAG_{name.upper()}", value)
    messages.append(refusal())
    monkeypatch.delenv(f"RAG_{name.upper()}")
    write(f'{name} = "{value}"')
    messages.append(refusal())
    for message in messages:
        assert f"{name} = '{value}'" in message
        assert accepted in message
        assert f"--set {name}=…, RAG_{name.upper()} or {name} in rag.toml" in message


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("https://user:pa55word@models.example", "a key belongs in RAG_SERVER_KEY"),
        ("https://pa55word@models.example", "a key belongs in RAG_SERVER_KEY"),
        ("https://models.example/v1?key=pa55word", "a key belongs in RAG_SERVER_KEY"),
        ("pa55word", "an address such as http://127.0.0.1:8000"),
    ],
)
def test_an_address_that_may_hold_a_key_is_refused_without_repeating_it(server: str, said: str) -> None:
    for message in (refusal(server=server), _refused_file(f'server = "{server}"')):
        assert message.startswith("server isn't accepted: ")
        assert said in message
        assert "pa55word" not in message


def test_a_key_is_no_setting() -> None:
    for message in (refusal(server_key="pa55word"), _refused_file('server_key = "pa55word"')):
        assert "set the environment variable RAG_SERVER_KEY" in message
        assert "pa55word" not in message


def test_the_key_in_the_environment_is_no_setting_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_SERVER_KEY", "pa55word")
    assert "pa55word" not in repr(load_settings(server="https://models.example/v1"))


def test_all_refused_values_are_named_at_once() -> None:
    message = refusal(passages=0, port=0)
    assert "passages = 0" in message
    assert "port = 0" in message


def test_a_refused_value_is_not_hidden_by_a_good_one_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    write("passages = 0\nport = 8000")
    monkeypatch.setenv("RAG_PORT", "8001")
    assert "passages = 0" in refusal(port=8002)


def test_an_unknown_name_is_refused_and_the_known_ones_listed() -> None:
    for message in (refusal(passage=4), _refused_file("passage = 4")):
        assert "no setting called 'passage'" in message
        assert "passages, passage_tokens" in message


def _refused_file(text: str) -> str:
    write(text)
    return refusal()


def test_settings_in_a_table_of_the_file_are_refused() -> None:
    assert "no setting called 'rag'" in _refused_file("[rag]\npassages = 5")


@pytest.mark.parametrize("text", ["passages = ", "passages: 5", '"', "passages = 5\npassages = 6"])
def test_a_file_that_is_no_toml_is_named_with_the_place_of_the_trouble(text: str) -> None:
    message = _refused_file(text)
    assert message.startswith("rag.toml can't be read: ")
    assert message.endswith("Correct it or remove it.")
    assert re.search(r"\(at (line \d+, column \d+|end of document)\)", message)


def test_a_file_that_is_no_text_is_named() -> None:
    Path("rag.toml").write_bytes(b"\xff\xfe\x00")
    assert refusal().startswith("rag.toml can't be read: ")


def test_an_empty_file_and_a_folder_of_that_name_change_nothing() -> None:
    defaults = load_settings()
    write("# nothing yet\n")
    assert load_settings() == defaults
    Path("rag.toml").unlink()
    Path("rag.toml").mkdir()
    assert load_settings() == defaults


def test_other_variables_are_none_of_its_business(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSAGES", "5")
    monkeypatch.setenv("RAG_SOMETHING_ELSE", "5")
    assert load_settings().passages == 4


@pytest.mark.parametrize(
    "text",
    [
        'fields = "title=headline,text=body,text=story"',
        'fields = {title = "headline", text = ["body", "story"]}',
        '[fields]\ntitle = " headline "\ntext = ["body", "story"]',
    ],
)
def test_a_mapping_of_fields_is_a_text_or_a_table(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(text)
    assert load_settings().fields == "title=headline,text=body,text=story"
    monkeypatch.setenv("RAG_FIELDS", "text = body , date=when")
    assert load_settings().fields == "text=body,date=when"
    assert load_settings(fields="").fields == ""


@pytest.mark.parametrize(
    ("value", "wrong"),
    [('"body"', "body="), ('"text="', "text="), ('{body = "text"}', "body=text"), ("{text = 5}", "text="), ("5", "5=")],
)
def test_what_maps_no_field_to_a_part_of_an_article_is_refused(value: str, wrong: str) -> None:
    message = _refused_file(f"fields = {value}")
    assert f"'{wrong}' names no field; the parts are title, text, date, author, url, as in title=headline" in message
    assert "Change --set fields=…, RAG_FIELDS or fields in rag.toml." in message


def test_settings_can_not_be_changed_afterwards() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.passages = 5
    assert settings.passages == 4


def test_loading_settings_makes_no_file(tmp_path: Path) -> None:
    load_settings()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described(name: str) -> None:
    assert Settings.model_fields[name].description


def test_the_readme_names_every_setting() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    named = {
        name for row in re.findall(r"^\| (`.*?`) \|", readme, re.MULTILINE) for name in re.findall("`([a-z_]+)`", row)
    }
    assert set(Settings.model_fields) - named == set()
