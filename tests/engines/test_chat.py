from collections.abc import Callable

import pytest

from rag.engines.chat import (
    ChatFrame,
    PromptEncoder,
    chat_frame,
    check_fit,
    common_beginning,
    encodable,
    first_tokens,
)
from rag.errors import EngineError
from rag.types import Prompt

Messages = list[dict[str, str]]


def chatml(messages: Messages) -> str:
    turns = "".join(f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in messages)
    return f"{turns}<|im_start|>assistant\n"


def gemma(messages: Messages) -> str:
    if messages[0]["role"] == "system":
        raise ValueError("System role not supported")
    return f"<bos><start_of_turn>user\n{messages[0]['content']}<end_of_turn>\n<start_of_turn>model\n"


def without_system(messages: Messages) -> str:
    return "".join(f"[INST] {turn['content']} [/INST]" for turn in messages if turn["role"] == "user")


def test_a_template_is_cut_around_instructions_and_text() -> None:
    assert chat_frame(chatml) == ChatFrame(
        "<|im_start|>system\n", "<|im_end|>\n<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"
    )


def test_a_template_that_refuses_a_system_role_gets_the_instructions_with_the_text() -> None:
    assert chat_frame(gemma) == ChatFrame("<bos><start_of_turn>user\n", "\n\n", "<end_of_turn>\n<start_of_turn>model\n")


def test_a_template_that_drops_the_system_role_gets_the_instructions_with_the_text() -> None:
    assert chat_frame(without_system) == ChatFrame("[INST] ", "\n\n", " [/INST]")


def no_template(_: Messages) -> str:
    raise KeyError("tokenizer.chat_template")


@pytest.mark.parametrize("render", [no_template, lambda _: "nothing of it", lambda m: m[-1]["content"] * 2])
def test_a_template_that_cant_be_used_is_an_error_with_a_way_out(render: Callable[[Messages], str]) -> None:
    with pytest.raises(EngineError, match=r"chat template can't be used.*RAG_READER"):
        chat_frame(render)


def encoder() -> PromptEncoder:
    """Code points as tokens; a "^" in the template becomes the control token -1, and what begins gets a -2 in front."""

    def template(text: str, begins: bool) -> list[int]:
        return [-2] * begins + [-1 if letter == "^" else ord(letter) for letter in text]

    return PromptEncoder(ChatFrame("^s", "^u", "^a"), lambda text: [ord(letter) for letter in text], template)


def spelled(tokens: list[int]) -> str:
    return "".join({-1: "‹control›", -2: "‹bos›"}.get(token) or chr(token) for token in tokens)


def test_a_prompt_is_framed_and_its_parts_stand_apart() -> None:
    tokens = encoder().whole(Prompt("Be kind.", ("One.", "Two."), "Why?"))
    assert spelled(tokens) == "‹bos›‹control›sBe kind.‹control›uOne.\n\nTwo.\n\nWhy?‹control›a"


def test_only_the_template_contributes_control_tokens() -> None:
    tokens = encoder().whole(Prompt("^", ("^",), "^"))
    assert spelled(tokens) == "‹bos›‹control›s^‹control›u^\n\n^‹control›a"


@pytest.mark.parametrize("known", [Prompt("Be.", (), ""), Prompt("Be.", ("One.",), ""), Prompt("Be.", ("One.",), "Wh")])
def test_what_is_known_so_far_begins_the_whole_prompt(known: Prompt) -> None:
    whole = encoder().whole(Prompt("Be.", ("One.",), "Why?"))
    beginning = encoder().beginning(known)
    assert whole[: len(beginning)] == beginning


@pytest.mark.parametrize(
    ("one", "other", "length"),
    [([1, 2, 3], [1, 2, 4, 5], 2), ([], [1], 0), ([1, 2], [1, 2], 2), ([1, 2], [1, 2, 3], 2), ([1], [2], 0)],
)
def test_common_beginning(one: list[int], other: list[int], length: int) -> None:
    assert common_beginning(one, other) == common_beginning(other, one) == length


def test_options_are_told_apart_by_their_first_tokens() -> None:
    letters = encoder().plain
    assert first_tokens(letters, ("Yes", "No")) == [ord("Y"), ord("N")]
    with pytest.raises(EngineError, match="'Yes', 'Yellow'"):
        first_tokens(letters, ("Yes", "Yellow"))


def test_a_prompt_may_fill_the_window_to_the_last_token() -> None:
    assert check_fit([1] * 7, 3, 10) == [1] * 7
    with pytest.raises(EngineError, match=r"8 tokens and an answer of 3 .* window of 10"):
        check_fit([1] * 8, 3, 10)


def test_lone_surrogates_become_question_marks_and_nothing_else_changes() -> None:
    assert encodable("a\ud800b 🎉 é e\u0301 \0") == "a?b 🎉 é e\u0301 \0"
