"""Readers and texts that are out of the ordinary, in every engine."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.errors import EngineError
from rag.types import Engine, Limits, Prompt
from tests.engines.helpers import answer
from tests.engines.runtimes import RUNTIMES, open_runtime
from tests.engines.tiny_gguf import CHATML, CONTEXT, END, write_tiny_gguf

PROMPT = Prompt("Be kind.", ("A passage.",), "Why?")

GEMMA = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{{ '<|im_start|>user\n' + messages[0]['content'] + '<|im_end|>\n<|im_start|>model\n' }}"
)

Open = Callable[..., Engine]


@pytest.fixture(params=RUNTIMES)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens a reader with these logits, and closes it after the test."""
    engines: list[Engine] = []

    def opened(logits: dict[str, float], template: str | None = CHATML, context_tokens: int = CONTEXT) -> Engine:
        file = write_tiny_gguf(tmp_path / "tiny.gguf", logits, template)
        engines.append(open_runtime(request.param, file, tmp_path, context_tokens))
        return engines[-1]

    yield opened
    for engine in engines:
        engine.close()


def test_odds_are_those_of_the_logits(opened: Open) -> None:
    yes, no = opened({"Y": 2.0, "N": 1.0, "x": 4.0}).choose(PROMPT, ("Yes", "No"))
    assert yes == pytest.approx(math.e / (math.e + 1), abs=1e-4)
    assert yes + no == pytest.approx(1)


def test_odds_are_those_of_the_logits_even_where_the_reader_would_rather_end(opened: Open) -> None:
    yes, _ = opened({"Y": 2.0, "N": 1.0, END: 9.0}).choose(PROMPT, ("Yes", "No"))
    assert yes == pytest.approx(math.e / (math.e + 1), abs=1e-4)


def test_a_reader_that_ends_at_once_gives_an_empty_answer(opened: Open) -> None:
    assert answer(opened({END: 1.0}), PROMPT, Limits(5)) == ""


def test_an_answer_is_the_likeliest_token_up_to_the_limit(opened: Open) -> None:
    assert answer(opened({"z": 1.0, "y": 0.9}), PROMPT, Limits(5)) == "zzzzz"


def test_a_template_without_a_system_role_is_good_enough(opened: Open) -> None:
    assert answer(opened({"z": 1.0}, GEMMA), PROMPT, Limits(3)) == "zzz"


def test_a_reader_without_a_template_is_refused_or_framed_by_llama_cpp_itself(opened: Open) -> None:
    try:
        engine = opened({"z": 1.0}, None)
    except EngineError as error:
        assert "chat template can't be used" in str(error)  # noqa: PT017  either is fine
    else:
        assert answer(engine, PROMPT, Limits(3)) == "zzz"


def test_a_window_is_never_longer_than_what_the_reader_was_trained_on(opened: Open) -> None:
    engine = opened({"z": 1.0}, context_tokens=4 * CONTEXT)
    assert engine.context_tokens == CONTEXT
    with pytest.raises(EngineError, match=f"window of {CONTEXT}"):
        answer(engine, Prompt("", ("x" * CONTEXT,), ""), Limits(5))


def test_a_window_that_is_asked_for_is_kept(opened: Open) -> None:
    assert opened({"z": 1.0}, context_tokens=CONTEXT // 2).context_tokens == CONTEXT // 2


def test_a_control_token_spelled_out_in_a_text_is_one_token_a_character(opened: Open) -> None:
    engine = opened({"z": 1.0})
    space = engine.name == "openai_compatible"  # with which it is sent to a server
    assert engine.count_tokens(END) == len(END) + space


@pytest.mark.parametrize(
    "text", ["half a pair \ud83c here", "a nul \0 here", "", "\n\n", "\u202e\u200d\ufeff\U0010ffff"]
)
def test_any_text_can_be_read(opened: Open, text: str) -> None:
    engine = opened({"z": 1.0, "Y": 0.5})
    assert answer(engine, Prompt(text, (text,), text), Limits(3)) == "zzz"
    assert sum(engine.choose(Prompt(text, (text,), text), ("Y", "N"))) == pytest.approx(1)
    assert engine.count_tokens(text) == len(text.encode(errors="replace"))
    assert all(beat is None for beat in engine.warm(Prompt(text, (text,), text)))


def test_nothing_is_printed(opened: Open, capfd: pytest.CaptureFixture[str]) -> None:
    engine = opened({"z": 1.0})
    answer(engine, PROMPT, Limits(3))
    with pytest.raises(EngineError):
        answer(engine, PROMPT, Limits(5000))
    engine.close()
    assert capfd.readouterr() == ("", "")
