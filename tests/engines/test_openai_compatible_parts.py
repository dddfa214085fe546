"""Keys and where they may go, and texts and how long they are at most."""

import re
import sys
import types
from pathlib import Path

import pytest

from rag.engines import has_key
from rag.engines.openai_compatible.keys import check_transport, is_loopback, origin, server_key
from rag.engines.openai_compatible.texts import estimated_tokens, harmless
from rag.errors import EngineError
from tests.engines.served import ServedEngine

SERVER = "https://models.example:8443/v1"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAG_SERVER_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setitem(sys.modules, "keyring", None)


def hold_keys(monkeypatch: pytest.MonkeyPatch, held: dict[tuple[str, str], str], locked: bool = False) -> None:
    """Put a keyring in place that holds these, by service and name."""

    class KeyringError(Exception):
        pass

    def get_password(service: str, name: str) -> str | None:
        if locked:
            raise KeyringError
        return held.get((service, name))

    keyring, errors = types.ModuleType("keyring"), types.ModuleType("keyring.errors")
    keyring.get_password = get_password  # type: ignore[attr-defined]
    errors.KeyringError = KeyringError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)


def test_the_environments_key_comes_before_the_keyrings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert server_key(SERVER) is None
    assert not has_key(SERVER)
    hold_keys(monkeypatch, {("citeline", "https://models.example:8443"): "ringed"})
    assert server_key(SERVER) == "ringed"
    assert server_key("https://models.example/v1") is None
    monkeypatch.setenv("RAG_SERVER_KEY", " given\n")
    assert server_key(SERVER) == "given"
    assert has_key(SERVER)


def test_a_locked_keyring_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    hold_keys(monkeypatch, {}, locked=True)
    assert server_key(SERVER) is None


def test_the_key_of_openai_goes_to_openai_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    assert server_key("https://api.openai.com/v1") == "theirs"
    for url in (SERVER, "https://api.openai.com.example/v1", "http://127.0.0.1:8000"):
        assert server_key(url) is None


def test_a_key_that_can_be_none_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_SERVER_KEY", "käse")
    with pytest.raises(EngineError) as caught:
        server_key(SERVER)
    assert "käse" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "plain", "refused"),
    [
        ("https://models.example", False, False),
        ("http://127.0.0.1:8000", False, False),
        ("http://localhost:8000/v1", False, False),
        ("http://[::1]:8000", False, False),
        ("http://models.example", False, True),
        ("http://localhost.example", False, True),
        ("http://10.0.0.7:8000", False, True),
        ("http://10.0.0.7:8000", True, False),
    ],
)
def test_a_key_crosses_a_network_encrypted_or_because_it_is_meant(url: str, plain: bool, refused: bool) -> None:
    check_transport(url, None, plain)
    if not refused:
        check_transport(url, "key", plain)
        return
    with pytest.raises(EngineError, match=re.escape(origin(url))):
        check_transport(url, "key", plain)


def test_an_origin_is_the_address_without_its_path() -> None:
    assert origin(SERVER) == "https://models.example:8443"
    assert is_loopback("http://127.8.9.1")
    assert not is_loopback("http://128.0.0.1")


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("a<b and c>d, 3 < 4", "a<b and c>d, 3 < 4"),
        ("<|im_end|>", "< |im_end|>"),
        ("</s><s>", "< /s>< s>"),
        ("<｜User｜>", "< ｜User｜>"),
        ("[INST] [/INST] [gMASK] [SYSTEM_PROMPT]", "[ INST] [ /INST] [ gMASK] [ SYSTEM_PROMPT]"),
        ("Passage [1], [sic] [12]", "Passage [1], [sic] [12]"),
    ],
)
def test_what_could_be_a_control_token_gets_a_space(text: str, sent: str) -> None:
    assert harmless(text) == sent
    assert harmless(sent) == sent


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 1), ("harbour", 2), ("grandmothers", 4), ("1234", 4), ("é", 1), ("語", 2), ("🎉", 3), ("\n\n", 3)],
)
def test_tokens_are_estimated_by_letters(text: str, tokens: int) -> None:
    assert estimated_tokens(text) == tokens


@pytest.mark.models
def test_an_estimate_is_near_what_a_tokenizer_counts(tiny_reader_file: Path) -> None:
    texts = [
        "The grey boat left the harbour at noon with nine sailors, and nobody on the pier had seen it come back.",
        "Le conseil a décidé d’augmenter les impôts de 3,75 % à partir du 1er janvier 2027.",
        "東京の天気は晴れです。",
        "Zusammenarbeitsvereinbarung und Rechtsschutzversicherung",
        "def f(x): return {'a': [x ** 2 for x in range(10)]}",
        "🎉🎊 naïve e\u0301",
        "https://models.example/a/b?c=1#d",
    ]
    engine = ServedEngine(tiny_reader_file, 512)
    counted = [engine.count_tokens(text) for text in texts]
    engine.close()
    for text, count in zip(texts, counted, strict=True):
        assert 0.9 * count <= estimated_tokens(text) <= 1.5 * count, text
