"""How much is read for an answer in time. A token is read in 5 ms and written in 50 ms unless a test says otherwise.

600 tokens are read in 3 s and 40 written in 2 s: the 4 passages of 400 tokens take 5 s.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.engines import EngineChoice
from rag.pacing import Load, is_reliable, load_of, paced, seconds
from rag.settings import Settings, load_settings

FAST = EngineChoice("llama_cpp", 5.0, None, reading=0.005, writing=0.05, memory=8_000_000_000)


def chosen(measured: EngineChoice | None, **given: Any) -> Load:
    return load_of(paced(load_settings(**given), measured))


def test_what_an_answer_takes_is_reading_and_writing() -> None:
    assert seconds(Load(4, 400), FAST) == pytest.approx(5.0)
    assert seconds(Load(3, 300), FAST) == pytest.approx(4.5)


def test_where_there_is_time_nothing_is_left_out_and_nothing_added() -> None:
    assert chosen(FAST) == Load(4, 400)
    assert chosen(replace(FAST, reading=0.0001, writing=0.001)) == Load(4, 400)


@pytest.mark.parametrize(
    ("target", "load"),
    [
        (5.0, Load(4, 400)),
        (4.99, Load(4, 350)),  # there is time for 598 tokens, of which 398 are of passages
        (4.7, Load(3, 300)),  # 540 and 340
        (4.6, Load(3, 300)),  # 520 and 320
    ],
)
def test_where_time_is_short_as_much_is_read_as_there_is_time_for(target: float, load: Load) -> None:
    assert chosen(FAST, target_seconds=target) == load


def test_a_typical_answer_takes_no_longer_than_was_asked_for() -> None:
    for target in (4.5, 4.6, 4.7, 4.9, 5.0, 9.0):
        assert seconds(chosen(FAST, target_seconds=target), FAST) <= target + 1e-9


def test_however_slow_the_machine_three_passages_are_read() -> None:
    assert chosen(replace(FAST, reading=0.1)) == Load(3, 300)
    assert chosen(replace(FAST, writing=10.0)) == Load(3, 300)


@pytest.mark.parametrize(
    ("given", "load"),
    [
        ({"passages": 4}, Load(4, 300)),
        ({"passage_tokens": 400}, Load(3, 400)),
        ({"passages": 8, "passage_tokens": 1200}, Load(8, 1200)),
        ({"passages": 1, "passage_tokens": 50}, Load(1, 50)),
    ],
)
def test_what_the_user_has_set_stays(given: dict[str, int], load: Load) -> None:
    assert chosen(replace(FAST, reading=0.1), **given) == load


def test_what_the_file_of_settings_says_is_set_by_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rag.toml").write_text("passages = 4\n")
    monkeypatch.setenv("RAG_PASSAGE_TOKENS", "400")
    assert chosen(replace(FAST, reading=0.1)) == Load(4, 400)


@pytest.mark.parametrize(
    ("measured", "given"),
    [
        (None, {}),
        (replace(FAST, reading=0.1), {"target_seconds": 0}),
        (replace(FAST, reading=0.0), {}),
        (replace(FAST, writing=0.0), {}),
        (replace(FAST, reading=0.1, others=0.5), {}),
    ],
    ids=["not measured", "switched off", "no speed", "nothing said", "busy machine"],
)
def test_without_a_measurement_to_rely_on_nothing_is_left_out(
    measured: EngineChoice | None, given: dict[str, float]
) -> None:
    assert chosen(measured, **given) == Load(4, 400)


def test_a_measurement_beside_other_programs_is_not_relied_on() -> None:
    assert is_reliable(FAST)
    assert not is_reliable(replace(FAST, others=0.2))
    assert not is_reliable(None)


def test_nothing_else_is_changed() -> None:
    settings = load_settings(target_seconds=1)
    slower = paced(settings, replace(FAST, reading=0.1))
    others = set(Settings.model_fields) - {"passages", "passage_tokens"}
    assert slower.model_dump(include=others) == settings.model_dump(include=others)
