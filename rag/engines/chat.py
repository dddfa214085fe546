"""From a `Prompt` to the tokens a model reads.

Only the model's own chat template may contribute control tokens. Instructions, passages and requests are tokenized as
plain text, so that a document that spells out `<|im_end|>` can't end the user's turn and speak as the system.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rag.errors import EngineError
from rag.types import Prompt

SYSTEM_MARK, USER_MARK = "citeline-system-text", "citeline-user-text"

PlainTokens = Callable[[str], list[int]]
TemplateTokens = Callable[[str, bool], list[int]]
"""(text, whether it begins the prompt) -> tokens, control tokens included."""


@dataclass(frozen=True, slots=True)
class ChatFrame:
    """The chat template around the instructions and the user's text: before + instructions + between + text + after."""

    before: str
    between: str
    after: str


def chat_frame(render: Callable[[list[dict[str, str]]], str]) -> ChatFrame:
    """Cut a rendered conversation where its texts stand.

    `render` applies the model's chat template to messages. Templates without a system role (Gemma's raise an error)
    get the instructions at the head of the user's text. Raises EngineError where there is no template to apply.
    """
    user = {"role": "user", "content": USER_MARK}
    try:
        rendered = render([{"role": "system", "content": SYSTEM_MARK}, user])
    except Exception:  # whatever the template's own raise_exception turns into, per binding
        rendered = ""
    if rendered.count(SYSTEM_MARK) == 1 and rendered.count(USER_MARK) == 1:
        before, rest = rendered.split(SYSTEM_MARK)
        between, after = rest.split(USER_MARK)
        return ChatFrame(before, between, after)
    try:
        before, after = render([user]).split(USER_MARK)
    except Exception as error:  # as above, or a template that doesn't say the user's text exactly once
        raise EngineError(
            f"The reader's chat template can't be used: {error}. "
            "Name a model trained to follow instructions in RAG_READER."
        ) from error
    return ChatFrame(before, "\n\n", after)


@dataclass(frozen=True)
class PromptEncoder:
    """Tokenizes prompts for one model."""

    frame: ChatFrame
    plain: PlainTokens
    template: TemplateTokens

    def whole(self, prompt: Prompt) -> list[int]:
        """All tokens up to where the answer begins."""
        text = "\n\n".join([*prompt.passages, prompt.request])
        return [*self._head(prompt), *self.plain(text), *self.template(self.frame.after, False)]

    def beginning(self, prompt: Prompt) -> list[int]:
        """The tokens of the parts known so far, for prompts whose request is still to come."""
        text = "".join(f"{passage}\n\n" for passage in prompt.passages) + prompt.request
        return [*self._head(prompt), *self.plain(text)]

    def _head(self, prompt: Prompt) -> list[int]:
        return [
            *self.template(self.frame.before, True),
            *self.plain(prompt.instructions),
            *self.template(self.frame.between, False),
        ]


def encodable(text: str) -> str:
    """`text` with question marks for lone surrogates, which JSON lets into a question and no tokenizer takes."""
    return text.encode(errors="replace").decode()


def common_beginning(one: Sequence[Any], other: Sequence[Any]) -> int:
    """How many leading items are equal: [1, 2, 3] and [1, 2, 4, 5] share 2."""
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return at
    return min(len(one), len(other))


def first_tokens(plain: PlainTokens, options: Sequence[str]) -> list[int]:
    """The first token of each option. Raises EngineError when two options share it."""
    tokens = [plain(option)[0] for option in options]
    if len(set(tokens)) < len(tokens):
        raise EngineError(f"Options must begin with different tokens: {', '.join(map(repr, options))}.")
    return tokens


def check_fit(tokens: list[int], answer_tokens: int, context_tokens: int) -> list[int]:
    """`tokens` again. Raises EngineError when they and the answer don't fit the model's window."""
    check_length(len(tokens), answer_tokens, context_tokens)
    return tokens


def check_length(prompt_tokens: int, answer_tokens: int, context_tokens: int) -> None:
    """Raises EngineError when prompt and answer don't fit the model's window."""
    if prompt_tokens + answer_tokens > context_tokens:
        raise EngineError(
            f"A prompt of {prompt_tokens} tokens and an answer of {answer_tokens} don't fit the reader's window of "
            f"{context_tokens}. Ask a shorter question, or lower RAG_PASSAGE_TOKENS."
        )
