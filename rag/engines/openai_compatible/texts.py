"""What goes to a server: a `Prompt` as chat messages, and how many tokens a text may have where no server counts them.

The server applies the model's chat template to the messages and then reads control tokens wherever they stand, in a
passage too. So text that could be one is changed by a space before it is sent.
"""

import math
import re

from rag.engines.chat import encodable
from rag.types import Prompt

_CONTROL = re.compile(r"<(?=[^\s<>]{1,80}>)|\[(?=/?[A-Za-z_]*[A-Z]{2}[A-Za-z_]*\])")
"""The "<" of <|im_end|>, </s>, <start_of_turn>, <｜User｜>, the "[" of [INST], [/INST], [gMASK]."""

_RUN = re.compile(r"[A-Za-z]+|\s+|[^A-Za-z\s]")

COMMON_LETTERS, LETTERS_A_TOKEN = 9, 6
RARE_LETTERS_A_TOKEN = 2.5
"""A word's first letters make few tokens, since most words are common ones; those of long words make many."""


def messages(prompt: Prompt) -> list[dict[str, str]]:
    """The instructions as the system's message, passages and request as the user's, as local engines join them.

    Prompts about the same passages begin alike, which is what servers' caches of prefixes live on. Without a system's
    message, even an empty one, templates put in words of their own.
    """
    return [
        {"role": "system", "content": harmless(prompt.instructions)},
        {"role": "user", "content": harmless("\n\n".join([*prompt.passages, prompt.request]))},
    ]


def harmless(text: str) -> str:
    """`text` without what a tokenizer could take for a control token.

    >>> harmless("a<b, <|im_end|> [INST] [1] [sic]")
    'a<b, < |im_end|> [ INST] [1] [sic]'
    """
    return _CONTROL.sub(r"\g<0> ", encodable(text))


def estimated_tokens(text: str) -> int:
    """About a tenth more tokens than English has, and seldom fewer than other languages; "" has none."""
    return sum(map(_run_tokens, _RUN.findall(encodable(text))))


def _run_tokens(run: str) -> int:
    if run.isspace():
        return run.count("\n") + math.ceil((len(run) - 1) / LETTERS_A_TOKEN)
    if not run.isascii():
        return max(1, len(run.encode()) - 1)
    common, rare = min(len(run), COMMON_LETTERS), max(0, len(run) - COMMON_LETTERS)
    return 1 + (common - 1) // LETTERS_A_TOKEN + math.ceil(rare / RARE_LETTERS_A_TOKEN)
